//! What is a picture?
//!
//! Everything that passes between the rooms of greenroom is a [`FrameView`] (borrowed) or a
//! [`Frame`] (owned): bytes that know their pixel format, size, strides, colour and time of
//! capture. The working form inside the program is *planar* ([`PixelFormat::I420`] or
//! [`PixelFormat::I422`], whichever the camera's chroma already is); packed forms exist only at
//! the edges.
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

mod backdrop;
mod blend;
mod box_blur;
mod cells;
mod colour;
mod compose;
mod convert;
mod crop;
mod dither;
mod error;
mod fade;
mod format;
mod frame;
mod isa;
mod kernels;
mod layout;
mod matte_blocks;
mod overlay;
mod packed;
mod pool;
mod recolour;
mod rgb;
mod scale;
mod size;
mod tint;
mod view;

pub use backdrop::{Backdrop, ScaledPicture};
pub use blend::{MatteView, blend};
pub use box_blur::BoxBlur;
pub use cells::{Cells, CellsView};
pub use colour::{Colour, ColourMatrix, ColourRange, Rgb8, Yuv8};
pub use compose::{Compositor, Light};
pub use convert::{pack, unpack};
pub use crop::{FrameCropper, PartPx};
pub use dither::DitherScaler;
pub use error::FrameError;
pub use fade::fade;
pub use format::{Chroma, PixelFormat};
pub use frame::Frame;
pub use isa::{Isa, IsaKind};
#[doc(hidden)]
pub use kernels::fetch::fetch_below;
pub use layout::{FrameLayout, FrameShape, PlaneLayout};
pub use matte_blocks::{Known, MatteBlocks};
pub use overlay::overlay;
pub use packed::{BackdropId, PackedPicture};
pub use pool::{FramePool, PooledFrame};
pub use recolour::recolour;
pub use rgb::{RgbOrder, RgbView};
pub use scale::{FrameScaler, PlaneScaler};
pub use size::SizePx;
pub use tint::tint;
pub use view::{FrameView, FrameViewMut, Plane, PlaneMut};
