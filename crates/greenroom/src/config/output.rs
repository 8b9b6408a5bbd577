//! `output = "TO"`, or a table `[[output]]` for each of several.

use std::path::Path;

use serde::Deserialize;
use toml::Value;

use super::error::{ConfigError, check_keys, wrong};
use crate::toml_file::one_line;

/// Keys of `[[output]]`.
pub(super) const KEYS: [&str; 6] = ["to", "name", "scene", "size", "always_on", "opens_camera"];

/// One table `[[output]]`: what the configuration says of an output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct OutputTable {
    /// Where the picture goes, as `--output` takes it.
    pub to: String,
    /// What requests call it; `to` if it has no name.
    #[serde(default)]
    pub name: Option<String>,
    /// The scene to begin with.
    #[serde(default)]
    pub scene: Option<String>,
    /// The size of its frames.
    #[serde(default)]
    pub size: Option<String>,
    /// Whether pictures go on while nobody watches it.
    #[serde(default)]
    pub always_on: Option<bool>,
    /// Whether the camera is opened for those who watch it.
    #[serde(default)]
    pub opens_camera: Option<bool>,
}

impl OutputTable {
    /// An output of which only its place is said.
    pub fn to(to: String) -> Self {
        Self { to, ..Self::default() }
    }
}

pub(super) fn read(value: Value, path: &Path) -> Result<Vec<OutputTable>, ConfigError> {
    let tables = match value {
        Value::String(to) => return Ok(vec![OutputTable::to(to)]),
        Value::Array(tables) => tables,
        _ => {
            return Err(wrong(
                "output",
                "must be a text in quotation marks, or tables: [[output]]",
                path,
            ));
        }
    };
    let read = |value: Value| {
        let Value::Table(table) = &value else {
            return Err(wrong("output", "must be tables: [[output]]", path));
        };
        check_keys(table, &KEYS, " in [[output]]", path)?;
        OutputTable::deserialize(value).map_err(|error| {
            wrong("[[output]]", &format!("has {}", one_line(error.message())), path)
        })
    };
    tables.into_iter().map(read).collect()
}
