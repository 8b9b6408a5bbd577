use std::ops::Range;

use greenroom_frame::SizePx;

use crate::look::Look;
use crate::models::{SQUEEZE, SQUEEZE_OF_SECOND_LOOK, SQUEEZE_OF_WINDOWS, fitting};
use crate::refine::crop::{LEVELS, Window};

/// Which look takes what, for frames of one shape: places in the list of looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MaskFit {
    /// The whole frame. The mask of all that is shown, the *canvas*, has the size of its output.
    pub whole: usize,
    /// The whole frame again, more squeezed; the same where no other size is.
    pub again: usize,
    /// A window of each size.
    pub windows: [usize; LEVELS],
    /// Whether the frames are higher than wide.
    pub is_upright: bool,
}

impl MaskFit {
    /// The fit with the looks at `places` of `looks`.
    pub(super) fn new(looks: &[Look], places: Range<usize>, picture: SizePx) -> Self {
        let first = places.start;
        let sizes: Vec<SizePx> = looks[places].iter().map(|look| look.input.size()).collect();
        let of_window = |level| Window::size(level, picture);
        let fitting = |picture, squeeze| first + fitting(&sizes, picture, squeeze);
        Self {
            whole: fitting(picture, SQUEEZE),
            again: fitting(picture, SQUEEZE_OF_SECOND_LOOK),
            windows: std::array::from_fn(|level| fitting(of_window(level), SQUEEZE_OF_WINDOWS)),
            is_upright: picture.height_px > picture.width_px,
        }
    }
}
