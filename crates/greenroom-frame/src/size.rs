//! A picture has a size in pixels.

use std::fmt;

mod check;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SizePx {
    /// Columns.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
}

impl SizePx {
    /// Longest side that greenroom handles; v4l2loopback's own limit is the same.
    pub const MAX_SIDE_PX: u32 = 8192;

    /// A size of `width_px` columns and `height_px` rows.
    pub const fn new(width_px: u32, height_px: u32) -> Self {
        Self { width_px, height_px }
    }

    /// Number of pixels.
    pub const fn area_px(self) -> u64 {
        self.width_px as u64 * self.height_px as u64
    }

    /// The size with an odd last row or column left out, as 4:2:x formats at the edges need it.
    pub const fn even(self) -> Self {
        Self::new(self.width_px & !1, self.height_px & !1)
    }
}

impl fmt::Display for SizePx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width_px, self.height_px)
    }
}
