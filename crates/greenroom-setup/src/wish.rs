//! What the user wants of set-up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::SetupError;

/// What the user wants. Only this crosses from the user to the helper with root's rights; its parts
/// are checked wherever a `Wish` is made, also from JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawWish")]
pub struct Wish {
    nodes: usize,
    label: Label,
    undo: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWish {
    nodes: usize,
    label: Label,
    undo: bool,
}

impl TryFrom<RawWish> for Wish {
    type Error = SetupError;

    fn try_from(raw: RawWish) -> Result<Self, SetupError> {
        Ok(Self { undo: raw.undo, ..Wish::new(raw.nodes, raw.label)? })
    }
}

impl Default for Wish {
    fn default() -> Self {
        Self { nodes: 1, label: Label::default(), undo: false }
    }
}

impl Wish {
    /// The most nodes that are set up: v4l2loopback 0.12 makes no more when it is loaded.
    pub const MOST_NODES: usize = 8;

    /// `nodes` virtual cameras. The first is called `label`, the second `label 2`, and so on.
    ///
    /// # Errors
    /// If `nodes` is 0 or more than [`Wish::MOST_NODES`].
    pub fn new(nodes: usize, label: Label) -> Result<Self, SetupError> {
        if (1..=Self::MOST_NODES).contains(&nodes) {
            Ok(Self { nodes, label, undo: false })
        } else {
            Err(SetupError::NodeCount { count: nodes, most: Self::MOST_NODES })
        }
    }

    /// Everything that set-up did is to be taken back.
    pub fn undo() -> Self {
        Self { undo: true, ..Self::default() }
    }

    /// Whether set-up is to be undone.
    pub fn is_undo(&self) -> bool {
        self.undo
    }

    /// The label of the first node.
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// The labels of all nodes.
    pub fn labels(&self) -> Vec<Label> {
        (1..=self.nodes).map(|number| self.label.numbered(number)).collect()
    }
}

/// The name under which programs list a virtual camera (the module's `card_label`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl Label {
    /// The module takes 31 bytes; two are left for the number of a further node.
    const MOST_BYTES: usize = 29;

    /// A label of letters, digits, spaces, dots and dashes: no character that separates the options
    /// of a module, and none that systemd or a shell would read as its own.
    ///
    /// # Errors
    /// If it is empty, too long, or has other characters.
    pub fn new(text: &str) -> Result<Self, SetupError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " .-_".contains(c);
        let right = text.len() <= Self::MOST_BYTES
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !text.ends_with(' ')
            && text.chars().all(allowed);
        if right {
            Ok(Self(text.to_owned()))
        } else {
            Err(SetupError::Label { label: text.into() })
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label of the node with this number, counted from 1.
    pub(crate) fn numbered(&self, number: usize) -> Self {
        if number == 1 { self.clone() } else { Self(format!("{} {number}", self.0)) }
    }
}

impl Default for Label {
    fn default() -> Self {
        Self("greenroom".to_owned())
    }
}

impl TryFrom<String> for Label {
    type Error = SetupError;

    fn try_from(text: String) -> Result<Self, SetupError> {
        Self::new(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_nothing_that_options_units_or_shells_would_split_or_expand() {
        for text in ["greenroom", "Green Room-2", "a.b_c", &"x".repeat(29)] {
            assert_eq!(Label::new(text).unwrap().as_str(), text);
        }
        let long = "x".repeat(30);
        for text in ["", " a", "a ", "-n", "a,b", "a\"b", "a%n", "a$b", "a\nb", "ä", &long] {
            assert!(Label::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn further_nodes_have_numbered_labels_that_fit() {
        let label = Label::new(&"x".repeat(29)).unwrap();
        let labels = Wish::new(8, label).unwrap().labels();
        assert_eq!(labels.len(), 8);
        assert!(labels.iter().all(|label| label.as_str().len() <= 31));
        assert!(Wish::new(0, Label::default()).is_err() && Wish::new(9, Label::default()).is_err());
    }

    #[test]
    fn a_wish_from_json_is_checked() {
        let read =
            |text: &str| serde_json::from_str::<Wish>(text).map_err(|error| error.to_string());
        let wish = Wish::new(2, Label::default()).unwrap();
        assert_eq!(read(&serde_json::to_string(&wish).unwrap()), Ok(wish));
        assert!(read(r#"{"nodes":99,"label":"greenroom","undo":false}"#).is_err());
        assert!(read(r#"{"nodes":1,"label":"a\nb","undo":false}"#).is_err());
    }
}
