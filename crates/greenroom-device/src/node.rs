//! Nodes of the kernel's video interface: where they are and how one is opened by name.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::DeviceError;
use crate::access;
use crate::holder;
use crate::node_name::display_name;
use crate::v4l2::{Caps, Device, V4l2Error};

/// The kernel's major number of all V4L2 nodes.
const VIDEO_MAJOR: u32 = 81;

/// How the sentence begins that is told of a camera when its USB bus is full.
pub const NO_BANDWIDTH: &str = "its USB bus has no room left";

/// How people name a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    /// Choose for me.
    Auto,
    /// A path, perhaps a link below `/dev/v4l/by-id`.
    Path(&'a Path),
    /// What the device calls itself.
    Card(&'a str),
}

impl<'a> Name<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        match text {
            "auto" => Name::Auto,
            _ if text.contains('/') => Name::Path(Path::new(text)),
            _ => Name::Card(text),
        }
    }
}

/// An open node and what it says of itself.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) path: PathBuf,
    pub(crate) device: Device,
    pub(crate) caps: Caps,
}

impl Node {
    /// Opens what `path` leads to, if it is a V4L2 node.
    pub(crate) fn open(path: &Path) -> Result<Self, DeviceError> {
        let what = path.display().to_string();
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let remedy = "`greenroom list` shows what is there".to_owned();
                return Err(DeviceError::NotFound { what, remedy });
            }
            Err(source) => return Err(DeviceError::Io { what, doing: "looking it up", source }),
        };
        if !is_video_node(&path) {
            return Err(DeviceError::WrongKind {
                what,
                found: kind_of_file(&path).to_owned(),
                wanted: "a video device".to_owned(),
                remedy: "`greenroom list` shows those that are there".to_owned(),
            });
        }
        let device = Device::open(&path).map_err(|error| refusal(&what, &path, error))?;
        let caps = device.caps().map_err(|error| refusal(&what, &path, error))?;
        Ok(Self { path, device, caps })
    }

    /// Card and node, for people: `HD Webcam (/dev/video0)`.
    pub(crate) fn name(&self) -> String {
        display_name(&self.caps.card, &self.path)
    }
}

/// All `/dev/videoN`, by number.
pub(crate) fn video_nodes() -> Vec<PathBuf> {
    let number =
        |path: &Path| path.file_name()?.to_str()?.strip_prefix("video")?.parse::<u32>().ok();
    let mut nodes: Vec<_> = fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((number(&entry.path())?, entry.path())))
        .filter(|(_, path)| is_video_node(path))
        .collect();
    nodes.sort();
    nodes.into_iter().map(|(_, path)| path).collect()
}

/// Whether `path` leads to a character device of V4L2. Nothing is opened: opening some other
/// device can have effects.
pub(crate) fn is_video_node(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| {
        found.file_type().is_char_device() && rustix::fs::major(found.rdev()) == VIDEO_MAJOR
    })
}

fn kind_of_file(path: &Path) -> &'static str {
    match fs::metadata(path).map(|found| found.file_type()) {
        Ok(kind) if kind.is_dir() => "a folder",
        Ok(kind) if kind.is_file() => "a file",
        Ok(kind) if kind.is_char_device() || kind.is_block_device() => "another kind of device",
        _ => "something else",
    }
}

/// What a failed call on `node` means for the user. `what` is how they know it.
pub(crate) fn refusal(what: &str, node: &Path, error: V4l2Error) -> DeviceError {
    let what = what.to_owned();
    let (call, errno) = match error {
        V4l2Error::Os { call, errno } => (call, errno),
        V4l2Error::Nonsense { .. } => {
            return DeviceError::Broken { what, why: format!("{error}; report this driver") };
        }
    };
    match errno {
        Errno::BUSY => busy(what, node),
        Errno::ACCESS | Errno::PERM => access::denied(what, node, errno),
        // ENOENT: removed between being listed and being opened. EIO is what a queue answers whose
        // USB device has been pulled out.
        Errno::NODEV | Errno::NXIO | Errno::IO | Errno::NOENT | Errno::SHUTDOWN => {
            DeviceError::Gone { what }
        }
        Errno::NOTTY => DeviceError::WrongKind {
            what,
            found: format!("a device without {call}"),
            wanted: "a video device".to_owned(),
            remedy: "`greenroom list` shows those that are there".to_owned(),
        },
        Errno::NOSPC => DeviceError::Unsupported {
            what,
            why: format!(
                "{NO_BANDWIDTH} for this mode; plug it into another port, or ask for a smaller size"
            ),
        },
        _ => DeviceError::Io { what, doing: call, source: errno.into() },
    }
}

/// Somebody else has `node`.
pub(crate) fn busy(what: String, node: &Path) -> DeviceError {
    DeviceError::Busy {
        what,
        holder: holder::phrase(&holder::openers(node)),
        remedy: "close it there, or choose another device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_auto_a_path_or_a_card() {
        assert_eq!(Name::parse("auto"), Name::Auto);
        assert_eq!(Name::parse("/dev/video0"), Name::Path(Path::new("/dev/video0")));
        assert_eq!(Name::parse("HD Webcam: HD"), Name::Card("HD Webcam: HD"));
    }

    #[test]
    fn what_is_no_video_node_is_refused_unopened() {
        let error = |path: &str| Node::open(Path::new(path)).unwrap_err();
        assert!(matches!(error("/dev/video4096"), DeviceError::NotFound { .. }));
        assert!(matches!(error("/dev/null"), DeviceError::WrongKind { .. }));
        assert!(matches!(error("/proc"), DeviceError::WrongKind { .. }));
        assert_eq!(
            error("/etc/passwd").to_string(),
            "/etc/passwd is a file, not a video device; `greenroom list` shows those that are there"
        );
    }

    #[test]
    fn answers_of_the_kernel_are_sorted_by_remedy() {
        let refused = |errno| {
            let error = V4l2Error::Os { call: "VIDIOC_S_FMT", errno };
            refusal("cam", Path::new("/dev/video4096"), error)
        };
        assert!(matches!(refused(Errno::BUSY), DeviceError::Busy { .. }));
        assert!(matches!(refused(Errno::ACCESS), DeviceError::Denied { .. }));
        assert!(matches!(refused(Errno::NODEV), DeviceError::Gone { .. }));
        assert!(matches!(refused(Errno::NOTTY), DeviceError::WrongKind { .. }));
        assert!(matches!(refused(Errno::NOMEM), DeviceError::Io { .. }));
        let nonsense = V4l2Error::Nonsense { call: "VIDIOC_S_FMT", what: "a 0x0 picture".into() };
        assert!(matches!(refusal("cam", Path::new("/"), nonsense), DeviceError::Broken { .. }));
    }
}
