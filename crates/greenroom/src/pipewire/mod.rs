//! Cameras on PipeWire, ours and those of others: the crate `greenroom-pipewire`, where it is built in (feature `pipewire`).

use greenroom_device::CameraMode;

#[cfg(feature = "pipewire")]
mod built_in;
#[cfg(not(feature = "pipewire"))]
mod left_out;
#[cfg(feature = "pipewire")]
mod portal;
#[cfg(feature = "pipewire")]
mod screen;

#[cfg(feature = "pipewire")]
pub use built_in::{
    Cameras, Wanted, cameras, check_input, checked_name, is_not_running, is_running, is_sandboxed,
    list, may_run, opener,
};
#[cfg(not(feature = "pipewire"))]
pub use left_out::{
    Cameras, Screens, Wanted, cameras, check_input, checked_name, is_not_running, is_running,
    is_sandboxed, list, may_run, opener,
};
#[cfg(feature = "pipewire")]
pub use screen::Screens;

/// The camera's name unless the user gives another.
pub const NAME: &str = "greenroom";

/// A camera that PipeWire offers, for a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedCamera {
    /// The name of its node.
    pub node_name: String,
    /// What it is called for people.
    pub description: String,
    /// What PipeWire takes it from (`v4l2`, `libcamera`), or the program that makes it.
    pub from: Option<String>,
    /// What it offers.
    pub modes: Vec<CameraMode>,
}

/// Whether the user is asked which screen is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// Not for this: it shows whatever there is.
    Never,
    /// If none is shown.
    IfMissing,
    /// Also if one is shown: another may be wanted.
    Anew,
}
