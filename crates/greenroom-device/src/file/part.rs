//! A file that is not there until it is whole.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{check_is_file, not_opened};
use crate::DeviceError;

/// A file beside its target, which takes the target's place when it is complete and is removed
/// when it is dropped before.
#[derive(Debug)]
pub(super) struct PartFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl PartFile {
    /// A new empty file beside `target`, which must be a file or not exist.
    ///
    /// # Errors
    /// [`DeviceError::WrongKind`] if the target is a folder or device, [`DeviceError::NotFound`] if
    /// its folder does not exist, [`DeviceError::Denied`] if either may not be written.
    pub fn beside(target: &Path) -> Result<Self, DeviceError> {
        let name = target.display().to_string();
        // A link stays a link: what it points to is replaced.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        if let Ok(found) = fs::metadata(&target) {
            check_is_file(&name, found.file_type(), "name a file to write")?;
            // A file that may not be written may not be replaced either.
            let file = fs::OpenOptions::new().append(true).open(&target);
            file.map_err(|error| not_opened(&name, "give it another name", error))?;
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut prefix = target.file_name().unwrap_or_default().to_owned();
        prefix.push(".");
        let file = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".part")
            // As any new file: the user's umask decides.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    let folder = format!("the folder {}", folder.display());
                    not_opened(&folder, "make it, or name a file in another one", error)
                }
                _ => not_opened(&name, "write into another folder", error),
            })?;
        Ok(Self { file, target })
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The file, to be written.
    pub fn file(&self) -> &fs::File {
        self.file.as_file()
    }

    /// Puts it in its target's place.
    pub fn complete(self) -> io::Result<()> {
        self.file.persist(&self.target).map(drop).map_err(|error| error.error)
    }
}
