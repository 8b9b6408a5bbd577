//! From what the network found to the mask of a frame.

use greenroom_frame::{Frame, FrameView};

use super::mask_fit::MaskFit;
use super::still::StillGate;
use super::{Input, MaskOrigin, MatteMaker};
use crate::look::Look;
use crate::refine::crop::Window;
use crate::{Engine, MatteError, Preparer};

impl MatteMaker {
    /// The last third of [`matte`](Self::matte): the [inferred](Self::infer) alpha with the
    /// [steps](Self::refined) that are switched on, and what its [guard](Self::guarded) leaves of it; `frame` is the one that was
    /// [prepared](Self::prepare).
    ///
    /// If somebody whom the frame before showed is lost, or somebody comes in at a side unseen, it asks the network once more.
    ///
    /// # Errors
    /// As `prepare`, and the engine's.
    pub fn refine(&mut self, frame: &FrameView<'_>) -> Result<&Frame, MatteError> {
        let gain = self.preparer.gain();
        self.alpha.set_captured_at(self.captured_at);
        if self.origin == MaskOrigin::Carried {
            let second_opinion = self.second_opinion.as_mut().map(|it| (it, gain));
            self.parts.carry(second_opinion, &mut self.alpha)?;
        } else {
            let seen = self.denoiser.as_ref().map_or(*frame, |denoiser| denoiser.seen(frame));
            let found = &self.looks[self.newest];
            if self.origin == MaskOrigin::Inferred {
                self.preparer.learn(&found.output);
            } else {
                self.preparer.learn_again();
            }
            let has_time = self.effort.input == Input::Full;
            let held = (self.origin == MaskOrigin::Still).then_some(self.inference_id);
            let lost = self.parts.lay(&found.alpha, held, &mut self.alpha);
            let mut extra = ExtraLook {
                engine: &mut *self.engine,
                preparer: &mut self.preparer,
                still: self.still.as_mut(),
                looks: &mut self.looks,
                fit: self.fit,
            };
            if let Some(window) = lost.filter(|_| has_time) {
                let found = extra.look_into(window, &window.of(&seen, self.alpha.size()))?;
                self.parts.keep_lost(window, found, &mut self.alpha);
            }
            let entry = has_time.then(|| self.parts.window_of_entry(&self.alpha)).flatten();
            if let Some(window) = entry {
                let found = extra.look_into(window, &window.of(&seen, self.alpha.size()))?;
                self.parts.keep_entering(window, found, &mut self.alpha);
            }
            let second_opinion = self.second_opinion.as_mut().map(|it| (it, gain));
            self.parts.refine(&seen, second_opinion, &mut self.alpha)?;
        }
        if let Some(guarded) = &mut self.guarded {
            let name = &self.engine.description().name;
            if let Some(own) = guarded.overrule(name, frame, &mut self.alpha)? {
                return Ok(own);
            }
        }
        self.is_shown = true;
        Ok(&self.alpha)
    }
}

/// What one more look at a frame takes.
struct ExtraLook<'a> {
    engine: &'a mut dyn Engine,
    preparer: &'a mut Preparer,
    still: Option<&'a mut StillGate>,
    looks: &'a mut [Look],
    fit: MaskFit,
}

impl ExtraLook<'_> {
    /// What the network finds in `part`, which is that `window` of a frame.
    ///
    /// # Errors
    /// The engine's.
    fn look_into(&mut self, window: Window, part: &FrameView<'_>) -> Result<&Frame, MatteError> {
        let place = self.fit.windows[window.level];
        // Where another answer was, there will be this one.
        self.still.iter_mut().for_each(|still| still.forget(place));
        let look = &mut self.looks[place];
        self.preparer.prepare(part, &mut look.input)?;
        self.engine.infer(&look.input, &mut look.output)?;
        look.round();
        Ok(&look.alpha)
    }
}
