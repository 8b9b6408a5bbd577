//! The D-Bus object of one output.

use std::collections::HashMap;
use std::path::PathBuf;

use zbus::zvariant::{OwnedValue, Value};
use zbus::{fdo, interface};

use super::forward::{carry_out, check_length, note_property_set, public_text};
use crate::control::Dispatcher;
use crate::protocol::{PreviewPicture, Request, SetRequest};
use crate::scenes::SceneOptions;
use crate::status::OutputStatus;

/// The object of one output.
pub(super) struct OutputObject {
    dispatcher: Dispatcher,
    /// The index of the output in the status.
    number: usize,
}

/// The request that sets `properties`, named as on the bus, on `output`, or on all outputs if it is `None`.
///
/// # Errors
/// One sentence for the first invalid value, or if no property is known.
pub(super) fn set_request(
    properties: HashMap<String, OwnedValue>,
    output: Option<String>,
) -> fdo::Result<Request> {
    let mut options = SceneOptions::default();
    for (name, value) in properties {
        let place = match name.as_str() {
            "Effects" => {
                options.effects = Some(effects(&value)?);
                continue;
            }
            "Background" => &mut options.background,
            "Fit" => &mut options.fit,
            "Foreground" => &mut options.foreground,
            "Framing" => &mut options.framing,
            "Look" => &mut options.look,
            // Unknown properties are ignored, as on the socket: the client may be newer than this greenroom.
            _ => continue,
        };
        let text = <&str>::try_from(&*value);
        let text = text.map_err(|_| fdo::Error::InvalidArgs(format!("{name} is not a text")))?;
        *place = Some(text.to_owned());
    }
    if options == SceneOptions::default() {
        let none = "nothing is set of Background, Fit, Foreground, Effects, Framing, Look";
        return Err(fdo::Error::InvalidArgs(none.to_owned()));
    }
    change(options, output)
}

/// The request that changes `options` of the scene of `output`, or of all outputs if it is `None`.
///
/// # Errors
/// When the texts are too long.
fn change(mut options: SceneOptions, output: Option<String>) -> fdo::Result<Request> {
    // The property `Foreground` reads as an empty text where there is none.
    if options.foreground.as_deref() == Some("") {
        options.foreground = Some("none".to_owned());
    }
    let SceneOptions { background, fit, foreground, effects, framing, look } = &options;
    let texts = [background, fit, foreground, framing, look].into_iter().flatten();
    check_length(texts.chain(effects.iter().flatten()).map(String::as_str))?;
    Ok(Request::Set(SetRequest { output, options }))
}

fn effects(value: &Value<'_>) -> fdo::Result<Vec<String>> {
    let texts = value.try_clone().and_then(Vec::<String>::try_from);
    texts.map_err(|_| fdo::Error::InvalidArgs("Effects is not a list of texts".to_owned()))
}

impl OutputObject {
    /// The names of the properties that have setters.
    pub(super) const WRITABLE: [&str; 7] =
        ["Scene", "Background", "Fit", "Foreground", "Effects", "Framing", "Look"];

    pub(super) fn new(dispatcher: Dispatcher, number: usize) -> Self {
        Self { dispatcher, number }
    }

    fn status(&self) -> OutputStatus {
        let outputs = self.dispatcher.feed().status().outputs;
        outputs.into_iter().nth(self.number).unwrap_or_default()
    }

    fn output(&self) -> Option<String> {
        Some(self.status().name)
    }

    async fn carry_out(&self, request: Request) -> fdo::Result<()> {
        carry_out(&self.dispatcher, request).await
    }

    async fn change(&self, options: SceneOptions) -> fdo::Result<()> {
        self.carry_out(change(options, self.output())?).await
    }
}

#[interface(name = "org.greenroom.Greenroom1.Output")]
impl OutputObject {
    /// Changes properties (Background, Fit, Foreground, Effects, Framing, Look) of the scene, all at once.
    async fn set(&self, properties: HashMap<String, OwnedValue>) -> fdo::Result<()> {
        self.carry_out(set_request(properties, self.output())?).await
    }

    /// Shows a scene of the configuration.
    async fn show_scene(&self, name: String) -> fdo::Result<()> {
        check_length([name.as_str()])?;
        self.carry_out(Request::Scene { name, output: self.output() }).await
    }

    /// Shows the next scene, or the next picture of a slideshow.
    async fn next(&self) -> fdo::Result<()> {
        self.carry_out(Request::Next { output: self.output() }).await
    }

    /// Writes the picture of the output to an image file.
    async fn snapshot(&self, file: String) -> fdo::Result<()> {
        check_length([file.as_str()])?;
        let file = PathBuf::from(file);
        self.carry_out(Request::Snapshot { file, output: self.output() }).await
    }

    /// Records the output into a new file.
    async fn record(&self, file: String, opens_camera: bool) -> fdo::Result<()> {
        check_length([file.as_str()])?;
        let file = PathBuf::from(file);
        self.carry_out(Request::Record { file, output: self.output(), opens_camera }).await
    }

    /// Ends the recording.
    async fn stop_recording(&self) -> fdo::Result<()> {
        self.carry_out(Request::StopRecording { output: self.output() }).await
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn name(&self) -> String {
        public_text(&self.status().name)
    }

    #[zbus(property)]
    fn sink(&self) -> String {
        public_text(&self.status().sink)
    }

    #[zbus(property)]
    fn state(&self) -> String {
        OutputStatus::word(self.status().state).to_owned()
    }

    #[zbus(property)]
    fn mode(&self) -> String {
        public_text(&self.status().mode.unwrap_or_default())
    }

    #[zbus(property)]
    fn reason(&self) -> String {
        public_text(&self.status().reason.unwrap_or_default())
    }

    /// The process ID and the name of each watcher, and the picture of its preview (empty if it has none).
    #[zbus(property)]
    fn watchers(&self) -> Vec<(u32, String, String)> {
        let watchers = self.status().watchers.into_iter();
        let preview = |it: Option<PreviewPicture>| it.map_or("", PreviewPicture::word).to_owned();
        watchers.map(|it| (it.pid, public_text(&it.name), preview(it.preview))).collect()
    }

    /// The file of the recording; empty if there is none.
    #[zbus(property)]
    fn recording(&self) -> String {
        let file = self.status().recording.map(|recording| recording.file);
        public_text(&file.unwrap_or_default())
    }

    /// The name of the scene in the configuration; empty if it has none.
    #[zbus(property)]
    fn scene(&self) -> String {
        public_text(&self.status().scene.name.unwrap_or_default())
    }

    #[zbus(property)]
    async fn set_scene(&self, name: String) -> fdo::Result<()> {
        note_property_set();
        self.show_scene(name).await
    }

    #[zbus(property)]
    fn background(&self) -> String {
        public_text(&self.status().scene.background)
    }

    #[zbus(property)]
    async fn set_background(&self, text: String) -> fdo::Result<()> {
        note_property_set();
        self.change(SceneOptions { background: Some(text), ..Default::default() }).await
    }

    #[zbus(property)]
    fn fit(&self) -> String {
        self.status().scene.fit
    }

    #[zbus(property)]
    async fn set_fit(&self, text: String) -> fdo::Result<()> {
        note_property_set();
        self.change(SceneOptions { fit: Some(text), ..Default::default() }).await
    }

    /// The foreground; empty if there is none. Set it to an empty text or `none` to remove it.
    #[zbus(property)]
    fn foreground(&self) -> String {
        public_text(&self.status().scene.foreground.unwrap_or_default())
    }

    #[zbus(property)]
    async fn set_foreground(&self, text: String) -> fdo::Result<()> {
        note_property_set();
        self.change(SceneOptions { foreground: Some(text), ..Default::default() }).await
    }

    #[zbus(property)]
    fn effects(&self) -> Vec<String> {
        self.status().scene.effects
    }

    #[zbus(property)]
    async fn set_effects(&self, texts: Vec<String>) -> fdo::Result<()> {
        note_property_set();
        self.change(SceneOptions { effects: Some(texts), ..Default::default() }).await
    }

    #[zbus(property)]
    fn framing(&self) -> String {
        self.status().scene.framing
    }

    #[zbus(property)]
    async fn set_framing(&self, text: String) -> fdo::Result<()> {
        note_property_set();
        self.change(SceneOptions { framing: Some(text), ..Default::default() }).await
    }

    #[zbus(property)]
    fn look(&self) -> String {
        self.status().scene.look
    }

    #[zbus(property)]
    async fn set_look(&self, text: String) -> fdo::Result<()> {
        note_property_set();
        self.change(SceneOptions { look: Some(text), ..Default::default() }).await
    }

    /// Why the newest change is not shown.
    #[zbus(property)]
    fn trouble(&self) -> String {
        public_text(&self.status().scene.trouble.unwrap_or_default())
    }

    /// What of the scene hides people less than the user may expect.
    #[zbus(property)]
    fn warning(&self) -> String {
        public_text(&self.status().scene.warning.unwrap_or_default())
    }
}
