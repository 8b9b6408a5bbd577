use greenroom_device::{DeviceError, Sink};
use greenroom_frame::{
    Frame, FrameError, FrameScaler, FrameView, PixelFormat, pack, recolour, unpack,
};
use greenroom_scene::{Room, Scene, SceneError, placeholder};

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

/// One output: a sink with a scene of its own. Only composed frames and the placeholder go through
/// it.
pub struct Output {
    sink: Box<dyn Sink>,
    scene: Scene,
    canvas: Frame,
    scaled: Frame,
    scaler: FrameScaler,
    packed: Frame,
    placeholder: Frame,
    leaves_placeholder: bool,
}

/// Copies of the placeholder that are left in a device: more than v4l2loopback's largest number of
/// buffers (32), so that none keeps an older frame.
const LEFT_BEHIND: usize = 33;

impl Output {
    /// An output that shows `scene` on a device; leaves the placeholder behind when it ends.
    ///
    /// # Errors
    /// When the sink's size is none.
    pub fn on_device(sink: Box<dyn Sink>, scene: Scene) -> Result<Self, FrameError> {
        Self::new(sink, scene, true)
    }

    /// An output that writes `scene` into a file, which ends with its last frame.
    ///
    /// # Errors
    /// When the sink's size is none.
    pub fn to_file(sink: Box<dyn Sink>, scene: Scene) -> Result<Self, FrameError> {
        Self::new(sink, scene, false)
    }

    fn new(
        sink: Box<dyn Sink>,
        scene: Scene,
        leaves_placeholder: bool,
    ) -> Result<Self, FrameError> {
        let mode = sink.mode();
        let blank = || Frame::new(mode.format, mode.size, mode.colour);
        let calm = placeholder(mode.size, mode.colour)?;
        let mut waiting = blank()?;
        pack(calm.view(), &mut waiting.view_mut())?;
        Ok(Self {
            sink,
            scene,
            canvas: blank()?,
            scaled: blank()?,
            scaler: FrameScaler::default(),
            packed: blank()?,
            placeholder: waiting,
            leaves_placeholder,
        })
    }

    /// What it is, for people.
    pub fn name(&self) -> &str {
        self.sink.name()
    }

    /// Composes a frame and writes it.
    ///
    /// # Errors
    /// See [`ShowError`]; nothing was written then.
    pub fn show(&mut self, room: &Room<'_>) -> Result<(), ShowError> {
        self.compose(room)?;
        self.fit()?;
        Ok(self.sink.write(self.packed.view())?)
    }

    /// First stage of [`show`](Self::show): the person before the background, in the room's own
    /// format, size and colour.
    ///
    /// # Errors
    /// When it cannot be composed.
    pub fn compose(&mut self, room: &Room<'_>) -> Result<(), SceneError> {
        self.scene.compose(room, &mut self.canvas)
    }

    /// Second stage: the canvas in the sink's size, colour and format.
    ///
    /// # Errors
    /// When no kernel does the conversion.
    pub fn fit(&mut self) -> Result<FrameView<'_>, FrameError> {
        let mode = self.sink.mode();
        let fitted = if self.canvas.size() == mode.size {
            &mut self.canvas
        } else {
            let middle = self.canvas.view().middle_of_shape(mode.size);
            self.scaler.scale(middle, mode.size, &mut self.scaled)?;
            &mut self.scaled
        };
        recolour(fitted, mode.colour);
        self.packed.set_captured_at(fitted.captured_at());
        pack(fitted.view(), &mut self.packed.view_mut())?;
        Ok(self.packed.view())
    }

    /// Writes the placeholder.
    ///
    /// # Errors
    /// When the sink does not take it.
    pub fn show_placeholder(&mut self) -> Result<(), DeviceError> {
        self.sink.write(self.placeholder.view())
    }

    /// Ends the output: a device is left with the placeholder in every buffer, a file is completed.
    ///
    /// # Errors
    /// When the file could not be completed.
    pub fn finish(mut self) -> Result<(), DeviceError> {
        if self.leaves_placeholder {
            for _ in 0..LEFT_BEHIND {
                self.show_placeholder()?;
            }
        }
        self.sink.finish()
    }
}

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

    /// Writes one matte at luma size.
    ///
    /// # Errors
    /// When the sink does not take it.
    pub fn write(&mut self, luma: FrameView<'_>) -> Result<(), ShowError> {
        unpack(luma, &mut self.grey)?;
        Ok(self.sink.write(self.grey.view())?)
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When it could not be completed.
    pub fn finish(self) -> Result<(), DeviceError> {
        self.sink.finish()
    }
}
