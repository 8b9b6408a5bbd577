//! Hostile texts of sysfs and `/proc`, and a loopback that answers what it likes.

use std::path::{Path, PathBuf};

use greenroom_frame::{Colour, FrameLayout, SizePx};

use super::Dialect;
use super::dialect::ModuleVersion;
use super::reader_watch::streaming;
use super::sink::{negotiate, start};
use super::state::{parameter_index, parse_format};
use crate::FrameRate;
use crate::holder::opened_for_writing;
use crate::node::Node;
use crate::v4l2::{Device, Direction, fake};

/// A loopback that does what the script in `data` says, see [`fake::install`], as a sink meets it.
/// The first byte: whether the script begins anew (1), whether it is an early one (2).
///
/// Whatever the driver says, every call ends, and what it is written in then is a picture.
pub(crate) fn sink(data: &[u8]) {
    let Some((&flags, script)) = data.split_first() else { return };
    let mut installed = fake::install("v4l2 loopback", script, flags & 1 != 0);
    let device = Device::of(installed.memory());
    let Ok(caps) = device.caps() else { return };
    let node = Node { path: PathBuf::from("/dev/no-such-node"), device, caps };
    let rate = FrameRate::new(30, 1).expect("both are above zero");
    let told_rate = node.device.set_rate(Direction::Output, rate).ok().flatten();
    let size = SizePx::new(33, 24);
    let Ok(mode) = negotiate(&node, &node.name(), size, told_rate.unwrap_or(rate)) else { return };
    assert!(FrameLayout::tight(mode.format, mode.size).is_ok(), "{mode:?}");
    assert_eq!(mode.colour, Colour::WEBCAM);
    assert!((0.001..=1000.0).contains(&mode.rate.as_fps()), "{mode:?}");
    let dialect = if flags & 2 == 0 { Dialect::Late } else { Dialect::Early };
    let _ = start(&node, "loopback", dialect);
    let _ = node.device.fill_output_buffer(&[0x5a; 64], |offset| offset != 0);
    let _ = node.device.subscribe_readers();
    for _ in 0..4 {
        let _ = streaming(&node.device);
    }
}

/// One text: the first byte tells whose.
pub(crate) fn text(data: &[u8]) {
    let Some((&which, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match which % 4 {
        0 => {
            let version = ModuleVersion::parse(text);
            let again = version.and_then(|version| ModuleVersion::parse(&version.to_string()));
            assert_eq!(again, version);
            assert!(version.is_some() || Dialect::of(version) == Dialect::Early);
        }
        1 => {
            let Some((fourcc, size)) = parse_format(text) else { return };
            assert!(size.checked().is_ok());
            let code = std::str::from_utf8(&text.as_bytes()[..4]).expect("it is ASCII");
            assert_eq!(crate::FourCc::parse(code), Some(fourcc));
        }
        2 => {
            let mut lines = text.splitn(3, '\n');
            let mut line = || lines.next().unwrap_or_default();
            let (node, bus, numbers) = (line(), line(), line());
            if let Some(index) = parameter_index(numbers, Path::new(node), bus) {
                let by_place =
                    bus.rsplit('-').next().is_some_and(|place| place.parse() == Ok(index));
                assert!(by_place || index < numbers.split(',').count());
            }
        }
        _ => assert!(!opened_for_writing(text) || text.contains("flags:")),
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::PixelFormat;

    use super::*;
    use crate::loopback::is_loopback;

    /// Without a script nothing goes wrong: what the target looks at is there.
    #[test]
    fn the_good_driver_takes_a_format() {
        let mut installed = fake::install("v4l2 loopback", &[], false);
        let device = Device::of(installed.memory());
        let caps = device.caps().unwrap();
        let node = Node { path: PathBuf::from("/dev/no-such-node"), device, caps };
        assert!(is_loopback(&node.caps));
        let rate = FrameRate::new(30, 1).unwrap();
        let mode = negotiate(&node, "loopback", SizePx::new(32, 24), rate).unwrap();
        assert_eq!((mode.format, mode.size), (PixelFormat::Yuyv, SizePx::new(32, 24)));
        assert!(start(&node, "loopback", Dialect::Early).unwrap());
        assert_eq!(streaming(&node.device).unwrap(), None);
        sink(&[0]);
    }
}
