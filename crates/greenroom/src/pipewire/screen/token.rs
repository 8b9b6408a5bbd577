//! What the portal gives us so that it need not ask the user again: kept in the state folder, and used once.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// More than any portal's.
const MOST_BYTES: usize = 4096;

/// `$XDG_STATE_HOME/greenroom/screen-token`, or where that is by default.
fn path() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let usual = || std::env::home_dir().map(|home| home.join(".local/state"));
    let folder = given.filter(|folder| folder.is_absolute()).or_else(usual)?;
    Some(folder.join("greenroom/screen-token"))
}

/// The token of the last time, if there is one.
pub(super) fn read() -> Option<String> {
    let text = fs::read_to_string(path()?).ok()?;
    let text = text.trim();
    (!text.is_empty() && text.len() <= MOST_BYTES).then(|| text.to_owned())
}

/// Keeps the token for the next time; `None` if there is none. Without it the user is asked again, and that is all.
pub(super) fn keep(token: Option<&str>) {
    let Some(path) = path() else { return };
    let kept = match token {
        Some(token) => write(&path, token),
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        },
    };
    if let Err(error) = kept {
        tracing::warn!(
            "screen: {}: {error}; your desktop will ask again which screen is to be shown, unless that file can be written",
            path.display()
        );
    }
}

/// Whole or not at all, and for this user alone.
fn write(path: &Path, token: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(token.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
