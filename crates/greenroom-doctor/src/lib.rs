//! What is wrong on this system, in the user's words: [`Facts`] and [`Evidence`] are read from files,
//! and [`findings()`] makes a list of [`Finding`]s of them. Nothing here changes the system or runs a
//! program.
//!
//! What no file tells (a camera's modes, FFmpeg's decoders, what the running greenroom answers) the
//! caller finds out and hands over as [`Probes`]. What is not known is [`Known::Unknown`], and a
//! finding that depends on it says so instead of guessing.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

mod check;
pub mod evidence;
mod finding;
mod report;
mod root;

pub use check::findings;
pub use evidence::{Evidence, Folders, Probes};
pub use finding::{Area, Finding, FindingId, Fix, Instruction, Severity, Verdict};
pub use greenroom_setup::{Facts, Known};
pub use report::Report;
