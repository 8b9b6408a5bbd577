//! Files that are replaced whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::{SetupError, files};

/// How a file's name ends while it is being written.
pub const TEMPORARY_ENDING: &str = ".greenroom-new";

/// Writes a file under another name, then renames it. `half` is called in between.
pub(crate) fn write(
    path: &Path,
    content: &str,
    mode: u32,
    half: &mut dyn FnMut(),
) -> Result<(), SetupError> {
    let failed = |source| SetupError::File { path: path.to_owned(), source };
    let Some(folder) = path.parent() else { return Ok(()) };
    make_folders(folder).map_err(failed)?;
    let temporary = temporary(path);
    remove_temporary(path);
    let written = write_new(&temporary, content, mode);
    if let Err(error) = written {
        remove_temporary(path);
        return Err(failed(error));
    }
    half();
    fs::rename(&temporary, path).map_err(failed)?;
    // So that the rename survives a loss of power; some file systems cannot.
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn write_new(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content.as_bytes())?;
    // Whatever the umask says.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Makes folders that everybody can read.
fn make_folders(folder: &Path) -> io::Result<()> {
    let missing: Vec<_> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => fs::set_permissions(folder, Permissions::from_mode(0o755))?,
        }
    }
    Ok(())
}

/// Removes a file. One that is not there is removed already.
pub(crate) fn remove(path: &Path) -> Result<(), SetupError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(SetupError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Removes the folder of a file if it is ours alone, or one of the user's that set-up may have made,
/// and if it is empty.
pub(crate) fn remove_own_folder(path: &Path) {
    let is_called = |folder: &Path, name: &str| folder.file_name() == Some(OsStr::new(name));
    let Some(folder) = path.parent() else { return };
    // Folders with something in them stay: that is what remove_dir does.
    if is_called(folder, "greenroom") {
        let _ = fs::remove_dir(folder);
    } else if path.ends_with(Path::new(".config/systemd/user").join(files::USER_UNIT)) {
        for folder in path.ancestors().skip(1).take(2) {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Removes what a killed run has left beside a file. Whether there was something.
pub(crate) fn remove_temporary(path: &Path) -> bool {
    fs::remove_file(temporary(path)).is_ok()
}

/// The name of a file while it is being written.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{TEMPORARY_ENDING}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        write(&path, "old", 0o644, &mut || {}).unwrap();
        let before = path.clone();
        let mut seen = String::new();
        write(&path, "new", 0o600, &mut || seen = fs::read_to_string(&before).unwrap()).unwrap();
        assert_eq!((seen.as_str(), fs::read_to_string(&path).unwrap().as_str()), ("old", "new"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_run_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(temporary(&path), "half").unwrap();
        write(&path, "whole", 0o644, &mut || {}).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_replaced_and_its_target_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("file"), folder.path().join("target"));
        fs::write(&target, "theirs").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        write(&path, "ours", 0o644, &mut || {}).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
    }

    #[test]
    fn each_refusal_is_a_sentence_with_the_next_step() {
        let text = |errno| {
            let source = io::Error::from_raw_os_error(errno);
            SetupError::File { path: "/etc/x".into(), source }.to_string()
        };
        // EROFS, ENOSPC, EACCES, EIO
        assert!(text(30).contains("mounted for reading only") && text(30).contains("writable"));
        assert!(text(28).contains("disk is full") && text(28).contains("free"));
        assert!(text(13).contains("no permission"));
        assert!(text(5).starts_with("/etc/x cannot be written"));
    }
}
