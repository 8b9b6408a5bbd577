//! A recording of what is written to an output, as the output's thread sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;

use greenroom_device::{DeviceError, Sink};
use greenroom_frame::FrameView;

/// Takes the frames that are written to an output, also those that nobody but it wants. It is never waited for, and its
/// loss is no matter of the output. Dropped, it hands its sink to whoever brings it to an end.
pub struct Tap {
    sink: Option<Box<dyn Sink>>,
    opens_camera: bool,
    counts: Arc<TapCounts>,
    ended: Sender<TapEnd>,
}

/// Frames of a recording.
#[derive(Debug, Default)]
pub struct TapCounts {
    /// Those that were handed over.
    pub written: AtomicU64,
    /// Those that its disk or encoder was too slow for.
    pub dropped: AtomicU64,
}

/// A recording that takes no more frames.
pub struct TapEnd {
    /// To be finished.
    pub sink: Box<dyn Sink>,
    /// Why it takes no more, if nobody asked for its end.
    pub lost: Option<DeviceError>,
}

/// What a tap is told.
pub(super) enum TapCommand {
    Begin(Tap),
    End,
}

impl Tap {
    /// Takes frames into `sink`, whose mode is that of the output and which waits for nothing. With `opens_camera` the
    /// camera is wanted for it. `ended` gets the sink at the end.
    pub fn new(
        sink: Box<dyn Sink>,
        opens_camera: bool,
        counts: Arc<TapCounts>,
        ended: Sender<TapEnd>,
    ) -> Self {
        Self { sink: Some(sink), opens_camera, counts, ended }
    }

    /// Whether the camera is wanted for it.
    pub(super) fn opens_camera(&self) -> bool {
        self.opens_camera
    }

    /// Takes a picture; false when it is lost.
    #[must_use]
    pub(super) fn take(&mut self, picture: FrameView<'_>) -> bool {
        let Some(sink) = &mut self.sink else { return false };
        if let Err(lost) = sink.write(picture) {
            self.end(Some(lost));
            return false;
        }
        self.counts.dropped.store(sink.dropped(), Relaxed);
        self.counts.written.fetch_add(1, Relaxed);
        true
    }

    /// Takes a placeholder: it hides the pictures before it. A recording does not begin with one.
    #[must_use]
    pub(super) fn take_placeholder(&mut self, placeholder: FrameView<'_>) -> bool {
        self.counts.written.load(Relaxed) == 0 || self.take(placeholder)
    }

    fn end(&mut self, lost: Option<DeviceError>) {
        if let Some(sink) = self.sink.take() {
            // Whoever finishes it lives as long as greenroom does.
            let _ = self.ended.send(TapEnd { sink, lost });
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.end(None);
    }
}
