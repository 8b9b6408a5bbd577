//! Cameras that PipeWire offers, as a source of frames.
//!
//! [`CameraSession`] is one connection: the cameras that the registry tells of, what each says of itself and its formats
//! ([`facts`], [`formats`]), and the stream from the chosen one. [`PipewireCameras`] opens such a connection whenever
//! somebody wants to see the cameras or one of them, and [`source`] takes frames from it: the newest wins, what a buffer says
//! of itself is checked ([`chunk`]), and decoding is greenroom-device's, as for V4L2. [`screen`] takes a screen in the same
//! way, over a connection of the desktop's portal.

mod cameras;
mod chunk;
mod facts;
mod formats;
mod listeners;
mod offers;
mod screen;
mod session;
mod source;
mod stream;

pub use cameras::{Doorkeeper, PipewireCameras, is_not_running};
pub use facts::{PipewireCameraInfo, Wanted};
pub use screen::ScreenStream;
pub(crate) use session::CameraSession;
