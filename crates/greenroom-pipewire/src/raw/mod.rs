//! The edge to libpipewire that its Rust binding leaves unsafe: the memory of buffers, and the thread of a session.

mod buffers;
mod log;
mod movable;
mod received;

pub(crate) use buffers::{Buffers, Frame, Sent};
pub(crate) use log::be_quiet;
pub(crate) use movable::Movable;
pub(crate) use received::{Block, Copies, Received, newest};
