//! Previews of an output, as its thread sees them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use greenroom_frame::{Frame, FrameError, FrameScaler, FrameView, PixelFormat, SizePx, unpack};

use crate::preview::{PreviewKind, PreviewMemory};
use crate::protocol::PreviewPicture;

/// One preview: it takes pictures at its own pace into memory that its reader shares.
pub struct Preview {
    number: u64,
    picture: PreviewPicture,
    interval: Duration,
    /// When the next picture is to be taken, by the time of capture; `None` before the first.
    due: Option<Instant>,
    memory: PreviewMemory,
    scaler: FrameScaler,
    /// A placeholder, as planes.
    planar: Frame,
    /// The picture in its size.
    scaled: Frame,
    /// What it shows is the placeholder.
    is_hidden: bool,
}

/// The previews of one output.
#[derive(Default)]
pub(super) struct OutputPreviews(Vec<Preview>);

/// What an output is told of previews.
pub(in crate::pipeline) enum PreviewCommand {
    Begin(Box<Preview>),
    End(u64),
}

impl Preview {
    /// Preview number `number`, of which a picture is taken every `interval` at the most.
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
            planar: empty(),
            scaled: empty(),
            is_hidden: false,
        }
    }

    /// Takes a planar picture that was captured then, if it is time for one. Asks for no memory once it has taken one.
    ///
    /// # Errors
    /// When the picture cannot be scaled.
    pub fn take(&mut self, planar: FrameView<'_>, captured_at: Instant) -> Result<(), FrameError> {
        // Cameras are a little early at times.
        if self.due.is_some_and(|due| captured_at + self.interval / 4 < due) {
            return Ok(());
        }
        // At its pace over a time, even where the camera's is no multiple of it.
        let next = self.due.map_or(captured_at, |due| due.max(captured_at - self.interval));
        self.due = Some(next + self.interval);
        let size = self.memory.size();
        self.scaler.scale(planar.middle_of_shape(size), size, &mut self.scaled)?;
        self.memory.write(self.scaled.view(), captured_at, PreviewKind::Picture)?;
        self.is_hidden = false;
        Ok(())
    }

    /// Puts the placeholder in place of what is there, in every slot; black if there is none.
    fn hide(&mut self, placeholder: Option<FrameView<'_>>) {
        self.due = None;
        let painted = placeholder.map(|placeholder| {
            // A panic here is our bug, and no reason to leave a picture there.
            catch_unwind(AssertUnwindSafe(|| self.paint(placeholder)))
        });
        if !matches!(painted, Some(Ok(Ok(())))) {
            tracing::error!("preview: the placeholder cannot be painted; it is black");
            self.memory.blacken();
        }
        self.is_hidden = true;
    }

    /// The placeholder, in every slot if there may be pictures.
    fn paint(&mut self, placeholder: FrameView<'_>) -> Result<(), FrameError> {
        unpack(placeholder, &mut self.planar)?;
        let size = self.memory.size();
        self.scaler.scale(self.planar.view().middle_of_shape(size), size, &mut self.scaled)?;
        let captured_at = placeholder.captured_at();
        self.memory.write(self.scaled.view(), captured_at, PreviewKind::Placeholder)?;
        if !self.is_hidden {
            self.memory.fill();
        }
        Ok(())
    }
}

impl OutputPreviews {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One begins or ends; one that ends is left black.
    pub(super) fn follow(&mut self, command: PreviewCommand) {
        match command {
            PreviewCommand::Begin(preview) => self.0.push(*preview),
            // Its reader may have the memory for as long as it likes.
            PreviewCommand::End(number) => {
                for mut ended in self.0.extract_if(.., |preview| preview.number == number) {
                    ended.memory.blacken();
                }
            }
        }
    }

    /// Offers a planar picture to those that are of such.
    pub(super) fn take(&mut self, of: PreviewPicture, planar: FrameView<'_>, captured_at: Instant) {
        for preview in self.0.iter_mut().filter(|preview| preview.picture == of) {
            if let Err(error) = preview.take(planar, captured_at) {
                tracing::debug!("preview: {error}");
            }
        }
    }

    /// Puts the placeholder in place of every picture; black if there is none.
    pub(super) fn hide(&mut self, placeholder: Option<FrameView<'_>>) {
        self.0.iter_mut().for_each(|preview| preview.hide(placeholder));
    }
}
