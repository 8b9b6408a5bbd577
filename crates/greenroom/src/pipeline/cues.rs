//! What the outputs' thread is told on air, and tells back: new scenes in, old ones out, reasons to hide, a
//! snapshot, a recording. Nothing here waits, and no lock covers more than a move.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use greenroom_device::{DeviceError, SinkMode, Wake};
use greenroom_frame::{Frame, FrameShape};
use greenroom_scene::Scene;

use super::tap::{Tap, TapCue};
use super::{Reason, Reasons};
use crate::snapshot;

/// A scene that is to come.
pub(super) struct Change {
    pub(super) scene: Scene,
    /// At once, without a cross-fade: it shows the same, better.
    pub(super) cut: bool,
}

/// The cues of a pipeline.
pub struct Cues {
    /// Rung for the outputs' thread: it is to look at what hides, at the recordings and at how long the camera stays open.
    pub(super) bell: Wake,
    /// Rung for whoever makes scenes: one is out of use, or frames of another shape came.
    pub(super) backstage: Wake,
    hiding: Mutex<HidingState>,
    idle_after: Mutex<Duration>,
    outputs: Vec<Arc<OutputCues>>,
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

/// The cues of one output.
pub(super) struct OutputCues {
    name: String,
    sink_mode: Mutex<Option<SinkMode>>,
    tap: Mutex<Option<TapCue>>,
    tap_is_news: AtomicBool,
    change: Mutex<Option<Change>>,
    struck: Mutex<Vec<Scene>>,
    shape: Mutex<Option<FrameShape>>,
    snapshot: Mutex<Vec<Sender<Frame>>>,
    snapshot_is_wanted: AtomicBool,
    next_picture: AtomicBool,
}

impl Cues {
    /// The cues of `outputs`, hidden from the start if there are `reasons`.
    pub(super) fn new(
        outputs: Vec<Arc<OutputCues>>,
        idle_after: Duration,
        reasons: Reasons,
    ) -> std::io::Result<Self> {
        let (bell, backstage) = (Wake::new()?, Wake::new()?);
        let now = Hiding { reasons, count: (!reasons.is_empty()).into() };
        let hiding = Mutex::new(HidingState { now, waiting: Vec::new() });
        Ok(Self { bell, backstage, hiding, idle_after: Mutex::new(idle_after), outputs })
    }

    /// Shows `scene` on output number `output`: cross-faded in, or with `cut` at once. If one that
    /// was sent before has not been taken up yet, it never will be.
    /// What it keeps of another, it keeps of that one.
    pub fn change(&self, output: usize, mut scene: Scene, cut: bool) {
        let mut place = lock(&self.outputs[output].change);
        let mut passed_over = place.take();
        if let Some(before) = &mut passed_over {
            scene.take_over(&mut before.scene);
        }
        *place = Some(Change { scene, cut });
        drop(place);
        drop(passed_over);
    }

    /// Rings when [`tidy`](Self::tidy) or [`other_shape`](Self::other_shape) have something to do.
    pub fn backstage(&self) -> &Wake {
        &self.backstage
    }

    /// Drops the scenes that are out of use: that may take a while, as it ends their threads.
    pub fn tidy(&self) {
        for output in &self.outputs {
            let struck = std::mem::take(&mut *lock(&output.struck));
            drop(struck);
        }
    }

    /// The shape of the frames that came to output number `output`, if its scene was made for
    /// another; told once.
    pub fn other_shape(&self, output: usize) -> Option<FrameShape> {
        lock(&self.outputs[output].shape).take()
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
        shown
    }

    /// `reason` does not hold any more; others may.
    pub fn end_hiding(&self, reason: Reason) {
        lock(&self.hiding).now.reasons.set(reason, false);
        self.bell.ring();
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
        let found = self.outputs.iter().position(|output| output.name == name);
        let number = found.ok_or_else(|| {
            let names: Vec<_> = self.outputs.iter().map(|output| output.name.as_str()).collect();
            format!("no output is called \"{name}\"; there are {}", names.join(", "))
        })?;
        Ok(number..number + 1)
    }

    /// What output number `output` takes, while it is there.
    ///
    /// # Errors
    /// [`DeviceError::Gone`] when it is not.
    pub fn sink_mode(&self, output: usize) -> Result<SinkMode, DeviceError> {
        let output = &self.outputs[output];
        let mode = *lock(&output.sink_mode);
        mode.ok_or_else(|| DeviceError::Gone { what: output.name.clone() })
    }

    /// From now on `tap` takes what is written to output number `output`.
    pub fn begin_tap(&self, output: usize, tap: Tap) {
        self.outputs[output].tell_tap(TapCue::Begin(tap));
        self.bell.ring();
    }

    /// Ends the tap of output number `output`.
    pub fn end_tap(&self, output: usize) {
        self.outputs[output].tell_tap(TapCue::End);
        self.bell.ring();
    }

    /// Has output number `output` go on to the next picture of its slideshow.
    pub fn next_picture(&self, output: usize) {
        self.outputs[output].next_picture.store(true, SeqCst);
    }

    /// The next frame that is written to output number `output`, planar; nothing comes while
    /// nobody watches.
    pub fn snapshot(&self, output: usize) -> Receiver<Frame> {
        let (sender, receiver) = mpsc::channel();
        let output = &self.outputs[output];
        let mut waiting = lock(&output.snapshot);
        if waiting.len() >= snapshot::MOST_AT_ONCE {
            // While nobody watches nothing is taken out: the oldest are not waited for any more.
            waiting.remove(0);
        }
        waiting.push(sender);
        drop(waiting);
        output.snapshot_is_wanted.store(true, SeqCst);
        receiver
    }
}

impl OutputCues {
    /// Those of the output `name`, which takes frames of `sink_mode`, if it is there.
    pub(super) fn new(name: String, sink_mode: Option<SinkMode>) -> Self {
        Self {
            name,
            sink_mode: Mutex::new(sink_mode),
            tap: Mutex::default(),
            tap_is_news: AtomicBool::default(),
            change: Mutex::default(),
            struck: Mutex::default(),
            shape: Mutex::default(),
            snapshot: Mutex::default(),
            snapshot_is_wanted: AtomicBool::default(),
            next_picture: AtomicBool::default(),
        }
    }

    pub(super) fn tell_sink_mode(&self, mode: Option<SinkMode>) {
        *lock(&self.sink_mode) = mode;
    }

    fn tell_tap(&self, cue: TapCue) {
        // One that has not begun yet and is to end has ended.
        let passed_over = lock(&self.tap).replace(cue);
        drop(passed_over);
        self.tap_is_news.store(true, SeqCst);
    }

    /// What the tap is told; told once.
    pub(super) fn take_tap_cue(&self) -> Option<TapCue> {
        if !self.tap_is_news.swap(false, SeqCst) {
            return None;
        }
        lock(&self.tap).take()
    }

    pub(super) fn take_change(&self) -> Option<Change> {
        lock(&self.change).take()
    }

    pub(super) fn strike(&self, scene: Scene) {
        lock(&self.struck).push(scene);
    }

    pub(super) fn tell_shape(&self, shape: FrameShape) {
        *lock(&self.shape) = Some(shape);
    }

    /// Whether the next picture is wanted; told once.
    pub(super) fn takes_next_picture(&self) -> bool {
        self.next_picture.swap(false, SeqCst)
    }

    /// Those who want the frame that is written now.
    pub(super) fn take_snapshot(&self) -> Vec<Sender<Frame>> {
        if !self.snapshot_is_wanted.swap(false, SeqCst) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&self.snapshot))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each holds one value that is moved in or out whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
impl OutputCues {
    pub(super) fn for_tests() -> Self {
        use greenroom_frame::{Colour, PixelFormat, SizePx};
        let (format, size) = (PixelFormat::Yuyv, SizePx::new(64, 36));
        let rate = greenroom_device::FrameRate::new(30, 1).unwrap();
        Self::new("cam".to_owned(), Some(SinkMode { format, size, rate, colour: Colour::WEBCAM }))
    }

    pub(super) fn change_for_tests(&self) -> MutexGuard<'_, Option<Change>> {
        lock(&self.change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_that_nobody_takes_do_not_pile_up() {
        let output = Arc::new(OutputCues::for_tests());
        let cues =
            Cues::new(vec![Arc::clone(&output)], Duration::ZERO, Reasons::default()).unwrap();
        for _ in 0..1000 {
            drop(cues.snapshot(0));
        }
        let _last = cues.snapshot(0);
        assert_eq!(output.take_snapshot().len(), snapshot::MOST_AT_ONCE);
    }
}
