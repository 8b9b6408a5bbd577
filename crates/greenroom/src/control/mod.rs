//! How a running greenroom is asked and told: a Unix socket that takes one JSON object a line and
//! answers each with one.
//!
//! ```text
//! > {"status":{}}
//! < {"ok":{"status":{"version":"0.1.0","pid":4711,…}}}
//! > {"dance":{}}
//! < {"error":"the request is not understood (unknown variant `dance`, …); write one as in …"}
//! ```
//!
//! A new request is a variant of [`Request`], one of [`Answer`] where it has an answer of its own,
//! and an arm where the daemon answers.

mod client;
mod connected;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod lines;
mod replier;
mod server;
mod socket;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::scenes::SceneOptions;
use crate::status::Status;

pub use client::ask;
pub use replier::{AskerWatch, Replier};
pub use server::{Claim, Server};

/// Longest request, without its line feed.
pub const MAX_REQUEST_BYTES: usize = 64 << 10;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// What is going on. Answered by [`Answer::Status`].
    Status {},
    /// Lay these options over the scene that is shown. Answered by [`Answer::Done`] when it is loaded,
    /// as are the others.
    Set(SetRequest),
    /// Show a scene of the configuration.
    Scene {
        /// Its name.
        name: String,
        /// The output that is meant; all, if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Show the next scene, or picture of a slideshow.
    Next {
        /// The output that is meant; all, if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Show the placeholder and close the camera. Answered when every output shows it: nothing of before the
    /// pause comes after the answer.
    Pause {},
    /// End the pause.
    Resume {},
    /// Close the camera when nobody has watched for so long.
    #[serde(rename = "idle_after")]
    IdleAfter {
        /// Milliseconds, up to a day.
        ms: u64,
    },
    /// Write what is shown into a picture file.
    Snapshot {
        /// A path from `/` on that ends with .png, .jpg or .webp.
        file: PathBuf,
        /// The output whose picture it is; the first, if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Record what is shown into a new file. Answered when it is opened.
    Record {
        /// A path from `/` on that ends with .mkv, .mp4, .mov or .webm.
        file: PathBuf,
        /// The output that is recorded; the first, if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
        /// Whether the camera is opened for it, whoever watches.
        #[serde(default)]
        opens_camera: bool,
    },
    /// End the recording. Answered when its file is complete.
    #[serde(rename = "stop_recording")]
    StopRecording {
        /// The output that is recorded; all, if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// A fault to try the safeguards with. Answered by [`Answer::Done`].
    #[cfg(feature = "faults")]
    Fault {
        /// Which.
        name: String,
    },
}

/// The options of a scene, and `"output"` beside them: the name of the output; all, if none is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Object", into = "Object")]
#[allow(missing_docs)]
pub struct SetRequest {
    pub output: Option<String>,
    pub options: SceneOptions,
}

type Object = serde_json::Map<String, serde_json::Value>;

impl TryFrom<Object> for SetRequest {
    type Error = serde_json::Error;

    fn try_from(mut object: Object) -> Result<Self, serde_json::Error> {
        let output = object.remove("output").map(serde_json::from_value).transpose()?.flatten();
        Ok(Self { output, options: serde_json::from_value(object.into())? })
    }
}

impl From<SetRequest> for Object {
    fn from(SetRequest { output, options }: SetRequest) -> Self {
        let mut object = match serde_json::to_value(options) {
            Ok(serde_json::Value::Object(object)) => object,
            _ => Self::new(),
        };
        object.extend(output.map(|output| ("output".to_owned(), output.into())));
        object
    }
}

/// What is answered: one of these for every line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// It was done.
    Ok(Answer),
    /// It was not: one sentence with the next step to take.
    Error(String),
}

/// What a request that was done gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// What is going on.
    Status(Box<Status>),
    /// Nothing but that it was done.
    Done {},
}

/// A line that is no request. Every text is one sentence with the next step to take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// Longer than [`MAX_REQUEST_BYTES`].
    #[error("the request is longer than 64 KiB; write one JSON object a line, as in {EXAMPLE}")]
    TooLong,
    /// Not UTF-8.
    #[error("the request is not UTF-8 text; write one JSON object a line, as in {EXAMPLE}")]
    NotText,
    /// Not JSON.
    #[error("the request is not JSON ({0}); write one object a line, as in {EXAMPLE}")]
    NotJson(String),
    /// JSON, but none of the requests.
    #[error("the request is not understood ({0}); write one as in {EXAMPLE}")]
    NotUnderstood(String),
}

const EXAMPLE: &str = "{\"status\":{}}";

impl Request {
    /// Reads one line, without its line feed. Whatever the bytes are, it does not panic.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn parse(line: &[u8]) -> Result<Self, BadRequest> {
        if line.len() > MAX_REQUEST_BYTES {
            return Err(BadRequest::TooLong);
        }
        let text = str::from_utf8(line).map_err(|_| BadRequest::NotText)?;
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| BadRequest::NotJson(why(&error)))?;
        serde_json::from_value(json).map_err(|error| BadRequest::NotUnderstood(why(&error)))
    }
}

/// What the parser says, cut and on one line: it may quote what was sent.
fn why(error: &serde_json::Error) -> String {
    error.to_string().replace(char::is_control, " ").chars().take(200).collect()
}

/// Why there is no control socket, or no answer from it. Every text is one sentence with the next
/// step to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No place for a socket.
    #[error(
        "there is no place for the control socket, as XDG_RUNTIME_DIR is not set; log in to a \
         session, which sets it, or name a place with --socket PATH"
    )]
    NoRuntimeDir,
    /// Another greenroom answers at this socket.
    #[error(
        "greenroom runs already{}; stop it first, or give this one a socket of its own with \
         --socket PATH", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    AlreadyRunning {
        /// Its process number, as far as it may be seen.
        pid: Option<u32>,
    },
    /// Something else lies where the socket should be.
    #[error("{} is there already and is no socket; name another place with --socket PATH", path.display())]
    NotASocket {
        /// The place.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("cannot make the control socket {}: {why}; name another place with --socket PATH", path.display())]
    Unusable {
        /// The place.
        path: PathBuf,
        /// The system's answer.
        why: io::Error,
    },
    /// Nobody to ask.
    #[error("no greenroom runs here; start one with: greenroom run")]
    NobodyThere,
    /// A file's name that JSON does not hold.
    #[error(
        "a name in this request is not UTF-8 text, so that greenroom cannot be told of it; name a \
         file whose path is"
    )]
    NotText,
    /// Somebody has locked the socket's folder.
    #[error(
        "cannot make the control socket {}: another program has locked its folder; name another \
         place with --socket PATH", path.display()
    )]
    Locked {
        /// The place.
        path: PathBuf,
    },
    /// The socket does not let us in.
    #[error("cannot reach greenroom at {}: {why}; ask as the user who runs it", path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// The system's answer.
        why: io::Error,
    },
    /// No answer in time, or not a whole one.
    #[error(
        "greenroom at {} does not answer; look at its log, and start it again if it hangs",
        path.display()
    )]
    NoAnswer {
        /// The socket.
        path: PathBuf,
    },
    /// The answer is none of this version.
    #[error(
        "what answers at {} does not speak this version's language; start greenroom again, so that \
         both are of one version", path.display()
    )]
    OtherVersion {
        /// The socket.
        path: PathBuf,
    },
}

/// Where the socket is when nobody says otherwise: `$XDG_RUNTIME_DIR/greenroom.sock`.
///
/// # Errors
/// [`ControlError::NoRuntimeDir`] when the variable is not set to an absolute path.
pub fn default_socket() -> Result<PathBuf, ControlError> {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.is_absolute()).ok_or(ControlError::NoRuntimeDir)?;
    Ok(folder.join("greenroom.sock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_replies_are_what_the_protocol_says() {
        assert_eq!(Request::parse(b"{\"status\":{}}"), Ok(Request::Status {}));
        assert_eq!(Request::parse(b" { \"status\" : { } } \r"), Ok(Request::Status {}));
        assert_eq!(serde_json::to_string(&Request::Status {}).unwrap(), "{\"status\":{}}");
        let done = serde_json::to_string(&Reply::Ok(Answer::Done {})).unwrap();
        assert_eq!(done, "{\"ok\":{\"done\":{}}}");
        let status = serde_json::to_string(&Reply::Ok(Answer::Status(Box::default()))).unwrap();
        assert!(status.starts_with("{\"ok\":{\"status\":{\"version\":\"\","), "{status}");
        let error = serde_json::to_string(&Reply::Error("No.".into())).unwrap();
        assert_eq!(error, "{\"error\":\"No.\"}");
    }

    #[test]
    fn bad_lines_are_told_apart_and_told_what_to_do() {
        let cases: [(&[u8], &str); 11] = [
            (b"", "not JSON"),
            (b"status", "not JSON"),
            (b"{\"status\":{}", "not JSON"),
            (b"{\"status\":{}} x", "not JSON"),
            (b"\xff\xfe", "not UTF-8"),
            (b"{}", "not understood"),
            (b"null", "not understood"),
            (b"{\"dance\":{}}", "unknown variant `dance`"),
            (b"{\"status\":{\"of\":1}}", "unknown field `of`"),
            (b"{\"status\":{},\"dance\":{}}", "not understood"),
            (&[b'['; MAX_REQUEST_BYTES], "the request is not"),
        ];
        for (line, words) in cases {
            let sentence = Request::parse(line).unwrap_err().to_string();
            assert!(sentence.contains(words), "{sentence}");
            assert!(sentence.contains(EXAMPLE) && !sentence.contains('\n'), "{sentence}");
            assert!(sentence.len() < 400, "{sentence}");
        }
        assert_eq!(Request::parse(&[b' '; MAX_REQUEST_BYTES + 1]), Err(BadRequest::TooLong));
        let long = format!("{{\"{}\":{{}}}}", "x\\n".repeat(20_000));
        let sentence = Request::parse(long.as_bytes()).unwrap_err().to_string();
        assert!(sentence.len() < 400 && !sentence.contains('\n'), "{sentence}");
    }
}
