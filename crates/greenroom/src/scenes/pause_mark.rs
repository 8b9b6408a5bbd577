use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::geteuid;

/// A file beside the control socket that is there while a pause is on: whoever hid is not shown by a
/// greenroom that starts after a crash. It is gone when the session's runtime folder is.
#[derive(Debug, Clone, Default)]
pub struct PauseMark {
    path: Option<PathBuf>,
}

impl PauseMark {
    /// The mark of the greenroom that is asked at `socket`; without one, nobody can end a pause, and none is kept.
    pub fn of(socket: Option<&Path>) -> Self {
        let path = socket.map(|socket| {
            let mut path = socket.as_os_str().to_owned();
            path.push(".paused");
            PathBuf::from(path)
        });
        Self { path }
    }

    /// Whether a pause was on when greenroom was here last. What another user put there does not count.
    pub fn is_set(&self) -> bool {
        let there = self.path.as_ref().and_then(|path| fs::symlink_metadata(path).ok());
        there.is_some_and(|there| there.is_file() && there.uid() == geteuid().as_raw())
    }

    /// Keeps the pause over a crash. It is on in any case.
    pub fn set(&self) {
        let Some(path) = self.path.as_ref().filter(|_| !self.is_set()) else { return };
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = open(path, flags | OFlags::WRONLY, Mode::RUSR | Mode::WUSR);
        if let Err(error) = made.map(File::from) {
            self.complain(
                "the pause ends with this greenroom, also when it crashes",
                &error.into(),
            );
        }
    }

    /// The pause is over.
    pub fn clear(&self) {
        let Some(path) = self.path.as_ref().filter(|_| self.is_set()) else { return };
        if let Err(error) = fs::remove_file(path) {
            self.complain("the next greenroom starts with a pause", &error);
        }
    }

    fn complain(&self, what: &str, error: &io::Error) {
        let path = self.path.as_deref().unwrap_or(Path::new("")).display();
        tracing::warn!("scene: {what}: {path}: {error}; make its folder writable");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_mark_is_there_while_it_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("greenroom.sock");
        let mark = PauseMark::of(Some(&socket));
        assert!(!mark.is_set());
        for _ in 0..2 {
            mark.set();
            assert!(mark.is_set() && PauseMark::of(Some(&socket)).is_set());
        }
        for _ in 0..2 {
            mark.clear();
            assert!(!mark.is_set());
        }
        PauseMark::of(None).set();
        assert!(!PauseMark::of(None).is_set());
    }

    /// What is no file of ours is neither followed nor removed, and nothing depends on the mark.
    #[test]
    fn something_else_at_its_place_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (mark, older) =
            (PauseMark::of(Some(&folder.path().join("s"))), folder.path().join("old"));
        fs::write(&older, "old").unwrap();
        symlink(&older, folder.path().join("s.paused")).unwrap();
        mark.set();
        mark.clear();
        assert!(!mark.is_set());
        assert_eq!(fs::read(&older).unwrap(), b"old");
        assert!(folder.path().join("s.paused").is_symlink());
        PauseMark::of(Some(&folder.path().join("no/such/folder"))).set();
    }
}
