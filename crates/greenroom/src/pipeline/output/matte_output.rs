use std::time::Instant;

use greenroom_device::{DeviceError, Sink};
use greenroom_frame::{Frame, FrameError, FrameView, PixelFormat, unpack};

use super::ShowError;

/// Writes mattes into a file of their own: [`PixelFormat::Grey`], the size of the frames.
pub struct MatteOutput {
    sink: Box<dyn Sink>,
    grey: Frame,
}

impl MatteOutput {
    /// Writes into `sink`, which takes [`PixelFormat::Grey`].
    ///
    /// # Errors
    /// When the sink's size is none.
    pub fn new(sink: Box<dyn Sink>) -> Result<Self, FrameError> {
        let mode = sink.mode();
        let grey = Frame::new(PixelFormat::Grey, mode.size, mode.colour)?;
        Ok(Self { sink, grey })
    }

    /// Writes one matte at luma size, of the frame that was captured then.
    ///
    /// # Errors
    /// When the sink does not take it.
    pub fn write(&mut self, luma: FrameView<'_>, captured_at: Instant) -> Result<(), ShowError> {
        unpack(luma, &mut self.grey)?;
        self.grey.set_captured_at(captured_at);
        Ok(self.sink.write(self.grey.view())?)
    }

    /// Has everything written: see [`Sink::complete`].
    ///
    /// # Errors
    /// When not all could be written.
    pub fn complete(&mut self) -> Result<(), DeviceError> {
        self.sink.complete()
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When it could not be completed.
    pub fn finish(self) -> Result<(), DeviceError> {
        self.sink.finish()
    }
}
