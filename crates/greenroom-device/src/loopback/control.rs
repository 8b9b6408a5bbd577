//! Nodes of v4l2loopback that are added and removed at run time.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use rustix::io::Errno;

use crate::DeviceError;
use crate::v4l2::loopback_control::{self, Config};

const NODE: &str = "/dev/v4l2loopback";
/// MAJOR:MINOR of the module's control device.
const NUMBERS: &str = "/sys/class/misc/v4l2loopback/dev";

/// The control device of v4l2loopback 0.13 and later, `/dev/v4l2loopback`.
#[derive(Debug)]
pub struct LoopbackControl(File);

/// What the driver tells of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopbackNode {
    /// N of `/dev/videoN`.
    pub number: u32,
    /// The name under which programs list it.
    pub label: String,
    /// Whether it shows itself as a camera only, as Chromium wants it.
    pub exclusive_caps: bool,
    /// How many buffers it has.
    pub buffers: u32,
}

impl LoopbackControl {
    /// Opens the control device. `None` if there is none: the module is not loaded, or is older
    /// than 0.13.
    ///
    /// # Errors
    /// If it may not be opened, or if the file is not the module's.
    pub fn open() -> Result<Option<Self>, DeviceError> {
        let Ok(numbers) = fs::read_to_string(NUMBERS) else { return Ok(None) };
        let file = match OpenOptions::new().read(true).write(true).open(NODE) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let remedy = "only root may add and remove virtual cameras".to_owned();
                return Err(DeviceError::Denied { what: NODE.to_owned(), remedy });
            }
            Err(source) => return Err(failed("opening it", source)),
        };
        // loop-control has the same ioctl numbers, for loop devices.
        let rdev = file.metadata().map_err(|source| failed("looking at it", source))?.rdev();
        let found = format!("{}:{}", rustix::fs::major(rdev), rustix::fs::minor(rdev));
        if found == numbers.trim() {
            Ok(Some(Self(file)))
        } else {
            Err(DeviceError::WrongKind {
                what: NODE.to_owned(),
                found: format!("device {found}"),
                wanted: format!("{}, the module's", numbers.trim()),
                remedy: "remove it, and load the module again".to_owned(),
            })
        }
    }

    /// Adds a node that shows itself as a camera only. Returns its number, which is another than
    /// `number` if a device of another kind has that.
    ///
    /// # Errors
    /// If another node of v4l2loopback has the number, the label is empty or too long, or the
    /// driver refuses.
    pub fn add(&self, number: u32, label: &str, buffers: u32) -> Result<u32, DeviceError> {
        let config = config(number, label, buffers)?;
        match loopback_control::add(self.0.as_fd(), config) {
            Ok(added) => u32::try_from(added).map_err(|_| DeviceError::Broken {
                what: NODE.to_owned(),
                why: format!("it gave a new node the number {added}; load the module again"),
            }),
            Err(Errno::EXIST) => Err(DeviceError::Busy {
                what: format!("the number of /dev/video{number}"),
                holder: "another virtual camera".to_owned(),
                remedy: "run `greenroom setup` again, which takes another".to_owned(),
            }),
            Err(errno) => Err(failed("adding a node", errno.into())),
        }
    }

    /// What the driver tells of a node. `None` if it has no such node.
    ///
    /// # Errors
    /// If the driver refuses, or tells of another node.
    pub fn query(&self, number: u32) -> Result<Option<LoopbackNode>, DeviceError> {
        let Ok(wanted) = i32::try_from(number) else { return Ok(None) };
        match loopback_control::query(self.0.as_fd(), wanted) {
            Ok(config) if config.number == wanted => Ok(Some(LoopbackNode {
                number,
                label: text(&config.label),
                exclusive_caps: config.announce_all_caps == 0,
                buffers: u32::try_from(config.buffers).unwrap_or(0),
            })),
            Ok(config) => Err(DeviceError::Broken {
                what: NODE.to_owned(),
                why: format!("asked of node {number}, it told of {}", config.number),
            }),
            Err(Errno::NODEV) => Ok(None),
            Err(errno) => Err(failed("asking for a node", errno.into())),
        }
    }

    /// Removes a node. One that is not there is removed already.
    ///
    /// # Errors
    /// If a program has it open, or the driver refuses.
    pub fn remove(&self, number: u32) -> Result<(), DeviceError> {
        match loopback_control::remove(self.0.as_fd(), number) {
            Ok(()) | Err(Errno::NODEV) => Ok(()),
            Err(Errno::BUSY) => Err(DeviceError::Busy {
                what: format!("/dev/video{number}"),
                holder: "a program".to_owned(),
                remedy: "close the programs that use the camera, and try again".to_owned(),
            }),
            Err(errno) => Err(failed("removing a node", errno.into())),
        }
    }
}

fn config(number: u32, label: &str, buffers: u32) -> Result<Config, DeviceError> {
    let mut config = Config::default();
    let wrong = |why: &str| DeviceError::Unsupported {
        what: format!("the name \"{label}\" for /dev/video{number}"),
        why: why.to_owned(),
    };
    let bytes = label.as_bytes();
    // The last byte of the field ends the text.
    if bytes.is_empty() || bytes.len() >= config.label.len() || bytes.contains(&0) {
        return Err(wrong("a virtual camera's name has 1 to 31 bytes"));
    }
    config.label[..bytes.len()].copy_from_slice(bytes);
    config.number = i32::try_from(number).map_err(|_| wrong("there is no such number"))?;
    config.unused = -1;
    config.buffers = i32::try_from(buffers).map_err(|_| wrong("so many buffers are not made"))?;
    config.announce_all_caps = 0;
    Ok(config)
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn failed(doing: &'static str, source: io::Error) -> DeviceError {
    DeviceError::Io { what: NODE.to_owned(), doing, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_asked_for_by_number_label_and_buffers_and_as_a_camera_only() {
        let config = config(10, "greenroom", 4).unwrap();
        assert_eq!((config.number, config.unused, config.buffers), (10, -1, 4));
        assert_eq!(config.announce_all_caps, 0);
        assert_eq!(text(&config.label), "greenroom");
        // The driver's own sizes and number of openers.
        assert_eq!(
            (config.min_width, config.max_width, config.openers, config.debug),
            (0, 0, 0, 0)
        );
    }

    #[test]
    fn a_label_that_does_not_fit_is_refused_and_never_cut() {
        assert_eq!(text(&config(10, &"x".repeat(31), 4).unwrap().label), "x".repeat(31));
        for label in [String::new(), "x".repeat(32), "a\0b".to_owned()] {
            let error = config(10, &label, 4).unwrap_err().to_string();
            assert!(error.contains("1 to 31 bytes"), "{error}");
        }
        assert!(config(u32::MAX, "x", 4).is_err() && config(1, "x", u32::MAX).is_err());
    }

    #[test]
    fn without_the_module_there_is_no_control_device() {
        if !std::path::Path::new(NODE).exists() {
            assert!(LoopbackControl::open().unwrap().is_none());
        }
    }
}
