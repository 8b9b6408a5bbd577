//! What set-up writes down: what it installed, and which nodes it added.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What set-up installed on this system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SetupRecord {
    /// The packages that were not there before.
    #[serde(default)]
    pub packages: Vec<String>,
    /// The certificate whose import the user was asked for.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// What a run is at. If none runs, it was interrupted there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_progress: Option<InProgress>,
}

/// What a run is at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InProgress {
    /// The number of the step, counted from 1.
    pub step: usize,
    /// How many steps there are.
    pub of: usize,
    /// What it does, for people.
    pub what: String,
    /// Whether the package manager works.
    pub packages: bool,
}

impl SetupRecord {
    /// As the file's contents.
    pub fn to_json(&self) -> String {
        // A struct of strings can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The nodes that were added since the system's start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunRecord {
    /// The nodes.
    pub nodes: Vec<NodeRecord>,
}

/// A node that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// N of `/dev/videoN`.
    pub number: u32,
    /// The name under which programs list it.
    pub label: String,
    /// Whether it shows itself as a camera only.
    pub exclusive_caps: bool,
    /// How many buffers it was made with.
    pub buffers: u32,
}

impl RunRecord {
    /// As the file's contents.
    pub fn to_json(&self) -> String {
        // A struct of strings and numbers can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The nodes that a module makes with the options of our file.
    pub(crate) fn of_options(text: &str) -> Self {
        let Some(line) = text.lines().find(|line| line.starts_with("options ")) else {
            return Self::default();
        };
        let value = |key: &str| {
            let (_, rest) = line.split_once(&format!(" {key}="))?;
            match rest.strip_prefix('"') {
                Some(rest) => rest.split('"').next(),
                None => rest.split(' ').next(),
            }
        };
        let list = |key| value(key).unwrap_or_default().split(',');
        let nodes = list("video_nr").zip(list("card_label")).zip(list("exclusive_caps"));
        let node = |((number, label), exclusive): ((&str, &str), &str)| {
            Some(NodeRecord {
                number: number.parse().ok()?,
                label: label.to_owned(),
                exclusive_caps: exclusive == "1",
                buffers: value("max_buffers").and_then(|buffers| buffers.parse().ok())?,
            })
        };
        Self { nodes: nodes.filter_map(node).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setup_record_is_read_back() {
        let record = SetupRecord {
            packages: vec!["x".to_owned()],
            certificate: Some("/c".into()),
            in_progress: None,
        };
        let read: SetupRecord = serde_json::from_str(&record.to_json()).unwrap();
        assert_eq!(read, record);
    }
}
