//! A size may be none that greenroom handles, and a text none at all.

use std::str::FromStr;

use crate::{FrameError, SizePx};

impl SizePx {
    /// The same size, if it is one that greenroom handles.
    ///
    /// # Errors
    /// [`FrameError::BadSize`] if a side is 0 or above [`Self::MAX_SIDE_PX`].
    pub const fn checked(self) -> Result<Self, FrameError> {
        let ok = self.width_px >= 1
            && self.height_px >= 1
            && self.width_px <= Self::MAX_SIDE_PX
            && self.height_px <= Self::MAX_SIDE_PX;
        if ok { Ok(self) } else { Err(FrameError::BadSize { size: self }) }
    }

    /// How much there is of a part of this size, which begins at `left_px`, `top_px` of a picture of size `whole`; `None` if
    /// nothing is.
    pub fn within(self, (left_px, top_px): (u32, u32), whole: Self) -> Option<Self> {
        let within = |start: u32, len: u32, whole: u32| len.min(whole.saturating_sub(start));
        let width_px = within(left_px, self.width_px, whole.width_px);
        let height_px = within(top_px, self.height_px, whole.height_px);
        Self::new(width_px, height_px).checked().ok()
    }
}

impl FromStr for SizePx {
    type Err = FrameError;

    fn from_str(text: &str) -> Result<Self, FrameError> {
        let not_a_size = || FrameError::NotASize(text.to_owned());
        let (width, height) = text.split_once(['x', 'X']).ok_or_else(not_a_size)?;
        let side = |side: &str| side.trim().parse().map_err(|_| not_a_size());
        SizePx::new(side(width)?, side(height)?).checked()
    }
}
