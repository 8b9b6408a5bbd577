//! How the virtual camera is set up on this system, and how that is undone: [`Facts`] are read from
//! files, and [`plan()`] makes a [`Plan`] of them. Nothing here changes the system or runs a program.
//!
//! The program (the next layer) shows the plan, asks, and carries it out. Its helper with root's
//! rights takes only the [`Wish`] from the user: it reads the facts and makes the plan itself.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

mod command;
mod distribution;
mod error;
pub mod facts;
pub mod files;
mod known;
pub mod plan;
mod version;
mod wish;

pub use command::Command;
pub use distribution::Distribution;
pub use error::SetupError;
pub use facts::{Facts, Session};
pub use known::Known;
pub use plan::{Plan, plan};
pub use version::{Generation, ModuleVersion};
pub use wish::{Label, Wish};
