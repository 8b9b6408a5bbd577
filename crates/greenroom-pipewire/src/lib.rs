//! Cameras on PipeWire: one of ours for other programs, without a kernel module, and those of others for us.
//!
//! [`PipewireCameras`] finds cameras and takes frames from one ([`Source`](greenroom_device::Source)); all of it is in
//! `input/`, and so is [`ScreenStream`], a screen that the desktop shows us. The rest is the camera that we make: [`PipewireOpener`] connects to the session's PipeWire and puts a node there that browsers, OBS and the camera portal
//! take for a webcam. The node is there while nobody watches it, as many programs look for cameras only once. What it
//! offers is the least that all readers agree on: one format with plain values, one block of shared memory per buffer.
//!
//! Everything happens on the thread that calls: libpipewire's loop is a descriptor to wait for
//! ([`Sink::audience_fd`](greenroom_device::Sink::audience_fd)), and is run without waiting in
//! [`Sink::audience`](greenroom_device::Sink::audience). `unsafe` is in `raw/` alone.
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

mod address;
mod clients;
mod connection;
mod error;
mod graph;
mod input;
mod opener;
mod params;
#[allow(unsafe_code)]
mod raw;
mod session;
mod sink;
mod timestamps;

pub use address::{is_running, may_run};
pub use error::PipewireError;
pub use input::{
    Doorkeeper, PipewireCameraInfo, PipewireCameras, ScreenStream, Wanted, is_not_running,
};
pub use opener::{PipewireCamera, PipewireOpener};
