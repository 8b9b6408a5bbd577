//! What is shown instead?
//!
//! A [`Scene`] owns a [`Background`] and puts the person before it: one blend a plane, in the
//! room's own YUV. A new kind of background is one file in `background/` and one line in
//! [`BackgroundSpec`].
#![forbid(unsafe_code)]

mod background;
mod error;
mod placeholder;
mod scene;

pub use background::{Background, BackgroundSpec, Fit, Room};
pub use error::SceneError;
pub use placeholder::{placeholder, user_placeholder};
pub use scene::Scene;
