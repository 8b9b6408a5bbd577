//! Who has a loopback: nobody, a reader that holds its format, or a writer.
//!
//! From 0.14 on the driver tells in sysfs (`state`) and refuses a second writer itself. 0.12.7 and
//! 0.13.2 let a second writer take the node from the first. There the truth is put together from
//! what the capabilities say with `exclusive_caps=1`, from who has the node open, and on 0.12.7, if
//! that leaves doubt, from watching whether frames come.

use std::fmt;
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

use greenroom_frame::SizePx;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;
use tracing::debug;

use super::Dialect;
use crate::holder::Opener;
use crate::node::Node;
use crate::node_name::sysfs_of;
use crate::v4l2::{Device, Direction, Event, FourCc};

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
struct Evidence<'a> {
    dialect: Dialect,
    /// Contents of sysfs `format`: `YUYV:640x480@30`, or nothing.
    format: &'a str,
    /// Contents of sysfs `state`, from 0.13 on.
    state: &'a str,
    keep_format: bool,
    /// The module runs with `exclusive_caps=1` for this node.
    exclusive: bool,
    can_output: bool,
    /// The driver counts a reader who streams by mmap; only of 0.13 asked.
    streams: bool,
    openers: &'a [Opener],
}

impl Evidence<'_> {
    /// The state, or `None` if only watching for frames can tell.
    fn state(&self) -> Option<LoopbackState> {
        let not_fed =
            if self.format.trim().is_empty() { LoopbackState::Free } else { LoopbackState::Held };
        let capture = self.state.trim() == "capture";
        let writable_openers = || self.openers.iter().filter(|opener| opener.may_write);
        let (fed, certain) = match self.dialect {
            // "capture" while a writer streams, and always with keep_format.
            Dialect::Late => (capture && !self.keep_format, true),
            // "capture" also if the writer has left without STREAMOFF and a reader has stayed.
            // With exclusive capabilities the output side says which it is.
            Dialect::Middle if self.exclusive => (capture && !self.can_output, true),
            // Without them: one who has it open for writing and is not the reader who streams.
            Dialect::Middle => {
                let mapped = writable_openers().filter(|opener| opener.maps).count();
                let writes = writable_openers().any(|opener| !opener.maps);
                (capture && (writes || mapped > usize::from(self.streams)), true)
            }
            Dialect::Early if not_fed == LoopbackState::Free => (false, true),
            Dialect::Early if self.exclusive && self.can_output => (false, true),
            // A writer is there, or was and never called STREAMON, and a reader has stayed.
            // Whoever has it open for writing and has mapped nothing uses write(), or read() with
            // an O_RDWR descriptor, which is rare: better to refuse one node too often than to mix
            // two pictures. Who has it mapped is a reader or, rarely, a writer by mmap.
            Dialect::Early => {
                let writes = writable_openers().any(|opener| !opener.maps);
                (writes, writes)
            }
        };
        certain.then_some(if fed { LoopbackState::Fed } else { not_fed })
    }
}

/// Finds out who has `node`.
pub(super) fn find_out(node: &Node, dialect: Dialect, openers: &[Opener]) -> LoopbackState {
    let sysfs = sysfs_of(&node.path);
    let read = |name: &str| fs::read_to_string(sysfs.as_ref()?.join(name)).ok();
    let exclusive = is_exclusive(node);
    let evidence = Evidence {
        dialect,
        format: &read("format").unwrap_or_default(),
        state: &read("state").unwrap_or_default(),
        keep_format: node.device.control(CONTROL_KEEP_FORMAT).is_ok_and(|value| value != 0),
        exclusive,
        can_output: node.caps.can_output(),
        streams: dialect == Dialect::Middle && !exclusive && somebody_streams(&node.path),
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
pub(super) fn parse_format(text: &str) -> Option<(FourCc, SizePx)> {
    let (fourcc, rest) = text.split_at_checked(4)?;
    let (size, _rate) = rest.strip_prefix(':')?.split_once('@')?;
    Some((FourCc::parse(fourcc)?, size.parse().ok()?))
}

/// Whether the module was loaded with `exclusive_caps=1` for this node. Nodes that were added
/// later have no entry among its parameters and count as not exclusive.
fn is_exclusive(node: &Node) -> bool {
    let read = |name: &str| {
        let path = Path::new("/sys/module/v4l2loopback/parameters").join(name);
        fs::read_to_string(path).unwrap_or_default()
    };
    let (exclusive, numbers) = (read("exclusive_caps"), read("video_nr"));
    let Some(index) = parameter_index(&numbers, &node.path, &node.caps.bus) else { return false };
    exclusive.trim().split(',').nth(index) == Some("Y")
}

/// Which of the module's parameters are a node's: those at the place where `video_nr` has its
/// number, else, if it was given none, those at the number in its bus name
/// (`platform:v4l2loopback-000`). That number is the place in 0.12.7, but the node's since 0.13 if
/// `video_nr` was given.
pub(super) fn parameter_index(video_nr: &str, node: &Path, bus: &str) -> Option<usize> {
    let number: i32 = node.file_name()?.to_str()?.strip_prefix("video")?.parse().ok()?;
    let numbers: Vec<i32> =
        video_nr.trim().split(',').filter_map(|number| number.parse().ok()).collect();
    let by_number = numbers.iter().position(|entry| *entry == number);
    by_number.or_else(|| {
        let place: usize = bus.rsplit('-').next()?.parse().ok()?;
        numbers.get(place).is_none_or(|entry| *entry < 0).then_some(place)
    })
}

/// Whether the driver's event tells of a reader. On a descriptor of its own: the first event comes
/// once for each.
fn somebody_streams(path: &Path) -> bool {
    let told = Device::open(path).and_then(|device| {
        device.subscribe_readers()?;
        device.next_event()
    });
    matches!(told, Ok(Event::Readers(1..)))
}

/// Whether somebody writes into the node: watched as one reader more, for the time of three frames
/// at 10 fps. Only for 0.12.7, which lets any number of readers stream.
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

    /// A node with exclusive_caps=1, a format set and the output side taken.
    fn taken(dialect: Dialect, openers: &[Opener]) -> Evidence<'_> {
        Evidence {
            dialect,
            format: "YUYV:640x480@30\n",
            state: if dialect == Dialect::Early { "" } else { "capture\n" },
            keep_format: false,
            exclusive: true,
            can_output: false,
            streams: false,
            openers,
        }
    }

    #[test]
    fn late_nodes_are_believed() {
        let late = || taken(Dialect::Late, &[]);
        assert_eq!(late().state(), Some(LoopbackState::Fed));
        assert_eq!(Evidence { keep_format: true, ..late() }.state(), Some(LoopbackState::Held));
        let idle = || Evidence { state: "output\n", can_output: true, ..late() };
        assert_eq!(idle().state(), Some(LoopbackState::Held));
        assert_eq!(Evidence { format: "", ..idle() }.state(), Some(LoopbackState::Free));
    }

    #[test]
    fn middle_nodes_may_have_been_left_by_their_writer() {
        let middle = || taken(Dialect::Middle, &[]);
        assert_eq!(middle().state(), Some(LoopbackState::Fed));
        let left = Evidence { can_output: true, ..middle() };
        assert_eq!(left.state(), Some(LoopbackState::Held));
        let idle = Evidence { state: "output\n", format: "", can_output: true, ..middle() };
        assert_eq!(idle.state(), Some(LoopbackState::Free));

        let somebody = [opener(true, true)];
        let both = |openers| Evidence { openers, exclusive: false, can_output: true, ..middle() };
        assert_eq!(both(&somebody).state(), Some(LoopbackState::Fed));
        assert_eq!(both(&[]).state(), Some(LoopbackState::Held));
        // The one who maps it is the reader; a second one, or one who does not map, writes.
        let read = |openers| Evidence { streams: true, ..both(openers) }.state();
        let by_mmap = [opener(true, true), opener(true, true)];
        let by_write = [opener(true, true), opener(true, false)];
        assert_eq!(read(&somebody), Some(LoopbackState::Held));
        assert_eq!(read(&by_mmap), Some(LoopbackState::Fed));
        assert_eq!(read(&by_write), Some(LoopbackState::Fed));
    }

    #[test]
    fn early_nodes_without_a_format_or_with_their_output_free_are_not_fed() {
        let busy = [opener(true, false)];
        let early = || taken(Dialect::Early, &busy);
        assert_eq!(Evidence { format: "", ..early() }.state(), Some(LoopbackState::Free));
        let free_output = Evidence { can_output: true, ..early() };
        assert_eq!(free_output.state(), Some(LoopbackState::Held));
    }

    #[test]
    fn early_writers_are_told_from_readers_by_what_they_map() {
        let early = |openers: &[Opener]| taken(Dialect::Early, openers).state();
        assert_eq!(early(&[opener(true, false)]), Some(LoopbackState::Fed));
        assert_eq!(early(&[opener(true, true), opener(true, false)]), Some(LoopbackState::Fed));
        assert_eq!(early(&[opener(true, true)]), None);
        assert_eq!(early(&[opener(false, false)]), None);
        assert_eq!(early(&[]), None);
        let somebody = [opener(true, false)];
        let evidence = taken(Dialect::Early, &somebody);
        let both = Evidence { exclusive: false, can_output: true, ..evidence };
        assert_eq!(both.state(), Some(LoopbackState::Fed));
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
    fn parameters_belong_to_nodes_by_number_or_place() {
        let index = |video_nr, node, bus| {
            let bus = format!("platform:v4l2loopback-{bus}");
            parameter_index(video_nr, Path::new(node), &bus)
        };
        // 0.12.7 and 0.13.2 with video_nr=10,11.
        assert_eq!(index("10,11,-1,-1\n", "/dev/video11", "001"), Some(1));
        assert_eq!(index("10,11,-1,-1\n", "/dev/video11", "011"), Some(1));
        // Numbers left to the kernel.
        assert_eq!(index("-1,-1\n", "/dev/video2", "000"), Some(0));
        // Added later, and a number that another one was meant to get.
        assert_eq!(index("10,11\n", "/dev/video3", "001"), None);
        assert_eq!(index("", "/dev/video3", "003"), Some(3));
        assert_eq!(index("10\n", "/dev/v4l", "x"), None);
    }
}
