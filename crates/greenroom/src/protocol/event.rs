use serde::{Deserialize, Serialize};

use crate::pipeline::Reason;
use crate::status::{
    CameraState, MaskServerState, OutputState, Quantiles, SceneStatus, Status, Watcher,
};

/// A line with an event, as a subscriber gets it between the replies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventLine {
    /// The event.
    pub event: SentEvent,
}

/// An event with its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SentEvent {
    /// One more than that of the event before, the same for all subscribers. Missing with [`Event::Numbers`], which each
    /// gets at its own pace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What has changed.
    #[serde(flatten)]
    pub event: Event,
}

/// What has changed: the new state, not the difference. What changes twice in a moment may be told once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Event {
    /// The camera.
    Camera {
        /// `closed`, `opening`, `streaming` or `lost`.
        state: CameraState,
        /// Its name, once it was found.
        name: Option<String>,
        /// What it delivers, while it does.
        mode: Option<String>,
        /// Why it is lost.
        reason: Option<String>,
    },
    /// Why every output shows the placeholder.
    HiddenBy {
        /// `pause`, `lock`, `sleep`; empty when nothing speaks against a picture.
        reasons: Vec<Reason>,
    },
    /// The state of an output.
    Output {
        /// Its name.
        output: String,
        /// What it writes to.
        sink: String,
        /// `missing`, `holding`, `watched`, `lingering` or `ended`.
        state: OutputState,
        /// What it shows, while it is there.
        mode: Option<String>,
        /// Why it is missing or has ended.
        reason: Option<String>,
    },
    /// Who watches an output.
    Watchers {
        /// Its name.
        output: String,
        /// The programs, as far as may be seen.
        watchers: Vec<Watcher>,
    },
    /// What an output shows, or why the newest change is not shown.
    Scene {
        /// Its name.
        output: String,
        /// What it shows.
        scene: SceneStatus,
    },
    /// A recording has begun or ended.
    Recording {
        /// The output that is recorded.
        output: String,
        /// The file; `null` when there is no recording.
        file: Option<String>,
    },
    /// How long the camera stays open when nobody watches.
    IdleAfter {
        /// Milliseconds.
        ms: u64,
    },
    /// A mask server answers, or does not any more.
    MaskServer {
        /// Where it is.
        url: String,
        /// `well` or `unwell`.
        state: MaskServerState,
        /// Why it is unwell.
        reason: Option<String>,
    },
    /// What does not work now, of all of the above.
    Trouble {
        /// A sentence for each thing; empty when all is well.
        sentences: Vec<String>,
    },
    /// How it goes, at the pace that was asked for.
    Numbers(Numbers),
}

/// How it goes. Counts and rates are of the time since the numbers before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Numbers {
    /// Milliseconds since the numbers before.
    pub ms: u64,
    /// Frames a second that the camera delivered.
    pub camera_fps: f64,
    /// Frames that were passed over for a newer one, could not be decoded or could not be composed.
    pub dropped: u64,
    /// Milliseconds from a frame's capture to its being written, of the last 1,000 to 2,000; `null` before the first.
    pub latency_ms: Option<Quantiles>,
    /// Processor time as a share of one core.
    pub cpu_share: f64,
    /// Each output, in their order.
    pub outputs: Vec<OutputNumbers>,
}

/// How an output goes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutputNumbers {
    /// Its name.
    pub output: String,
    /// Composed frames a second that were written to it.
    pub fps: f64,
    /// Placeholders that were written to it.
    pub placeholders: u64,
    /// Frames that it was too slow for.
    pub dropped: u64,
}

impl Event {
    /// The names of all events, in the order of the documentation.
    pub const NAMES: &[&str] = &[
        "camera",
        "hidden_by",
        "output",
        "watchers",
        "scene",
        "recording",
        "idle_after",
        "mask_server",
        "trouble",
        "numbers",
    ];

    /// All that `status` says, as if nothing had been known before.
    pub fn all_of(status: &Status) -> Vec<Self> {
        let outputs = status.outputs.iter().flat_map(|output| {
            let name = || output.name.clone();
            [
                Self::Output {
                    output: name(),
                    sink: output.sink.clone(),
                    state: output.state,
                    mode: output.mode.clone(),
                    reason: output.reason.clone(),
                },
                Self::Watchers { output: name(), watchers: output.watchers.clone() },
                Self::Scene { output: name(), scene: output.scene.clone() },
                Self::Recording {
                    output: name(),
                    file: output.recording.as_ref().map(|recording| recording.file.clone()),
                },
            ]
        });
        let camera = &status.camera;
        let camera = Self::Camera {
            state: camera.state,
            name: camera.name.clone(),
            mode: camera.mode.clone(),
            reason: camera.reason.clone(),
        };
        let mask_server = status.mask_server.as_ref().map(|server| Self::MaskServer {
            url: server.url.clone(),
            state: server.state,
            reason: server.reason.clone(),
        });
        let hidden_by = Self::HiddenBy { reasons: status.hidden_by.clone() };
        let idle_after = Self::IdleAfter { ms: (status.idle_after_s * 1e3).round() as u64 };
        let trouble = Self::Trouble { sentences: status.trouble() };
        // What hides comes first: whoever reads no further knows it.
        [hidden_by, camera]
            .into_iter()
            .chain(outputs)
            .chain([idle_after])
            .chain(mask_server)
            .chain([trouble])
            .collect()
    }

    /// What `now` says and `before` did not.
    pub fn changes(before: &Status, now: &Status) -> Vec<Self> {
        let known = Self::all_of(before);
        Self::all_of(now).into_iter().filter(|event| !known.contains(event)).collect()
    }
}

impl Numbers {
    /// What happened from `before` to `now`.
    pub fn between(before: &Status, now: &Status) -> Self {
        let passed_s = (now.uptime_s - before.uptime_s).max(1e-3);
        let per_second = |count: u64| (count as f64 / passed_s * 100.0).round() / 100.0;
        let outputs = now.outputs.iter().zip(&before.outputs).map(|(now, before)| OutputNumbers {
            output: now.name.clone(),
            fps: per_second(now.written.saturating_sub(before.written)),
            placeholders: now.placeholders.saturating_sub(before.placeholders),
            dropped: now.dropped.saturating_sub(before.dropped),
        });
        let (frames, earlier) = (&now.frames, &before.frames);
        let share = (now.cpu.time_s - before.cpu.time_s).max(0.0) / passed_s;
        Self {
            ms: (passed_s * 1e3).round() as u64,
            camera_fps: per_second(frames.taken.saturating_sub(earlier.taken)),
            dropped: frames.lost().saturating_sub(earlier.lost()),
            latency_ms: now.latency_ms,
            cpu_share: (share * 1e4).round() / 1e4,
            outputs: outputs.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{CameraStatus, Cpu, FrameCounts, OutputStatus};

    fn status() -> Status {
        let output = |name: &str| OutputStatus { name: name.to_owned(), ..Default::default() };
        Status { outputs: vec![output("a"), output("b")], ..Default::default() }
    }

    #[test]
    fn only_what_has_changed_is_told() {
        let before = status();
        assert_eq!(Event::changes(&before, &before), []);
        let mut now = before.clone();
        now.uptime_s = 9.0;
        now.frames.taken = 100;
        now.outputs[0].written = 100;
        assert_eq!(Event::changes(&before, &now), [], "numbers are no change");
        now.outputs[1].scene.background = "blur".to_owned();
        now.hidden_by = vec![Reason::Pause];
        now.camera = CameraStatus { opened: 7, ..Default::default() };
        let scene = now.outputs[1].scene.clone();
        let expected = [
            Event::HiddenBy { reasons: vec![Reason::Pause] },
            Event::Scene { output: "b".to_owned(), scene },
        ];
        assert_eq!(Event::changes(&before, &now), expected);
        assert_eq!(Event::changes(&now, &before).len(), 2);
    }

    #[test]
    fn numbers_are_of_the_time_between() {
        let mut before = status();
        before.frames = FrameCounts { taken: 100, corrupt: 1, ..Default::default() };
        before.cpu = Cpu { time_s: 1.0, ..Default::default() };
        let mut now = before.clone();
        now.uptime_s = 2.0;
        now.frames.taken = 160;
        now.frames.corrupt = 4;
        now.frames.dropped.in_camera = 2;
        now.outputs[0].written = 59;
        now.outputs[1].placeholders = 3;
        now.cpu.time_s = 1.5;
        let numbers = Numbers::between(&before, &now);
        assert_eq!((numbers.ms, numbers.camera_fps, numbers.dropped), (2000, 30.0, 5));
        assert_eq!((numbers.cpu_share, numbers.outputs[0].fps), (0.25, 29.5));
        assert_eq!((numbers.outputs[1].placeholders, numbers.outputs[1].fps), (3, 0.0));
    }
}
