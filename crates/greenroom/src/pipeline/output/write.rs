//! What is written to an output: composed frames and the placeholder, nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use greenroom_device::{DeviceError, Sink};
use greenroom_frame::{Frame, FrameError, FrameView, unpack};
use greenroom_scene::{MattedFrame, SceneError};

use super::Output;
use super::commands::OutputCommands;
use crate::faults::{self, Fault};
use crate::pipeline::stats::Step;
use crate::pipeline::{PlaceholderReason, Stats};
use crate::protocol::PreviewPicture;

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

/// The other outputs of the thread.
pub(super) struct Others<'a> {
    /// Those that the frame has been shown on, if they are on.
    pub(super) before: &'a mut [Output],
    /// Those that it is still to be shown on.
    pub(super) after: &'a [Output],
}

impl Output {
    /// Composes a frame and writes it; what one of the outputs before it has composed of it is taken as it is where it is
    /// the same. What cannot be shown becomes a placeholder.
    ///
    /// # Errors
    /// When its loss is the end.
    pub(super) fn show(
        &mut self,
        matted: &MattedFrame<'_>,
        others: Others<'_>,
        stats: &Stats,
    ) -> Result<(), DeviceError> {
        match self.compose_and_write(matted, others, stats) {
            Ok(()) => {
                self.failing = false;
                Stats::count(&stats.composed);
                Stats::count(&self.report.written);
                stats.latency.record(matted.frame.captured_at().elapsed());
                Ok(())
            }
            Err(ShowError::Sink(error)) => self.lose(error, Instant::now()),
            Err(error) => {
                let shown = self.show_placeholder(&PlaceholderReason::Failed, stats);
                Stats::count(&stats.failed);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!("output: {error}");
                }
                shown
            }
        }
    }

    fn compose_and_write(
        &mut self,
        matted: &MattedFrame<'_>,
        others: Others<'_>,
        stats: &Stats,
    ) -> Result<(), ShowError> {
        if faults::strike(Fault::OutputPanic) {
            panic!("the output thread panics, as a test wants");
        }
        self.has_picture = false;
        let mut lap = Instant::now();
        let mut record = |step: Step| {
            let now = Instant::now();
            stats.record(step, now - std::mem::replace(&mut lap, now));
        };
        let mut after = others.after.iter().filter(|output| output.is_on());
        let captured_at = matted.frame.captured_at();
        let needs_canvas = self.previews.want(PreviewPicture::Composed, captured_at)
            || after.any(|output| self.painter.shares_canvas_with(&output.painter));
        let shown = others.before.iter_mut().filter(|output| output.has_picture && output.is_on());
        let shown = shown.map(|output| &mut output.painter);
        let composed = self.painter.compose_with(matted, shown, needs_canvas)?;
        record(Step::Compose);
        #[cfg(feature = "faults")]
        let composed = match faults::strike(Fault::Leak) {
            true => self.painter.leak(matted)?,
            false => composed,
        };
        let previews = &mut self.previews;
        let packed = self.painter.fit(composed, |canvas| {
            previews.take(PreviewPicture::Composed, canvas, captured_at);
        })?;
        record(Step::Pack);
        if let Some(sink) = self.state.sink_mut() {
            sink.write(packed)?;
            self.report.dropped.store(sink.dropped(), Relaxed);
        }
        record(Step::Write);
        send_snapshot(&self.commands, packed);
        let tap_is_well = self.tap.as_mut().is_none_or(|tap| tap.take(packed));
        previews.take(PreviewPicture::Matte, matted.matte.luma(), captured_at);
        previews.take(PreviewPicture::Camera, matted.frame, captured_at);
        self.has_picture = true;
        if !tap_is_well {
            self.end_tap(stats)?;
        }
        Ok(())
    }

    /// Writes the picture that was written last once more, so that nobody who watches runs out of
    /// patience; where the placeholder was written last, that one, with `placeholder_reason`. A file gets
    /// neither.
    ///
    /// # Errors
    /// Never: a device that is lost is waited for.
    pub(super) fn show_again(
        &mut self,
        placeholder_reason: &PlaceholderReason,
        stats: &Stats,
    ) -> Result<(), DeviceError> {
        if self.state.sink().is_none_or(Sink::is_recording) {
            return Ok(());
        }
        if !self.has_picture {
            return self.show_placeholder(placeholder_reason, stats);
        }
        let Some(sink) = self.state.sink_mut() else { return Ok(()) };
        match sink.write(self.painter.last_picture()) {
            Ok(()) => Ok(()),
            Err(error) => self.lose(error, Instant::now()),
        }
    }

    /// Writes the placeholder that says `placeholder_reason`.
    ///
    /// # Errors
    /// When its loss is the end.
    pub(super) fn show_placeholder(
        &mut self,
        placeholder_reason: &PlaceholderReason,
        stats: &Stats,
    ) -> Result<(), DeviceError> {
        self.cover(placeholder_reason, stats, |sink, placeholder| sink.write(placeholder))
    }

    /// Puts the placeholder that says `placeholder_reason` in place of everything that could still be read, so that nobody who
    /// comes later sees the last second of what was shown before.
    ///
    /// # Errors
    /// As [`show_placeholder`](Self::show_placeholder).
    pub(super) fn blank(
        &mut self,
        placeholder_reason: &PlaceholderReason,
        stats: &Stats,
    ) -> Result<(), DeviceError> {
        self.cover(placeholder_reason, stats, |sink, placeholder| sink.blank(placeholder))
    }

    fn cover(
        &mut self,
        placeholder_reason: &PlaceholderReason,
        stats: &Stats,
        write: impl FnOnce(&mut dyn Sink, FrameView<'_>) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        self.has_picture = false;
        let Some(sink) = self.state.sink_mut() else {
            self.hide_previews(placeholder_reason);
            return Ok(());
        };
        let frame = match self.painter.placeholder(placeholder_reason) {
            Ok(frame) => frame,
            Err(error) => return self.lose(error.into(), Instant::now()),
        };
        // Those who watch come before previews.
        let written = write(sink, frame);
        self.previews.hide(Some(frame));
        if let Err(error) = written {
            return self.lose(error, Instant::now());
        }
        send_snapshot(&self.commands, frame);
        let tap_is_well = self.tap.as_mut().is_none_or(|tap| tap.take_placeholder(frame));
        Stats::count(&stats.placeholders);
        Stats::count(&self.report.placeholders);
        if tap_is_well { Ok(()) } else { self.end_tap(stats) }
    }

    /// Something of ours failed over it: the placeholder takes the picture's place; if that fails as well, the sink is
    /// lost.
    ///
    /// # Errors
    /// When its loss is the end.
    pub(super) fn recover(&mut self, stats: &Stats) -> Result<(), DeviceError> {
        let covered = catch_unwind(AssertUnwindSafe(|| {
            self.show_placeholder(&PlaceholderReason::Failed, stats)
        }));
        Stats::count(&stats.failed);
        if !std::mem::replace(&mut self.failing, true) {
            let name = self.name();
            tracing::error!(
                "output: a part of greenroom failed over {name}; going on with the next frame"
            );
        }
        covered.unwrap_or_else(|_| {
            let (what, why) =
                (self.name().to_owned(), "greenroom fails over it, which is our bug".to_owned());
            self.lose(DeviceError::Broken { what, why }, Instant::now())
        })
    }
}

/// Hands a copy of what was just written to whoever asked for it. Costs one atomic swap when nobody
/// did.
fn send_snapshot(commands: &OutputCommands, written: FrameView<'_>) {
    let senders = commands.take_snapshot();
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
