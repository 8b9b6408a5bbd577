//! What may be wrong with a configuration.

use std::path::{Path, PathBuf};

use toml::Table;

use crate::toml_file;

/// What is wrong with a configuration: one sentence, with the next step to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {why}; name a file that can be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        why: std::io::Error,
    },
    /// It is not TOML.
    #[error("{} is not TOML: {why}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Where, and what the parser says.
        why: String,
    },
    /// A key that does not exist.
    #[error("{}: there is no key \"{key}\"{place}; {hint}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The table it stands in, as the end of the sentence.
        place: String,
        /// The nearest right key, or all keys.
        hint: String,
    },
    /// A value of the wrong type, or out of range.
    #[error("{}: {key} {why}", path.display())]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What it should be.
        why: String,
    },
}

pub(super) fn wrong(key: &str, why: &str, path: &Path) -> ConfigError {
    ConfigError::WrongType { path: path.to_owned(), key: key.to_owned(), why: why.to_owned() }
}

pub(super) fn check_keys(
    table: &Table,
    known: &[&str],
    place: &str,
    path: &Path,
) -> Result<(), ConfigError> {
    match toml_file::unknown_key(table, known) {
        None => Ok(()),
        Some((key, hint)) => {
            let (path, place) = (path.to_owned(), place.to_owned());
            Err(ConfigError::UnknownKey { path, key, place, hint })
        }
    }
}
