//! The kinds of background, a file each.

mod blur;
mod colour;
mod none;
pub(crate) mod picture;

use std::path::PathBuf;
use std::str::FromStr;

use greenroom_frame::{FrameView, MatteView, Rgb8};

use crate::SceneError;

/// What a background may look at: the frame it stands in for and that frame's matte.
#[derive(Debug, Clone, Copy)]
pub struct Room<'a> {
    /// The camera's picture, planar.
    pub frame: FrameView<'a>,
    /// Where in it the person is.
    pub matte: MatteView<'a>,
}

/// Something to stand before.
pub trait Background: Send {
    /// The picture behind the person for this frame: of the room's format, size and colour. Kept
    /// from the frame before where nothing changed; no memory is asked for in steady state.
    ///
    /// # Errors
    /// When the picture cannot be made for this format and size.
    fn behind<'a>(&'a mut self, room: &Room<'a>) -> Result<FrameView<'a>, SceneError>;
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

/// Which background is wanted: the checked form of what a user writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackgroundSpec {
    /// `#rrggbb`
    Colour(Rgb8),
    /// `blur`: the room itself, out of focus, without the person.
    Blur,
    /// `none`: the plain camera. Only ever by name, never as a fallback.
    None,
    /// A path: PNG, JPEG or WebP.
    Picture(PathBuf),
}

impl BackgroundSpec {
    /// Makes the background; pictures are decoded here, whole, before anything uses them.
    ///
    /// # Errors
    /// When a picture cannot be read or decoded.
    pub fn build(&self, fit: Fit) -> Result<Box<dyn Background>, SceneError> {
        Ok(match self {
            BackgroundSpec::Colour(rgb) => Box::new(colour::Plain::new(*rgb)),
            BackgroundSpec::Blur => Box::new(blur::Blur::default()),
            BackgroundSpec::None => Box::new(none::PlainCamera),
            BackgroundSpec::Picture(path) => Box::new(picture::Picture::open(path, fit)?),
        })
    }
}

impl FromStr for BackgroundSpec {
    type Err = SceneError;

    /// `blur`, `none` and `#rrggbb` are what they say, also when files of those names exist
    /// (`./blur` names the file); anything else must be a path that exists.
    fn from_str(text: &str) -> Result<Self, SceneError> {
        match text {
            "blur" => return Ok(BackgroundSpec::Blur),
            "none" => return Ok(BackgroundSpec::None),
            _ if text.starts_with('#') => return Ok(BackgroundSpec::Colour(text.parse()?)),
            _ => {}
        }
        let path = PathBuf::from(text);
        if !path.exists() {
            return Err(SceneError::UnknownBackground(text.to_owned()));
        }
        Ok(BackgroundSpec::Picture(path))
    }
}

/// Whether a kept picture is still of the room's format, size and colour.
fn fits(kept: &greenroom_frame::Frame, room: FrameView<'_>) -> bool {
    (kept.format(), kept.size(), kept.colour()) == (room.format(), room.size(), room.colour())
}
