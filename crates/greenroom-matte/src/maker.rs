mod parts;
mod second_look;
mod still;
mod supervisor;

use std::fmt;
use std::time::Instant;

use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, SizePx};

use self::parts::{MaskFit, Parts};
use self::second_look::SecondLook;
pub(crate) use self::still::Sight;
use self::still::StillGate;
pub(crate) use self::supervisor::Supervisor;
use crate::denoise::Denoiser;
use crate::look::Look;
use crate::refine::component_filter::ComponentFilter;
use crate::{
    Engine, Isa, MatteError, Model, ModelDescription, OutputMeaning, Preparer, Quality,
    RefineSteps, SecondOpinion, SelfieEngine,
};

/// What most cameras send: what is made before the first frame comes is made for it.
const USUAL: SizePx = SizePx::new(1280, 720);

/// From a picture to its alpha: pre-processing, one model and its output.
pub struct MatteMaker {
    engine: Box<dyn Engine>,
    preparer: Preparer,
    /// For each size that the engine can be fed.
    looks: Vec<Look>,
    /// Which of them the frame that was prepared last is looked at in.
    newest: usize,
    /// Of the frames so far; `None` before the first.
    picture: Option<SizePx>,
    /// What is fed where, for frames of that shape.
    fit: MaskFit,
    /// While frames are noisy, the networks see its pictures.
    denoiser: Option<Denoiser>,
    /// In the best quality.
    second_look: Option<SecondLook>,
    /// What is done about the mask, in the steps that are taken.
    parts: Parts,
    second_opinion: Option<SecondOpinion>,
    /// With `smooth`: where nothing moves, the network is not asked.
    still: Option<StillGate>,
    /// An answer from before holds for the frame that was prepared last.
    is_still: bool,
    alpha: Frame,
    captured_at: Instant,
    isa: Isa,
    steps: RefineSteps,
    /// Of a foreign engine: what its alpha may show.
    guarded: Option<Box<dyn Supervisor>>,
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

    /// A maker with a built-in model that is prepared for `quality`, which [`refined`](Self::refined) is to be told, too.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_quality(model: Model, quality: Quality) -> Result<Self, MatteError> {
        let isa = Isa::best();
        Self::with_engine(Box::new(SelfieEngine::of_quality(model, quality, isa)?), isa)
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
        let own = (model.input_size, model.output_size);
        let others = engine.other_sizes().iter().map(|&size| (size, size));
        let look = |(input, output)| Look::new(input, output, model.layout);
        let looks = std::iter::once(own).chain(others).map(look).collect::<Result<Vec<_>, _>>()?;
        let fit = MaskFit::new(&looks, USUAL);
        Ok(Self {
            preparer: Preparer::with_sizes(model, engine.other_sizes(), isa)?,
            newest: fit.whole,
            alpha: Frame::new(PixelFormat::Grey, looks[fit.whole].alpha.size(), Colour::JPEG)?,
            looks,
            picture: None,
            fit,
            denoiser: None,
            second_look: None,
            parts: Parts::default(),
            second_opinion: None,
            still: None,
            is_still: false,
            captured_at: Instant::now(),
            isa,
            steps: RefineSteps::NONE,
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
        let able = !self.engine.remembers();
        let unsure = self.description().output == OutputMeaning::Probability;
        self.steps = RefineSteps {
            crop: steps.crop && able,
            exposure: steps.exposure && able,
            denoise: steps.denoise && able,
            raise: steps.raise && able && unsure,
            smooth: steps.smooth && able,
            ..steps
        };
        self.preparer = self.preparer.exposed(self.steps.exposure);
        self.denoiser = self.steps.denoise.then(Denoiser::default);
        self.parts = Parts::new(self.steps, self.fit, &self.looks, self.isa)?;
        self.second_look = self.wanted_second_look()?;
        self.still = self.steps.smooth.then(|| StillGate::new(self.looks.len()));
        Ok(self)
    }

    /// Has another network asked now and then, too; what it is sure is room is struck out of the alpha.
    #[must_use]
    pub fn with_second_opinion(self, second_opinion: SecondOpinion) -> Self {
        Self { second_opinion: Some(second_opinion), ..self }
    }

    /// Makes ready for frames of `picture`'s shape.
    fn fit_to(&mut self, picture: SizePx) -> Result<(), MatteError> {
        if self.picture.replace(picture) == Some(picture) {
            return Ok(());
        }
        let fit = MaskFit::new(&self.looks, picture);
        if fit != self.fit {
            self.parts = Parts::new(self.steps, fit, &self.looks, self.isa)?;
            let canvas = self.looks[fit.whole].alpha.size();
            self.alpha.reshape(PixelFormat::Grey, canvas, Colour::JPEG)?;
            self.fit = fit;
            self.second_look = self.wanted_second_look()?;
        }
        Ok(())
    }

    /// What looking twice takes, where that is wanted and there is a size for it.
    fn wanted_second_look(&self) -> Result<Option<SecondLook>, MatteError> {
        let MaskFit { whole, again, .. } = self.fit;
        let is_wanted =
            self.steps.quality == Quality::Best && !self.engine.remembers() && again != whole;
        is_wanted.then(|| SecondLook::new(&self.looks[again], &self.looks[whole])).transpose()
    }

    /// Whether its masks show one of several persons.
    pub(crate) fn shows_one_person(&self) -> bool {
        self.parts.component_filter.as_ref().is_some_and(ComponentFilter::shows_one_person)
    }

    /// Has `supervisor` hold the alpha to what it allows, from now on.
    pub(crate) fn supervised(self, supervisor: Box<dyn Supervisor>) -> Self {
        Self { guarded: Some(supervisor), ..self }
    }

    /// What the model wants and gives.
    pub fn description(&self) -> &ModelDescription {
        self.engine.description()
    }

    /// The next picture has nothing to do with those before: another camera, client or clip.
    pub fn reset(&mut self) {
        self.engine.reset();
        self.preparer.reset();
        if let Some(denoiser) = &mut self.denoiser {
            denoiser.reset();
        }
        self.parts.reset();
        if let Some(still) = &mut self.still {
            still.reset();
        }
        if let Some(second_opinion) = &mut self.second_opinion {
            second_opinion.reset();
        }
        if let Some(guarded) = &mut self.guarded {
            guarded.reset();
        }
    }

    /// The alpha of `frame` (planar, any size, colour and range): [`PixelFormat::Grey`] at the
    /// model's size that fits the frame's shape, 0 = room, 255 = person, with the frame's time of capture.
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
        self.fit_to(frame.size())?;
        if let Some(denoiser) = &mut self.denoiser {
            denoiser.add(frame, self.preparer.gain())?;
            let unclear = self.second_opinion.as_mut().filter(|_| denoiser.has_just_settled());
            unclear.into_iter().for_each(SecondOpinion::ask_anew);
        }
        let seen = self.denoiser.as_ref().map_or(*frame, |denoiser| denoiser.seen(frame));
        let frame = &seen;
        let window = self.parts.next_window(frame);
        self.newest = window.map_or(self.fit.whole, |window| self.fit.windows[window.level]);
        if let Some(window) = window {
            let part = window.of(frame, self.alpha.size());
            self.preparer.prepare(&part, &mut self.looks[self.newest].input)?;
        } else {
            if self.second_look.is_some() {
                self.preparer.prepare(frame, &mut self.looks[self.fit.again].input)?;
            }
            self.preparer.prepare(frame, &mut self.looks[self.newest].input)?;
        }
        let sight = self.preparer.sight(window, self.captured_at);
        self.is_still = self.still.as_mut().is_some_and(|still| still.holds(self.newest, sight));
        Ok(())
    }

    /// The second third of [`matte`](Self::matte): the alpha of the last
    /// [prepared](Self::prepare) frame, as the network gives it. With the step `smooth`, that is the alpha of a frame before,
    /// at most 0.3 s older, if nothing has moved since.
    ///
    /// # Errors
    /// The engine's.
    pub fn infer(&mut self) -> Result<&Frame, MatteError> {
        if !self.is_still {
            let asked = self.ask();
            if let Some(still) = &mut self.still {
                match &asked {
                    Ok(()) => {
                        let sight = self.preparer.sight(self.parts.window(), self.captured_at);
                        still.note(self.newest, sight);
                    }
                    // What it has left behind is no answer.
                    Err(_) => still.reset(),
                }
            }
            asked?;
        }
        let look = &mut self.looks[self.newest];
        look.alpha.set_captured_at(self.captured_at);
        Ok(&look.alpha)
    }

    /// Has the network look at what was prepared.
    fn ask(&mut self) -> Result<(), MatteError> {
        let look = &mut self.looks[self.newest];
        self.engine.infer(&look.input, &mut look.output)?;
        look.round();
        let is_whole = self.newest == self.fit.whole && self.parts.window().is_none();
        if let Some(second_look) = self.second_look.as_mut().filter(|_| is_whole) {
            let both = self.looks.get_disjoint_mut([self.fit.whole, self.fit.again]);
            let [first, second] = both.expect("a second look is in another size than the first");
            self.engine.infer(&second.input, &mut second.output)?;
            second.round();
            second_look.join(second, first);
            // Where a window's answer was, there is this one now.
            self.still.iter_mut().for_each(|still| still.forget(self.fit.again));
        }
        Ok(())
    }

    /// The last third of [`matte`](Self::matte): the [inferred](Self::infer) alpha with the
    /// [steps](Self::refined) that are switched on, and what its [guard](Self::guarded) leaves of it; `frame` is the one that was
    /// [prepared](Self::prepare).
    ///
    /// # Errors
    /// As `prepare`.
    pub fn refine(&mut self, frame: &FrameView<'_>) -> Result<&Frame, MatteError> {
        let look = &self.looks[self.newest];
        let gain = self.preparer.gain();
        self.preparer.learn(&look.output);
        self.alpha.set_captured_at(self.captured_at);
        let seen = self.denoiser.as_ref().map_or(*frame, |denoiser| denoiser.seen(frame));
        self.parts.refine(
            &seen,
            &look.alpha,
            self.second_opinion.as_mut().map(|it| (it, gain)),
            &mut self.alpha,
        )?;
        if let Some(guarded) = &mut self.guarded {
            let name = &self.engine.description().name;
            if let Some(own) = guarded.overrule(name, frame, &mut self.alpha)? {
                return Ok(own);
            }
        }
        Ok(&self.alpha)
    }
}
