//! The program: command line, settings, the pipeline with its threads, start and stop.
#![forbid(unsafe_code)]
// Standard error may have no reader, or one that stands still: `log` bears that.
#![cfg_attr(
    not(any(test, feature = "fuzzing")),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

pub mod bus;
pub mod camera;
pub mod cli;
pub mod command;
pub mod config;
pub mod control;
mod demo;
mod failure;
pub(crate) mod faults;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod governor;
pub mod histogram;
mod lock;
pub mod log;
pub mod masks;
pub mod models;
pub mod pipeline;
mod pipewire;
mod power;
pub mod preview;
pub mod protocol;
pub mod recorder;
mod same_file;
pub mod scenes;
pub mod service;
pub mod session;
pub mod settings;
pub mod snapshot;
pub mod status;
pub mod terminal;
mod toml_file;

pub use failure::{RunFailed, exit_code};
