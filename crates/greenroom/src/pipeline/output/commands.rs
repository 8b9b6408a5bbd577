//! What one output is told on air, and tells back. No lock covers more than a move.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};

use greenroom_device::{DeviceError, SinkMode};
use greenroom_frame::{Frame, FrameShape};
use greenroom_scene::Scene;

use super::preview::PreviewCommand;
use super::tap::{Tap, TapCommand};
use crate::lock::lock;
use crate::snapshot;

/// A scene that is to come.
pub(super) struct SceneChange {
    pub(super) scene: Scene,
    /// At once, without a cross-fade: it shows the same, better.
    pub(super) cut: bool,
}

/// The commands of one output. Its thread takes them up with the next frame, or when the bell of
/// [`PipelineCommands`](crate::pipeline::PipelineCommands) rings.
pub(in crate::pipeline) struct OutputCommands {
    name: String,
    sink_mode: Mutex<Option<SinkMode>>,
    tap: Mutex<Option<TapCommand>>,
    tap_is_news: AtomicBool,
    previews: Mutex<VecDeque<PreviewCommand>>,
    previews_are_news: AtomicBool,
    change: Mutex<Option<SceneChange>>,
    /// Scenes that are out of use.
    retired: Mutex<Vec<Scene>>,
    /// The shape of the frames that come, if the scene was made for another.
    shape: Mutex<Option<FrameShape>>,
    /// Those who want the next frame that is written.
    snapshot: Mutex<Vec<Sender<Frame>>>,
    snapshot_is_wanted: AtomicBool,
    next_picture: AtomicBool,
}

/// What others tell an output.
impl OutputCommands {
    /// Those of the output `name`, which takes frames of `sink_mode`, if it is there.
    pub(super) fn new(name: String, sink_mode: Option<SinkMode>) -> Self {
        Self {
            name,
            sink_mode: Mutex::new(sink_mode),
            tap: Mutex::default(),
            tap_is_news: AtomicBool::default(),
            previews: Mutex::default(),
            previews_are_news: AtomicBool::default(),
            change: Mutex::default(),
            retired: Mutex::default(),
            shape: Mutex::default(),
            snapshot: Mutex::default(),
            snapshot_is_wanted: AtomicBool::default(),
            next_picture: AtomicBool::default(),
        }
    }

    pub(in crate::pipeline) fn name(&self) -> &str {
        &self.name
    }

    /// See [`PipelineCommands::change`](crate::pipeline::PipelineCommands::change).
    pub(in crate::pipeline) fn change(&self, mut scene: Scene, cut: bool) {
        let mut place = lock(&self.change);
        let mut passed_over = place.take();
        if let Some(before) = &mut passed_over {
            scene.take_over(&mut before.scene);
        }
        *place = Some(SceneChange { scene, cut });
        drop(place);
        drop(passed_over);
    }

    /// Drops the scenes that are out of use.
    pub(in crate::pipeline) fn drop_retired(&self) {
        let retired = std::mem::take(&mut *lock(&self.retired));
        drop(retired);
    }

    /// The shape of the frames that come, if the scene was made for another; given once.
    pub(in crate::pipeline) fn take_shape(&self) -> Option<FrameShape> {
        lock(&self.shape).take()
    }

    /// What the output takes, while it is there.
    ///
    /// # Errors
    /// [`DeviceError::Gone`] when it is not.
    pub(in crate::pipeline) fn sink_mode(&self) -> Result<SinkMode, DeviceError> {
        let mode = *lock(&self.sink_mode);
        mode.ok_or_else(|| DeviceError::Gone { what: self.name.clone() })
    }

    /// From now on `tap` takes what is written; `None` ends the one before.
    pub(in crate::pipeline) fn set_tap(&self, tap: Option<Tap>) {
        let command = tap.map_or(TapCommand::End, TapCommand::Begin);
        // One that has not begun yet and is to end has ended.
        let passed_over = lock(&self.tap).replace(command);
        drop(passed_over);
        self.tap_is_news.store(true, SeqCst);
    }

    /// A preview begins or ends.
    pub(in crate::pipeline) fn preview(&self, command: PreviewCommand) {
        let mut waiting = lock(&self.previews);
        waiting.push_back(command);
        self.previews_are_news.store(true, SeqCst);
    }

    pub(in crate::pipeline) fn show_next_picture(&self) {
        self.next_picture.store(true, SeqCst);
    }

    /// The next frame that is written, planar; nothing comes while nobody watches.
    pub(in crate::pipeline) fn snapshot(&self) -> Receiver<Frame> {
        let (sender, receiver) = mpsc::channel();
        let mut waiting = lock(&self.snapshot);
        if waiting.len() >= snapshot::MOST_AT_ONCE {
            // While nobody watches nothing is taken out: the oldest are not waited for any more.
            waiting.remove(0);
        }
        waiting.push(sender);
        drop(waiting);
        self.snapshot_is_wanted.store(true, SeqCst);
        receiver
    }
}

/// What the output's thread takes up, and tells back.
impl OutputCommands {
    pub(super) fn tell_sink_mode(&self, mode: Option<SinkMode>) {
        *lock(&self.sink_mode) = mode;
    }

    /// What the tap is told; told once.
    pub(super) fn take_tap_command(&self) -> Option<TapCommand> {
        if !self.tap_is_news.swap(false, SeqCst) {
            return None;
        }
        lock(&self.tap).take()
    }

    /// The next preview that begins or ends, in their order; told once.
    pub(super) fn take_preview_command(&self) -> Option<PreviewCommand> {
        if !self.previews_are_news.load(SeqCst) {
            return None;
        }
        let mut waiting = lock(&self.previews);
        let next = waiting.pop_front();
        self.previews_are_news.store(!waiting.is_empty(), SeqCst);
        next
    }

    pub(super) fn take_change(&self) -> Option<SceneChange> {
        lock(&self.change).take()
    }

    /// `scene` is out of use: it may end threads and a child when it is dropped, which is not done here.
    pub(super) fn retire(&self, scene: Scene) {
        lock(&self.retired).push(scene);
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

#[cfg(test)]
impl OutputCommands {
    pub(super) fn for_tests() -> Self {
        use greenroom_frame::{Colour, PixelFormat, SizePx};

        let (format, size) = (PixelFormat::Yuyv, SizePx::new(64, 36));
        let rate = greenroom_device::FrameRate::new(30, 1).unwrap();
        Self::new("cam".to_owned(), Some(SinkMode { format, size, rate, colour: Colour::WEBCAM }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_that_nobody_takes_do_not_pile_up() {
        let output = OutputCommands::for_tests();
        for _ in 0..1000 {
            drop(output.snapshot());
        }
        let _last = output.snapshot();
        assert_eq!(output.take_snapshot().len(), snapshot::MOST_AT_ONCE);
    }
}
