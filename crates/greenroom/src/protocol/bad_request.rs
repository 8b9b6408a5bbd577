use super::Request;

/// What is no request. Every text is one sentence with the next step to take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// Longer than [`MAX_REQUEST_BYTES`](super::MAX_REQUEST_BYTES).
    #[error("the request is longer than 64 KiB; write one JSON object, as in {EXAMPLE}")]
    TooLong,
    /// Not UTF-8.
    #[error("the request is not UTF-8 text; write one JSON object, as in {EXAMPLE}")]
    NotText,
    /// Not JSON.
    #[error("the request is not JSON ({0}); write one object, as in {EXAMPLE}")]
    NotJson(String),
    /// A request of this name is not known.
    #[error("there is no request \"{name}\"; the requests are {}, as in {EXAMPLE}", Request::NAMES.join(", "))]
    Unknown {
        /// Its name, cut.
        name: String,
    },
    /// JSON, and none of the requests.
    #[error("the request is not understood ({0}); write one as in {EXAMPLE}")]
    NotUnderstood(String),
}

/// A request that is always right.
pub(crate) const EXAMPLE: &str = "{\"status\":{}}";

/// Most characters that are quoted of what was sent.
const MAX_QUOTED: usize = 200;

impl BadRequest {
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson(quoted(&error.to_string()))
    }

    pub(super) fn not_understood(error: &serde_json::Error) -> Self {
        Self::NotUnderstood(quoted(&error.to_string()))
    }

    pub(super) fn unknown(name: &str) -> Self {
        Self::Unknown { name: quoted(name) }
    }
}

/// Text that may hold what was sent, cut and on one line.
fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED).map(|char| if char.is_control() { ' ' } else { char }).collect()
}
