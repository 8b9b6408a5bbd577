//! What a foreign mask may show: nothing that greenroom's own network is sure is room.
//!
//! A mask is *foreign* when a mask server sent it or a user's model made it. [`RoomGuard`] runs a built-in network on the
//! same camera, compares, and cuts; [`Guarded`](guarded::Guarded) lets the built-in network take over from a model that
//! disagrees.

mod comparison;
mod grid;
mod guarded;

use std::time::{Duration, Instant};

use greenroom_frame::{Frame, FrameView};

pub use self::comparison::Comparison;
use self::grid::Grid;
use crate::{MatteError, MatteMaker, Model, RefineSteps};

/// Frames from one look of the built-in network to the next, while masks agree with it.
const LOOK_EVERY_FRAMES: u32 = 4;
/// The same as a time, for cameras with less than 30 frames a second.
const LOOK_EVERY: Duration = Duration::from_millis(130);
/// After a reset the built-in network looks at each of so many frames.
const FIRST_LOOKS: u32 = 8;
/// Share of the picture that a mask may show where there was room at the last look. What shows more has this very frame
/// looked at: a person who moves is not cut by where they were.
const LOOK_AGAIN: f32 = 1.0 / 2000.0;

/// Compares foreign masks with what a built-in network sees in the same frames, and cuts out of them what is surely room.
///
/// The network looks at one frame in four; at every frame after a [`reset`](Self::reset); and at once at the frame whose
/// mask shows what was room at the last look. So a mask that turns bad is found out in its first frame.
#[derive(Debug)]
pub struct RoomGuard {
    network: MatteMaker,
    grid: Grid,
    /// When the frame that was looked at last was taken; `None` after a reset.
    looked_at: Option<Instant>,
    frames_since: u32,
    first_looks_left: u32,
}

impl RoomGuard {
    /// A guard with a built-in network.
    ///
    /// # Errors
    /// Those of [`MatteMaker::new`]; the built-in files pass.
    pub fn new() -> Result<Self, MatteError> {
        let steps = RefineSteps { exposure: true, ..RefineSteps::NONE };
        Ok(Self::with_network(MatteMaker::new(Model::General)?.refined(steps)?))
    }

    /// A guard with another network, which has to be as trustworthy as a built-in one.
    pub fn with_network(network: MatteMaker) -> Self {
        let grid = Grid::new(network.description().output_size);
        Self { network, grid, looked_at: None, frames_since: 0, first_looks_left: FIRST_LOOKS }
    }

    /// The next frame has nothing to do with those before.
    pub fn reset(&mut self) {
        self.network.reset();
        self.looked_at = None;
        self.first_looks_left = FIRST_LOOKS;
    }

    /// Runs the network on `frame`, which is planar.
    ///
    /// # Errors
    /// As [`MatteMaker::matte`].
    pub fn look(&mut self, frame: &FrameView<'_>) -> Result<(), MatteError> {
        let alpha = self.network.matte(frame)?;
        self.grid.learn(alpha);
        self.looked_at = Some(frame.captured_at());
        self.frames_since = 0;
        self.first_looks_left = self.first_looks_left.saturating_sub(1);
        Ok(())
    }

    /// Runs the network on `frame` if it is time to.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn look_if_due(&mut self, frame: &FrameView<'_>) -> Result<(), MatteError> {
        self.frames_since += 1;
        let is_due = match self.looked_at {
            None => true,
            // Also when the clock went back: another camera.
            Some(at) => {
                frame.captured_at().checked_duration_since(at).is_none_or(|age| age >= LOOK_EVERY)
            }
        };
        match is_due || self.first_looks_left > 0 || self.frames_since >= LOOK_EVERY_FRAMES {
            true => self.look(frame),
            false => Ok(()),
        }
    }

    /// What `alpha`, grey and of any size, shows by the last look.
    pub fn compare(&mut self, alpha: &Frame) -> Comparison {
        self.grid.compare(alpha)
    }

    /// Cuts out of `alpha`, the mask of `frame`, what is surely room; the caller has had the guard
    /// [look](Self::look_if_due) at this frame if it was due. Looks (again) at this very frame where that decides.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn cut(
        &mut self,
        frame: &FrameView<'_>,
        alpha: &mut Frame,
    ) -> Result<Comparison, MatteError> {
        let mut found = self.grid.compare(alpha);
        let is_fresh = self.looked_at == Some(frame.captured_at()) && self.frames_since == 0;
        if !is_fresh && (found.room > LOOK_AGAIN || !found.agrees()) {
            self.look(frame)?;
            found = self.grid.compare(alpha);
        }
        self.grid.cut(alpha);
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
