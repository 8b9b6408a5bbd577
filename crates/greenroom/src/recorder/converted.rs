use greenroom_device::{DeviceError, Sink, SinkMode};
use greenroom_frame::{Frame, FrameError, FrameScaler, FrameView, pack, unpack};

/// Takes frames as an output has them, and writes them as a file takes them: planar, of the file's size and colour.
pub(super) struct ConvertedSink {
    file: Box<dyn Sink>,
    /// What comes.
    mode: SinkMode,
    planar: Frame,
    scaled: Frame,
    scaler: FrameScaler,
    fitted: Frame,
}

impl ConvertedSink {
    /// For frames of `mode` into `file`.
    ///
    /// # Errors
    /// When a size is none.
    pub fn new(file: Box<dyn Sink>, mode: SinkMode) -> Result<Self, FrameError> {
        let of = |mode: SinkMode| Frame::new(mode.format, mode.size, mode.colour);
        let (planar, scaled, fitted) = (of(mode)?, of(file.mode())?, of(file.mode())?);
        Ok(Self { file, mode, planar, scaled, scaler: FrameScaler::default(), fitted })
    }

    fn convert(&mut self, frame: FrameView<'_>) -> Result<(), FrameError> {
        let wanted = self.file.mode();
        unpack(frame, &mut self.planar)?;
        let planar = match self.planar.size() == wanted.size {
            true => &mut self.planar,
            false => {
                let middle = self.planar.view().middle_of_shape(wanted.size);
                self.scaler.scale(middle, wanted.size, &mut self.scaled)?;
                &mut self.scaled
            }
        };
        self.fitted.set_captured_at(frame.captured_at());
        pack(planar.view(), &mut self.fitted.view_mut())
    }
}

impl Sink for ConvertedSink {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        self.convert(frame)?;
        self.file.write(self.fitted.view())
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        self.file.finish()
    }
}
