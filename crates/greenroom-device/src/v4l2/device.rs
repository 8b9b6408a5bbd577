use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::call::{self, call};
use super::error::V4l2Error;
use super::raw;
use crate::printable::printable;

/// Which way pictures go, seen from the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the device.
    Capture,
    /// To the device.
    Output,
}

impl Direction {
    pub(super) const fn buf_type(self) -> u32 {
        match self {
            Direction::Capture => raw::BUF_TYPE_CAPTURE,
            Direction::Output => raw::BUF_TYPE_OUTPUT,
        }
    }
}

/// What a device says it is and can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caps {
    /// `uvcvideo`, `v4l2 loopback`.
    pub(crate) driver: String,
    /// The product's name, or the loopback's label.
    pub(crate) card: String,
    /// Where it is plugged in.
    pub(crate) bus: String,
    /// What *this node* can do, where the driver tells it apart from the whole device.
    flags: u32,
}

impl Caps {
    /// Frames come from outside and can be captured, in one plane.
    pub(crate) fn can_capture(&self) -> bool {
        let converter = raw::CAP_VIDEO_M2M | raw::CAP_VIDEO_M2M_MPLANE;
        self.flags & raw::CAP_VIDEO_CAPTURE != 0 && self.flags & converter == 0
    }

    /// Frames can be put out, in one plane.
    pub(crate) fn can_output(&self) -> bool {
        self.flags & raw::CAP_VIDEO_OUTPUT != 0
    }

    /// Frames pass through mapped buffers.
    pub(crate) fn can_stream(&self) -> bool {
        self.flags & raw::CAP_STREAMING != 0
    }

    /// What kind of node it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        let has = |flags: u32| self.flags & flags != 0;
        if has(raw::CAP_VIDEO_M2M | raw::CAP_VIDEO_M2M_MPLANE) {
            "a codec or converter"
        } else if has(raw::CAP_VIDEO_CAPTURE) {
            "a camera"
        } else if has(raw::CAP_VIDEO_CAPTURE_MPLANE) {
            "a camera with split planes"
        } else if has(raw::CAP_VIDEO_OUTPUT | raw::CAP_VIDEO_OUTPUT_MPLANE) {
            "a video output"
        } else if has(raw::CAP_META_CAPTURE) {
            "a camera's node for metadata"
        } else {
            "a node without video"
        }
    }

    pub(super) fn from_raw(raw: &raw::Capability) -> Self {
        let flags = if raw.capabilities & raw::CAP_DEVICE_CAPS != 0 {
            raw.device_caps
        } else {
            raw.capabilities
        };
        Self { driver: text(&raw.driver), card: text(&raw.card), bus: text(&raw.bus_info), flags }
    }
}

/// A C string out of a fixed field: up to the first NUL or the field's end.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    printable(String::from_utf8_lossy(&field[..end]).trim())
}

/// An open video node. Never blocks: what is not ready yet is an outcome.
#[derive(Debug)]
pub(crate) struct Device {
    fd: OwnedFd,
}

impl Device {
    /// Opens a node. The caller has made sure that it is a character device of V4L2 (major 81):
    /// opening any other could have effects.
    pub(crate) fn open(node: &Path) -> Result<Self, V4l2Error> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        loop {
            match rustix::fs::open(node, flags, Mode::empty()) {
                Ok(fd) => return Ok(Self { fd }),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(V4l2Error::Os { call: "open", errno }),
            }
        }
    }

    /// A descriptor whose calls a test answers.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn of(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// VIDIOC_QUERYCAP.
    pub(crate) fn caps(&self) -> Result<Caps, V4l2Error> {
        let mut raw = raw::Capability::default();
        call(self.as_fd(), &call::QUERYCAP, &mut raw)?;
        Ok(Caps::from_raw(&raw))
    }

    /// VIDIOC_G_CTRL: the value of a control.
    pub(crate) fn control(&self, id: u32) -> Result<i32, V4l2Error> {
        let mut raw = raw::Control { id, value: 0 };
        call(self.as_fd(), &call::G_CTRL, &mut raw)?;
        Ok(raw.value)
    }

    /// VIDIOC_S_CTRL: sets a control, or presses it if it is a button.
    pub(crate) fn set_control(&self, id: u32, value: i32) -> Result<(), V4l2Error> {
        call(self.as_fd(), &call::S_CTRL, &mut raw::Control { id, value })
    }

    /// VIDIOC_STREAMON.
    pub(crate) fn stream_on(&self, direction: Direction) -> Result<(), V4l2Error> {
        call(self.as_fd(), &call::STREAMON, &mut direction.buf_type())
    }

    /// VIDIOC_STREAMOFF.
    pub(crate) fn stream_off(&self, direction: Direction) -> Result<(), V4l2Error> {
        call(self.as_fd(), &call::STREAMOFF, &mut direction.buf_type())
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_nul_or_field_and_are_printable() {
        assert_eq!(text(b"uvcvideo\0\0garbage"), "uvcvideo");
        assert_eq!(text(b"0123456789abcdef"), "0123456789abcdef");
        assert_eq!(text(b"HD\x1b[31m Cam \0"), "HD\\u{1b}[31m Cam");
        assert_eq!(text(&[0xff, 0xfe, 0]), "\u{fffd}\u{fffd}");
        assert_eq!(text(&[]), "");
    }

    #[test]
    fn the_nodes_own_capabilities_count() {
        let raw = |capabilities, device_caps| {
            Caps::from_raw(&raw::Capability {
                capabilities,
                device_caps,
                ..raw::Capability::default()
            })
        };
        let whole = raw::CAP_DEVICE_CAPS | raw::CAP_VIDEO_CAPTURE | raw::CAP_META_CAPTURE;
        let metadata = raw(whole, raw::CAP_META_CAPTURE);
        assert!(!metadata.can_capture());
        assert_eq!(metadata.kind(), "a camera's node for metadata");
        assert!(raw(raw::CAP_VIDEO_CAPTURE, 0).can_capture());
        assert_eq!(
            raw(raw::CAP_VIDEO_M2M | raw::CAP_VIDEO_CAPTURE, 0).kind(),
            "a codec or converter"
        );
        assert_eq!(raw(0, 0).kind(), "a node without video");
    }
}
