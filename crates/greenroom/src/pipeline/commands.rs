//! What the output thread is told on air, and tells back: new scenes in, old ones out, reasons to hide, a
//! snapshot, a recording. Nothing here waits, and no lock covers more than a move.

use std::ops::Range;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenroom_device::{DeviceError, SinkMode, Wake};
use greenroom_frame::{Frame, FrameShape};
use greenroom_scene::Scene;

use super::output::{OutputCommands, PreviewCommand};
use super::{Changes, Preview, Reason, Reasons, Tap};
use crate::lock::lock;

/// What others tell the outputs of a pipeline, and what they tell back.
pub struct PipelineCommands {
    /// Rung for the outputs' thread: it is to look at what hides, at the recordings and at how long the camera stays open.
    pub(super) bell: Wake,
    /// Rung for whoever makes scenes: one is out of use, or frames of another shape came.
    pub(super) scenes_bell: Wake,
    hiding: Mutex<HidingState>,
    idle_after: Mutex<Duration>,
    outputs: Vec<Arc<OutputCommands>>,
    changes: Arc<Changes>,
}

struct HidingState {
    now: Hiding,
    /// Those who wait until the placeholder is shown.
    waiting: Vec<Sender<()>>,
}

/// Why the picture is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hiding {
    pub(super) reasons: Reasons,
    /// Reasons so far: one that has ended before the outputs' thread looked is one all the same.
    pub(super) count: u64,
}

impl PipelineCommands {
    /// Commands to `outputs`, which are hidden from the start if there are `reasons`; `changes` are rung when the
    /// status changes.
    pub(super) fn new(
        outputs: Vec<Arc<OutputCommands>>,
        idle_after: Duration,
        reasons: Reasons,
        changes: Arc<Changes>,
    ) -> std::io::Result<Self> {
        let (bell, scenes_bell) = (Wake::new()?, Wake::new()?);
        let now = Hiding { reasons, count: (!reasons.is_empty()).into() };
        let hiding = Mutex::new(HidingState { now, waiting: Vec::new() });
        let idle_after = Mutex::new(idle_after);
        Ok(Self { bell, scenes_bell, hiding, idle_after, outputs, changes })
    }

    /// Shows `scene` on output number `output`: cross-faded in, or with `cut` at once. If one that
    /// was sent before has not been taken up yet, it never will be.
    /// If that one was to reuse parts of the scene that is shown, `scene` reuses them instead.
    pub fn change(&self, output: usize, scene: Scene, cut: bool) {
        self.outputs[output].change(scene, cut);
    }

    /// To be rung by whoever changes something that the status tells.
    pub fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    /// Rings when [`drop_retired`](Self::drop_retired) or [`other_shape`](Self::other_shape) have something to do.
    pub fn scenes_bell(&self) -> &Wake {
        &self.scenes_bell
    }

    /// Drops the scenes that are out of use: that may take a while, as it ends their threads.
    pub fn drop_retired(&self) {
        self.outputs.iter().for_each(|output| output.drop_retired());
    }

    /// The shape of the frames that came to output number `output`, if its scene was made for
    /// another; told once.
    pub fn other_shape(&self, output: usize) -> Option<FrameShape> {
        self.outputs[output].take_shape()
    }

    /// Shows the placeholder instead of the picture, and closes the camera, as long as `reason` holds. What comes
    /// back is told when every output shows the placeholder: no picture of before comes after that.
    pub fn hide(&self, reason: Reason) -> Receiver<()> {
        let (tell, shown) = mpsc::channel();
        let mut hiding = lock(&self.hiding);
        hiding.now.reasons.set(reason, true);
        hiding.now.count += 1;
        hiding.waiting.push(tell);
        drop(hiding);
        self.bell.ring();
        self.changes.ring();
        shown
    }

    /// `reason` does not hold any more; others may.
    pub fn end_hiding(&self, reason: Reason) {
        lock(&self.hiding).now.reasons.set(reason, false);
        self.bell.ring();
        self.changes.ring();
    }

    /// Why the picture is hidden.
    pub fn reasons(&self) -> Reasons {
        self.hiding().reasons
    }

    pub(super) fn hiding(&self) -> Hiding {
        lock(&self.hiding).now
    }

    /// For how long the camera stays open when nobody watches any more.
    pub fn idle_after(&self) -> Duration {
        *lock(&self.idle_after)
    }

    /// Changes that, also for those who have left already.
    pub fn set_idle_after(&self, time: Duration) {
        *lock(&self.idle_after) = time;
        self.bell.ring();
        self.changes.ring();
    }

    /// Tells those who wait for reasons up to number `count` that the placeholder is shown.
    pub(super) fn tell_hidden(&self, count: u64) {
        let mut hiding = lock(&self.hiding);
        // Whoever came meanwhile waits for the next look.
        let waiting = match hiding.now.count == count {
            true => std::mem::take(&mut hiding.waiting),
            false => Vec::new(),
        };
        drop(hiding);
        for tell in waiting {
            // Who waited may have given up.
            let _ = tell.send(());
        }
    }

    /// The numbers of the outputs that are meant: the one of this name, or all. An unknown name is told in one sentence.
    ///
    /// # Errors
    /// When none is called so.
    pub fn numbers_of(&self, output: Option<&str>) -> Result<Range<usize>, String> {
        let Some(name) = output else { return Ok(0..self.outputs.len()) };
        let found = self.outputs.iter().position(|output| output.name() == name);
        let number = found.ok_or_else(|| {
            let names: Vec<_> = self.outputs.iter().map(|output| output.name()).collect();
            format!("no output is called \"{name}\"; there are {}", names.join(", "))
        })?;
        Ok(number..number + 1)
    }

    /// What output number `output` takes, while it is there.
    ///
    /// # Errors
    /// [`DeviceError::Gone`] when it is not.
    pub fn sink_mode(&self, output: usize) -> Result<SinkMode, DeviceError> {
        self.outputs[output].sink_mode()
    }

    /// From now on `tap` takes what is written to output number `output`.
    pub fn begin_tap(&self, output: usize, tap: Tap) {
        self.outputs[output].set_tap(Some(tap));
        self.bell.ring();
    }

    /// Ends the tap of output number `output`.
    pub fn end_tap(&self, output: usize) {
        self.outputs[output].set_tap(None);
        self.bell.ring();
    }

    /// From now on `preview` takes what is shown on output number `output`.
    pub fn begin_preview(&self, output: usize, preview: Preview) {
        self.outputs[output].preview(PreviewCommand::Begin(Box::new(preview)));
        self.bell.ring();
    }

    /// Ends preview number `number` of output number `output`; `ended` is called when no picture is left in its memory.
    pub fn end_preview(&self, output: usize, number: u64, ended: Box<dyn FnOnce() + Send>) {
        self.outputs[output].preview(PreviewCommand::End(number, ended));
        self.bell.ring();
    }

    /// Has output number `output` go on to the next picture of its slideshow.
    pub fn next_picture(&self, output: usize) {
        self.outputs[output].show_next_picture();
    }

    /// The next frame that is written to output number `output`, planar; nothing comes while
    /// nobody watches.
    pub fn snapshot(&self, output: usize) -> Receiver<Frame> {
        self.outputs[output].snapshot()
    }
}
