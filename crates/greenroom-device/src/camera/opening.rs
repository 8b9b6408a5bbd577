//! A camera that was listed is opened, or it is said why not.

use super::CameraInfo;
use crate::DeviceError;
use crate::node::Node;

/// Opens the node of a camera that was listed, if it still is what it was.
pub(super) fn open_node(camera: &CameraInfo) -> Result<Node, DeviceError> {
    let gone = || DeviceError::Gone { what: camera.name() };
    let node = match Node::open(&camera.node) {
        Ok(node) => node,
        // It was there when it was listed.
        Err(DeviceError::NotFound { .. } | DeviceError::Gone { .. }) => return Err(gone()),
        Err(error) => return Err(error),
    };
    if node.caps.card != camera.card || node.caps.driver != camera.driver {
        return Err(gone());
    }
    if !node.caps.can_capture() {
        return Err(if camera.is_loopback { not_fed(&camera.name()) } else { gone() });
    }
    if !node.caps.can_stream() {
        return Err(DeviceError::Unsupported {
            what: camera.name(),
            why: "its driver cannot stream by mapped buffers".to_owned(),
        });
    }
    Ok(node)
}

pub(super) fn no_mode(camera: &CameraInfo) -> DeviceError {
    let why = if camera.is_loopback {
        "no program writes a format into this loopback that greenroom can decode; start one first"
    } else {
        "it offers no format that greenroom can decode; `greenroom list` shows other cameras"
    };
    DeviceError::Unsupported { what: camera.name(), why: why.to_owned() }
}

/// A loopback that nobody writes into, asked for as a camera.
pub(crate) fn not_fed(name: &str) -> DeviceError {
    DeviceError::Unsupported {
        what: name.to_owned(),
        why: "it is a loopback that no program writes into; start that program first".to_owned(),
    }
}
