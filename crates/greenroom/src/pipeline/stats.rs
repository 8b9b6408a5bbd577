use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::histogram::Histogram;
use crate::status::{DroppedFrames, FrameCounts, StageTime};

/// Parts of a frame's way that are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// From capture until it is handed on: transfer, wait, decoding.
    Camera,
    /// Scaling to the model's input, and inference.
    Matte,
    /// Alpha to the frame's size.
    Upscale,
    /// The person before the background; packed, too, where that is one sweep.
    Compose,
    /// The output's size, colour and format, where the frame is on a canvas; else nothing.
    Pack,
    /// Handing over to the sink.
    Write,
}

const STEPS: [(Step, &str); 6] = [
    (Step::Camera, "camera"),
    (Step::Matte, "matte"),
    (Step::Upscale, "upscale"),
    (Step::Compose, "compose"),
    (Step::Pack, "pack"),
    (Step::Write, "write"),
];

/// What happened to the frames. Each counter has one writer; readers may be a frame behind.
#[derive(Debug, Default)]
pub struct Stats {
    /// Frames that the camera delivered whole.
    pub taken: AtomicU64,
    /// Frames passed over in the camera's queue for a newer one.
    pub dropped_in_camera: AtomicU64,
    /// Frames that could not be decoded.
    pub corrupt: AtomicU64,
    /// Frames passed over because the matte thread was still busy.
    pub dropped_before_matte: AtomicU64,
    /// Frames passed over because the output thread was still busy.
    pub dropped_before_output: AtomicU64,
    /// Frames left out so that the others are in time or within the budget.
    pub dropped_by_governor: AtomicU64,
    /// Frames that came when nobody watched any more.
    pub dropped_unwatched: AtomicU64,
    /// Frames that could not be cut out or composed; a placeholder was shown.
    pub failed: AtomicU64,
    /// Composed frames written, summed over the outputs.
    pub composed: AtomicU64,
    /// Placeholders written, summed over the outputs.
    pub placeholders: AtomicU64,
    /// Time from capture to write.
    pub(super) latency: Histogram,
    steps: [Histogram; STEPS.len()],
}

impl Stats {
    /// One more.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    /// How long a frame took in a stage.
    pub(super) fn record(&self, step: Step, time: Duration) {
        self.steps[step as usize].record(time);
    }

    /// The counters as they are now.
    pub fn frames(&self) -> FrameCounts {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        FrameCounts {
            taken: get(&self.taken),
            composed: get(&self.composed),
            dropped: DroppedFrames {
                in_camera: get(&self.dropped_in_camera),
                before_matte: get(&self.dropped_before_matte),
                before_output: get(&self.dropped_before_output),
                by_governor: get(&self.dropped_by_governor),
                unwatched: get(&self.dropped_unwatched),
            },
            corrupt: get(&self.corrupt),
            failed: get(&self.failed),
            placeholders: get(&self.placeholders),
        }
    }

    /// Times of the stages that were passed.
    pub(super) fn steps(&self) -> Vec<StageTime> {
        let time = |(step, name): &(Step, &str)| StageTime::of(name, &self.steps[*step as usize]);
        STEPS.iter().filter_map(time).collect()
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames = self.frames();
        let DroppedFrames { in_camera, before_matte, before_output, by_governor, unwatched } =
            frames.dropped;
        write!(
            f,
            "{} frames in, {} out, {} placeholders; dropped: {in_camera} in the camera, \
             {before_matte} before the matte, {before_output} before the output, {by_governor} by the \
             governor, {unwatched} unwatched; {} corrupt, {} failed",
            frames.taken, frames.composed, frames.placeholders, frames.corrupt, frames.failed,
        )
    }
}
