//! A [`BackgroundSpec`] says which background is wanted, and makes it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use greenroom_device::{ClipSource, Wake};
use greenroom_frame::Rgb8;

use super::kind::FileKind;
use super::named::{BackgroundKind, NamedBackground};
use super::picture::Picture;
use super::slideshow::{Slideshow, USUAL_TURN};
use super::video::Video;
use super::{Background, Fit, blur, bokeh, colour, drift, gradient, none, pixelate, stars};
use crate::words::Values;
use crate::{SceneError, SceneFormat};

/// Which background is wanted: the checked form of what a user writes.
#[derive(Clone, PartialEq)]
pub enum BackgroundSpec {
    /// `#rrggbb`
    Colour(Rgb8),
    /// `none`: the plain camera. Only ever by name, never as a fallback.
    None,
    /// Another word with its values, as `blur` or `gradient=#102030,#405060`.
    Named(NamedBackground),
    /// A path: PNG, JPEG or WebP.
    Picture(PathBuf),
    /// A path of anything else, a pattern of numbered pictures, or an address.
    Video(ClipSource),
    /// A path of a folder, or `slideshow=SECONDS,FOLDER`.
    Slideshow {
        /// Where the pictures are.
        folder: PathBuf,
        /// From one picture to the next, whole seconds, at least one.
        every: Duration,
    },
    /// `screen`: a screen or window that the user chooses. Whoever shows it on air makes its background
    /// ([`LiveBackground`](super::LiveBackground)).
    Screen,
}

/// All kinds that go by a name, in the order in which they are listed to users.
pub(super) static KINDS: [BackgroundKind; 6] =
    [blur::KIND, bokeh::KIND, pixelate::KIND, gradient::KIND, drift::KIND, stars::KIND];

impl BackgroundSpec {
    /// Every kind that needs no file, as its bare name makes it.
    pub fn every() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|kind| Self::Named(kind.bare()))
    }

    /// Makes the background; pictures are decoded here, whole, before anything uses them.
    ///
    /// # Errors
    /// When a picture cannot be read or decoded.
    pub fn build(
        &self,
        fit: Fit,
        scene_format: SceneFormat,
    ) -> Result<Box<dyn Background>, SceneError> {
        self.build_until(fit, scene_format, None)
    }

    /// As [`build`](Self::build), given up when `cancel` rings: a video at once, a picture when it
    /// is decoded.
    pub(crate) fn build_until(
        &self,
        fit: Fit,
        scene_format: SceneFormat,
        cancel: Option<&Wake>,
    ) -> Result<Box<dyn Background>, SceneError> {
        Ok(match self {
            BackgroundSpec::Colour(rgb) => Box::new(colour::Plain::new(*rgb)),
            BackgroundSpec::None => Box::new(none::PlainCamera),
            BackgroundSpec::Named(named) => (named.kind.make)(Values::new(&named.values)),
            // What is there now may be of another kind than what was there when this was written.
            BackgroundSpec::Picture(path) | BackgroundSpec::Video(ClipSource::File(path)) => {
                open_file(path, fit, scene_format, cancel)?
            }
            BackgroundSpec::Video(source) => {
                Box::new(Video::open(source, fit, scene_format, cancel)?)
            }
            BackgroundSpec::Slideshow { folder, every } => {
                Box::new(Slideshow::open(folder, *every, fit, scene_format)?)
            }
            BackgroundSpec::Screen => {
                return Err(SceneError::BadBackground(
                    "a screen can stand behind you on air only: greenroom run --background screen; choose another \
                     background here"
                        .to_owned(),
                ));
            }
        })
    }

    /// Whether a person before it would stand in another light than in the room: not in the room
    /// itself, and not before a plain colour, which others may key out.
    pub fn lights_the_person(&self) -> bool {
        match self {
            BackgroundSpec::Colour(_) | BackgroundSpec::None => false,
            BackgroundSpec::Named(named) => named.kind.room_rows.is_none(),
            BackgroundSpec::Picture(_)
            | BackgroundSpec::Video(_)
            | BackgroundSpec::Slideshow { .. }
            | BackgroundSpec::Screen => true,
        }
    }

    /// How much of the real room can be made out: rows of detail over a frame of `height_px`, all of
    /// them for `none`; `None` if the room is not shown at all. A mosaic has as many as it has rows
    /// of blocks, a blur two for each cycle that keeps half of its contrast.
    pub fn room_rows(&self, height_px: u32) -> Option<f32> {
        match self {
            BackgroundSpec::None => Some(height_px as f32),
            BackgroundSpec::Named(named) => {
                named.kind.room_rows.map(|rows| rows(Values::new(&named.values), height_px))
            }
            BackgroundSpec::Colour(_)
            | BackgroundSpec::Picture(_)
            | BackgroundSpec::Video(_)
            | BackgroundSpec::Slideshow { .. }
            | BackgroundSpec::Screen => None,
        }
    }

    /// Whether making it reads files or addresses, or asks the user: that may take seconds or for ever.
    pub fn needs_files(&self) -> bool {
        match self {
            BackgroundSpec::Colour(_) | BackgroundSpec::None | BackgroundSpec::Named(_) => false,
            BackgroundSpec::Picture(_)
            | BackgroundSpec::Video(_)
            | BackgroundSpec::Slideshow { .. }
            | BackgroundSpec::Screen => true,
        }
    }

    /// Whether it has more than one picture to go on to.
    pub fn is_slideshow(&self) -> bool {
        matches!(self, BackgroundSpec::Slideshow { .. })
    }

    /// Whether it has a time of its own.
    pub fn plays(&self) -> bool {
        matches!(self, BackgroundSpec::Video(_) | BackgroundSpec::Screen) || self.is_slideshow()
    }

    /// The file that is shown, if it is one. Folders are looked at by the slideshow itself.
    pub fn file(&self) -> Option<&Path> {
        match self {
            BackgroundSpec::Picture(path) | BackgroundSpec::Video(ClipSource::File(path)) => {
                Some(path)
            }
            _ => None,
        }
    }
}

/// Makes a background of the file at `path`, by what is in it now.
fn open_file(
    path: &Path,
    fit: Fit,
    scene_format: SceneFormat,
    cancel: Option<&Wake>,
) -> Result<Box<dyn Background>, SceneError> {
    Ok(match FileKind::of(path) {
        FileKind::Picture => Box::new(Picture::open(path, fit, scene_format.shape)?),
        FileKind::Folder => Box::new(Slideshow::open(path, USUAL_TURN, fit, scene_format)?),
        FileKind::AnimatedWebP | FileKind::Video => {
            Box::new(Video::open(&ClipSource::File(path.to_owned()), fit, scene_format, cancel)?)
        }
    })
}

impl Default for BackgroundSpec {
    /// `blur`: the room itself, out of focus, without the person.
    fn default() -> Self {
        Self::Named(KINDS[0].bare())
    }
}
