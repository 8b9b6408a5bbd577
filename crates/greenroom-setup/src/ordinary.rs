//! Files that are read so that none can do harm: an ordinary one alone is opened, and that never waits.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens an ordinary file for reading, behind symbolic links.
///
/// # Errors
/// If it cannot be opened, or is none: a pipe without a writer would keep whoever opens it, and a device does
/// something when it is opened.
pub fn open_ordinary(path: &Path) -> io::Result<File> {
    let is_ordinary = |metadata: fs::Metadata| {
        if metadata.is_file() { Ok(()) } else { Err(io::Error::other("it is no ordinary file")) }
    };
    is_ordinary(fs::metadata(path)?)?;
    // It may have become another one since.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    is_ordinary(file.metadata()?)?;
    Ok(file)
}

/// The text of an ordinary file; `None` if it cannot be read or is not UTF-8.
pub(crate) fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    open_ordinary(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_pipe_that_nobody_writes_into_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [pipe.as_path(), Path::new("/dev/zero"), folder.path()] {
            let error = open_ordinary(path).unwrap_err();
            assert!(error.to_string().contains("no ordinary file"), "{error}");
        }
        assert!(text(Path::new("/proc/self/comm")).is_some());
    }
}
