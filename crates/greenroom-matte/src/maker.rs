mod build;
mod canvas_cache;
mod crop;
mod effort;
mod inside;
mod mask_fit;
mod parts;
mod refining;
mod second_look;
mod still;
mod supervisor;
mod upper_border;

use std::fmt;
use std::time::Instant;

use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, SizePx};

use self::build::fits;
use self::effort::Carrying;
pub use self::effort::{Effort, InferenceId, Input, MaskOrigin};
use self::inside::Inside;
use self::mask_fit::MaskFit;
use self::parts::Parts;
use self::second_look::SecondLook;
use self::still::StillGate;
pub(crate) use self::supervisor::Supervisor;
use crate::denoise::Denoiser;
use crate::look::Look;
use crate::refine::component_filter::ComponentFilter;
use crate::{
    Engine, Isa, MatteError, ModelDescription, OutputMeaning, Preparer, Quality, RefineSteps,
    SecondOpinion,
};

/// From a picture to its alpha: pre-processing, one model and its output.
pub struct MatteMaker {
    engine: Box<dyn Engine>,
    preparer: Preparer,
    /// For each size that the engine can be fed.
    looks: Vec<Look>,
    /// So many of them are for all the work; those behind them are smaller.
    full_looks: usize,
    /// Which of them the frame that was prepared last is looked at in.
    newest: usize,
    /// Of the frames so far; `None` before the first.
    picture: Option<SizePx>,
    /// What is fed where, for frames of that shape.
    fit: MaskFit,
    /// The same with the smaller sizes, if there are any.
    small_fit: Option<MaskFit>,
    /// While frames are noisy, the networks see its pictures.
    denoiser: Option<Denoiser>,
    /// In the best quality for whole frames, in the balanced one for those in which somebody is cut by the upper border.
    second_look: Option<SecondLook>,
    /// Whether the frame that was prepared last is looked at twice.
    looks_again: bool,
    /// What is done about the mask, in the steps that are taken.
    parts: Parts,
    second_opinion: Option<SecondOpinion>,
    /// With `smooth`: where nothing moves but inside of a person, the network is not asked.
    still: Option<StillGate>,
    inside: Inside,
    /// Whether `alpha` is the mask that the frame before was shown by.
    is_shown: bool,
    /// Where the mask of the frame that was prepared last comes from.
    origin: MaskOrigin,
    /// What that mask was inferred by.
    inference_id: InferenceId,
    effort: Effort,
    carrying: Carrying,
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
        self.parts = Parts::new(self.steps, (self.fit, self.small_fit), &self.looks, self.isa)?;
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
        let (fit, small_fit) = fits(&self.looks, self.full_looks, picture);
        if (fit, small_fit) != (self.fit, self.small_fit) {
            self.parts = Parts::new(self.steps, (fit, small_fit), &self.looks, self.isa)?;
            let canvas = self.looks[fit.whole].alpha.size();
            self.alpha.reshape(PixelFormat::Grey, canvas, Colour::JPEG)?;
            (self.fit, self.small_fit) = (fit, small_fit);
            self.second_look = self.wanted_second_look()?;
        }
        Ok(())
    }

    /// What looking twice takes, where that is wanted and there is a size for it.
    fn wanted_second_look(&self) -> Result<Option<SecondLook>, MatteError> {
        let MaskFit { whole, again, .. } = self.fit;
        let (is_wanted, is_for_all) = match self.steps.quality {
            Quality::Fast => (false, false),
            Quality::Balanced => (self.steps.crop, false),
            Quality::Best => (true, true),
        };
        let is_possible = !self.engine.remembers() && again != whole;
        let new = || SecondLook::new(&self.looks[again], &self.looks[whole], is_for_all);
        (is_wanted && is_possible).then(new).transpose()
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

    /// Puts so much work into each frame from now on.
    pub fn set_effort(&mut self, effort: Effort) {
        self.effort = effort;
        if let Some(second_opinion) = &mut self.second_opinion {
            second_opinion.set_interval_times(effort.second_opinion_times);
        }
    }

    /// Whether it has a second opinion asked.
    pub fn has_second_opinion(&self) -> bool {
        self.second_opinion.is_some()
    }

    /// Whether it looks at all whole frames twice, as in the best quality.
    pub fn looks_twice(&self) -> bool {
        self.second_look.as_ref().is_some_and(SecondLook::is_for_all)
    }

    /// Whether it has a [small input](Input::Small).
    pub fn has_small_input(&self) -> bool {
        self.small_fit.is_some()
    }

    /// Whether it can make the mask of a frame out of that of the frame before, see [`MaskOrigin::Carried`].
    pub fn can_carry(&self) -> bool {
        self.parts.can_carry()
    }

    /// Where the mask of the frame that was [prepared](Self::prepare) last comes from.
    pub fn origin(&self) -> MaskOrigin {
        self.origin
    }

    /// The inference that the mask of the frame that was [prepared](Self::prepare) last is of, if that mask is not
    /// [carried](MaskOrigin::Carried).
    pub fn inference_id(&self) -> Option<InferenceId> {
        (self.origin != MaskOrigin::Carried).then_some(self.inference_id)
    }

    /// The next picture has nothing to do with those before: another camera, client or clip.
    pub fn reset(&mut self) {
        self.carrying = Carrying::default();
        self.is_shown = false;
        self.engine.reset();
        self.preparer.reset();
        if let Some(denoiser) = &mut self.denoiser {
            denoiser.reset();
        }
        self.parts.reset();
        if let Some(still) = &mut self.still {
            still.reset();
        }
        self.second_look.iter_mut().for_each(SecondLook::reset);
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
        let was_shown = std::mem::take(&mut self.is_shown);
        self.captured_at = frame.captured_at();
        self.fit_to(frame.size())?;
        if let Some(denoiser) = &mut self.denoiser {
            denoiser.add(frame, self.preparer.gain())?;
            let unclear = self.second_opinion.as_mut().filter(|_| denoiser.has_just_settled());
            unclear.into_iter().for_each(SecondOpinion::ask_anew);
        }
        let seen = self.denoiser.as_ref().map_or(*frame, |denoiser| denoiser.seen(frame));
        let frame = &seen;
        self.parts.begin(frame, self.second_opinion.is_some())?;
        if self.effort.frames_per_inference > 1 && self.parts.can_carry() {
            let changed = self.parts.advance()?;
            if self.carrying.may_carry(self.effort, changed, self.captured_at) {
                self.origin = MaskOrigin::Carried;
                return Ok(());
            }
        }
        self.carrying.look(self.captured_at);
        let window = self.parts.next_window(frame);
        let small_fit = self.small_fit.filter(|_| self.effort.input == Input::Small);
        let fit = small_fit.unwrap_or(self.fit);
        self.newest = window.map_or(fit.whole, |window| fit.windows[window.level]);
        let sight = self.parts.sight(self.preparer.next_gain(), self.captured_at);
        // What is inside of a person is found in the mask that the frame before was shown by.
        let cells = self.parts.cells_of_true_edges().filter(|_| was_shown);
        let (mask, inside) = (&self.alpha, &mut self.inside);
        let held = self.still.as_mut().zip(sight).and_then(|(still, sight)| {
            still.holds(self.newest, sight, || Some(inside.find(mask, cells?)))
        });
        if let Some(inference_id) = held {
            (self.origin, self.inference_id) = (MaskOrigin::Still, inference_id);
            self.preparer.skip();
            return Ok(());
        }
        (self.origin, self.inference_id) = (MaskOrigin::Inferred, InferenceId::new());
        let (at, effort) = (self.captured_at, self.effort);
        let second_look = self.second_look.as_mut();
        self.looks_again = second_look.is_some_and(|it| it.is_due(window.is_none(), at, effort));
        if let Some(window) = window {
            let part = window.of(frame, self.alpha.size());
            self.preparer.prepare(&part, &mut self.looks[self.newest].input)?;
        } else {
            if self.looks_again {
                self.preparer.prepare(frame, &mut self.looks[self.fit.again].input)?;
            }
            self.preparer.prepare(frame, &mut self.looks[self.newest].input)?;
        }
        Ok(())
    }

    /// The second third of [`matte`](Self::matte): the alpha of the last
    /// [prepared](Self::prepare) frame, as the network gives it. With the step `smooth`, that is the alpha of a frame before,
    /// at most 0.5 s older, if nothing has moved since but inside of a person; and with less [effort](Self::set_effort), for frames whose mask is
    /// [carried](MaskOrigin::Carried), that of the last frame that was looked at.
    ///
    /// # Errors
    /// The engine's.
    pub fn infer(&mut self) -> Result<&Frame, MatteError> {
        if self.origin == MaskOrigin::Inferred {
            if let Err(error) = self.ask() {
                // What it has left behind is no answer.
                self.still.iter_mut().for_each(StillGate::reset);
                self.carrying = Carrying::default();
                return Err(error);
            }
            let sight = self.parts.sight(self.preparer.gain(), self.captured_at);
            if let Some((still, sight)) = self.still.as_mut().zip(sight) {
                still.note(self.newest, sight, self.inference_id);
            }
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
        let Some(second_look) = self.second_look.as_mut().filter(|_| is_whole) else {
            return Ok(());
        };
        second_look.learn(&self.looks[self.newest], self.captured_at);
        if self.looks_again {
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
}
