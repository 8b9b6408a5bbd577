//! Where do pictures come from and go to?
//!
//! A [`Source`] fills planar frames; a [`Sink`] takes frames of exactly its own format. Each kind
//! is one file (or folder) and one line where its kind is listed. This crate is the
//! only room with ioctls; `unsafe` lives in its `v4l2` folder and, for what a child does before it
//! runs, in `ffmpeg/guard.rs` alone.
#![deny(unsafe_code)]
#![cfg_attr(
    not(any(test, feature = "fuzzing")),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

mod access;
mod address;
mod audience;
mod camera;
mod clip;
mod error;
mod ffmpeg;
mod file;
mod file_refusal;
mod file_watch;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod holder;
mod leftover;
mod list;
mod loopback;
mod mjpeg;
mod node;
mod node_name;
mod node_watch;
mod pick;
mod printable;
mod sink;
mod source;
mod test_picture;
mod v4l2;
mod wake;

pub use audience::Audience;
pub use camera::{
    CameraBytes, CameraDecoder, CameraIdentity, CameraInfo, CameraMode, Decoded, ModeChoice,
    V4l2Camera, choose_mode, instant_of, listed_rates, sizes_in,
};
pub use clip::{Clip, ClipFit, ClipNext, ClipReader, ClipSource};
pub use error::DeviceError;
pub use ffmpeg::{ask_program, decoders, tie_to_this_thread};
pub use file::{
    FileReader, FileTarget, Film, PartFile, Playback, QueuedSink, Sound, check_target,
    open_file_sink, open_null_sink, open_recording_sink,
};
pub use file_watch::{FileChanges, FileStamp, FileWatch};
pub use holder::Holder;
pub use leftover::{Leftover, end_leftovers};
pub use list::{
    Devices, RefusedNode, devices, find_camera, find_camera_again, find_loopback, names_a_device,
    own_loopbacks,
};
pub use loopback::{
    Dialect, LoopbackControl, LoopbackInfo, LoopbackNode, LoopbackOpener, LoopbackSink,
    LoopbackState, LoopbackTraits, ModuleVersion,
};
pub use mjpeg::{JpegEncoder, MjpegData, MjpegDecoder, RgbPicture};
pub use node::NO_BANDWIDTH;
pub use node_watch::NodeWatch;
pub use pick::{loopback_command, pick_card};
pub use printable::{is_printable, printable, without_secrets};
pub use sink::{Sink, SinkMode, SinkOpener};
pub use source::{Codec, FrameRate, Next, PassedOver, Source, SourceMode, SourceOpener};
pub use test_picture::TestPicture;
pub use v4l2::{FourCc, Rates, Sizes};
pub use wake::{Wake, wait_readable};
