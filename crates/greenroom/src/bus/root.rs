//! The D-Bus object for greenroom as a whole.

use std::collections::HashMap;

use serde::Serialize;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{fdo, interface};

use super::forward::{
    answer_to, carry_out, check_length, note_property_set, public_text, reply_to,
};
use super::output::set_request;
use super::path_of;
use crate::control::Dispatcher;
use crate::pipeline::Reason;
use crate::protocol::{Answer, PROTOCOL, Reply, Request};
use crate::settings::idle_time;
use crate::status::{CameraStatus, Status};
use crate::terminal::printable_json;

/// `value` as JSON.
///
/// # Errors
/// Never in practice, because all keys are strings.
fn as_json(value: &impl Serialize) -> fdo::Result<String> {
    let json = serde_json::to_string(value);
    json.map(|json| printable_json(&json)).map_err(|error| fdo::Error::Failed(error.to_string()))
}

/// The object for all outputs together and for greenroom's own state.
pub(super) struct RootObject {
    dispatcher: Dispatcher,
}

impl RootObject {
    /// The names of the properties that have setters.
    pub(super) const WRITABLE: [&str; 2] = ["Paused", "IdleAfter"];

    pub(super) fn new(dispatcher: Dispatcher) -> Self {
        Self { dispatcher }
    }

    fn status(&self) -> Status {
        self.dispatcher.feed().status()
    }

    async fn carry_out(&self, request: Request) -> fdo::Result<()> {
        carry_out(&self.dispatcher, request).await
    }
}

#[interface(name = "org.greenroom.Greenroom1")]
impl RootObject {
    /// Returns the status as JSON.
    async fn status_json(&self) -> fdo::Result<String> {
        as_json(&self.status())
    }

    /// Takes any request of the socket except `subscribe` and `preview`, as JSON, and returns its reply as JSON.
    async fn request(&self, json: &str) -> fdo::Result<String> {
        let reply = match Request::parse(json.as_bytes()) {
            Ok(request) => reply_to(&self.dispatcher, request).await,
            Err(bad) => Reply::Error(bad.to_string()),
        };
        as_json(&reply)
    }

    /// Shows the placeholder and closes the camera.
    async fn pause(&self) -> fdo::Result<()> {
        self.carry_out(Request::Pause {}).await
    }

    /// Ends the pause. A locked session stays hidden.
    async fn resume(&self) -> fdo::Result<()> {
        self.carry_out(Request::Resume {}).await
    }

    /// Pauses, or ends the pause if there is one. Returns whether greenroom is paused now.
    async fn toggle(&self) -> fdo::Result<bool> {
        let answer = answer_to(&self.dispatcher, Request::Toggle {}).await?;
        Ok(answer == Answer::Toggled { paused: true })
    }

    /// Changes properties (Background, Fit, Foreground, Effects, Framing, Look) of the scenes of all outputs.
    async fn set(&self, properties: HashMap<String, OwnedValue>) -> fdo::Result<()> {
        self.carry_out(set_request(properties, None)?).await
    }

    /// Shows a scene of the configuration.
    async fn show_scene(&self, name: String) -> fdo::Result<()> {
        check_length([name.as_str()])?;
        self.carry_out(Request::Scene { name, output: None }).await
    }

    /// Shows the next scene, or the next picture of a slideshow.
    async fn next(&self) -> fdo::Result<()> {
        self.carry_out(Request::Next { output: None }).await
    }

    /// Ends all recordings.
    async fn stop_recording(&self) -> fdo::Result<()> {
        self.carry_out(Request::StopRecording { output: None }).await
    }

    /// Carries each event of the socket as JSON.
    #[zbus(signal)]
    async fn event(emitter: &SignalEmitter<'_>, json: &str) -> zbus::Result<()>;

    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn protocol(&self) -> u32 {
        PROTOCOL
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn outputs(&self) -> Vec<OwnedObjectPath> {
        let numbers = 0..self.status().outputs.len();
        numbers.filter_map(|number| path_of(number).try_into().ok()).collect()
    }

    #[zbus(property)]
    fn camera_state(&self) -> String {
        CameraStatus::word(self.status().camera.state).to_owned()
    }

    #[zbus(property)]
    fn camera_name(&self) -> String {
        public_text(&self.status().camera.name.unwrap_or_default())
    }

    #[zbus(property)]
    fn camera_mode(&self) -> String {
        public_text(&self.status().camera.mode.unwrap_or_default())
    }

    #[zbus(property)]
    fn camera_reason(&self) -> String {
        public_text(&self.status().camera.reason.unwrap_or_default())
    }

    #[zbus(property)]
    fn hidden_by(&self) -> Vec<String> {
        self.status().hidden_by.iter().map(|reason| reason.word().to_owned()).collect()
    }

    #[zbus(property)]
    fn paused(&self) -> bool {
        self.status().hidden_by.contains(&Reason::Pause)
    }

    #[zbus(property)]
    async fn set_paused(&self, paused: bool) -> fdo::Result<()> {
        note_property_set();
        match paused {
            true => self.carry_out(Request::Pause {}).await,
            false => {
                self.dispatcher.end_pause();
                Ok(())
            }
        }
    }

    /// The time in seconds for which the camera stays open after the last watcher has left.
    #[zbus(property)]
    fn idle_after(&self) -> f64 {
        self.status().idle_after_s
    }

    #[zbus(property)]
    async fn set_idle_after(&self, seconds: f64) -> fdo::Result<()> {
        note_property_set();
        let time =
            idle_time(seconds).map_err(|error| fdo::Error::InvalidArgs(error.to_string()))?;
        // `idle_time` allows at most one day.
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.carry_out(Request::IdleAfter { ms }).await
    }

    /// Why the mask server is unwell; empty if it is well or there is none.
    #[zbus(property)]
    fn mask_server_reason(&self) -> String {
        let reason = self.status().mask_server.and_then(|server| server.reason);
        public_text(&reason.unwrap_or_default())
    }

    #[zbus(property)]
    fn trouble(&self) -> Vec<String> {
        self.status().trouble().iter().map(|sentence| public_text(sentence)).collect()
    }
}
