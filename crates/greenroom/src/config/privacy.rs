//! `[privacy]`: when the picture is hidden.

use std::path::Path;

use serde::Deserialize;
use toml::Value;

use super::error::{ConfigError, check_keys, wrong};
use crate::session::OnLock;
use crate::toml_file::one_line;

/// Keys of the table.
pub(super) const KEYS: [&str; 1] = ["on_lock"];

/// The table `privacy`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct PrivacyTable {
    /// What happens to the picture when the session is locked.
    pub on_lock: Option<OnLock>,
}

pub(super) fn read(value: Value, path: &Path) -> Result<PrivacyTable, ConfigError> {
    let Value::Table(table) = &value else {
        return Err(wrong("privacy", "must be a table: [privacy]", path));
    };
    check_keys(table, &KEYS, " in [privacy]", path)?;
    PrivacyTable::deserialize(value)
        .map_err(|error| wrong("[privacy]", &format!("has {}", one_line(error.message())), path))
}
