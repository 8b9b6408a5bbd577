//! A second opinion: a large network that is asked once in some seconds, and never waited for.
//!
//! It only removes. What it is sure is room, and what has not changed since the picture that it saw, is struck out of the
//! mask before the edge is laid. Where it has not answered yet, the mask is as without it. Heads are not struck out: a
//! network that finds faces is asked with it, and sees dark ones that the large one takes for room.

mod arrivals;
mod asking;
mod cells;
mod changes;
mod heads;
mod in_both;
mod kept_thumbnail;
mod levels;
mod movers;
mod regions;
mod remembered_room;
#[cfg(test)]
mod tests;
mod verdict;

use std::time::{Duration, Instant};

use greenroom_frame::{Frame, FrameView, SizePx};

use self::asking::{Asking, LoadNetworks, Networks, Question};
use self::verdict::{Changed, Verdict};
use crate::letterbox::{Canvas, LetterboxPreparer};
use crate::refine::thumbnails::Thumbnails;
use crate::{Engine, FaceFinder, Isa, MatteError, ModelDescription, MulticlassEngine, Quality};

/// How often questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    /// Time from one question to the next while the picture is the one that the answer is about, or differs only by persons who move
    /// where they were.
    still: Duration,
    /// The same while the answer fits.
    calm: Duration,
    /// The same once the picture is no longer the one that the answer is about.
    outdated: Duration,
}

impl From<Quality> for Pace {
    /// Asked three times as often as balanced, it shows a thirtieth less of the room, and the person no better.
    fn from(quality: Quality) -> Self {
        let [still, calm, outdated] = match quality {
            Quality::Fast => [18, 6, 2],
            Quality::Balanced | Quality::Best => [9, 3, 1],
        }
        .map(Duration::from_secs);
        Self { still, calm, outdated }
    }
}

/// Share of the cells that have changed from which on an answer no longer fits.
const OUTDATED: f32 = 0.1;
/// Share up to which the picture is still the answer's, but for persons who move where they were.
const STILL: f32 = 0.01;
/// The wait for the next question after a call's first one, once its answer no longer fits: whoever stands before a thing when the
/// call begins may have been taken for one with it, and gives that away by moving. So soon it is also asked about another scene.
const SECOND_QUESTION: Duration = Duration::from_millis(200);
/// Where an answer no longer fits, the wait is no longer than so many times the pace's.
const MOST_TIMES: u32 = 2;
/// Frames come a little early now and then.
const JITTER: Duration = Duration::from_millis(5);

/// Asks two networks about some frames, and strikes out of masks what it is sure is room.
#[derive(Debug)]
pub struct SecondOpinion {
    pace: Pace,
    asking: Asking,
    preparer: LetterboxPreparer,
    face_preparer: LetterboxPreparer,
    /// The next question; `None` while it is being answered.
    question: Option<Box<Question>>,
    /// When the frame of the last question was taken; `None` after a reset.
    asked_at: Option<Instant>,
    /// There was one question since the reset, or since frames became clearer, and no more.
    asked_once: bool,
    /// Another scene has come since the last question.
    scene_is_new: bool,
    /// By the newest answer, the machine saves power.
    saves_power: bool,
    /// The time between questions is so many times the pace's.
    interval_times: u32,
    /// Counts resets: answers to questions from before one are not used.
    life: u32,
    verdict: Verdict,
}

impl SecondOpinion {
    /// Asks MediaPipe's multiclass network ([`MulticlassEngine`]), and [`FaceFinder`], on a thread of its own, at the lowest
    /// priority. They are loaded there when they are asked for the first time. With each answer that thread finds out whether
    /// this machine `saves_power`, on battery for example: then it is asked half as often.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if its input is no usable picture size; the built-in network's is.
    pub fn on_a_thread(saves_power: fn() -> bool) -> Result<Self, MatteError> {
        let load = || {
            let large = Box::new(MulticlassEngine::built_in()?);
            Networks::new(large, FaceFinder::built_in()?)
        };
        let description = MulticlassEngine::built_in_description();
        Self::of_thread((&description, MulticlassEngine::OTHER_SIZES), Box::new(load), saves_power)
    }

    /// Asks the same networks on the caller's thread, which waits for the answer: where frames come from a file, so that
    /// what comes out does not depend on the machine.
    ///
    /// # Errors
    /// Those of [`MulticlassEngine::built_in`] and [`FaceFinder::built_in`]; the built-in files pass.
    pub fn at_once() -> Result<Self, MatteError> {
        let large = Box::new(MulticlassEngine::built_in()?);
        let description = large.description().clone();
        let networks = Networks::new(large, FaceFinder::built_in()?)?;
        let network = (&description, MulticlassEngine::OTHER_SIZES);
        Self::new(Asking::AtOnce(Box::new(networks)), network)
    }

    fn of_thread(
        network: (&ModelDescription, &[SizePx]),
        load: LoadNetworks,
        saves_power: fn() -> bool,
    ) -> Result<Self, MatteError> {
        Self::new(Asking::on_a_thread(load, saves_power), network)
    }

    /// `network` is the large one's description and the other sizes of its input.
    fn new(asking: Asking, network: (&ModelDescription, &[SizePx])) -> Result<Self, MatteError> {
        let (description, other_sizes) = network;
        Ok(Self {
            pace: Quality::Balanced.into(),
            asking,
            preparer: LetterboxPreparer::new(description, other_sizes, Canvas::Wide, Isa::best()),
            face_preparer: FaceFinder::preparer(Isa::best()),
            question: Some(Box::new(Question::new()?)),
            asked_at: None,
            asked_once: false,
            scene_is_new: false,
            saves_power: false,
            interval_times: 1,
            life: 0,
            verdict: Verdict::default(),
        })
    }

    /// Asks as often as `quality` wants; balanced, if nothing is said.
    #[must_use]
    pub fn paced(self, quality: Quality) -> Self {
        Self { pace: quality.into(), ..self }
    }

    /// Asks up to so many times less often from now on.
    pub(crate) fn set_interval_times(&mut self, times: u32) {
        self.interval_times = times.max(1);
    }

    /// The next frame has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.life = self.life.wrapping_add(1);
        (self.asked_at, self.asked_once, self.scene_is_new) = (None, false, false);
        self.verdict.forget();
    }

    /// The frames are clearer than those that were asked about: the next one is asked about as soon as it can be.
    pub(crate) fn ask_anew(&mut self) {
        self.asked_at = None;
    }

    /// Strikes out of `mask`, that of all of `frame`, what is surely room by the newest answer, and asks anew when it
    /// is time to. `thumbnail` is that of `frame`; the network sees it brighter by `gain`, as the fast one does.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar.
    pub(crate) fn apply(
        &mut self,
        frame: &FrameView<'_>,
        (thumbnails, gain): (&Thumbnails, f32),
        mask: &mut Frame,
    ) -> Result<(), MatteError> {
        let changed = self.begin((thumbnails, gain), mask)?;
        if self.question.is_some() && self.is_due(frame.captured_at(), changed) {
            self.ask(frame, (thumbnails, gain), mask)?;
            if self.question.is_some() {
                // Answered at once.
                self.verdict.compare(&thumbnails.new, gain, mask);
            }
        }
        self.verdict.strike(mask);
        Ok(())
    }

    /// As [`apply`](Self::apply), without a question: `mask` was carried over from the frame before, and what was struck out of
    /// that is not in it.
    ///
    /// # Errors
    /// As `apply`.
    pub(crate) fn apply_to_carried(
        &mut self,
        (thumbnails, gain): (&Thumbnails, f32),
        mask: &mut Frame,
    ) -> Result<(), MatteError> {
        self.begin((thumbnails, gain), mask)?;
        self.verdict.strike(mask);
        Ok(())
    }

    /// Takes up an answer that has come, and finds what of a frame is not as in the newest answer's.
    fn begin(
        &mut self,
        (thumbnails, gain): (&Thumbnails, f32),
        mask: &Frame,
    ) -> Result<Changed, MatteError> {
        self.verdict.fit(thumbnails.new.size(), mask.size())?;
        self.scene_is_new |= changes::is_new_scene(thumbnails, gain);
        self.listen()?;
        Ok(self.verdict.compare(&thumbnails.new, gain, mask))
    }

    /// How much each sample of the last mask may be raised by, of 255, the more of both; `None` where there is no answer to go by.
    pub(crate) fn raisable(&self) -> Option<[&[u8]; 2]> {
        self.verdict.raisable()
    }

    /// Whether a frame is to be asked about, of which so much is not as in the last answer's.
    fn is_due(&self, captured_at: Instant, changed: Changed) -> bool {
        let Some(asked_at) = self.asked_at else { return true };
        let Pace { still, calm, outdated } = self.pace;
        let times = self.interval_times * if self.saves_power { 2 } else { 1 };
        // What is room in a picture that has changed shows until the next answer.
        let wait = match changed {
            Changed { all, .. } if self.scene_is_new || all > OUTDATED && self.asked_once => {
                SECOND_QUESTION * times
            }
            Changed { all, .. } if all > OUTDATED => outdated * times.min(MOST_TIMES),
            Changed { all, beside_persons } if all > STILL && beside_persons <= STILL => {
                (calm * times).min(2 * still).max(still)
            }
            Changed { all, .. } if all > STILL => (calm * times).min(2 * still),
            _ => (still * times).min(2 * still),
        };
        // Also when the clock went back: another camera.
        captured_at.checked_duration_since(asked_at).is_none_or(|age| age + JITTER >= wait)
    }

    fn ask(
        &mut self,
        frame: &FrameView<'_>,
        (thumbnails, gain): (&Thumbnails, f32),
        mask: &Frame,
    ) -> Result<(), MatteError> {
        let Some(question) = &mut self.question else { return Ok(()) };
        self.preparer.prepare(frame, gain, &mut question.view)?;
        self.face_preparer.prepare(frame, gain, &mut question.face_view)?;
        question.thumbnail.copy_from(&thumbnails.new);
        self.verdict.note(mask, &mut question.mask);
        question.life = self.life;
        question.asked_at = frame.captured_at();
        question.is_answered = false;
        self.asked_once = self.asked_at.is_none();
        self.asked_at = Some(frame.captured_at());
        self.scene_is_new = false;
        match self.question.take().and_then(|question| self.asking.ask(question)) {
            Some(answered) => self.take(answered),
            None => Ok(()),
        }
    }

    /// Takes up an answer that has come.
    fn listen(&mut self) -> Result<(), MatteError> {
        match self.asking.answer() {
            Some(question) => self.take(question),
            None => Ok(()),
        }
    }

    fn take(&mut self, question: Box<Question>) -> Result<(), MatteError> {
        let question = self.question.insert(question);
        self.saves_power = question.saves_power;
        match question.is_answered && question.life == self.life {
            true => self.verdict.learn(question),
            false => Ok(()),
        }
    }
}
