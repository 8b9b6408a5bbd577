//! Files that must not stay behind when a signal ends the process before their owners can see to
//! them.

use std::fs;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every such file that there is now.
static LEFTOVERS: Mutex<Vec<(PathBuf, LeftoverKind)>> = Mutex::new(Vec::new());

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeftoverKind {
    /// A video or picture that is not whole yet.
    Part,
    /// A socket.
    Socket,
}

/// A file that is removed if the process [ends at once](end_leftovers) while this lives. Dropping it
/// leaves the file as it is.
#[derive(Debug)]
pub struct Leftover {
    path: PathBuf,
}

impl Leftover {
    /// Makes a file that is not whole yet: with no moment in which it exists and is not known here.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn part<T>(make: impl FnOnce() -> io::Result<(T, PathBuf)>) -> io::Result<(T, Self)> {
        Self::make(LeftoverKind::Part, make)
    }

    /// As [`part`](Self::part), for a socket.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn socket<T>(make: impl FnOnce() -> io::Result<(T, PathBuf)>) -> io::Result<(T, Self)> {
        Self::make(LeftoverKind::Socket, make)
    }

    fn make<T>(
        kind: LeftoverKind,
        make: impl FnOnce() -> io::Result<(T, PathBuf)>,
    ) -> io::Result<(T, Self)> {
        let mut leftovers = all();
        let (made, path) = make()?;
        leftovers.push((path.clone(), kind));
        Ok((made, Self { path }))
    }

    /// Takes the file's end into the owner's hands: `act` renames or removes it.
    pub fn settle<T>(self, act: impl FnOnce() -> T) -> T {
        let mut leftovers = all();
        let done = act();
        forget(&mut leftovers, &self.path);
        drop(leftovers);
        mem::forget(self);
        done
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        forget(&mut all(), &self.path);
    }
}

fn forget(leftovers: &mut Vec<(PathBuf, LeftoverKind)>, path: &Path) {
    leftovers.retain(|(known, _)| known != path);
}

fn all() -> MutexGuard<'static, Vec<(PathBuf, LeftoverKind)>> {
    // A list of names: every state between two changes is a state.
    LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For a process that ends right now: removes what must not stay. Parts of files are kept if
/// `keeps_parts`, and told. No further such file can be made, renamed or removed from here on.
pub fn end_leftovers(keeps_parts: bool) -> Vec<PathBuf> {
    let mut leftovers = all();
    let mut kept = Vec::new();
    for (path, kind) in leftovers.drain(..) {
        if kind == LeftoverKind::Part && keeps_parts {
            kept.push(path);
        } else {
            // Nobody is left who could be told.
            let _ = fs::remove_file(path);
        }
    }
    mem::forget(leftovers);
    kept
}
