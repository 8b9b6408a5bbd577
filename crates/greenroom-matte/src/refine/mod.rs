//! From a network's mask to a matte: what a bare network leaves undone.
//!
//! | step | where | what |
//! |---|---|---|
//! | `crop` | [`MatteMaker`](crate::MatteMaker) | the network sees the person, not the room, when the person is small |
//! | `smooth` | [`MatteMaker`](crate::MatteMaker) | edges that stand still are calm |
//! | `guide` | [`Guide`] | the edge is laid where the picture has one |
//!
//! Each can be switched off by itself, and none of them asks for memory in steady state.

pub(crate) mod crop;
pub(crate) mod guide;
mod kernels;
pub(crate) mod smooth;

pub use guide::Guide;

use greenroom_frame::SizePx;

use crate::MatteError;
use crate::planes::SmallPlanes;

/// The steps that are taken; by default all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefineSteps {
    /// The network looks at a window around a person who is small in the picture.
    pub crop: bool,
    /// The mask is blended with the one before where nothing moves.
    pub smooth: bool,
    /// The matte's edge follows the edge in the picture.
    pub guide: bool,
}

impl RefineSteps {
    /// The bare network, enlarged.
    pub const NONE: Self = Self { crop: false, smooth: false, guide: false };
}

impl Default for RefineSteps {
    fn default() -> Self {
        Self { crop: true, smooth: true, guide: true }
    }
}

/// Cells that a picture is sketched in, about: 160x90 of a wide one.
const SKETCH_CELLS: f64 = 14_400.0;

/// An empty sketch for pictures of `size`: square cells of a whole number of pixels, 8 at 1280x720.
/// Of these, every other row is read, which costs half as much and nothing on the scoreboard.
pub(crate) fn sketch(size: SizePx) -> Result<SmallPlanes, MatteError> {
    let cell_px = ((size.area_px() as f64 / SKETCH_CELLS).sqrt().round() as u32).max(1);
    let cells = SizePx::new(size.width_px.div_ceil(cell_px), size.height_px.div_ceil(cell_px));
    Ok(SmallPlanes::new(cells)?.of_every_row(cell_px / 4))
}
