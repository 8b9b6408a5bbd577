//! Less work than a maker was made for: for machines that have no time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How much work a [`MatteMaker`](crate::MatteMaker) puts into frames; by default all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// The network is asked about one frame of so many at least; 1 or more. The masks of the others are
    /// [carried](MaskOrigin::Carried), as long as that is safe. From 2 on, frames with a cut head are looked at once.
    pub frames_per_inference: u32,
    /// The time between two questions to the second opinion is so many times as long; 1 or more.
    pub second_opinion_times: u32,
    /// What the network is given.
    pub input: Input,
}

impl Default for Effort {
    fn default() -> Self {
        Self { frames_per_inference: 1, second_opinion_times: 1, input: Input::Full }
    }
}

/// What a network is given of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Input {
    /// What its maker's quality says.
    #[default]
    Full,
    /// The same, but whole frames once, where some are looked at twice; and nobody is looked for who is lost or comes in.
    Once,
    /// An input of the quality [fast](crate::Quality::Fast), of a maker that [has one](crate::MatteMaker::governable).
    Small,
}

/// Where a mask comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskOrigin {
    /// The network was asked about this frame.
    Inferred,
    /// Nothing has moved since the network was asked, but perhaps inside of a person, away from their edge.
    Still,
    /// The mask of the frame before, moved along with a person who goes as a whole; see [`Effort`].
    Carried,
}

/// One inference: the network was asked about a frame. Frames whose masks are of the same inference show the same but for
/// noise, and for what moves inside of a person: nothing else that their thumbnails show has moved, and they are less than 0.5 s apart
/// (see [`MaskOrigin::Still`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InferenceId(u64);

impl InferenceId {
    /// Of another inference than all before, by whichever maker.
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// No mask is carried for longer: three frames at 30 fps.
const MOST_STALE: Duration = Duration::from_millis(120);
/// Nor when more than so many cells have changed for each cell that the mask's edge is long, summed over the frames since the
/// network was asked.
const MOST_CHANGED: f32 = 3.0;

/// What was carried since the network last looked.
#[derive(Debug, Default)]
pub(super) struct Carrying {
    /// When the frame was taken that it looked at; `None` before the first.
    looked_at: Option<Instant>,
    frames: u32,
    changed: f32,
}

impl Carrying {
    /// The network looks at the frame that was taken then.
    pub(super) fn look(&mut self, captured_at: Instant) {
        *self = Self { looked_at: Some(captured_at), frames: 0, changed: 0.0 };
    }

    /// Whether the mask of the frame that was taken at `captured_at` may be made of the one before. `changed` is what has changed
    /// since that at the mask's edge, see [`Smoother::changed_at_edge`](crate::refine::smooth::Smoother::changed_at_edge).
    pub(super) fn may_carry(
        &mut self,
        effort: Effort,
        changed: Option<f32>,
        captured_at: Instant,
    ) -> bool {
        let (Some(changed), Some(looked_at)) = (changed, self.looked_at) else { return false };
        let age = captured_at.checked_duration_since(looked_at);
        self.frames += 1;
        self.changed += changed;
        self.frames < effort.frames_per_inference
            && self.changed <= MOST_CHANGED
            && age.is_some_and(|age| age <= MOST_STALE)
    }
}
