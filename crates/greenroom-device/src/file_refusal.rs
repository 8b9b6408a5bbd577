//! These functions say why a file is not opened or made.

use std::fs::FileType;
use std::io;

use crate::DeviceError;

/// The error for a file that cannot be opened or made.
pub(crate) fn not_opened(what: &str, remedy: &str, error: io::Error) -> DeviceError {
    let (what, remedy) = (what.to_owned(), remedy.to_owned());
    match error.kind() {
        io::ErrorKind::NotFound => DeviceError::NotFound { what, remedy },
        io::ErrorKind::PermissionDenied => DeviceError::Denied { what, remedy },
        _ => DeviceError::Io { what, doing: "opening it", source: error },
    }
}

/// That what is at `what` is a file.
pub(crate) fn check_is_file(what: &str, kind: FileType, remedy: &str) -> Result<(), DeviceError> {
    if kind.is_file() {
        return Ok(());
    }
    let found = if kind.is_dir() { "a folder" } else { "a device or pipe" };
    Err(DeviceError::WrongKind {
        what: what.to_owned(),
        found: found.to_owned(),
        wanted: "a file".to_owned(),
        remedy: remedy.to_owned(),
    })
}
