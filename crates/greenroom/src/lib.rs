//! The program: command line, settings, the pipeline with its threads, start and stop.
#![forbid(unsafe_code)]

pub mod cli;
pub mod command;
mod demo;
mod failure;
pub mod pipeline;
pub mod settings;

pub use failure::{RunFailed, exit_code};
