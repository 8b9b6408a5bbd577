//! A file that is not there until it is whole.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use tempfile::NamedTempFile;

use crate::DeviceError;
use crate::file_refusal::{check_is_file, not_opened};
use crate::leftover::Leftover;

/// A file beside its target, which takes the target's place when it is complete and is removed
/// when it is dropped before.
#[derive(Debug)]
pub struct PartFile {
    file: NamedTempFile,
    leftover: Leftover,
    target: PathBuf,
    /// Something could not be written: it will never be whole.
    is_spoilt: bool,
}

/// Looks whether a file could be written at `target`: nothing is made, and nothing is opened for
/// writing that does not need it.
///
/// # Errors
/// [`DeviceError::WrongKind`] if the target is a folder or device, [`DeviceError::NotFound`] if
/// its folder does not exist, [`DeviceError::Denied`] if either may not be written.
pub fn check_target(target: &Path) -> Result<(), DeviceError> {
    Place::of(target).map(drop)
}

/// Where a file is to be, links followed.
struct Place {
    name: String,
    target: PathBuf,
    folder: PathBuf,
}

impl Place {
    fn of(target: &Path) -> Result<Self, DeviceError> {
        const REMEDY: &str = "name a file to write";
        let name = target.display().to_string();
        // A link stays a link: what it points to is replaced.
        let found = fs::metadata(target);
        let real = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        match found {
            Ok(found) => {
                check_is_file(&name, found.file_type(), REMEDY)?;
                // A file that may not be written may not be replaced either.
                let file = fs::OpenOptions::new().append(true).open(&real);
                file.map_err(|error| not_opened(&name, "give it another name", error))?;
            }
            Err(_) if target.as_os_str().as_bytes().ends_with(b"/") => {
                return Err(DeviceError::WrongKind {
                    what: name,
                    found: "the name of a folder".to_owned(),
                    wanted: "of a file".to_owned(),
                    remedy: REMEDY.to_owned(),
                });
            }
            Err(_) => {}
        }
        let folder = match real.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let place = Self { name, target: real.clone(), folder: folder.to_owned() };
        let kind = fs::metadata(folder).map_err(|error| place.refused(error))?;
        if !kind.is_dir() {
            return Err(DeviceError::WrongKind {
                what: folder.display().to_string(),
                found: "a file".to_owned(),
                wanted: "a folder".to_owned(),
                remedy: REMEDY.to_owned(),
            });
        }
        let may_write = access(folder, Access::WRITE_OK | Access::EXEC_OK);
        may_write.map_err(|error| place.refused(error.into()))?;
        Ok(place)
    }

    /// Why nothing can be made in the folder.
    fn refused(&self, error: io::Error) -> DeviceError {
        match error.kind() {
            io::ErrorKind::NotFound => {
                let folder = format!("the folder {}", self.folder.display());
                not_opened(&folder, "make it, or name a file in another one", error)
            }
            _ => not_opened(&self.name, "write into another folder", error),
        }
    }
}

impl PartFile {
    /// A new empty file beside `target`, which must be a file or not exist.
    ///
    /// # Errors
    /// As [`check_target`].
    pub fn beside(target: &Path) -> Result<Self, DeviceError> {
        let place = Place::of(target)?;
        let mut prefix = place.target.file_name().unwrap_or_default().to_owned();
        prefix.push(".");
        let made = Leftover::part(|| {
            let file = tempfile::Builder::new()
                .prefix(&prefix)
                .suffix(".part")
                // As any new file: the user's umask decides.
                .permissions(Permissions::from_mode(0o666))
                .tempfile_in(&place.folder)?;
            let path = file.path().to_owned();
            Ok((file, path))
        });
        let (file, leftover) = made.map_err(|error| place.refused(error))?;
        Ok(Self { file, leftover, target: place.target, is_spoilt: false })
    }

    /// Where it is now.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Something of it is missing: it must never take its target's place.
    pub(super) fn spoil(&mut self) {
        self.is_spoilt = true;
    }

    /// Has all of it on the disk, so that what the disk has no room for is known before it takes its
    /// target's place.
    ///
    /// # Errors
    /// When it is not all there.
    pub fn sync(&mut self) -> io::Result<()> {
        if self.is_spoilt {
            return Err(io::Error::other("not all of it was written"));
        }
        let synced = self.file.as_file().sync_all();
        self.is_spoilt |= synced.is_err();
        synced
    }

    /// Puts it in its target's place.
    ///
    /// # Errors
    /// When it is not whole, or its name cannot be had: then it is removed, and the target is as it
    /// was.
    pub fn complete(mut self) -> io::Result<()> {
        self.sync()?;
        let Self { file, leftover, target, .. } = self;
        leftover.settle(|| file.persist(target).map(drop).map_err(|error| error.error))
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.as_file().write(bytes);
        if let Err(error) = &written {
            self.is_spoilt |= error.kind() != io::ErrorKind::Interrupted;
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
