use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::part::{PartFile, check_target};
use crate::DeviceError;
use crate::clip::whole;
use crate::file_refusal::not_opened;

/// The file that FFmpeg encodes into.
#[derive(Debug)]
pub(super) enum EncodedFile {
    /// Beside its target, whose place it takes when it is whole.
    Beside(PartFile),
    /// At its own place from the start: what there is of it stays, whatever happens.
    InPlace(NewFile),
}

impl EncodedFile {
    /// Something of it is missing.
    pub fn spoil(&mut self) {
        if let Self::Beside(part) = self {
            part.spoil();
        }
    }

    /// Whether it has an end.
    pub fn is_complete(&self) -> bool {
        whole::is_complete(match self {
            Self::Beside(part) => part.file(),
            Self::InPlace(file) => &file.file,
        })
    }

    /// Has all of it on the disk.
    ///
    /// # Errors
    /// When it is not all there.
    pub fn sync(&mut self) -> io::Result<()> {
        match self {
            Self::Beside(part) => part.sync(),
            Self::InPlace(file) => file.file.sync_all(),
        }
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// When it is not whole, or its name cannot be had.
    pub fn complete(self) -> io::Result<()> {
        match self {
            Self::Beside(part) => part.complete(),
            Self::InPlace(mut file) => {
                file.is_complete = true;
                file.file.sync_all()
            }
        }
    }
}

/// A file that was not there before. Dropped before it is complete, it is cut behind the last part of it that plays; while
/// it is empty, it goes.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    path: PathBuf,
    is_complete: bool,
}

impl NewFile {
    /// Makes it.
    ///
    /// # Errors
    /// As [`check_target`]; [`DeviceError::Unsupported`] if there is one already.
    pub fn at(path: &Path) -> Result<Self, DeviceError> {
        check_target(path)?;
        let what = path.display().to_string();
        match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
            Ok(file) => Ok(Self { file, path: path.to_owned(), is_complete: false }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let why = "it is there already; give the recording another name".to_owned();
                Err(DeviceError::Unsupported { what, why })
            }
            Err(error) => Err(not_opened(&what, "write into another folder", error)),
        }
    }

    /// The file itself, under whatever name, for FFmpeg: it is the descriptor's that it is handed.
    pub fn hand_over(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    fn has_its_name(&self) -> bool {
        let number = |found: fs::Metadata| (found.dev(), found.ino());
        let (named, ours) =
            (fs::metadata(&self.path).map(number), self.file.metadata().map(number));
        matches!((named, ours), (Ok(named), Ok(ours)) if named == ours)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        if self.file.metadata().is_ok_and(|file| file.len() == 0) {
            // Another one may have its name by now.
            if self.has_its_name() {
                let _ = fs::remove_file(&self.path);
            }
        } else if let Some(end) = whole::last_whole_part_end(&self.file) {
            // If not, players complain of its end, and show the rest.
            let _ = self.file.set_len(end);
        }
    }
}
