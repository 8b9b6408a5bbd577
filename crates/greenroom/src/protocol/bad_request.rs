use super::Request;

/// Why a line is not a valid request. Each error text is one sentence that names the next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// The line is longer than [`MAX_REQUEST_BYTES`](super::MAX_REQUEST_BYTES).
    #[error("the request is longer than 64 KiB; write one JSON object, as in {EXAMPLE}")]
    TooLong,
    /// The line is not UTF-8.
    #[error("the request is not UTF-8 text; write one JSON object, as in {EXAMPLE}")]
    NotText,
    /// The line is not JSON.
    #[error("the request is not JSON ({0}); write one object, as in {EXAMPLE}")]
    NotJson(String),
    /// The line is JSON, but not an object with one key.
    #[error("a request is an object with one key, its name; write one as in {EXAMPLE}")]
    NoObject,
    /// The value of the key is not an object.
    #[error(
        "the fields of \"{name}\" are an object, empty if there are none; write one as in {EXAMPLE}"
    )]
    NoFields {
        /// The name of the request.
        name: String,
    },
    /// No request has this name.
    #[error("there is no request \"{name}\"; the requests are {}, as in {EXAMPLE}", Request::NAMES.join(", "))]
    Unknown {
        /// The unknown name, cut to 200 characters.
        name: String,
    },
    /// The line is JSON, but does not match any request.
    #[error("the request is not understood ({0}); write one as in {EXAMPLE}")]
    NotUnderstood(String),
}

/// A valid request, quoted in every error text.
pub(crate) const EXAMPLE: &str = "{\"status\":{}}";

/// How many characters of the client's text an error quotes at most.
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

/// `text`, which may contain the client's input, cut to [`MAX_QUOTED`] and without control characters.
fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED).map(|char| if char.is_control() { ' ' } else { char }).collect()
}
