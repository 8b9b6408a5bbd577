//! What `--fix` has done, so that `--undo` can take it back: written down before it is done.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Doctor, DoctorRefused};

/// A record is some hundred bytes long, and a unit in it some thousand.
const MAX_BYTES: u64 = 1 << 20;

/// All that was done and not taken back.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The oldest first.
    pub(super) done: Vec<Done>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    /// What, for people.
    pub(super) what: String,
    /// What takes it back, in order.
    pub(super) undo: Vec<UndoStep>,
}

/// Something that takes a part back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum UndoStep {
    /// What `greenroom setup --undo` does.
    Setup {},
    /// A command of the user's.
    Run { command: Vec<String> },
    /// A command with root's rights.
    RunAsRoot { command: Vec<String> },
    /// A file of set-up's gets the contents of before; `None`: it was not there.
    File { path: PathBuf, content: Option<String> },
}

/// The record and where it is.
pub(super) struct RecordFile {
    path: PathBuf,
    pub(super) record: Record,
}

impl RecordFile {
    /// Reads the record; one that is not there is empty.
    ///
    /// # Errors
    /// If there is no folder for it, or it cannot be read.
    pub(super) fn open(doctor: &Doctor) -> Result<Self, DoctorRefused> {
        let data = doctor.folders.data.as_ref().ok_or(DoctorRefused::NoFolder)?;
        let path = doctor.system.path(&data.join("greenroom/doctor.json"));
        let record = match read(&path) {
            Ok(None) => Record::default(),
            Ok(Some(text)) => serde_json::from_str(&text).map_err(|error| {
                DoctorRefused::RecordNotRead { path: path.clone(), why: error.to_string() }
            })?,
            Err(error) => {
                return Err(DoctorRefused::RecordNotRead { path, why: error.to_string() });
            }
        };
        Ok(Self { path, record })
    }

    /// Writes down what is done next.
    pub(super) fn begin(&mut self, done: Done) -> Result<(), DoctorRefused> {
        self.record.done.push(done);
        self.write()
    }

    /// The newest was not done.
    pub(super) fn forget_newest(&mut self) -> Result<(), DoctorRefused> {
        self.record.done.pop();
        self.write()
    }

    /// This one was taken back.
    pub(super) fn forget(&mut self, index: usize) -> Result<(), DoctorRefused> {
        self.record.done.remove(index);
        self.write()
    }

    /// Where the record is, for people.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn write(&self) -> Result<(), DoctorRefused> {
        write(&self.path, &self.record)
            .map_err(|why| DoctorRefused::RecordNotWritten { path: self.path.clone(), why })
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Replaces the record whole, or removes it if it is empty.
fn write(path: &Path, record: &Record) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    if record.done.is_empty() {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            // It has models in it, or goes.
            _ => drop(fs::remove_dir(folder)),
        }
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, record)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
