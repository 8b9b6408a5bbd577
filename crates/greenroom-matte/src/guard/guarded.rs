use greenroom_frame::{Frame, FrameView};

use super::RoomGuard;
use super::comparison::Comparison;
use crate::maker::Supervisor;
use crate::{MatteError, MatteMaker};

/// Frames that a model has to agree again before it is used again, after it disagreed; twice as many each time.
const FIRST_PROBATION_FRAMES: u32 = 8;
const LONGEST_PROBATION_FRAMES: u32 = 512;
/// After so many frames in which a model agreed, it has a clean record.
const FORGIVEN_AFTER_FRAMES: u32 = 1024;

/// Holds a user's model to what a built-in network sees, and lets the built-in one take over while they disagree.
#[derive(Debug)]
pub(super) struct Guarded {
    guard: RoomGuard,
    own: MatteMaker,
    /// The masks show one of several persons, and may leave out others who are surely there.
    shows_one_person: bool,
    trust: Trust,
}

impl MatteMaker {
    /// Holds the alpha to what a built-in network sees, from now on: for engines that are foreign. What that network is
    /// sure is room is cut out, and `own`, a maker with a built-in network, takes over where the two disagree; then
    /// [`matte`](Self::matte) gives an alpha of `own`'s size.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn guarded(self, own: MatteMaker) -> Result<Self, MatteError> {
        let guarded = Guarded::new(own, self.shows_one_person())?;
        Ok(self.supervised(Box::new(guarded)))
    }
}

/// Whether a model's masks are used, counted in frames.
#[derive(Debug)]
struct Trust {
    /// Frames in which the model has yet to agree before it is used again.
    probation: u32,
    next_probation: u32,
    agreed: u32,
}

impl Trust {
    fn new() -> Self {
        Self { probation: 0, next_probation: FIRST_PROBATION_FRAMES, agreed: 0 }
    }

    /// Takes note of a frame; whether its mask may be used.
    fn note(&mut self, agrees: bool) -> bool {
        if !agrees {
            self.probation = self.next_probation;
            self.next_probation = (2 * self.next_probation).min(LONGEST_PROBATION_FRAMES);
            self.agreed = 0;
            return false;
        }
        self.agreed = self.agreed.saturating_add(1);
        if self.agreed >= FORGIVEN_AFTER_FRAMES {
            self.next_probation = FIRST_PROBATION_FRAMES;
        }
        let is_trusted = self.probation == 0;
        self.probation = self.probation.saturating_sub(1);
        is_trusted
    }
}

impl Guarded {
    fn new(own: MatteMaker, shows_one_person: bool) -> Result<Self, MatteError> {
        Ok(Self { guard: RoomGuard::new()?, own, shows_one_person, trust: Trust::new() })
    }
}

impl Supervisor for Guarded {
    fn reset(&mut self) {
        self.guard.reset();
        self.own.reset();
    }

    /// Cuts what is surely room out of `alpha`, the mask of `frame` by the model `name`. The built-in network's alpha,
    /// if that is to be used in its place.
    fn overrule(
        &mut self,
        name: &str,
        frame: &FrameView<'_>,
        alpha: &mut Frame,
    ) -> Result<Option<&Frame>, MatteError> {
        let was_trusted = self.trust.probation == 0;
        match was_trusted {
            true => self.guard.look_if_due(frame)?,
            false => self.guard.look(frame)?,
        }
        let found = self.guard.cut(frame, alpha)?;
        let agrees = found.agrees() || self.shows_one_person && !found.shows_room();
        if self.trust.note(agrees) {
            return Ok(None);
        }
        if was_trusted {
            tell(name, &found);
            // What it remembers is of long ago.
            self.own.reset();
        } else if self.trust.probation == 0 {
            tracing::info!("model {name:?}: agrees with the built-in network again, and is used");
        }
        self.own.matte(frame).map(Some)
    }
}

fn tell(name: &str, found: &Comparison) {
    let percent = |share: f32| (100.0 * share).round();
    if found.shows_room() {
        tracing::warn!(
            "model {name:?}: shows {} % of the picture where the built-in network sees room; the \
             built-in network takes over (`greenroom model check` tells more)",
            percent(found.room.max(found.doubtful))
        );
    } else {
        tracing::warn!(
            "model {name:?}: misses the person, who is {} % of the picture for the built-in \
             network; the built-in network takes over (`greenroom model check` tells more)",
            percent(found.person)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_disagrees_waits_longer_each_time() {
        let mut trust = Trust::new();
        assert!((0..100).all(|_| trust.note(true)));
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(!trust.note(false));
            waits.push((0..).take_while(|_| !trust.note(true)).count());
        }
        assert_eq!(waits, [8, 16, 32, 64, 128, 256, 512, 512]);
        // One in ten that disagrees keeps it out for good.
        assert!((0..10_000).all(|frame| frame % 10 != 0 || !trust.note(false)));
        assert!(!trust.note(true));
        while !trust.note(true) {}
        assert!((0..FORGIVEN_AFTER_FRAMES).all(|_| trust.note(true)));
        assert!(!trust.note(false));
        assert_eq!((0..).take_while(|_| !trust.note(true)).count(), 8);
    }
}
