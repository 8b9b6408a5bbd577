//! The kinds of background, a file each.

mod blur;
mod bokeh;
mod colour;
mod drift;
mod file;
mod gradient;
mod grammar;
mod kind;
mod live;
mod named;
mod none;
mod paint;
pub(crate) mod picture;
mod pixelate;
mod read_ahead;
mod room;
mod slideshow;
mod spec;
mod stars;
#[cfg(test)]
mod tests;
mod video;
mod watched;

use greenroom_frame::{Backdrop, FrameView, MatteView};

use crate::{Moment, SceneError};
pub use grammar::backgrounds_help;
pub use live::{LiveBackground, LivePictures};
pub use named::NamedBackground;
pub use read_ahead::wait_for_readers;
pub use spec::BackgroundSpec;

/// What a background may look at: the frame it stands in for and that frame's matte.
#[derive(Debug, Clone, Copy)]
pub struct MattedFrame<'a> {
    /// The camera's picture, planar.
    pub frame: FrameView<'a>,
    /// Where in it the person is.
    pub matte: MatteView<'a>,
}

/// Something to stand before.
pub trait Background: Send {
    /// The picture behind the person for this frame: of the frame's format, size and colour. Kept
    /// from the frame before where nothing changed; no memory is asked for in steady state.
    ///
    /// # Errors
    /// When the picture cannot be made for this format and size.
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError>;

    /// Whether [`behind`](Self::behind) gives the same picture for every frame of a format, size and
    /// colour.
    fn is_still(&self) -> bool {
        false
    }

    /// Goes on to the next picture, where there are several; `false` if there are not.
    fn next_picture(&mut self) -> bool {
        false
    }
}

/// How a picture of another shape is fitted into the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// Fills the frame; what stands out is cut off evenly. Nothing is distorted.
    #[default]
    Cover,
    /// All of the picture, with black bars. Nothing is distorted.
    Contain,
    /// All of the picture over all of the frame, distorted if need be.
    Stretch,
}
