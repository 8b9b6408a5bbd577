//! What is plugged in, and which of it is meant by a name.

use std::fs;
use std::path::Path;

use tracing::debug;

use crate::camera::not_fed;
use crate::node::{Name, Node, is_video_node, refusal, video_nodes};
use crate::{CameraInfo, DeviceError, LoopbackInfo, LoopbackState, loopback};

/// What a look at every `/dev/videoN` found.
#[derive(Debug, Default)]
pub struct Devices {
    /// Real cameras, by the number of their node.
    pub cameras: Vec<CameraInfo>,
    /// v4l2loopback nodes, by number.
    pub loopbacks: Vec<LoopbackInfo>,
    /// Why some nodes could not be looked at.
    pub refused: Vec<DeviceError>,
}

/// Looks at every `/dev/videoN`. Cameras' nodes for metadata, codecs and other outputs are passed
/// over. On a machine without video nodes everything is empty.
pub fn devices() -> Devices {
    let mut devices = Devices::default();
    for path in video_nodes() {
        match Node::open(&path) {
            Ok(node) if loopback::is_loopback(&node.caps) => {
                devices.loopbacks.push(LoopbackInfo::of(&node));
            }
            Ok(node) if node.caps.can_capture() => match CameraInfo::of(&node) {
                Ok(camera) => devices.cameras.push(camera),
                Err(error) => devices.refused.push(refusal(&node.name(), &node.path, error)),
            },
            Ok(node) => debug!("{}: {}, passed over", node.name(), node.caps.kind()),
            // Unplugged between being listed and being opened.
            Err(DeviceError::Gone { .. } | DeviceError::NotFound { .. }) => {}
            Err(error) => devices.refused.push(error),
        }
    }
    devices
}

/// The camera that `name` means: `auto` (the first one with colour), a path, or a card name.
///
/// A loopback that some program writes into may be named; `auto` never takes one.
///
/// # Errors
/// [`DeviceError::NotFound`] with the next step if there is no such camera, or none at all;
/// [`DeviceError::WrongKind`] if it is no camera; [`DeviceError::Denied`] if none may be opened.
pub fn find_camera(name: &str) -> Result<CameraInfo, DeviceError> {
    match Name::parse(name) {
        Name::Auto => {
            let Devices { cameras, refused, .. } = devices();
            let cameras = cameras.into_iter().filter(|camera| !camera.modes.is_empty());
            let mut cameras: Vec<_> = cameras.collect();
            // Stable: among those with colour the first node wins.
            cameras.sort_by_key(|camera| !camera.has_colour());
            cameras.into_iter().next().ok_or_else(|| none_found(refused, no_camera))
        }
        Name::Path(path) => camera_at(path),
        Name::Card(card) => {
            let mut nodes = capturing_nodes();
            let cards: Vec<_> = nodes.iter().map(|node| node.caps.card.as_str()).collect();
            let index = pick_card(card, &cards, "camera")?;
            camera_of(&nodes.swap_remove(index))
        }
    }
}

/// The loopback that `name` means: `auto` (one labelled "greenroom", else any that is free and not
/// labelled for OBS), a path, or a card name.
///
/// # Errors
/// [`DeviceError::NotFound`] with the next step if there is none; [`DeviceError::WrongKind`] if it
/// is a real camera or something else; [`DeviceError::Busy`] if `auto` finds only such as are
/// written to already.
pub fn find_loopback(name: &str) -> Result<LoopbackInfo, DeviceError> {
    match Name::parse(name) {
        Name::Auto => {
            let Devices { loopbacks, refused, .. } = devices();
            match pick_loopback(&loopbacks) {
                Some(loopback) => Ok(loopback.clone()),
                None => Err(match loopbacks.first() {
                    Some(taken) => all_taken(taken),
                    None => none_found(refused, no_loopback),
                }),
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
                remedy: loopbacks_to_name(),
            })
        }
        Name::Card(card) => {
            let mut loopbacks = devices().loopbacks;
            let cards: Vec<_> = loopbacks.iter().map(|node| node.card.as_str()).collect();
            let index = pick_card(card, &cards, "v4l2loopback device")?;
            Ok(loopbacks.swap_remove(index))
        }
    }
}

/// Whether `name` means a device rather than a file: `auto`, `/dev/video…`, `/dev/v4l/…`, a path to
/// a video node, or the card name of a node that is there now.
pub fn names_a_device(name: &str) -> bool {
    match Name::parse(name) {
        Name::Auto => true,
        Name::Path(path) => {
            name.starts_with("/dev/video") || name.starts_with("/dev/v4l/") || is_video_node(path)
        }
        Name::Card(card) => {
            !Path::new(card).exists()
                && video_nodes().iter().any(|path| {
                    Node::open(path).is_ok_and(|node| node.caps.card.eq_ignore_ascii_case(card))
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

/// The place of the one card that `wanted` means: equal but for case, else containing it.
fn pick_card(wanted: &str, cards: &[&str], kind: &str) -> Result<usize, DeviceError> {
    let wanted_lower = wanted.to_lowercase();
    let find = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..cards.len()).filter(|index| fits(&cards[*index].to_lowercase())).collect()
    };
    let mut found = find(&|card| card == wanted_lower);
    if found.is_empty() && !wanted.is_empty() {
        found = find(&|card| card.contains(&wanted_lower));
    }
    match found[..] {
        [index] => Ok(index),
        [] => Err(DeviceError::NotFound {
            what: format!("a {kind} called \"{wanted}\""),
            remedy: match cards {
                [] => "there is none at all".to_owned(),
                _ => format!("choose one of: {}", cards.join(", ")),
            },
        }),
        _ => {
            let names: Vec<_> = found.iter().map(|index| cards[*index]).collect();
            Err(DeviceError::Unsupported {
                what: format!("the name \"{wanted}\""),
                why: format!("it fits {}; name the node, like /dev/video0", names.join(" and ")),
            })
        }
    }
}

/// The loopback for `auto`.
fn pick_loopback(loopbacks: &[LoopbackInfo]) -> Option<&LoopbackInfo> {
    let usable = || loopbacks.iter().filter(|loopback| loopback.state != LoopbackState::Fed);
    usable()
        .find(|loopback| loopback.is_labelled_ours())
        .or_else(|| usable().find(|loopback| !loopback.is_labelled_obs()))
}

fn all_taken(first: &LoopbackInfo) -> DeviceError {
    let holders: Vec<_> = first.users.iter().map(ToString::to_string).collect();
    let holder = match (first.state, &holders[..]) {
        (LoopbackState::Fed, []) => "a program that cannot be seen from here".to_owned(),
        (LoopbackState::Fed, _) => holders.join(", "),
        // Free, but its label keeps `auto` off it.
        _ => "OBS, by its label".to_owned(),
    };
    DeviceError::Busy {
        what: first.name(),
        holder,
        remedy: "close that program, or name a loopback with --output".to_owned(),
    }
}

/// Nothing there; if something was there and refused to be opened, that is the better answer.
fn none_found(refused: Vec<DeviceError>, nothing: fn() -> DeviceError) -> DeviceError {
    refused.into_iter().next().unwrap_or_else(nothing)
}

fn no_camera() -> DeviceError {
    DeviceError::NotFound {
        what: "a camera".to_owned(),
        remedy: "plug one in, or play a file with --camera FILE".to_owned(),
    }
}

fn no_loopback() -> DeviceError {
    DeviceError::NotFound {
        what: "a v4l2loopback device".to_owned(),
        remedy: format!("make one with: {}", loopback_command()),
    }
}

fn loopbacks_to_name() -> String {
    let names: Vec<_> = devices().loopbacks.iter().map(LoopbackInfo::name).collect();
    match names[..] {
        [] => format!("make one with: {}", loopback_command()),
        _ => format!("name one of: {}", names.join(", ")),
    }
}

/// The command after which there is a loopback, on Debian and its kin.
fn loopback_command() -> String {
    const LOAD: &str = "sudo modprobe v4l2loopback exclusive_caps=1 card_label=greenroom";
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let modules = Path::new("/lib/modules").join(release.trim()).join("modules.dep");
    let installed =
        fs::read_to_string(modules).is_ok_and(|modules| modules.contains("/v4l2loopback.ko"));
    if installed {
        LOAD.to_owned()
    } else {
        format!("sudo apt install v4l2loopback-dkms && {LOAD}")
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::Dialect;

    fn loopback(card: &str, state: LoopbackState) -> LoopbackInfo {
        LoopbackInfo {
            node: PathBuf::from("/dev/video10"),
            card: card.to_owned(),
            bus: String::new(),
            version: None,
            dialect: Dialect::Late,
            state,
            format: None,
            users: Vec::new(),
        }
    }

    fn auto(cards: &[(&str, LoopbackState)]) -> Option<String> {
        let loopbacks: Vec<_> = cards.iter().map(|(card, state)| loopback(card, *state)).collect();
        pick_loopback(&loopbacks).map(|loopback| loopback.card.clone())
    }

    #[test]
    fn auto_takes_ours_then_any_free_one_but_never_that_of_obs() {
        use LoopbackState::{Fed, Free, Held};
        assert_eq!(
            auto(&[("Dummy", Free), ("Greenroom camera", Held)]).unwrap(),
            "Greenroom camera"
        );
        assert_eq!(auto(&[("greenroom", Fed), ("Dummy", Free)]).unwrap(), "Dummy");
        assert_eq!(auto(&[("OBS Virtual Camera", Free), ("Dummy", Held)]).unwrap(), "Dummy");
        assert_eq!(auto(&[("Jobs", Free)]).unwrap(), "Jobs");
        assert_eq!(auto(&[("OBS Virtual Camera", Free), ("Dummy", Fed)]), None);
        assert_eq!(auto(&[]), None);
    }

    #[test]
    fn cards_are_found_by_all_or_part_of_their_name() {
        let cards = ["HD Webcam: HD Webcam", "HD Webcam", "Capture Card"];
        let pick = |name| pick_card(name, &cards, "camera");
        assert_eq!(pick("hd webcam").unwrap(), 1);
        assert_eq!(pick("capture").unwrap(), 2);
        assert!(pick("webcam").unwrap_err().to_string().contains("it fits"));
        assert_eq!(
            pick("Kinect").unwrap_err().to_string(),
            "a camera called \"Kinect\" does not exist; choose one of: HD Webcam: HD Webcam, \
             HD Webcam, Capture Card"
        );
        assert!(pick("").is_err());
        assert!(pick_card("x", &[], "camera").unwrap_err().to_string().contains("none at all"));
    }

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
        assert!(matches!(find_camera("auto"), Err(DeviceError::NotFound { .. })));
        let error = find_loopback("auto").unwrap_err().to_string();
        assert!(error.ends_with("modprobe v4l2loopback exclusive_caps=1 card_label=greenroom"));
        assert!(
            find_camera("/dev/video9")
                .unwrap_err()
                .to_string()
                .starts_with("/dev/video9 does not exist")
        );
    }
}
