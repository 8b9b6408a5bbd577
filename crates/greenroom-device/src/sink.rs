use std::os::fd::BorrowedFd;

use greenroom_frame::{Colour, FrameView, PixelFormat, SizePx};

use crate::{Audience, DeviceError, FrameRate};

/// What a sink takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinkMode {
    /// Pixel format.
    pub format: PixelFormat,
    /// Size of the frames.
    pub size: SizePx,
    /// Rate that is told to consumers.
    pub rate: FrameRate,
    /// How consumers will read the samples as colour.
    pub colour: Colour,
}

/// Something that takes composed pictures: a loopback node, a file.
pub trait Sink: Send {
    /// What it is, for people: a card name with its node, a file's path.
    fn name(&self) -> &str;

    /// What it takes: if a node's format is held by a reader, this is the held one. It may become another in
    /// [`audience`](Self::audience) only, when a consumer negotiates anew.
    fn mode(&self) -> SinkMode;

    /// Hands over one frame: exactly of [`mode`](Self::mode), with a tight layout. A file shows it at
    /// the time at which it was captured.
    ///
    /// # Errors
    /// [`DeviceError::Gone`] when the device has left, [`DeviceError::ReaderLeft`] when the reader of a
    /// pipe closed it.
    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError>;

    /// Puts `placeholder`, as for [`write`](Self::write), in place of every frame that somebody could still read there.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn blank(&mut self, placeholder: FrameView<'_>) -> Result<(), DeviceError> {
        self.write(placeholder)
    }

    /// Whether what was written last is out: nothing of before comes any more.
    fn is_settled(&self) -> bool {
        true
    }

    /// Whether every frame that was written is kept behind the one before: a file, a pipe. On a device each takes the
    /// place of the last, which is seen until then.
    fn is_recording(&self) -> bool {
        false
    }

    /// Frames that were passed over, since it was still busy with others.
    fn dropped(&self) -> u64 {
        0
    }

    /// Stores a frame, as for [`write`](Self::write), that the device shows by itself to those who
    /// watch when nothing is written any more because this program hangs or was killed. To be called
    /// before the first frame is written. Does nothing where a device has no such thing.
    fn store_timeout_picture(&mut self, _frame: FrameView<'_>) {}

    /// A descriptor that is readable (POLLIN) when somebody may have come or gone: then
    /// [`audience`](Self::audience) is to be asked, which makes it unreadable again. `None` for
    /// what is watched at all times: a file.
    fn audience_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Who watches now.
    ///
    /// # Errors
    /// [`DeviceError::Gone`] when the device has left, others as they come.
    fn audience(&mut self) -> Result<Audience, DeviceError> {
        Ok(Audience::always())
    }

    /// Whether it waits for a reader that may stand still for ever: a pipe.
    fn may_stand_still(&self) -> bool {
        false
    }

    /// Has everything written, so that [`finish`](Self::finish) only gives a file its name. For
    /// whoever finishes several files, all of them or none.
    ///
    /// # Errors
    /// When not all could be written.
    fn complete(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }

    /// Ends the output: a file is completed and takes its name, unless something could not be
    /// written. A device needs nothing.
    ///
    /// # Errors
    /// When the file could not be completed.
    fn finish(self: Box<Self>) -> Result<(), DeviceError>;
}

/// Opens a sink, again and again.
pub trait SinkOpener: Send {
    /// The sink, if it is there now.
    ///
    /// # Errors
    /// Why it is not.
    fn open(&mut self) -> Result<Box<dyn Sink>, DeviceError>;

    /// A descriptor that is readable (POLLIN) when it may have come; then [`has_news`](Self::has_news) is to be asked,
    /// which makes it unreadable again. `None` for what gives no sign.
    fn news_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Whether it may have come since this was asked last.
    fn has_news(&mut self) -> bool {
        false
    }
}

impl<F: FnMut() -> Result<Box<dyn Sink>, DeviceError> + Send> SinkOpener for F {
    fn open(&mut self) -> Result<Box<dyn Sink>, DeviceError> {
        self()
    }
}
