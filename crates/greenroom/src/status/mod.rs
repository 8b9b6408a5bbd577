//! What is going on, as plain data: `greenroom status` prints it, `greenroom status --json` hands it
//! to programs. The keys of the JSON are the names of the fields here, and stay; new ones may come.

mod text;

use std::time::Duration;

use greenroom_device::Holder;
use serde::{Deserialize, Serialize, Serializer};

use crate::governor::LevelReason;
use crate::histogram::Histogram;
use crate::pipeline::Reason;
use crate::protocol::PreviewPicture;

/// All that a daemon tells of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Status {
    /// Version of the daemon.
    pub version: String,
    /// Its process number.
    pub pid: u32,
    /// Seconds since it started.
    #[serde(serialize_with = "thousandths")]
    pub uptime_s: f64,
    /// The camera.
    pub camera: CameraStatus,
    /// The outputs, in the order they were named.
    pub outputs: Vec<OutputStatus>,
    /// Why every output shows the placeholder, whoever watches: `pause`, `lock`, `sleep`. Empty when nothing speaks
    /// against a picture.
    pub hidden_by: Vec<Reason>,
    /// Seconds for which the camera stays open when nobody watches any more.
    #[serde(serialize_with = "thousandths")]
    pub idle_after_s: f64,
    /// Who finds the person elsewhere, if somebody does.
    #[serde(default)]
    pub mask_server: Option<MaskServerStatus>,
    /// How much work is done for each frame, and why.
    #[serde(default)]
    pub governor: Option<GovernorStatus>,
    /// What happened to the frames since the start.
    pub frames: FrameCounts,
    /// Milliseconds from a frame's capture to its being written, of the last 1,000 to 2,000;
    /// `null` before the first.
    pub latency_ms: Option<Quantiles>,
    /// Milliseconds in each stage of a frame's way, in the order of that way; stages that no frame
    /// has passed yet are missing.
    pub stages_ms: Vec<StageTime>,
    /// What it costs.
    pub cpu: Cpu,
}

/// What state the camera is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CameraState {
    /// Nobody watches: it is closed.
    #[default]
    Closed,
    /// It is being opened.
    Opening,
    /// It delivers.
    Streaming,
    /// It went or cannot be had; it is tried again and again.
    Lost,
}

/// The camera.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CameraStatus {
    /// `closed`, `opening`, `streaming` or `lost`.
    pub state: CameraState,
    /// Its name, once it was found.
    pub name: Option<String>,
    /// What it delivers, while it does.
    pub mode: Option<String>,
    /// Why it is lost.
    pub reason: Option<String>,
    /// How many times it was opened.
    pub opened: u64,
}

/// What state an output is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OutputState {
    /// Its device is not there.
    #[default]
    Missing,
    /// It shows the placeholder to nobody.
    Holding,
    /// Somebody watches.
    Watched,
    /// The last watcher has just left; a new one would still find the camera open.
    Lingering,
    /// It was lost for good; the others go on.
    Ended,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutputStatus {
    /// What tells it from other outputs: the name to give to `--output`.
    pub name: String,
    /// What it writes to.
    pub sink: String,
    /// `missing`, `holding`, `watched`, `lingering` or `ended`.
    pub state: OutputState,
    /// What it shows, while it is there.
    pub mode: Option<String>,
    /// Who watches, as far as may be seen.
    pub watchers: Vec<Watcher>,
    /// Why it is missing or has ended.
    pub reason: Option<String>,
    /// Composed frames written to it.
    pub written: u64,
    /// Placeholders written to it.
    pub placeholders: u64,
    /// Frames that it was too slow for.
    pub dropped: u64,
    /// What it shows.
    pub scene: SceneStatus,
    /// What it is recorded into, if it is.
    pub recording: Option<RecordingStatus>,
}

/// A recording that goes on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecordingStatus {
    /// The file.
    pub file: String,
    /// Seconds since it was begun.
    #[serde(serialize_with = "thousandths")]
    pub time_s: f64,
    /// Frames that were handed over for it.
    pub frames: u64,
    /// Those of them that its disk or encoder was too slow for.
    pub dropped: u64,
}

/// The scene that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SceneStatus {
    /// Its name in the configuration, if it has one.
    pub name: Option<String>,
    /// What stands behind.
    pub background: String,
    /// What stands before.
    pub foreground: Option<String>,
    /// The chain of effects.
    pub effects: Vec<String>,
    /// Which part of the camera's picture is used.
    pub framing: String,
    /// How the background lights the person.
    pub look: String,
    /// How a picture or video of another shape is fitted: `cover`, `contain` or `stretch`.
    pub fit: String,
    /// Why the newest change is not shown, or why the configuration cannot be read.
    pub trouble: Option<String>,
    /// What of it hides people less than one may think.
    #[serde(default)]
    pub warning: Option<String>,
}

/// How a mask server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MaskServerState {
    /// It is right and in time: frames wait for its masks.
    Well,
    /// It is not, or has not answered yet: the network of this machine works.
    #[default]
    Unwell,
}

/// A mask server that is asked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MaskServerStatus {
    /// Where it is.
    pub url: String,
    /// `well` or `unwell`.
    pub state: MaskServerState,
    /// Why it is unwell.
    pub reason: Option<String>,
    /// Frames that were cut by its masks.
    pub masks: u64,
    /// Frames that were cut by the network of this machine.
    pub local: u64,
    /// Milliseconds from a frame to its mask, of the last 1,000 to 2,000 right answers.
    pub answer_ms: Option<Quantiles>,
}

/// How much work is done for each frame.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GovernorStatus {
    /// The level of work: 0 is all of it, and each higher number is less.
    pub level: usize,
    /// The level with the least work.
    pub lowest_level: usize,
    /// What is done less on this level, in words.
    pub chosen: String,
    /// Why not all is done: `busy` (other programs use the processor, and frames would come late), `slow` (this processor
    /// needs more time for a frame than there is) or `budget`; `null` on level 0.
    pub reason: Option<LevelReason>,
    /// The processor time that may be used now, as a share of one core; `null` without a budget.
    #[serde(serialize_with = "thousandths_if_any")]
    pub budget: Option<f64>,
    /// Frames whose mask the network made, since the start.
    pub inferred: u64,
    /// Frames whose mask is that of the frame before, moved along with the person.
    pub carried: u64,
    /// Frames whose mask is an earlier one, since nothing had moved but inside of a person.
    pub still: u64,
}

/// A program that watches an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Watcher {
    /// Its process number.
    pub pid: u32,
    /// Its name, at most 15 characters as the kernel keeps it.
    pub name: String,
    /// The picture of its preview, if it looks at one and not at the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<PreviewPicture>,
}

/// What happened to the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FrameCounts {
    /// Delivered whole by the camera.
    pub taken: u64,
    /// Composed and written, summed over the outputs.
    pub composed: u64,
    /// Passed over for a newer one, by place.
    pub dropped: DroppedFrames,
    /// Could not be decoded.
    pub corrupt: u64,
    /// Could not be cut out or composed.
    pub failed: u64,
    /// Placeholders written, summed over the outputs.
    pub placeholders: u64,
}

/// Frames that were passed over, by place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DroppedFrames {
    /// In the camera's queue.
    pub in_camera: u64,
    /// Before the matte, which was still busy.
    pub before_matte: u64,
    /// Before the outputs, which were still busy.
    pub before_output: u64,
    /// Left out on the lowest level of the governor.
    #[serde(default)]
    pub by_governor: u64,
    /// Nobody watched any more.
    pub unwatched: u64,
}

/// A distribution in two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quantiles {
    /// Half are no longer than this.
    #[serde(serialize_with = "thousandths")]
    pub p50: f64,
    /// Ninety-nine of a hundred are no longer than this.
    #[serde(serialize_with = "thousandths")]
    pub p99: f64,
}

/// Time in one stage of a frame's way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StageTime {
    /// The stage.
    pub name: String,
    /// How long it takes, in milliseconds.
    #[serde(flatten)]
    pub time: Quantiles,
}

/// What the daemon costs. FFmpeg, which reads and writes video files for it, is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cpu {
    /// Seconds of processor time since the start, in all threads.
    #[serde(serialize_with = "thousandths")]
    pub time_s: f64,
    /// That as a share of the time since the start; 1 is one core. `null` in its first moment.
    #[serde(serialize_with = "thousandths_if_any")]
    pub share: Option<f64>,
    /// The same over the quarter of a second in which `greenroom status` asked; `null` in the
    /// daemon's own answer.
    #[serde(default, serialize_with = "thousandths_if_any")]
    pub share_now: Option<f64>,
}

impl Quantiles {
    /// In milliseconds; `None` before the first record.
    pub fn of(histogram: &Histogram) -> Option<Self> {
        let ms = |quantile| Some(histogram.quantile(quantile)?.as_secs_f64() * 1e3);
        Some(Self { p50: ms(0.5)?, p99: ms(0.99)? })
    }
}

impl StageTime {
    /// `None` before the first record.
    pub fn of(name: &str, histogram: &Histogram) -> Option<Self> {
        Some(Self { name: name.to_owned(), time: Quantiles::of(histogram)? })
    }
}

impl Cpu {
    /// What this process cost since its start, which was `uptime` ago.
    pub fn of_this_process(uptime: Duration) -> Self {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let time_s = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
        let share = (!uptime.is_zero()).then(|| time_s / uptime.as_secs_f64());
        Self { time_s, share, share_now: None }
    }
}

impl Status {
    /// What does not work now: a sentence for each thing, which begins with what it is about.
    pub fn trouble(&self) -> Vec<String> {
        let camera = &self.camera.reason;
        let mut sentences: Vec<String> =
            camera.iter().map(|reason| format!("camera: {reason}")).collect();
        for output in &self.outputs {
            let of_scene = output.scene.trouble.iter().map(|trouble| ("scene of", trouble));
            let found = output.reason.iter().map(|reason| ("output", reason)).chain(of_scene);
            sentences.extend(found.map(|(what, why)| format!("{what} {}: {why}", output.name)));
        }
        if let Some(MaskServerStatus { reason: Some(reason), url, .. }) = &self.mask_server {
            sentences.push(format!("mask server {url}: it {reason}"));
        }
        sentences
    }

    /// This status, with the share of processor time since an `earlier` one of the same daemon.
    #[must_use]
    pub fn since(mut self, earlier: &Status) -> Self {
        let passed_s = self.uptime_s - earlier.uptime_s;
        if self.pid == earlier.pid && passed_s > 0.0 {
            self.cpu.share_now = Some(((self.cpu.time_s - earlier.cpu.time_s) / passed_s).max(0.0));
        }
        self
    }
}

impl FrameCounts {
    /// Frames that came to nothing: passed over, corrupt or failed.
    pub fn lost(&self) -> u64 {
        let DroppedFrames { in_camera, before_matte, before_output, by_governor, unwatched } =
            self.dropped;
        in_camera
            + before_matte
            + before_output
            + by_governor
            + unwatched
            + self.corrupt
            + self.failed
    }
}

impl From<&Holder> for Watcher {
    fn from(holder: &Holder) -> Self {
        Self { pid: holder.pid, name: holder.name.clone(), preview: None }
    }
}

fn thousandths<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((value * 1e3).round() / 1e3)
}

fn thousandths_if_any<S: Serializer>(value: &Option<f64>, s: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => thousandths(value, s),
        None => s.serialize_none(),
    }
}

#[cfg(test)]
mod tests;
