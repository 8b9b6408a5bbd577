//! What is written to an output: composed frames and the placeholder, nothing else.

use std::time::Instant;

use greenroom_device::DeviceError;
use greenroom_frame::{Frame, FrameError, FrameView, unpack};
use greenroom_scene::{Room, SceneError};

use super::cues::OutputCues;
use super::faults::{self, Fault};
use super::stats::Stage;
use super::{Output, Standby, Stats};

/// Copies of the placeholder that are left in a device: more than v4l2loopback's largest number of
/// buffers (32), so that none keeps an older frame.
const LEFT_BEHIND: usize = 33;

/// Why a frame was not shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// It could not be composed: show the placeholder.
    #[error("the picture could not be composed: {0}")]
    Compose(#[from] SceneError),
    /// It did not fit the sink: show the placeholder.
    #[error("the picture does not fit the output: {0}")]
    Fit(#[from] FrameError),
    /// The sink did not take it: the output is lost.
    #[error(transparent)]
    Sink(#[from] DeviceError),
}

impl Output {
    /// Composes a frame and writes it. What cannot be shown becomes a placeholder.
    ///
    /// # Errors
    /// When a file is lost.
    pub(super) fn show(&mut self, room: &Room<'_>, stats: &Stats) -> Result<(), DeviceError> {
        match self.compose_and_write(room, stats) {
            Ok(()) => {
                self.failing = false;
                Stats::count(&stats.composed);
                Stats::count(&self.report.written);
                stats.latency.record(room.frame.captured_at().elapsed());
                Ok(())
            }
            Err(ShowError::Sink(error)) => self.lose(error, Instant::now()),
            Err(error) => {
                let shown = self.show_placeholder(&Standby::Failed, stats);
                Stats::count(&stats.failed);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!("output: {error}");
                }
                shown
            }
        }
    }

    fn compose_and_write(&mut self, room: &Room<'_>, stats: &Stats) -> Result<(), ShowError> {
        if faults::strike(Fault::OutputPanic) {
            panic!("the output thread panics, as a test wants");
        }
        self.has_picture = false;
        let mut lap = Instant::now();
        let mut record = |stage: Stage| {
            let now = Instant::now();
            stats.record(stage, now - std::mem::replace(&mut lap, now));
        };
        self.painter.compose(room)?;
        record(Stage::Compose);
        #[cfg(feature = "faults")]
        if faults::strike(Fault::Leak) {
            self.painter.leak(room)?;
        }
        let packed = self.painter.fit()?;
        record(Stage::Pack);
        if let Some(sink) = self.state.sink_mut() {
            sink.write(packed)?;
        }
        record(Stage::Write);
        send_snapshot(&self.cues, packed);
        self.has_picture = true;
        Ok(())
    }

    /// Writes the picture that was written last once more, so that nobody who watches runs out of
    /// patience; where the placeholder was written last, that one, with `standby`. A file gets
    /// neither.
    ///
    /// # Errors
    /// Never: a device that is lost is waited for.
    pub(super) fn show_again(
        &mut self,
        standby: &Standby,
        stats: &Stats,
    ) -> Result<(), DeviceError> {
        if self.is_file() {
            return Ok(());
        }
        if !self.has_picture {
            return self.show_placeholder(standby, stats);
        }
        let Some(sink) = self.state.sink_mut() else { return Ok(()) };
        match sink.write(self.painter.last_picture()) {
            Ok(()) => Ok(()),
            Err(error) => self.lose(error, Instant::now()),
        }
    }

    /// Writes the placeholder that says `standby`.
    ///
    /// # Errors
    /// When a file is lost.
    pub(super) fn show_placeholder(
        &mut self,
        standby: &Standby,
        stats: &Stats,
    ) -> Result<(), DeviceError> {
        match self.write_placeholder(standby) {
            Ok(()) => {
                Stats::count(&stats.placeholders);
                Stats::count(&self.report.placeholders);
                Ok(())
            }
            Err(error) => self.lose(error, Instant::now()),
        }
    }

    fn write_placeholder(&mut self, standby: &Standby) -> Result<(), DeviceError> {
        self.has_picture = false;
        let frame = self.painter.placeholder(standby)?;
        self.state.sink_mut().map_or(Ok(()), |sink| sink.write(frame))?;
        send_snapshot(&self.cues, frame);
        Ok(())
    }

    /// Puts the placeholder that says `standby` into every buffer of a device, so that nobody who reads one
    /// later sees the last second of what was shown before.
    pub(super) fn fill_with_placeholder(
        &mut self,
        standby: &Standby,
        stats: &Stats,
    ) -> Result<(), DeviceError> {
        for _ in 0..LEFT_BEHIND {
            if self.is_missing() {
                break;
            }
            self.show_placeholder(standby, stats)?;
        }
        Ok(())
    }
}

/// Hands a copy of what was just written to whoever asked for it. Costs one atomic swap when nobody
/// did.
fn send_snapshot(cues: &OutputCues, written: FrameView<'_>) {
    let senders = cues.take_snapshot();
    if senders.is_empty() {
        return;
    }
    let copy =
        Frame::new(written.format().chroma().planar_format(), written.size(), written.colour());
    // Who asked may have gone.
    if let Ok(mut copy) = copy
        && unpack(written, &mut copy).is_ok()
    {
        for sender in senders {
            let _ = sender.send(copy.clone());
        }
    }
}
