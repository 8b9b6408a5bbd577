//! The previews of one output, which its thread writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use greenroom_frame::{Frame, FrameError, FrameScaler, FrameView, PixelFormat, SizePx, unpack};

use crate::preview::{PreviewKind, PreviewMemory};
use crate::protocol::PreviewPicture;

/// One preview: it scales pictures at its own rate and writes them to the shared memory.
pub struct Preview {
    number: u64,
    picture: PreviewPicture,
    interval: Duration,
    /// The capture time from which the next picture is due; `None` if any picture is.
    due: Option<Instant>,
    memory: PreviewMemory,
    scaler: FrameScaler,
    /// The unpacked placeholder.
    planar_placeholder: Frame,
    /// The picture, scaled to the size of the preview.
    scaled: Frame,
    /// Whether all slots hold placeholders.
    shows_placeholder: bool,
}

/// The previews of one output.
#[derive(Default)]
pub(super) struct OutputPreviews(Vec<Preview>);

/// A command to an output about its previews.
pub(in crate::pipeline) enum PreviewCommand {
    Begin(Box<Preview>),
    /// The number of the preview, and the callback for when its memory is blank.
    End(u64, Box<dyn FnOnce() + Send>),
}

impl Preview {
    /// Preview number `number`, which takes at most one picture per `interval`.
    pub fn new(
        number: u64,
        picture: PreviewPicture,
        interval: Duration,
        memory: PreviewMemory,
    ) -> Self {
        let empty = || {
            Frame::new(PixelFormat::I420, SizePx::new(2, 2), greenroom_frame::Colour::WEBCAM)
                .expect("two by two samples are a picture")
        };
        Self {
            number,
            picture,
            interval,
            due: None,
            memory,
            scaler: FrameScaler::default(),
            planar_placeholder: empty(),
            scaled: empty(),
            shows_placeholder: false,
        }
    }

    /// Whether a picture of this time is due. Frames that are a little early are tolerated.
    fn is_due(&self, captured_at: Instant) -> bool {
        self.due.is_none_or(|due| captured_at + self.interval / 4 >= due)
    }

    /// Writes a planar picture to the memory, if the next picture is due at `captured_at`. Allocates no memory after
    /// the first picture.
    ///
    /// # Errors
    /// When the picture cannot be scaled.
    pub fn take(&mut self, planar: FrameView<'_>, captured_at: Instant) -> Result<(), FrameError> {
        if !self.is_due(captured_at) {
            return Ok(());
        }
        // Keep the mean rate at one picture per interval, even if the interval is no multiple of the camera's.
        let next = self.due.map_or(captured_at, |due| due.max(captured_at - self.interval));
        self.due = Some(next + self.interval);
        let size = self.memory.size();
        self.scaler.scale(planar.middle_of_shape(size), size, &mut self.scaled)?;
        self.memory.write(self.scaled.view(), captured_at, PreviewKind::Picture)?;
        self.shows_placeholder = false;
        Ok(())
    }

    /// Overwrites every slot with the placeholder, or with black if there is none or it cannot be written.
    fn hide(&mut self, placeholder: Option<FrameView<'_>>) {
        self.due = None;
        let written = placeholder.map(|placeholder| {
            // A panic must not leave a picture in the memory either.
            catch_unwind(AssertUnwindSafe(|| self.write_placeholder(placeholder)))
        });
        if !matches!(written, Some(Ok(Ok(())))) {
            tracing::error!("preview: cannot write the placeholder; the preview is black");
            self.memory.blacken();
        }
        self.shows_placeholder = true;
    }

    /// Writes the placeholder once, or to every slot if a slot may hold a picture.
    fn write_placeholder(&mut self, placeholder: FrameView<'_>) -> Result<(), FrameError> {
        unpack(placeholder, &mut self.planar_placeholder)?;
        let size = self.memory.size();
        self.scaler.scale(
            self.planar_placeholder.view().middle_of_shape(size),
            size,
            &mut self.scaled,
        )?;
        let captured_at = placeholder.captured_at();
        self.memory.write(self.scaled.view(), captured_at, PreviewKind::Placeholder)?;
        if !self.shows_placeholder {
            self.memory.fill();
        }
        Ok(())
    }
}

impl OutputPreviews {
    /// Whether the output has no previews.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them will take a picture of this kind.
    pub(super) fn want(&self, kind: PreviewPicture, captured_at: Instant) -> bool {
        self.0.iter().any(|preview| preview.picture == kind && preview.is_due(captured_at))
    }

    /// Adds or removes a preview. The memory of a removed preview is left black.
    pub(super) fn follow(&mut self, command: PreviewCommand) {
        match command {
            PreviewCommand::Begin(preview) => self.0.push(*preview),
            // The reader may keep the memory, so no picture must stay in it.
            PreviewCommand::End(number, ended) => {
                for mut preview in self.0.extract_if(.., |preview| preview.number == number) {
                    preview.memory.blacken();
                }
                ended();
            }
        }
    }

    /// Offers a planar picture to the previews that show this kind of picture.
    pub(super) fn take(
        &mut self,
        kind: PreviewPicture,
        planar: FrameView<'_>,
        captured_at: Instant,
    ) {
        for preview in self.0.iter_mut().filter(|preview| preview.picture == kind) {
            if let Err(error) = preview.take(planar, captured_at) {
                tracing::debug!("preview: {error}");
            }
        }
    }

    /// Overwrites all previews with the placeholder, or with black if there is none.
    pub(super) fn hide(&mut self, placeholder: Option<FrameView<'_>>) {
        self.0.iter_mut().for_each(|preview| preview.hide(placeholder));
    }
}
