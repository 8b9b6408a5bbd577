//! The output for a custom module of Waybar: `waybar-custom(5)`, "return-type": "json".

use serde::Serialize;

use crate::status::{OutputState, Status};

/// The object that Waybar reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Module {
    /// The text that the module shows by default.
    text: String,
    /// The key for `format-icons`; see [`module`].
    alt: &'static str,
    /// The CSS class, the same word as `alt`.
    class: &'static str,
    tooltip: String,
}

/// The module for `status`; `None` means that greenroom does not run. Its class is the first of `stopped`, `hidden`,
/// `trouble`, `on-air` and `idle` that applies.
pub(super) fn module(status: Option<&Status>) -> Module {
    let Some(status) = status else {
        return new_module("", "stopped", &["greenroom does not run".to_owned()]);
    };
    let mut lines: Vec<String> = status.trouble();
    let (text, word) = if let Some(reason) = status.hidden_by.first() {
        lines.insert(0, format!("hidden by {}", reason.word()));
        ("hidden", "hidden")
    } else if !lines.is_empty() {
        ("trouble", "trouble")
    } else if is_on_air(status) {
        ("on air", "on-air")
    } else {
        ("idle", "idle")
    };
    for output in &status.outputs {
        lines.push(format!("{}: {}", output.name, output.scene));
        lines.extend(output.watchers.iter().map(|watcher| format!("watched by {watcher}")));
        let recording = output.recording.iter();
        lines.extend(recording.map(|recording| format!("recorded into {}", recording.file)));
    }
    new_module(text, word, &lines)
}

/// Whether a program watches an output or a preview.
fn is_on_air(status: &Status) -> bool {
    let is_watched = |state| state == OutputState::Watched;
    status.outputs.iter().any(|output| is_watched(output.state) || !output.watchers.is_empty())
}

fn new_module(text: &str, word: &'static str, lines: &[String]) -> Module {
    Module { text: text.to_owned(), alt: word, class: word, tooltip: escaped(&lines.join("\n")) }
}

/// Escapes `text`, which Waybar parses as Pango markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Reason;
    use crate::status::{OutputStatus, Watcher};

    #[test]
    fn a_bar_shows_what_matters_most() {
        assert_eq!(module(None).class, "stopped");
        let output = OutputStatus { name: "auto".to_owned(), ..Default::default() };
        let mut status = Status { outputs: vec![output], ..Default::default() };
        assert_eq!(
            (module(Some(&status)).text.as_str(), module(Some(&status)).alt),
            ("idle", "idle")
        );
        status.outputs[0].state = OutputState::Watched;
        status.outputs[0].watchers =
            vec![Watcher { pid: 7, name: "<b>&".to_owned(), preview: None }];
        let on_air = module(Some(&status));
        assert_eq!(on_air.class, "on-air");
        assert!(
            on_air.tooltip.ends_with("watched by &lt;b&gt;&amp; (pid 7)"),
            "{}",
            on_air.tooltip
        );
        status.camera.reason = Some("it has gone".to_owned());
        assert_eq!(module(Some(&status)).class, "trouble");
        status.hidden_by = vec![Reason::Pause];
        let hidden = module(Some(&status));
        assert_eq!(hidden.class, "hidden");
        assert!(hidden.tooltip.starts_with("hidden by pause\ncamera: it has gone\n"));
    }
}
