//! The camera on PipeWire, with a PipeWire and a WirePlumber of the test's own.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "faults")]
mod faults;
mod input;
mod made_camera;
mod made_screen;
mod own_camera;
mod reader;
mod restarts;
mod screen;
mod session;
mod streams;
mod trouble;
