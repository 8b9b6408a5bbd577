//! The thread that has the next picture ready.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use greenroom_frame::{Frame, FrameShape};

use crate::background::kind::FileKind;
use crate::background::picture;
use crate::{Fit, SceneError};

/// What comes after the picture that is shown.
pub(super) enum Turn {
    To(Frame),
    /// There is no other.
    Same,
    NotYet,
}

/// Where the next picture lies when it is ready.
#[derive(Debug)]
pub(super) struct Shelf {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// `Some(None)`: there is no other.
    next: Option<Option<Frame>>,
    /// A picture that was shown: freed by the thread.
    old: Option<Frame>,
    is_stopped: bool,
}

impl Shelf {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock can be left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next picture, waiting for `patience` at most; the one after it is then got ready.
    pub(super) fn take(&self, patience: Duration) -> Turn {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(next) = state.next.take() {
                self.changed.notify_all();
                return next.map_or(Turn::Same, Turn::To);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Turn::NotYet;
            }
            state =
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Hands a picture over that is not shown any more.
    pub(super) fn give_back(&self, old: Frame) {
        self.lock().old = Some(old);
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
    }

    /// Gets pictures ready until it is stopped.
    pub(super) fn serve(self: Arc<Self>, mut folder: Folder) {
        loop {
            let mut state = self.lock();
            let old = state.old.take();
            let (is_stopped, has_next) = (state.is_stopped, state.next.is_some());
            if !is_stopped && has_next && old.is_none() {
                drop(self.changed.wait(state));
                continue;
            }
            drop(state);
            drop(old);
            if is_stopped {
                return;
            }
            if !has_next {
                // Decoders of other people's formats: a panic is a picture that is passed over.
                let next = catch_unwind(AssertUnwindSafe(|| folder.next())).unwrap_or_else(|_| {
                    tracing::error!("a part of greenroom failed over a picture of the slideshow");
                    None
                });
                self.lock().next = Some(next);
                self.changed.notify_all();
            }
        }
    }
}

/// The pictures of a folder: looked for anew at each turn.
pub(super) struct Folder {
    path: PathBuf,
    fit: Fit,
    shape: FrameShape,
    /// Name and version of the picture that was given out last.
    last: Option<(OsString, Version)>,
    /// Files that could not be shown, as they were then: each is told of once.
    broken: HashMap<OsString, Version>,
}

/// What tells that a file is another one than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    len_bytes: u64,
    modified: Option<SystemTime>,
}

impl Folder {
    pub(super) fn new(path: &Path, fit: Fit, shape: FrameShape) -> Self {
        Self { path: path.to_owned(), fit, shape, last: None, broken: HashMap::new() }
    }

    /// The first picture that can be shown.
    ///
    /// # Errors
    /// When the folder cannot be read, or there is none.
    pub(super) fn first(&mut self) -> Result<Frame, SceneError> {
        let unreadable = |why| SceneError::PictureUnreadable { path: self.path.clone(), why };
        fs::read_dir(&self.path).map_err(unreadable)?;
        self.next().ok_or_else(|| SceneError::NoPictures { path: self.path.clone() })
    }

    /// The next picture that can be shown; `None` if that is the last one again.
    pub(super) fn next(&mut self) -> Option<Frame> {
        let names = self.names();
        self.broken.retain(|name, _| names.binary_search(name).is_ok());
        let behind =
            self.last.as_ref().map_or(0, |(last, _)| names.partition_point(|name| name <= last));
        for index in (behind..names.len()).chain(0..behind) {
            let name = &names[index];
            let path = self.path.join(name);
            let Some(version) = version(&path) else { continue };
            let this = (name.clone(), version);
            if self.last.as_ref() == Some(&this) {
                return None;
            }
            if self.broken.get(name) == Some(&version) || FileKind::of(&path) != FileKind::Picture {
                continue;
            }
            match picture::load(&path, self.fit, self.shape) {
                Ok(frame) => {
                    self.broken.remove(name);
                    self.last = Some(this);
                    return Some(frame);
                }
                Err(error) => {
                    tracing::warn!("{error}; the slideshow goes on without it");
                    self.broken.insert(this.0, this.1);
                }
            }
        }
        None
    }

    /// The names of all files that are not hidden, sorted.
    fn names(&self) -> Vec<OsString> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name())
            .filter(|name| !name.as_encoded_bytes().starts_with(b"."))
            .collect();
        names.sort_unstable();
        names
    }
}

fn version(path: &Path) -> Option<Version> {
    let found = fs::metadata(path).ok()?;
    found.is_file().then(|| Version { len_bytes: found.len(), modified: found.modified().ok() })
}
