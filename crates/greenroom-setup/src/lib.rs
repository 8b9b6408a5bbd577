//! How the virtual camera is set up on this system, and how that is undone: [`Facts`] are read from
//! files, [`plan()`] makes a [`Plan`] of them, and [`apply`] carries it out.
//!
//! The program shows the plan and asks. Its helper with root's rights takes only the [`Wish`] from
//! the user: it reads the facts and makes the plan itself. What runs programs and adds nodes is
//! handed to [`apply`], so that nothing here does it by itself.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

pub mod apply;
mod at_boot;
mod command;
mod distribution;
mod error;
pub mod facts;
pub mod files;
mod known;
mod ordinary;
pub mod plan;
mod version;
mod wish;

pub use at_boot::at_boot;
pub use command::Command;
pub use distribution::Distribution;
pub use error::SetupError;
pub use facts::{Facts, Session};
pub use known::Known;
pub use ordinary::open_ordinary;
pub use plan::{Plan, plan};
pub use version::{Generation, ModuleVersion, builds_for};
pub use wish::{Label, Wish};
