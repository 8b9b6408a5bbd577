//! Fake cameras: nodes of the kernel module v4l2loopback, written to.

mod control;
mod dialect;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod info;
mod opener;
mod reader_watch;
mod readers;
mod sink;
mod state;
mod timeout;

use std::path::Path;

use crate::node_name::sysfs_of;
use crate::v4l2::Caps;

pub use control::{LoopbackControl, LoopbackNode};
pub use dialect::{Dialect, ModuleVersion};
pub use info::{LoopbackInfo, LoopbackTraits};
pub use opener::LoopbackOpener;
pub use sink::LoopbackSink;
pub use state::LoopbackState;

/// Whether a node is one of v4l2loopback. Its driver name says it at all times; whether it can
/// output just now does not.
pub(crate) fn is_loopback(caps: &Caps) -> bool {
    caps.driver == "v4l2 loopback"
}

/// As [`is_loopback`], for a node that may not be opened: only v4l2loopback's have this attribute.
pub(crate) fn is_loopback_by_sysfs(node: &Path) -> bool {
    sysfs_of(node).is_some_and(|sysfs| sysfs.join("max_openers").exists())
}
