//! The kernel's video interface: one small function an ioctl, and nothing believed unseen.
//!
//! `v4l2r` 0.0.8 was read and not taken: its `subscribe_event` accepts only its closed `EventType`,
//! which cannot name v4l2loopback's private event 0x10E00001, and building it needs libclang.
//!
//! [`raw`] holds the C structs, their sizes and offsets asserted at compile time; [`call`] the one
//! ioctl; [`queue`] and [`output`] the mappings, for reading and for writing; [`loopback_control`] the
//! ioctls of v4l2loopback's control device. These four are the only places in the crate with `unsafe`.
//! Everything that a driver answers goes through a conversion that checks it before it is used.

#[allow(unsafe_code)]
mod argument;
#[allow(unsafe_code)]
mod call;
mod colour;
mod device;
mod error;
mod event;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fake;
mod format;
mod fourcc;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
#[allow(unsafe_code)]
pub(crate) mod loopback_control;
mod modes;
#[allow(unsafe_code)]
mod output;
#[allow(unsafe_code)]
mod queue;
mod raw;

pub(crate) use device::{Caps, Device, Direction};
pub(crate) use error::V4l2Error;
pub(crate) use event::Event;
pub(crate) use format::StreamFormat;
pub use fourcc::FourCc;
pub use modes::{Rates, Sizes};
pub(crate) use queue::{Buffer, CaptureQueue, Dequeued};
