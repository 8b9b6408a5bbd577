//! Previews of an output, as its thread sees them.

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

    /// Puts the placeholder in place of what is there, in every slot.
    fn hide(&mut self, placeholder: FrameView<'_>) -> Result<(), FrameError> {
        let was_hidden = std::mem::replace(&mut self.is_hidden, true);
        self.due = None;
        unpack(placeholder, &mut self.planar)?;
        let size = self.memory.size();
        self.scaler.scale(self.planar.view().middle_of_shape(size), size, &mut self.scaled)?;
        let captured_at = placeholder.captured_at();
        self.memory.write(self.scaled.view(), captured_at, PreviewKind::Placeholder)?;
        if !was_hidden {
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

    pub(super) fn follow(&mut self, command: PreviewCommand) {
        match command {
            PreviewCommand::Begin(preview) => self.0.push(*preview),
            PreviewCommand::End(number) => self.0.retain(|preview| preview.number != number),
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

    /// Puts the placeholder in place of every picture.
    pub(super) fn hide(&mut self, placeholder: FrameView<'_>) {
        for preview in &mut self.0 {
            if let Err(error) = preview.hide(placeholder) {
                tracing::debug!("preview: {error}");
            }
        }
    }
}
