//! How a running greenroom is asked and told, whatever carries it: requests, replies and events as plain data.
//!
//! `docs/control.md` describes it, `docs/control.schema.json` is its JSON Schema; tests hold both to what is here. The
//! socket (`crate::control`) carries it as one JSON object a line:
//!
//! ```text
//! > {"status":{}}
//! < {"ok":{"status":{"version":"0.1.0","pid":4711,…}}}
//! > {"dance":{}}
//! < {"error":"there is no request \"dance\"; the requests are hello, status, …"}
//! ```
//!
//! A new request is a variant of [`Request`], its name in [`Request::NAMES`], a variant of [`Answer`] where it has an
//! answer of its own, and an arm in `Dispatcher::dispatch`.

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

/// The version of the protocol: higher when something is taken away or changes its meaning. What is only added leaves it.
pub const PROTOCOL: u32 = 1;
/// Longest request in bytes, without its line feed.
pub const MAX_REQUEST_BYTES: usize = 64 << 10;
/// Shortest and longest time between two [`Event::Numbers`], in milliseconds.
pub const NUMBERS_MS: std::ops::RangeInclusive<u64> = 100..=3_600_000;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Request {
    /// Which protocol greenroom speaks. Answered by [`Answer::Hello`]; a client that speaks a newer one is refused.
    Hello {
        /// The protocol that the client speaks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        protocol: Option<u32>,
    },
    /// What is going on. Answered by [`Answer::Status`].
    Status {},
    /// Send every change from now on over this connection. Answered by [`Answer::Subscribed`].
    Subscribe {
        /// Milliseconds between two events with numbers, 100 to 3,600,000; without it, none is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        numbers_ms: Option<u64>,
    },
    /// Lay these properties over the scene that is shown. Answered by [`Answer::Done`] when it is loaded, as are the
    /// others.
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
    /// End the pause; without one, a lock that holds.
    Resume {},
    /// Pause, or end the pause if there is one. Answered by [`Answer::Toggled`].
    Toggle {},
    /// Close the camera when nobody has watched for so long.
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
    StopRecording {
        /// The output that is recorded; all, if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Show small pictures of an output to this program, through memory that greenroom sends with the answer. They go on
    /// until the connection ends; one that goes on takes its place. Answered by [`Answer::Preview`].
    Preview(PreviewRequest),
    /// End the preview of this connection.
    EndPreview {},
    /// A fault to try the safeguards with. Answered by [`Answer::Done`].
    #[cfg(feature = "faults")]
    #[cfg_attr(test, schemars(skip))]
    Fault {
        /// Which.
        name: String,
    },
}

/// What is answered: one of these for every request, in the order of the requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Reply {
    /// It was done.
    Ok(Answer),
    /// It was not: one sentence with the next step to take.
    Error(String),
}

/// What a request that was done gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Answer {
    /// Who answers.
    Hello(Hello),
    /// What is going on.
    Status(Box<Status>),
    /// Events follow.
    Subscribed {
        /// The number of the last event that `status` has in it: the next one has the next number.
        seq: u64,
        /// What is going on: what the events change.
        status: Box<Status>,
    },
    /// What a toggle came to.
    Toggled {
        /// Whether there is a pause now.
        paused: bool,
    },
    /// A preview has begun: two descriptors come with this line, its memory and a pipe with a byte for each picture.
    Preview(PreviewLayout),
    /// Nothing but that it was done.
    Done {},
}

/// Who answers, and what it understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hello {
    /// The version of the protocol, see [`PROTOCOL`].
    pub protocol: u32,
    /// The version of greenroom.
    pub version: String,
    /// Its process number.
    pub pid: u32,
    /// The requests that it takes.
    pub requests: Vec<String>,
    /// The events that it sends.
    pub events: Vec<String>,
}

impl Hello {
    /// This greenroom.
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

    /// Whether only the owner of a greenroom may ask for it, not any program of the session.
    pub fn is_for_the_owner(&self) -> bool {
        #[cfg(feature = "faults")]
        if matches!(self, Self::Fault { .. }) {
            return true;
        }
        false
    }

    /// Reads one request, without a line feed. Whatever the bytes are, it does not panic. Fields that this version does not
    /// know are ignored.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, BadRequest> {
        if text.len() > MAX_REQUEST_BYTES {
            return Err(BadRequest::TooLong);
        }
        let text = str::from_utf8(text).map_err(|_| BadRequest::NotText)?;
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| BadRequest::not_json(&error))?;
        if let Some(name) = json.as_object().and_then(|object| object.keys().next())
            && !Self::NAMES.contains(&name.as_str())
            && !(cfg!(feature = "faults") && name == "fault")
        {
            return Err(BadRequest::unknown(name));
        }
        serde_json::from_value(json).map_err(|error| BadRequest::not_understood(&error))
    }
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
