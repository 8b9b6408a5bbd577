use std::time::Instant;

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use super::MatteMaker;
use super::effort::{Carrying, Effort, InferenceId, MaskOrigin};
use super::inside::Inside;
use super::mask_fit::MaskFit;
use super::parts::Parts;
use crate::look::Look;
use crate::{Engine, Isa, MatteError, Model, Preparer, Quality, RefineSteps, SelfieEngine};

/// What most cameras send: what is made before the first frame comes is made for it.
const USUAL: SizePx = SizePx::new(1280, 720);

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

    /// A maker with a built-in model that is prepared for `quality`, which [`refined`](Self::refined) is to be told, too.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_quality(model: Model, quality: Quality) -> Result<Self, MatteError> {
        let isa = Isa::best();
        Self::with_engine(Box::new(SelfieEngine::of_quality(model, quality, isa)?), isa)
    }

    /// As [`of_quality`](Self::of_quality), of a maker that can work with [less effort](Self::set_effort), too: it is also prepared
    /// for the [small input](crate::Input::Small), if the model has one in that quality.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn governable(model: Model, quality: Quality) -> Result<Self, MatteError> {
        let (isa, full) = (Isa::best(), model.sizes(quality));
        let small = model.sizes(Quality::Fast);
        let small = if small == full { &[] } else { small };
        let engine = SelfieEngine::of_sizes(model, &[full, small].concat(), isa)?;
        Self::with_looks(Box::new(engine), full.len(), isa)
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
        Self::with_looks(engine, usize::MAX, isa)
    }

    /// The same, where only the first `full_looks` sizes are for all the work.
    fn with_looks(
        engine: Box<dyn Engine>,
        full_looks: usize,
        isa: Isa,
    ) -> Result<Self, MatteError> {
        let model = engine.description();
        let own = (model.input_size, model.output_size);
        let others = engine.other_sizes().iter().map(|&size| (size, size));
        let look = |(input, output)| Look::new(input, output, model.layout);
        let looks = std::iter::once(own).chain(others).map(look).collect::<Result<Vec<_>, _>>()?;
        let full_looks = full_looks.min(looks.len());
        let (fit, small_fit) = fits(&looks, full_looks, USUAL);
        Ok(Self {
            preparer: Preparer::with_sizes(model, engine.other_sizes(), isa)?,
            newest: fit.whole,
            alpha: Frame::new(PixelFormat::Grey, looks[fit.whole].alpha.size(), Colour::JPEG)?,
            looks,
            full_looks,
            picture: None,
            fit,
            small_fit,
            denoiser: None,
            second_look: None,
            looks_again: false,
            parts: Parts::default(),
            second_opinion: None,
            still: None,
            inside: Inside::default(),
            is_shown: false,
            origin: MaskOrigin::Inferred,
            inference_id: InferenceId::new(),
            effort: Effort::default(),
            carrying: Carrying::default(),
            captured_at: Instant::now(),
            isa,
            steps: RefineSteps::NONE,
            guarded: None,
            engine,
        })
    }
}

/// What is fed where, for frames of `picture`'s shape: with the first `full` of `looks`, and with the others, if there are any.
pub(super) fn fits(looks: &[Look], full: usize, picture: SizePx) -> (MaskFit, Option<MaskFit>) {
    let small = (full < looks.len()).then(|| MaskFit::new(looks, full..looks.len(), picture));
    (MaskFit::new(looks, 0..full, picture), small)
}
