//! Cameras on PipeWire: the crate `greenroom-pipewire`, where it is built in (feature `pipewire`).

#[cfg(feature = "pipewire")]
mod built_in;
#[cfg(not(feature = "pipewire"))]
mod left_out;

#[cfg(feature = "pipewire")]
pub use built_in::{checked_name, is_running, may_run, opener};
#[cfg(not(feature = "pipewire"))]
pub use left_out::{checked_name, is_running, may_run, opener};

/// The camera's name unless the user gives another.
pub const NAME: &str = "greenroom";
