//! The picture that v4l2loopback shows by itself when nothing was written for a while: its controls
//! `timeout` and `timeout_image_io`.
//!
//! From 0.14 on a reader cannot begin to stream while nobody writes (EIO), and Chromium begins anew
//! when no picture came for one second: after a crash the call's camera would be gone for good. With
//! a time-out it gets our placeholder until the next greenroom is there. Before 0.14 a reader may
//! begin anew, so there it is not needed; and there it would be dangerous, since the driver frees the
//! picture when the last program has closed the node and may show it to the next reader all the same.

use tracing::debug;

use crate::node::Node;
use crate::v4l2::{Device, V4l2Error};

/// Control `timeout`: milliseconds without a picture, 0 for never.
const CONTROL_TIMEOUT: u32 = 0x0098_f902;
/// Control `timeout_image_io`, a button: whoever opens the node next gets the time-out picture
/// instead of the buffers.
const CONTROL_TIMEOUT_IMAGE_IO: u32 = 0x0098_f903;
/// More than a watched output is ever without a picture (300 ms), and less than Chromium's patience
/// (1000 ms), also with a second such time on top. An uncommon number, by which what a killed
/// greenroom has left behind is recognised.
const TIMEOUT_MS: i32 = 443;

/// A node whose time-out picture is ours. It is shown only while somebody watches.
#[derive(Debug)]
pub(super) struct TimeoutPicture {
    is_on: bool,
}

impl TimeoutPicture {
    /// Stores `picture`, a frame in the node's format. `None` if somebody else has set a time-out:
    /// it stays theirs.
    pub(super) fn store(node: &Node, picture: &[u8]) -> Result<Option<Self>, V4l2Error> {
        let before_ms = node.device.control(CONTROL_TIMEOUT)?;
        if ![0, TIMEOUT_MS].contains(&before_ms) {
            debug!("{}: it has a time-out already, of {before_ms} ms", node.name());
            return Ok(None);
        }
        // Should we be killed between these calls: the driver takes the button back when somebody
        // asks for buffers or a format, which the next greenroom does.
        node.device.set_control(CONTROL_TIMEOUT_IMAGE_IO, 1)?;
        let filler = Device::open(&node.path)?;
        // The node's own buffers begin at 0, the time-out picture lies behind all that there can be.
        let is_stored = filler.fill_output_buffer(picture, |offset| offset != 0)?;
        Ok(is_stored.then_some(Self { is_on: before_ms == TIMEOUT_MS }))
    }

    /// Switches the time-out on while somebody watches, and off when nobody does.
    pub(super) fn follow(&mut self, device: &Device, watched: bool) {
        if self.is_on == watched {
            return;
        }
        let time_ms = if watched { TIMEOUT_MS } else { 0 };
        match device.set_control(CONTROL_TIMEOUT, time_ms) {
            Ok(()) => self.is_on = watched,
            Err(error) => debug!("the time-out of {time_ms} ms was not set: {error}"),
        }
    }

    /// Whether readers go on getting a picture when we are gone.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }
}
