//! From a network's mask to a matte: what a bare network leaves undone.
//!
//! | step | where | what |
//! |---|---|---|
//! | `exposure` | [`MatteMaker`](crate::MatteMaker) | the network sees dark pictures and persons against the light brighter |
//! | `denoise` | [`MatteMaker`](crate::MatteMaker) | the networks see noisy pictures without most of their noise |
//! | `crop` | [`MatteMaker`](crate::MatteMaker) | the network sees the person, not the room, when the person is small; and once more where somebody is lost or comes in, or is cut by the upper border |
//! | `islands` | [`MatteMaker`](crate::MatteMaker) | what floats beside a person is dropped where the network is unsure |
//! | `second_opinion` | [`MatteMaker`](crate::MatteMaker) | what a large network is sure is room is struck out, and what both are unsure of |
//! | `raise` | [`MatteMaker`](crate::MatteMaker) | hair that the network is half sure of stays |
//! | `smooth` | [`MatteMaker`](crate::MatteMaker) | edges that stand still are calm, and those of who goes as a whole |
//! | `plain` | [`MatteMaker`](crate::MatteMaker) | none by default: threshold, wider or narrower, box blur, running average |
//! | `key` | [`ScreenKey`] | before a screen of one colour, the screen decides; none by default |
//! | `guide` | [`Guide`] | the edge is laid where the picture has one |
//! | `spill` | [`Guide`] | at the edge the person has their own colour, not the old room's |
//!
//! Each can be switched off by itself, and none of them asks for memory in steady state.

pub(crate) mod around;
pub(crate) mod component_filter;
pub(crate) mod components;
pub(crate) mod crop;
pub(crate) mod entry;
pub(crate) mod guide;
mod kernels;
mod key;
pub(crate) mod lost;
mod motion;
pub(crate) mod plain;
pub(crate) mod raise;
pub(crate) mod smooth;
mod spill;
pub(crate) mod thumbnails;

pub use guide::Guide;
pub use key::{KeyColour, ScreenKey};
pub use plain::PlainSteps;

use greenroom_frame::SizePx;

use crate::Quality;

/// Whom a matte shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum People {
    /// Everyone.
    #[default]
    All,
    /// One person, the same one as long as they can be followed: the largest and most central one at
    /// first. Others are room, but for those whose masks touch.
    Main,
}

/// The steps that are taken; by default all but the plain filters, and everyone is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RefineSteps {
    /// The network looks at a window around a person who is small in the picture.
    pub crop: bool,
    /// The network sees dark pictures, and persons against the light, brighter than they are.
    pub exposure: bool,
    /// The networks see noisy pictures without most of their noise.
    pub denoise: bool,
    /// What floats beside a person is dropped where the network is unsure.
    pub islands: bool,
    /// Whom the matte shows.
    pub people: People,
    /// How much work goes into it; of a built-in model.
    pub quality: Quality,
    /// Half-sure samples count as a little more person; for masks of probabilities.
    pub raise: bool,
    /// What a second network is sure is room is struck out, and what both networks are unsure of; it is asked once in some
    /// seconds.
    pub second_opinion: bool,
    /// The mask is blended with the one before where nothing moves, or all of a person does.
    pub smooth: bool,
    /// The colour of the screen that the person is before; `None`: there is none.
    pub key: Option<KeyColour>,
    /// The matte's edge follows the edge in the picture.
    pub guide: bool,
    /// The old room's colour is taken out of the edge; only with `guide`.
    pub spill: bool,
    /// Plain filters over the mask.
    pub plain: PlainSteps,
}

impl RefineSteps {
    /// The bare network, enlarged.
    pub const NONE: Self = Self {
        crop: false,
        exposure: false,
        denoise: false,
        islands: false,
        people: People::All,
        quality: Quality::Balanced,
        raise: false,
        second_opinion: false,
        smooth: false,
        key: None,
        guide: false,
        spill: false,
        plain: PlainSteps { threshold: None, grow: 0.0, feather: 0.0, average: 0.0 },
    };
}

impl Default for RefineSteps {
    fn default() -> Self {
        let people = People::All;
        Self {
            crop: true,
            exposure: true,
            denoise: true,
            islands: true,
            people,
            raise: true,
            second_opinion: true,
            smooth: true,
            guide: true,
            spill: true,
            ..Self::NONE
        }
    }
}

/// Cells that pictures are made small in, about: 160x90 of a wide one, 8 pixels wide at 1280x720.
const THUMBNAIL_CELLS: f64 = 14_400.0;

/// The size of a thumbnail of a picture, in square cells of a whole number of pixels; and of how many of
/// the picture's rows one is read. Two for a cell: the rest costs time and gains nothing on the
/// scoreboard.
fn thumbnail_grid(picture: SizePx) -> (SizePx, u32) {
    let cell_px = ((picture.area_px() as f64 / THUMBNAIL_CELLS).sqrt().round() as u32).max(1);
    let cells = [picture.width_px, picture.height_px].map(|side_px| side_px.div_ceil(cell_px));
    (SizePx::new(cells[0], cells[1]), (cell_px / 2).max(1))
}
