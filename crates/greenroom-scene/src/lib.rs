//! What is shown instead?
//!
//! A [`Scene`] owns a [`Background`] and puts the person before it: one blend a plane, in the
//! room's own YUV. A new kind of background is one file in `background/` and one line in
//! [`BackgroundSpec`].
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

mod adapt;
mod background;
mod effect;
mod error;
mod foreground;
mod framing;
mod image_file;
mod layers;
mod light;
mod moment;
mod placeholder;
mod scene;
mod scene_format;
mod words;

pub use background::picture::image_to_planar;
pub use background::{
    Background, BackgroundSpec, Fit, LiveBackground, LivePictures, MattedFrame, NamedBackground,
    backgrounds_help, wait_for_readers,
};
pub use effect::{EffectSpec, Target, effects_help};
pub use error::SceneError;
pub use foreground::{Foreground, ForegroundSpec, Place};
pub use framing::FramingSpec;
pub use image_file::jpeg_is_whole;
pub use layers::{BackgroundLayer, Layer, Layers};
pub use light::LookSpec;
pub use moment::{Moment, Random};
pub use placeholder::{placeholder, user_placeholder};
pub use scene::{Reuse, Scene, SceneSpec};
pub use scene_format::{Pace, SceneFormat};
