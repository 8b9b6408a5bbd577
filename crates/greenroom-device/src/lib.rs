//! Where do pictures come from and go to?
//!
//! A [`Source`] fills planar frames; a [`Sink`] takes frames of exactly its own format. Each kind
//! is one file (or folder) and one line where its kind is listed. This crate is the
//! only room with ioctls; `unsafe` lives in its `v4l2` folder alone.
#![deny(unsafe_code)]

mod error;
mod mjpeg;
mod sink;
mod source;
mod wake;

pub use error::DeviceError;
pub use mjpeg::{MjpegData, MjpegDecoder};
pub use sink::{Sink, SinkMode};
pub use source::{Codec, FrameRate, Next, Source, SourceMode, TakenFrame};
pub use wake::Wake;
