//! The control protocol: requests, replies and events as plain data, independent of the transport.
//!
//! `docs/control.md` describes the protocol and `docs/control.schema.json` is its JSON Schema; tests compare both with
//! these types. The control socket (`crate::control`) sends one JSON object per line:
//!
//! ```text
//! > {"status":{}}
//! < {"ok":{"status":{"version":"0.1.0","pid":4711,…}}}
//! > {"dance":{}}
//! < {"error":"there is no request \"dance\"; the requests are hello, status, …"}
//! ```
//!
//! To add a request, add a variant of [`Request`], its name in [`Request::NAMES`], a variant of [`Answer`] if the
//! request has an answer of its own, and an arm in `Dispatcher::dispatch`.

mod apply;
mod bad_request;
mod event;
mod preview;
mod set_request;
mod text;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use bad_request::BadRequest;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use bad_request::EXAMPLE;
pub use event::{Event, EventLine, Numbers, OutputNumbers, SentEvent};
pub use preview::{PreviewFormat, PreviewLayout, PreviewPicture, PreviewRequest};
pub use set_request::SetRequest;

use crate::status::Status;

/// The version of the protocol. It rises when something is removed or changes its meaning, not when something is added.
pub const PROTOCOL: u32 = 1;
/// Maximum length of a request in bytes, without its line feed.
pub const MAX_REQUEST_BYTES: usize = 64 << 10;
/// The allowed intervals between two [`Event::Numbers`], in milliseconds.
pub const NUMBERS_MS: std::ops::RangeInclusive<u64> = 100..=3_600_000;

/// A request of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Request {
    /// Ask which version of the protocol greenroom speaks. Answered by [`Answer::Hello`]; a client with a newer
    /// version is refused.
    Hello {
        /// The version of the protocol that the client speaks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        protocol: Option<u32>,
    },
    /// Ask for the status. Answered by [`Answer::Status`].
    Status {},
    /// Send every change from now on over this connection. Answered by [`Answer::Subscribed`].
    Subscribe {
        /// The interval of the events with numbers in milliseconds, 100 to 3,600,000; without it, none are sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        numbers_ms: Option<u64>,
    },
    /// Change properties of the scene that is shown. Answered by [`Answer::Done`] when the changed scene is loaded; the
    /// requests below are answered by [`Answer::Done`], too, unless they say otherwise.
    Set(SetRequest),
    /// Show a scene of the configuration.
    Scene {
        /// The name of the scene.
        name: String,
        /// The name of the output; all outputs, if it is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Show the next scene, or the next picture of a slideshow.
    Next {
        /// The name of the output; all outputs, if it is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Show the placeholder and close the camera. Answered when every output shows the placeholder: no frame from
    /// before the pause is written after the answer.
    Pause {},
    /// End the pause; if there is no pause, stop hiding the picture because of a locked session.
    Resume {},
    /// Pause, or end the pause if there is one. Answered by [`Answer::Toggled`].
    Toggle {},
    /// Set the time after which an unwatched camera is closed.
    IdleAfter {
        /// The time in milliseconds, at most one day.
        ms: u64,
    },
    /// Write the picture of an output to an image file.
    Snapshot {
        /// The absolute path of the image, which ends with .png, .jpg or .webp.
        file: PathBuf,
        /// The name of the output; the first output, if it is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Record an output into a new file. Answered when the file is open.
    Record {
        /// The absolute path of the recording, which ends with .mkv, .mp4, .mov or .webm.
        file: PathBuf,
        /// The name of the output; the first output, if it is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
        /// Whether the recording opens the camera even if nothing else watches the output.
        #[serde(default)]
        opens_camera: bool,
    },
    /// End a recording. Answered when its file is complete.
    StopRecording {
        /// The name of the output; all outputs, if it is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Start a preview: small pictures of an output in shared memory, whose descriptor comes with the answer. The
    /// preview ends with the connection; a new preview replaces the one of the same connection. Answered by
    /// [`Answer::Preview`].
    Preview(PreviewRequest),
    /// End the preview of this connection.
    EndPreview {},
    /// Inject a fault, to test how greenroom handles it. Answered by [`Answer::Done`].
    #[cfg(feature = "faults")]
    #[cfg_attr(test, schemars(skip))]
    Fault {
        /// The name of the fault.
        name: String,
    },
}

/// The reply to a request. Every request of a connection gets one, in the order of the requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Reply {
    /// The request was carried out.
    Ok(Answer),
    /// The request was refused or failed: one sentence that names the next step.
    Error(String),
}

/// The result of a request that was carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Answer {
    /// The answer to `hello`.
    Hello(Hello),
    /// The answer to `status`.
    Status(Box<Status>),
    /// The answer to `subscribe`; events follow on this connection.
    Subscribed {
        /// The sequence number of the last event that `status` includes.
        seq: u64,
        /// The status to which the following events are applied.
        status: Box<Status>,
    },
    /// The answer to `toggle`.
    Toggled {
        /// Whether greenroom is paused now.
        paused: bool,
    },
    /// The answer to `preview`. Two descriptors come with this line: the shared memory, and a pipe that gets one byte
    /// for each picture.
    Preview(PreviewLayout),
    /// The answer to requests that have no other result.
    Done {},
}

/// The versions of greenroom and of its protocol, and the requests and events that it supports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hello {
    /// The version of the protocol; see [`PROTOCOL`].
    pub protocol: u32,
    /// The version of greenroom.
    pub version: String,
    /// The process ID of greenroom.
    pub pid: u32,
    /// The names of the supported requests.
    pub requests: Vec<String>,
    /// The names of the supported events.
    pub events: Vec<String>,
}

impl Hello {
    /// The answer of this process.
    pub fn ours() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            requests: names(Request::NAMES),
            events: names(Event::NAMES),
        }
    }
}

impl Request {
    /// The names of all requests, in the order of the documentation.
    pub const NAMES: &[&str] = &[
        "hello",
        "status",
        "subscribe",
        "set",
        "scene",
        "next",
        "pause",
        "resume",
        "toggle",
        "idle_after",
        "snapshot",
        "record",
        "stop_recording",
        "preview",
        "end_preview",
    ];

    /// Whether the request begins or ends a pause.
    pub fn is_about_a_pause(&self) -> bool {
        matches!(self, Self::Pause {} | Self::Resume {} | Self::Toggle {})
    }

    /// Whether the request needs [`Trust::Owner`](crate::control::Trust::Owner).
    pub fn is_for_the_owner(&self) -> bool {
        #[cfg(feature = "faults")]
        if matches!(self, Self::Fault { .. }) {
            return true;
        }
        false
    }

    /// Parses one request, without its line feed. Unknown fields are ignored. Never panics, whatever the bytes are.
    ///
    /// # Errors
    /// [`BadRequest`] says why the text is not a valid request.
    pub fn parse(text: &[u8]) -> Result<Self, BadRequest> {
        if text.len() > MAX_REQUEST_BYTES {
            return Err(BadRequest::TooLong);
        }
        let text = str::from_utf8(text).map_err(|_| BadRequest::NotText)?;
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| BadRequest::not_json(&error))?;
        let object = json.as_object().filter(|object| object.len() == 1);
        let Some((name, fields)) = object.and_then(|object| object.iter().next()) else {
            return Err(BadRequest::NoObject);
        };
        let is_fault = cfg!(feature = "faults") && name == "fault";
        if !Self::NAMES.contains(&name.as_str()) && !is_fault {
            return Err(BadRequest::unknown(name));
        }
        if !fields.is_object() {
            return Err(BadRequest::NoFields { name: name.clone() });
        }
        serde_json::from_value(json).map_err(|error| BadRequest::not_understood(&error))
    }
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
