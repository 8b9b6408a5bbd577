use std::fmt;
use std::time::Instant;

use greenroom_frame::{Colour, Frame, FrameView, PixelFormat};

use crate::{
    AlphaMap, Engine, InputTensor, Isa, MatteError, Model, ModelDescription, Preparer, SelfieEngine,
};

/// From a picture to its alpha: pre-processing, one model and its output.
pub struct MatteMaker {
    engine: Box<dyn Engine>,
    preparer: Preparer,
    input: InputTensor,
    output: AlphaMap,
    alpha: Frame,
    captured_at: Instant,
}

impl fmt::Debug for MatteMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatteMaker").field("model", self.description()).finish_non_exhaustive()
    }
}

impl MatteMaker {
    /// A maker with a built-in model and the fastest instruction set of this machine.
    ///
    /// # Errors
    /// Those of [`SelfieEngine::from_tflite`]; the built-in files pass.
    pub fn new(model: Model) -> Result<Self, MatteError> {
        Self::with_isa(model, Isa::best())
    }

    /// A maker with a built-in model and a given instruction set.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_isa(model: Model, isa: Isa) -> Result<Self, MatteError> {
        Self::with_engine(Box::new(SelfieEngine::built_in(model, isa)?), isa)
    }

    /// A maker with a TFLite file of the MediaPipe selfie family. `name` goes into messages.
    ///
    /// # Errors
    /// Those of [`SelfieEngine::from_tflite`], in one sentence each.
    pub fn from_tflite(name: &str, bytes: &[u8]) -> Result<Self, MatteError> {
        let isa = Isa::best();
        Self::with_engine(Box::new(SelfieEngine::from_tflite(name, bytes, isa)?), isa)
    }

    /// A maker with any engine; `isa` is for the pre-processing.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if the engine's output is not a usable picture size.
    pub fn with_engine(engine: Box<dyn Engine>, isa: Isa) -> Result<Self, MatteError> {
        let model = engine.description();
        Ok(Self {
            preparer: Preparer::new(model, isa)?,
            input: InputTensor::new(model),
            output: AlphaMap::new(model),
            alpha: Frame::new(PixelFormat::Grey, model.output_size, Colour::JPEG)?,
            captured_at: Instant::now(),
            engine,
        })
    }

    /// What the model wants and gives.
    pub fn description(&self) -> &ModelDescription {
        self.engine.description()
    }

    /// The next picture has nothing to do with those before: another camera, client or clip.
    pub fn reset(&mut self) {
        self.engine.reset();
    }

    /// The alpha of `frame` (planar, any size, colour and range): [`PixelFormat::Grey`] at the
    /// model's size, 0 = room, 255 = person, with the frame's time of capture.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar, and the engine's.
    pub fn matte(&mut self, frame: &FrameView<'_>) -> Result<&Frame, MatteError> {
        self.prepare(frame)?;
        self.infer()
    }

    /// The first half of [`matte`](Self::matte): the model's input from `frame`.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar.
    pub fn prepare(&mut self, frame: &FrameView<'_>) -> Result<(), MatteError> {
        self.captured_at = frame.captured_at();
        self.preparer.prepare(frame, &mut self.input)
    }

    /// The second half of [`matte`](Self::matte): the alpha of the last
    /// [prepared](Self::prepare) frame.
    ///
    /// # Errors
    /// The engine's.
    pub fn infer(&mut self) -> Result<&Frame, MatteError> {
        self.engine.infer(&self.input, &mut self.output)?;
        for (byte, value) in self.alpha.bytes_mut().iter_mut().zip(self.output.values()) {
            // `as u8` saturates; a NaN becomes 0, which is room.
            *byte = (value * 255.0 + 0.5) as u8;
        }
        self.alpha.set_captured_at(self.captured_at);
        Ok(&self.alpha)
    }
}
