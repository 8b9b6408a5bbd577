//! Fake cameras: nodes of the kernel module v4l2loopback, written to.

mod dialect;
mod info;
mod sink;
mod state;

use crate::v4l2::Caps;

pub use dialect::{Dialect, ModuleVersion};
pub use info::LoopbackInfo;
pub use sink::LoopbackSink;
pub use state::LoopbackState;

/// Whether a node is one of v4l2loopback. Its driver name says it at all times; whether it can
/// output just now does not.
pub(crate) fn is_loopback(caps: &Caps) -> bool {
    caps.driver == "v4l2 loopback"
}
