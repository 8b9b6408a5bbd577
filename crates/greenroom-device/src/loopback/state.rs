//! Who has a loopback: nobody, a reader that holds its format, or a writer.
//!
//! From 0.14 on the driver tells in sysfs (`state`) and refuses a second writer itself. 0.12.7 does
//! neither: it hands a second writer the first one's format and mixes their frames. There the
//! truth is put together from what its capabilities say with `exclusive_caps=1`, from who has the
//! node open, and if that leaves doubt from watching whether frames come.

use std::fmt;
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

use greenroom_frame::SizePx;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;
use tracing::debug;

use crate::holder::Opener;
use crate::node::{Node, sysfs_of};
use crate::v4l2::{Caps, Device, Direction, FourCc};

/// v4l2loopback's control `keep_format` (V4L2_CID_USER_BASE | 0xf000).
const CONTROL_KEEP_FORMAT: u32 = 0x0098_f900;

/// Who has a loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoopbackState {
    /// Nobody: any format can be set.
    Free,
    /// Its format is fixed, by a reader or by its `keep_format`; nobody writes.
    Held,
    /// A program writes into it, or is about to.
    Fed,
}

impl fmt::Display for LoopbackState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LoopbackState::Free => "free",
            LoopbackState::Held => "held by a reader",
            LoopbackState::Fed => "written to",
        })
    }
}

/// What can be found out about a node without changing anything.
pub(super) struct Evidence<'a> {
    /// Contents of sysfs `format`: `YUYV:640x480@30`, or nothing.
    format: &'a str,
    /// Contents of sysfs `state`, from 0.13 on.
    state: Option<&'a str>,
    keep_format: bool,
    /// The module runs with `exclusive_caps=1` for this node.
    exclusive: bool,
    can_output: bool,
    openers: &'a [Opener],
}

impl Evidence<'_> {
    /// The state, or `None` if only watching for frames can tell.
    fn state(&self) -> Option<LoopbackState> {
        let held =
            if self.format.trim().is_empty() { LoopbackState::Free } else { LoopbackState::Held };
        if let Some(state) = self.state {
            // "capture" while a writer streams, and always with keep_format.
            let fed = state.trim() == "capture" && !self.keep_format;
            return Some(if fed { LoopbackState::Fed } else { held });
        }
        if held == LoopbackState::Free || (self.exclusive && self.can_output) {
            return Some(held);
        }
        // Whoever has it open for writing and has mapped nothing uses write(), or read() with an
        // O_RDWR descriptor, which is rare: better to refuse one node too often than to mix two
        // pictures. Who has it mapped is a reader or, rarely, a writer by mmap.
        if self.openers.iter().any(|opener| opener.may_write && !opener.maps) {
            return Some(LoopbackState::Fed);
        }
        None
    }
}

/// Finds out who has `node`.
pub(super) fn find_out(node: &Node, openers: &[Opener]) -> LoopbackState {
    let sysfs = sysfs_of(&node.path);
    let read = |name: &str| fs::read_to_string(sysfs.as_ref()?.join(name)).ok();
    let (format, state) = (read("format").unwrap_or_default(), read("state"));
    let evidence = Evidence {
        format: &format,
        state: state.as_deref(),
        keep_format: node.device.control(CONTROL_KEEP_FORMAT).is_ok_and(|value| value != 0),
        exclusive: is_exclusive(&node.caps),
        can_output: node.caps.can_output(),
        openers,
    };
    evidence.state().unwrap_or_else(|| {
        if frames_arrive(&node.path) { LoopbackState::Fed } else { LoopbackState::Held }
    })
}

/// The format that a node is fixed to, by sysfs.
pub(super) fn held_format(node: &Path) -> Option<(FourCc, SizePx)> {
    parse_format(&fs::read_to_string(sysfs_of(node)?.join("format")).ok()?)
}

/// `YUYV:640x480@30`; the four characters may be any, also a colon.
fn parse_format(text: &str) -> Option<(FourCc, SizePx)> {
    let (fourcc, rest) = text.split_at_checked(4)?;
    let (size, _rate) = rest.strip_prefix(':')?.split_once('@')?;
    Some((FourCc::parse(fourcc)?, size.parse().ok()?))
}

/// Whether the module announces only one direction of this node at a time. Its parameters have one
/// entry a device, numbered as in the bus name `platform:v4l2loopback-000`.
fn is_exclusive(caps: &Caps) -> bool {
    let parameters = fs::read_to_string("/sys/module/v4l2loopback/parameters/exclusive_caps");
    entry_is_set(&parameters.unwrap_or_default(), &caps.bus)
}

fn entry_is_set(parameters: &str, bus: &str) -> bool {
    let index = bus.rsplit('-').next().and_then(|number| number.parse::<usize>().ok());
    index.and_then(|index| parameters.trim().split(',').nth(index)) == Some("Y")
}

/// Whether somebody writes into the node: watched as one reader more, for the time of three frames
/// at 10 fps. Only for dialects that let any number of readers stream.
fn frames_arrive(path: &Path) -> bool {
    let Ok(watcher) = Device::open(path) else { return false };
    if watcher.stream_on(Direction::Capture).is_err() {
        return false;
    }
    // What is there already is old; at most as many as the driver has buffers.
    for _ in 0..32 {
        if !matches!(rustix::io::read(watcher.as_fd(), &mut [0u8; 1]), Ok(1..)) {
            break;
        }
    }
    let patience = Timespec { tv_sec: 0, tv_nsec: 300_000_000 };
    let mut fds = [PollFd::new(&watcher, PollFlags::IN)];
    loop {
        match poll(&mut fds, Some(&patience)) {
            Err(Errno::INTR) => {}
            answer => {
                debug!("{}: watched for frames: {answer:?}", path.display());
                return answer.is_ok_and(|ready| ready > 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Holder;

    fn opener(may_write: bool, maps: bool) -> Opener {
        Opener { holder: Holder { pid: 1, name: "x".to_owned() }, may_write, maps }
    }

    /// 0.12.7 with exclusive_caps=1, a format set and the output side taken.
    fn early(openers: &[Opener]) -> Evidence<'_> {
        Evidence {
            format: "YUYV:640x480@30\n",
            state: None,
            keep_format: false,
            exclusive: true,
            can_output: false,
            openers,
        }
    }

    #[test]
    fn where_the_driver_tells_it_is_believed() {
        let late = |format, state, keep_format| {
            Evidence { format, state: Some(state), keep_format, ..early(&[]) }.state()
        };
        assert_eq!(late("", "output\n", false), Some(LoopbackState::Free));
        assert_eq!(late("YUYV:640x480@30\n", "output\n", false), Some(LoopbackState::Held));
        assert_eq!(late("YUYV:640x480@30\n", "capture\n", false), Some(LoopbackState::Fed));
        assert_eq!(late("YUYV:640x480@30\n", "capture\n", true), Some(LoopbackState::Held));
    }

    #[test]
    fn early_nodes_without_a_format_or_with_their_output_free_are_not_fed() {
        let busy = [opener(true, false)];
        assert_eq!(Evidence { format: "", ..early(&busy) }.state(), Some(LoopbackState::Free));
        let free_output = Evidence { can_output: true, ..early(&busy) };
        assert_eq!(free_output.state(), Some(LoopbackState::Held));
    }

    #[test]
    fn early_writers_are_told_from_readers_by_what_they_map() {
        assert_eq!(early(&[opener(true, false)]).state(), Some(LoopbackState::Fed));
        assert_eq!(
            early(&[opener(true, true), opener(true, false)]).state(),
            Some(LoopbackState::Fed)
        );
        assert_eq!(early(&[opener(true, true)]).state(), None);
        assert_eq!(early(&[opener(false, false)]).state(), None);
        assert_eq!(early(&[]).state(), None);
        let both_announced = [opener(true, false)];
        let evidence = Evidence { exclusive: false, can_output: true, ..early(&both_announced) };
        assert_eq!(evidence.state(), Some(LoopbackState::Fed));
    }

    #[test]
    fn held_formats_are_read() {
        let fourcc = |text| FourCc::parse(text).unwrap();
        assert_eq!(
            parse_format("YUYV:640x480@1000/30\n"),
            Some((fourcc("YUYV"), SizePx::new(640, 480)))
        );
        assert_eq!(parse_format("Y16 :2x1@30"), Some((fourcc("Y16 "), SizePx::new(2, 1))));
        for text in ["", "YUYV", "YUYV:640x480", "YUYV:0x0@30", "ééé:1x1@1", "YUYV@30:1x1"] {
            assert_eq!(parse_format(text), None, "{text}");
        }
    }

    #[test]
    fn parameters_belong_to_devices_by_number() {
        assert!(entry_is_set("Y,N,N\n", "platform:v4l2loopback-000"));
        assert!(!entry_is_set("Y,N,N\n", "platform:v4l2loopback-001"));
        assert!(!entry_is_set("Y\n", "platform:v4l2loopback-007"));
        assert!(!entry_is_set("Y\n", "platform"));
        assert!(!entry_is_set("", ""));
    }
}
