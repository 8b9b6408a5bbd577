use std::time::Instant;

use greenroom_frame::{Colour, Frame, PixelFormat, PlaneScaler};

use super::effort::{Effort, Input};
use super::upper_border::UpperBorder;
use crate::MatteError;
use crate::look::Look;

/// Joins two looks at the same frame, in different sizes: what one of them sees by mistake counts half.
///
/// Of a picture that is squeezed more, a network sees more of who is half out of it, and more persons in furniture.
pub(super) struct SecondLook {
    scaler: PlaneScaler,
    /// The second look's alpha, at the first one's size.
    scaled: Frame,
    /// All whole frames are looked at twice, not only those that show a head that is cut by the upper border.
    is_for_all: bool,
    upper_border: UpperBorder,
    /// Whether the frame before was looked at as a whole.
    was_whole: bool,
}

impl SecondLook {
    /// # Errors
    /// [`MatteError::Frame`] if one of them has no usable size.
    pub(super) fn new(second: &Look, first: &Look, is_for_all: bool) -> Result<Self, MatteError> {
        let size = first.alpha.size();
        Ok(Self {
            scaler: PlaneScaler::new(second.alpha.size(), size)?,
            scaled: Frame::new(PixelFormat::Grey, size, Colour::JPEG)?,
            is_for_all,
            upper_border: UpperBorder::default(),
            was_whole: false,
        })
    }

    /// The next frame has nothing to do with those before.
    pub(super) fn reset(&mut self) {
        (self.upper_border, self.was_whole) = (UpperBorder::default(), false);
    }

    /// Whether all whole frames are looked at twice.
    pub(super) fn is_for_all(&self) -> bool {
        self.is_for_all
    }

    /// Whether the next frame, which was captured `at` this time and is looked at as a whole or not, is to be looked at twice with
    /// that `effort`. If only cut heads are, a whole frame between those with a window is not: it is to find who comes, and would
    /// differ from its neighbours.
    pub(super) fn is_due(&mut self, is_whole: bool, at: Instant, effort: Effort) -> bool {
        let was_whole = std::mem::replace(&mut self.was_whole, is_whole);
        let has_cut_head = was_whole && self.upper_border.is_reached(at);
        let is_wanted = self.is_for_all || (has_cut_head && effort.frames_per_inference == 1);
        is_whole && is_wanted && effort.input == Input::Full
    }

    /// Takes in the first look at a whole frame that was captured `at` this time. The second one has no say in whether there is another:
    /// it would keep what it alone sees.
    pub(super) fn learn(&mut self, first: &Look, at: Instant) {
        self.upper_border.learn(&first.alpha, at);
    }

    /// Makes the alpha of `first` the mean of both.
    pub(super) fn join(&mut self, second: &Look, first: &mut Look) {
        let scaled = &mut self.scaled;
        self.scaler.scale(second.alpha.view().plane(0), &mut scaled.view_mut().plane_mut(0));
        for (level, other) in first.alpha.bytes_mut().iter_mut().zip(scaled.bytes()) {
            *level = level.midpoint(*other);
        }
    }
}
