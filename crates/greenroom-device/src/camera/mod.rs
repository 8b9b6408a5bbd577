//! Real cameras, by V4L2.

mod capture;
mod clock;
mod decoder;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod identity;
mod info;
mod mode;
mod opening;
mod stream;

pub use capture::V4l2Camera;
pub use clock::instant_of;
pub use decoder::{CameraBytes, CameraDecoder, Decoded};
pub use identity::CameraIdentity;
pub(crate) use identity::Fit;
pub use info::{CameraInfo, listed_rates, sizes_in};
pub use mode::{CameraMode, ModeChoice, choose_mode};
pub(crate) use opening::not_fed;
