use serde::{Deserialize, Serialize};

use crate::governor::LevelReason;
use crate::pipeline::Reason;
use crate::status::{
    CameraState, MaskServerState, OutputState, Quantiles, SceneStatus, Status, Watcher,
};

/// The line that carries an event to a subscriber, between the replies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventLine {
    /// The event.
    pub event: SentEvent,
}

/// An event and its sequence number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SentEvent {
    /// The sequence number: one more than that of the previous event, the same for all subscribers. It is missing for
    /// [`Event::Numbers`], which each subscriber gets at its own interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The change itself.
    #[serde(flatten)]
    pub event: Event,
}

/// A change of the status. Each event carries the new state, not the difference; two changes in quick succession may be
/// sent as one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Event {
    /// The state of the camera.
    Camera {
        /// `closed`, `opening`, `streaming` or `lost`.
        state: CameraState,
        /// The name of the camera, once it was found.
        name: Option<String>,
        /// The format that the camera delivers; `null` while it delivers nothing.
        mode: Option<String>,
        /// Why the camera is lost.
        reason: Option<String>,
    },
    /// The reasons why every output shows the placeholder.
    HiddenBy {
        /// `pause`, `lock`, `sleep`; empty when nothing hides the picture.
        reasons: Vec<Reason>,
    },
    /// The state of an output.
    Output {
        /// The name of the output.
        output: String,
        /// The sink that the output writes to.
        sink: String,
        /// `missing`, `holding`, `watched`, `lingering` or `ended`.
        state: OutputState,
        /// The format that the output writes; `null` while the sink is missing.
        mode: Option<String>,
        /// Why the output is missing or has ended.
        reason: Option<String>,
    },
    /// The programs that watch an output.
    Watchers {
        /// The name of the output.
        output: String,
        /// The watching programs, as far as greenroom may see them.
        watchers: Vec<Watcher>,
    },
    /// The scene of an output, and why the newest change of it is not shown.
    Scene {
        /// The name of the output.
        output: String,
        /// The scene that the output shows.
        scene: SceneStatus,
    },
    /// The start or the end of a recording.
    Recording {
        /// The name of the recorded output.
        output: String,
        /// The file of the recording; `null` when there is none.
        file: Option<String>,
    },
    /// The time for which the camera stays open after the last watcher has left.
    IdleAfter {
        /// The time in milliseconds.
        ms: u64,
    },
    /// The state of the mask server.
    MaskServer {
        /// The address of the mask server.
        url: String,
        /// `well` or `unwell`.
        state: MaskServerState,
        /// Why the mask server is unwell.
        reason: Option<String>,
    },
    /// How much work is done for each frame.
    Governor {
        /// The level of work: 0 is all of it, and each higher number is less.
        level: usize,
        /// What is done less on this level, in words.
        chosen: String,
        /// `busy`, `slow` or `budget`; `null` on level 0.
        reason: Option<LevelReason>,
    },
    /// All problems of the camera, the outputs, the scenes and the mask server.
    Trouble {
        /// One sentence for each problem; empty when everything works.
        sentences: Vec<String>,
    },
    /// Rates and counts, sent at the interval that the subscriber asked for.
    Numbers(Numbers),
}

/// Rates and counts of the time since the subscriber's previous numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Numbers {
    /// Milliseconds since the previous numbers.
    pub ms: u64,
    /// Frames per second that the camera delivered.
    pub camera_fps: f64,
    /// Frames that were skipped for a newer frame, could not be decoded or could not be composed.
    pub dropped: u64,
    /// Milliseconds from the capture of a frame to its output, of the last 1,000 to 2,000 frames; `null` before the
    /// first.
    pub latency_ms: Option<Quantiles>,
    /// Processor time as a share of one core.
    pub cpu_share: f64,
    /// The numbers of each output, in the order of the status.
    pub outputs: Vec<OutputNumbers>,
}

/// Rates and counts of one output.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutputNumbers {
    /// The name of the output.
    pub output: String,
    /// Composed frames per second that were written to the output.
    pub fps: f64,
    /// Placeholders that were written to the output.
    pub placeholders: u64,
    /// Frames that were dropped because the output was too slow.
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
        "governor",
        "trouble",
        "numbers",
    ];

    /// The events that describe the whole of `status`, without [`Event::Numbers`].
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
        let governor = status.governor.as_ref().map(|governor| Self::Governor {
            level: governor.level,
            chosen: governor.chosen.clone(),
            reason: governor.reason,
        });
        let hidden_by = Self::HiddenBy { reasons: status.hidden_by.clone() };
        let idle_after = Self::IdleAfter { ms: (status.idle_after_s * 1e3).round() as u64 };
        let trouble = Self::Trouble { sentences: status.trouble() };
        // `hidden_by` comes first, so that it is also seen by a reader that stops after the first event.
        [hidden_by, camera]
            .into_iter()
            .chain(outputs)
            .chain([idle_after])
            .chain(mask_server)
            .chain(governor)
            .chain([trouble])
            .collect()
    }

    /// The events for everything in `now` that differs from `before`, without [`Event::Numbers`].
    pub fn changes(before: &Status, now: &Status) -> Vec<Self> {
        let known = Self::all_of(before);
        Self::all_of(now).into_iter().filter(|event| !known.contains(event)).collect()
    }
}

impl Numbers {
    /// The rates and counts of the time from `before` to `now`.
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
    fn only_changes_become_events() {
        let before = status();
        assert_eq!(Event::changes(&before, &before), []);
        let mut now = before.clone();
        now.uptime_s = 9.0;
        now.frames.taken = 100;
        now.outputs[0].written = 100;
        assert_eq!(Event::changes(&before, &now), [], "changed numbers are not an event");
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
    fn numbers_count_from_the_previous_status() {
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
