use std::fmt;
use std::time::Instant;

use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, PlaneScaler};

use crate::guard::Guarded;
use crate::refine::crop::{LEVELS, Tracker, Window};
use crate::refine::plain::Plain;
use crate::refine::sense::Sense;
use crate::refine::smooth::Smoother;
use crate::{
    AlphaMap, Engine, InputTensor, Isa, MatteError, Model, ModelDescription, OutputMeaning,
    Preparer, RefineSteps, SelfieEngine,
};

/// From a picture to its alpha: pre-processing, one model and its output.
pub struct MatteMaker {
    engine: Box<dyn Engine>,
    preparer: Preparer,
    input: InputTensor,
    output: AlphaMap,
    alpha: Frame,
    captured_at: Instant,
    isa: Isa,
    crop: Option<Crop>,
    sense: Option<Sense>,
    /// What each level becomes by the step `raise`.
    raised: Option<Box<[u8; 256]>>,
    smoother: Option<Smoother>,
    plain: Option<Plain>,
    /// Of a foreign engine: what its alpha may show.
    guarded: Option<Box<Guarded>>,
}

/// What looking into a window takes.
struct Crop {
    tracker: Tracker,
    /// Where the frame that was prepared last was looked at.
    window: Option<Window>,
    /// For each size of window, what brings the network's mask to its place in the whole.
    places: Vec<(PlaneScaler, Frame)>,
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
            isa,
            crop: None,
            sense: None,
            raised: None,
            smoother: None,
            plain: None,
            guarded: None,
            engine,
        })
    }

    /// Takes `steps` from now on; a maker that is new takes none. `guide` is not the maker's: it
    /// needs the full size, and is [`Guide`](crate::Guide)'s. An engine that remembers smooths by
    /// itself and has to see the same view all the time: of the maker's steps it gets the plain
    /// filters and those that make sense of its mask.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if the model's output is too small to hold windows.
    pub fn refined(mut self, steps: RefineSteps) -> Result<Self, MatteError> {
        let canvas = self.description().output_size;
        let able = !self.engine.remembers();
        self.crop = (steps.crop && able).then(|| Crop::new(canvas)).transpose()?;
        self.preparer = self.preparer.exposed(steps.exposure && able);
        self.sense = Sense::new(canvas, steps);
        let unsure = self.description().output == OutputMeaning::Probability;
        self.raised = (steps.raise && able && unsure).then(|| Box::new(raised_levels()));
        self.smoother =
            (steps.smooth && able).then(|| Smoother::new(canvas, self.isa)).transpose()?;
        self.plain = Plain::new(steps.plain, canvas);
        Ok(self)
    }

    /// Holds the alpha to what a built-in network sees, from now on: for engines that are foreign. What that network is
    /// sure is room is cut out, and `own`, a maker with a built-in network, takes over where the two disagree; then
    /// [`matte`](Self::matte) gives an alpha of `own`'s size.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn guarded(mut self, own: MatteMaker) -> Result<Self, MatteError> {
        let shows_one_person = self.sense.as_ref().is_some_and(Sense::shows_one_person);
        self.guarded = Some(Box::new(Guarded::new(own, shows_one_person)?));
        Ok(self)
    }

    /// What the model wants and gives.
    pub fn description(&self) -> &ModelDescription {
        self.engine.description()
    }

    /// The next picture has nothing to do with those before: another camera, client or clip.
    pub fn reset(&mut self) {
        self.engine.reset();
        self.preparer.reset();
        if let Some(crop) = &mut self.crop {
            crop.tracker.reset();
            crop.window = None;
        }
        if let Some(sense) = &mut self.sense {
            sense.reset();
        }
        if let Some(smoother) = &mut self.smoother {
            smoother.reset();
        }
        if let Some(plain) = &mut self.plain {
            plain.reset();
        }
        if let Some(guarded) = &mut self.guarded {
            guarded.reset();
        }
    }

    /// The alpha of `frame` (planar, any size, colour and range): [`PixelFormat::Grey`] at the
    /// model's size, 0 = room, 255 = person, with the frame's time of capture.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar, and the engine's.
    pub fn matte(&mut self, frame: &FrameView<'_>) -> Result<&Frame, MatteError> {
        self.prepare(frame)?;
        self.infer()?;
        self.refine(frame)
    }

    /// The first third of [`matte`](Self::matte): the model's input from `frame`.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar.
    pub fn prepare(&mut self, frame: &FrameView<'_>) -> Result<(), MatteError> {
        self.captured_at = frame.captured_at();
        let Some(crop) = &mut self.crop else {
            return self.preparer.prepare(frame, &mut self.input);
        };
        let canvas = self.engine.description().output_size;
        let large_enough = frame.size().width_px >= 64 && frame.size().height_px >= 64;
        let window = crop.tracker.next().filter(|_| large_enough && frame.format().is_planar());
        if let Some(smoother) = self.smoother.as_mut().filter(|_| window != crop.window) {
            smoother.look_anew();
        }
        crop.window = window;
        match crop.window {
            Some(window) => self.preparer.prepare(&window.of(frame, canvas), &mut self.input),
            None => self.preparer.prepare(frame, &mut self.input),
        }
    }

    /// The second third of [`matte`](Self::matte): the alpha of the last
    /// [prepared](Self::prepare) frame, as the network gives it.
    ///
    /// # Errors
    /// The engine's.
    pub fn infer(&mut self) -> Result<&Frame, MatteError> {
        self.engine.infer(&self.input, &mut self.output)?;
        for (byte, value) in self.alpha.bytes_mut().iter_mut().zip(self.output.values()) {
            // `max` turns a NaN into 0, which is room. To the nearest: of floats from 2^23 on, the
            // lowest bits are the whole part; `as u8` is not made into vectors.
            *byte = ((value.max(0.0) * 255.0).min(255.0) + 8_388_608.0).to_bits() as u8;
        }
        self.alpha.set_captured_at(self.captured_at);
        Ok(&self.alpha)
    }

    /// The last third of [`matte`](Self::matte): the [inferred](Self::infer) alpha with the
    /// [steps](Self::refined) that are switched on, and what its [guard](Self::guarded) leaves of it; `frame` is the one that was
    /// [prepared](Self::prepare).
    ///
    /// # Errors
    /// As `prepare`.
    pub fn refine(&mut self, frame: &FrameView<'_>) -> Result<&Frame, MatteError> {
        self.preparer.learn(&self.output);
        if let Some(crop) = &mut self.crop {
            crop.place(&mut self.alpha);
        }
        if let Some(sense) = &mut self.sense {
            sense.apply(self.alpha.bytes_mut());
        }
        if let Some(crop) = &mut self.crop {
            crop.tracker.learn(self.alpha.bytes());
        }
        if let Some(raised) = &self.raised {
            // Most samples are 0 or 255, and stay so.
            for levels in self.alpha.bytes_mut().chunks_mut(32) {
                // Without a way out before the end, so that it is made into vectors.
                let between = levels.iter().map(|level| u8::from(level.wrapping_add(1) > 1));
                if between.fold(0, |any, one| any | one) != 0 {
                    levels.iter_mut().for_each(|level| *level = raised[usize::from(*level)]);
                }
            }
        }
        if let Some(smoother) = &mut self.smoother {
            smoother.smooth(frame, &mut self.alpha)?;
        }
        if let Some(plain) = &mut self.plain {
            plain.filter(&mut self.alpha);
        }
        if let Some(guarded) = &mut self.guarded {
            let name = &self.engine.description().name;
            if let Some(own) = guarded.overrule(name, frame, &mut self.alpha)? {
                return Ok(own);
            }
        }
        Ok(&self.alpha)
    }
}

/// Probabilities that half-sure samples are raised by: networks are less sure of hair than of the room
/// beside it. 0.5 gains more on clips with the true alpha, but less against RVM's mattes of other people.
const GAMMA: f32 = 0.7;

fn raised_levels() -> [u8; 256] {
    std::array::from_fn(|level| ((level as f32 / 255.0).powf(GAMMA) * 255.0).round() as u8)
}

impl Crop {
    fn new(canvas: greenroom_frame::SizePx) -> Result<Self, MatteError> {
        let place = |level: usize| {
            let size = Window::size(level, canvas);
            let scaler = PlaneScaler::new(canvas, size)?;
            Ok::<_, MatteError>((scaler, Frame::new(PixelFormat::Grey, size, Colour::JPEG)?))
        };
        let places = (0..LEVELS).map(place).collect::<Result<_, _>>()?;
        Ok(Self { tracker: Tracker::new(canvas), window: None, places })
    }

    /// From the alpha of the window to that of the whole picture; outside is room.
    fn place(&mut self, alpha: &mut Frame) {
        let Some(window) = self.window else { return };
        let (scaler, small) = &mut self.places[window.level];
        scaler.scale(alpha.view().plane(0), &mut small.view_mut().plane_mut(0));
        let (left, top) = (window.left as usize, window.top as usize);
        let mut view = alpha.view_mut();
        let mut plane = view.plane_mut(0);
        plane.fill(0);
        for (y, row) in small.view().plane(0).iter_rows().enumerate() {
            plane.row_mut(top + y)[left..][..row.len()].copy_from_slice(row);
        }
    }
}
