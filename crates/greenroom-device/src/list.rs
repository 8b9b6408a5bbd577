//! What is plugged in, and which of it is meant by a name.

use std::fs;
use std::path::{Path, PathBuf};

use tracing::debug;

use crate::camera::{Fit, not_fed};
use crate::node::{Name, Node, is_video_node, refusal, video_nodes};
use crate::node_name::sysfs_of;
use crate::pick::{
    all_taken, loopbacks_to_name, no_camera, no_loopback, pick_card, pick_loopback, usable_of_ours,
};
use crate::{CameraIdentity, CameraInfo, DeviceError, LoopbackInfo, access, loopback};

/// What to do if a name fits several devices.
const NAME_THE_NODE: &str = "name the node, like /dev/video0";

/// What a look at every `/dev/videoN` found.
#[derive(Debug, Default)]
pub struct Devices {
    /// Real cameras, by the number of their node.
    pub cameras: Vec<CameraInfo>,
    /// v4l2loopback nodes, by number.
    pub loopbacks: Vec<LoopbackInfo>,
    /// Nodes that are there and could not be looked at.
    pub refused: Vec<RefusedNode>,
}

/// A node that is there and could not be looked at.
#[derive(Debug)]
pub struct RefusedNode {
    /// Its node, `/dev/video10`.
    pub node: PathBuf,
    /// It is one of v4l2loopback; else it is a camera, perhaps.
    pub is_loopback: bool,
    /// Why.
    pub error: DeviceError,
}

impl RefusedNode {
    fn new(node: PathBuf, error: DeviceError) -> Self {
        Self { is_loopback: loopback::is_loopback_by_sysfs(&node), node, error }
    }
}

/// Looks at every `/dev/videoN`. Cameras' nodes for metadata, codecs and other outputs are passed
/// over. On a machine without video nodes everything is empty.
pub fn devices() -> Devices {
    look(Wanted::Both)
}

impl Devices {
    /// Why there is no loopback (or camera) to take: one that refused to be opened is a better
    /// answer than `nothing`.
    fn why_none(self, of_loopbacks: bool, nothing: fn() -> DeviceError) -> DeviceError {
        let mut refused = self.refused.into_iter();
        refused
            .find(|refused| refused.is_loopback == of_loopbacks)
            .map_or_else(nothing, |refused| refused.error)
    }

    /// Why there is none called `card`: as above, if a node that refused is called so.
    fn why_not(self, card: &str, of_loopbacks: bool, unknown: DeviceError) -> DeviceError {
        let mut refused = self.refused.into_iter();
        refused
            .find(|refused| refused.is_loopback == of_loopbacks && is_called(&refused.node, card))
            .map_or(unknown, |refused| refused.error)
    }
}

/// Whether sysfs tells that `card` is (a part of) what a node calls itself.
fn is_called(node: &Path, card: &str) -> bool {
    access::card_of(node)
        .is_some_and(|name| !card.is_empty() && name.to_lowercase().contains(&card.to_lowercase()))
}

/// What is asked for. Finding out who uses a loopback means looking through every process, and
/// with v4l2loopback 0.12 even reading from it; and opening it wakes whoever watches it for
/// readers. Not for somebody who waits for a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Cameras,
    Loopbacks,
    Both,
}

fn look(wanted: Wanted) -> Devices {
    let mut devices = Devices::default();
    for path in video_nodes() {
        if wanted == Wanted::Cameras && loopback::is_loopback_by_sysfs(&path) {
            continue;
        }
        match Node::open(&path) {
            Ok(node) if loopback::is_loopback(&node.caps) => {
                if wanted != Wanted::Cameras {
                    devices.loopbacks.push(LoopbackInfo::of(&node));
                }
            }
            Ok(_) if wanted == Wanted::Loopbacks => {}
            Ok(node) if node.caps.can_capture() => match CameraInfo::of(&node) {
                Ok(camera) => devices.cameras.push(camera),
                Err(error) => {
                    let error = refusal(&node.name(), &node.path, error);
                    devices.refused.push(RefusedNode::new(path, error));
                }
            },
            Ok(node) => debug!("{}: {}, passed over", node.name(), node.caps.kind()),
            // Unplugged between being listed and being opened.
            Err(DeviceError::Gone { .. } | DeviceError::NotFound { .. }) => {}
            // A camera's further nodes, for metadata, are refused with its first one.
            Err(DeviceError::Denied { .. }) if is_further_node(&path) => {}
            Err(error) => devices.refused.push(RefusedNode::new(path, error)),
        }
    }
    devices
}

/// Whether a node is not the first one of its device, by sysfs.
fn is_further_node(node: &Path) -> bool {
    let index = sysfs_of(node).and_then(|sysfs| fs::read_to_string(sysfs.join("index")).ok());
    index.is_some_and(|index| index.trim() != "0")
}

/// The camera that `name` means: `auto` (the first one with colour), a path, or a card name.
///
/// A loopback that some program writes into may be named; `auto` never takes one.
///
/// # Errors
/// [`DeviceError::NotFound`] if there is no such camera, [`DeviceError::NoneHere`] if none at all;
/// [`DeviceError::WrongKind`] if it is no camera; [`DeviceError::Denied`] if none may be opened.
pub fn find_camera(name: &str) -> Result<CameraInfo, DeviceError> {
    match Name::parse(name) {
        Name::Auto => {
            let mut seen = look(Wanted::Cameras);
            seen.cameras.retain(|camera| !camera.modes.is_empty());
            // The first of equals: among those with colour the lowest node.
            match seen.cameras.iter().min_by_key(|camera| !camera.has_colour()) {
                Some(camera) => Ok(camera.clone()),
                None => Err(seen.why_none(false, no_camera)),
            }
        }
        Name::Path(path) => camera_at(path),
        Name::Card(card) => {
            let mut nodes = capturing_nodes();
            let cards: Vec<_> = nodes.iter().map(|node| node.caps.card.as_str()).collect();
            match pick_card(card, &cards, "camera", NAME_THE_NODE) {
                Ok(index) => camera_of(&nodes.swap_remove(index)),
                Err(unknown @ DeviceError::NotFound { .. }) => {
                    Err(look(Wanted::Cameras).why_not(card, false, unknown))
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// The camera that was `identity`, on whatever node it is now. Other loopbacks are not opened.
///
/// # Errors
/// [`DeviceError::NotFound`] while it is not there; [`DeviceError::Denied`] and others if it is there
/// and cannot be opened (yet: udev gives a new node to its group a moment after the kernel made it).
pub fn find_camera_again(identity: &CameraIdentity) -> Result<CameraInfo, DeviceError> {
    if let Some(node) = identity.loopback() {
        return camera_at(node);
    }
    let mut candidates: Vec<_> = video_nodes()
        .into_iter()
        .filter(|path| !loopback::is_loopback_by_sysfs(path))
        .filter_map(|path| Some((identity.fit_by_sysfs(&sysfs_of(&path)?)?, path)))
        .collect();
    // The best first; a stable sort, so among equals the lowest node.
    candidates.sort_by_key(|(fit, _)| std::cmp::Reverse(*fit));
    let mut refused = None;
    for (fit, path) in candidates {
        match Node::open(&path) {
            Ok(node) if identity.fits(&node) && node.caps.can_capture() => return camera_of(&node),
            Ok(_) | Err(DeviceError::Gone { .. } | DeviceError::NotFound { .. }) => {}
            // Any node may be a camera that has to be asked: its refusal says nothing about this one.
            Err(error) if fit != Fit::Ask => refused = refused.or(Some(error)),
            Err(error) => debug!("{}: {error}", path.display()),
        }
    }
    Err(refused.unwrap_or_else(|| DeviceError::NotFound {
        what: identity.card().to_owned(),
        remedy: "plug it in again".to_owned(),
    }))
}

/// The loopback that `name` means: `auto` (one labelled "greenroom", else any that is free and not
/// labelled for OBS), a path, or a card name.
///
/// # Errors
/// [`DeviceError::NotFound`] if there is no such node, [`DeviceError::NoneHere`] if none at all; [`DeviceError::WrongKind`] if it
/// is a real camera or something else; [`DeviceError::Busy`] if `auto` finds only such as are
/// written to already.
pub fn find_loopback(name: &str) -> Result<LoopbackInfo, DeviceError> {
    match Name::parse(name) {
        Name::Auto => {
            let seen = look(Wanted::Loopbacks);
            match (pick_loopback(&seen.loopbacks), seen.loopbacks.first()) {
                (Some(loopback), _) => Ok(loopback.clone()),
                (None, Some(taken)) => Err(all_taken(taken)),
                (None, None) => Err(seen.why_none(true, no_loopback)),
            }
        }
        Name::Path(path) => {
            let node = Node::open(path)?;
            if loopback::is_loopback(&node.caps) {
                return Ok(LoopbackInfo::of(&node));
            }
            let real = if node.caps.can_capture() { "a real camera" } else { node.caps.kind() };
            Err(DeviceError::WrongKind {
                what: path.display().to_string(),
                found: format!("{real} ({})", node.caps.card),
                wanted: "a v4l2loopback device".to_owned(),
                remedy: loopbacks_to_name(&devices().loopbacks),
            })
        }
        Name::Card(card) => {
            let mut seen = devices();
            let cards: Vec<_> = seen.loopbacks.iter().map(|node| node.card.as_str()).collect();
            match pick_card(card, &cards, "v4l2loopback device", NAME_THE_NODE) {
                Ok(index) => Ok(seen.loopbacks.swap_remove(index)),
                Err(unknown @ DeviceError::NotFound { .. }) => {
                    Err(seen.why_not(card, true, unknown))
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// The loopbacks that are labelled as ours and that no other program writes into, by their numbers.
pub fn own_loopbacks() -> Vec<LoopbackInfo> {
    usable_of_ours(&look(Wanted::Loopbacks).loopbacks).cloned().collect()
}

/// Whether `name` means a device rather than a file: `auto`, `/dev/video…`, `/dev/v4l/…`, a path to
/// a video node, or the card name (or a part of it) of a node that is
/// there now.
pub fn names_a_device(name: &str) -> bool {
    match Name::parse(name) {
        Name::Auto => true,
        Name::Path(path) => {
            name.starts_with("/dev/video") || name.starts_with("/dev/v4l/") || is_video_node(path)
        }
        Name::Card(card) => {
            !Path::new(card).exists()
                && video_nodes().iter().any(|path| {
                    let part = card.to_lowercase();
                    match Node::open(path) {
                        Ok(node) => node.caps.card.to_lowercase().contains(&part),
                        // One that may not be opened is a device, too.
                        Err(_) => is_called(path, card),
                    }
                })
        }
    }
}

fn capturing_nodes() -> Vec<Node> {
    let nodes = video_nodes().into_iter().filter_map(|path| Node::open(&path).ok());
    nodes.filter(|node| node.caps.can_capture()).collect()
}

fn camera_at(path: &Path) -> Result<CameraInfo, DeviceError> {
    let node = Node::open(path)?;
    if node.caps.can_capture() {
        return camera_of(&node);
    }
    if loopback::is_loopback(&node.caps) {
        return Err(not_fed(&node.name()));
    }
    Err(DeviceError::WrongKind {
        what: path.display().to_string(),
        found: format!("{} ({})", node.caps.kind(), node.caps.card),
        wanted: "a camera".to_owned(),
        remedy: "`greenroom list` shows the cameras that are there".to_owned(),
    })
}

fn camera_of(node: &Node) -> Result<CameraInfo, DeviceError> {
    CameraInfo::of(node).map_err(|error| refusal(&node.name(), &node.path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_and_files_are_told_apart() {
        for name in ["auto", "/dev/video0", "/dev/v4l/by-id/usb-x"] {
            assert!(names_a_device(name), "{name}");
        }
        for name in ["clip.mp4", "./clip.mp4", "/dev/shm/out.y4m", "/dev/null", "/tmp/x.mkv", "-"] {
            assert!(!names_a_device(name), "{name}");
        }
    }

    #[test]
    fn a_machine_without_video_nodes_lists_nothing_and_says_what_to_do() {
        if !video_nodes().is_empty() {
            return;
        }
        let devices = devices();
        assert!(devices.cameras.is_empty() && devices.loopbacks.is_empty());
        assert!(devices.refused.is_empty());
        assert!(matches!(find_camera("auto"), Err(DeviceError::NoneHere { .. })));
        let error = find_loopback("auto").unwrap_err().to_string();
        assert!(error.ends_with("make one with: greenroom setup"), "{error}");
        assert!(
            find_camera("/dev/video9")
                .unwrap_err()
                .to_string()
                .starts_with("/dev/video9 does not exist")
        );
    }
}
