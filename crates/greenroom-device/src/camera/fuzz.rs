//! Hostile cameras: what is done with a driver's answers, on the way that `greenroom run` takes.

use std::path::PathBuf;
use std::time::Duration;

use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, SizePx};

pub(crate) use super::clock::instant_of;
use super::decoder::unpack_colour;
use super::info::{listed_rates, sizes_in};
use super::{CameraInfo, V4l2Camera, choose_mode};
use crate::node::Node;

use crate::v4l2::{Device, Rates, Sizes, fake};
use crate::{Codec, FrameRate, Next, Source, Wake};

const HD: SizePx = SizePx::new(1280, 720);
const SMALL: SizePx = SizePx::new(32, 24);

/// A camera that does what the script in `data` says: see [`fake::install`].
///
/// The first byte: whether the script begins anew at its end (1), whether it is a loopback (2),
/// whether a larger picture is asked for (4). Bits of the second tell after which frames the
/// camera is asked for events although it told of none.
///
/// Whatever the driver says, every call ends, and a frame that is handed out is whole and of the
/// size that the camera tells.
pub(crate) fn camera(data: &[u8]) {
    let [flags, events, script @ ..] = data else { return };
    let name = if flags & 2 == 0 { "uvcvideo" } else { "v4l2 loopback" };
    let mut installed = fake::install(name, script, flags & 1 != 0);
    let device = Device::of(installed.memory());
    let Ok(caps) = device.caps() else { return };
    let node = Node { path: PathBuf::from("/dev/no-such-node"), device, caps };
    let Ok(info) = CameraInfo::of(&node) else { return };
    for mode in &info.modes {
        assert!(mode.size.checked().is_ok(), "{mode:?}");
        assert!(mode.rates.is_sorted_by(|a, b| a.as_fps() > b.as_fps()), "{mode:?}");
    }
    let size = if flags & 4 == 0 { SMALL } else { HD };
    let rate = FrameRate::new(30, 1).expect("both are above zero");
    let choice = choose_mode(&info.modes, size, rate);
    assert_eq!(choice.is_none(), info.modes.is_empty());
    let Some(choice) = choice else { return };
    assert!(info.modes.iter().any(|mode| (mode.fourcc, mode.size) == (choice.fourcc, choice.size)));
    let Ok(camera) = V4l2Camera::start_on(node, &info, choice) else { return };
    take_frames(camera, *events);
}

fn take_frames(mut camera: V4l2Camera, events: u8) {
    let wake = Wake::new().expect("a descriptor for a test");
    let mut frame =
        Frame::new(PixelFormat::I422, SizePx::new(2, 2), Colour::WEBCAM).expect("the size is good");
    for index in 0..8 {
        match camera.next_frame(&mut frame, &wake, Duration::ZERO) {
            Ok(Next::Frame(_)) => {
                assert_eq!(frame.size(), camera.mode().size);
                assert_eq!(frame.colour(), camera.mode().colour);
                assert!(matches!(frame.format(), PixelFormat::I420 | PixelFormat::I422));
                assert!(frame.captured_at().elapsed() <= Duration::from_secs(3));
                if camera.mode().codec == Codec::Mjpeg {
                    assert_eq!(frame.colour(), Colour::JPEG);
                }
            }
            Ok(Next::NotYet(_)) => {}
            Ok(other) => panic!("a camera that nobody woke and that has no end gave {other:?}"),
            Err(_) => return,
        }
        if events & 1 << index != 0 && camera.follow_source().is_err() {
            return;
        }
    }
}

/// That what is made of a list or range of sizes is in it, each once.
pub(crate) fn check_sizes(sizes: &Sizes) {
    let Sizes::Range { .. } = sizes else { return };
    for wanted in [None, Some(HD), Some(SizePx::new(33, 17))] {
        let listed = sizes_in(sizes, wanted);
        assert!(!listed.is_empty());
        for (index, size) in listed.iter().enumerate() {
            assert!(sizes.contains(*size) && size.checked().is_ok(), "{size} of {sizes:?}");
            assert!(!listed[..index].contains(size), "{size} twice");
        }
    }
}

/// That what is made of a list or range of rates comes fastest first, each once.
pub(crate) fn check_rates(rates: Rates) {
    let listed = listed_rates(rates, FrameRate::new(30, 1));
    assert!(listed.is_sorted_by(|a, b| a.as_fps() > b.as_fps()), "{listed:?}");
}

/// That a picture of an accepted layout becomes a planar one of its size.
pub(crate) fn check_unpacked(from: FrameView<'_>, into: &mut Frame) {
    unpack_colour(from, into).expect("every layout that is accepted can be unpacked");
    assert_eq!((into.size(), into.colour()), (from.size(), from.colour()));
    assert!(matches!(into.format(), PixelFormat::I420 | PixelFormat::I422));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every call is answered with success and nothing in it: listings and events have no end.
    #[test]
    fn a_driver_that_always_has_something_to_say_does_not_hold_us() {
        camera(&[1, 0xff, 6, 200, 0, 0]);
        // Every call is interrupted; or only those of a camera that streams.
        camera(&[1, 0, 0, 5, 0]);
        camera(&[&[1, 0xff][..], &[0; 60], &[5, 0].repeat(600)].concat());
    }

    /// The source changes with every call, and before each frame.
    #[test]
    fn a_source_that_never_comes_to_rest_is_given_up() {
        let mut installed = fake::install("uvcvideo", &[4], true);
        let device = Device::of(installed.memory());
        let caps = device.caps().unwrap();
        let node = Node { path: PathBuf::from("/dev/no-such-node"), device, caps };
        let info = CameraInfo::of(&node).unwrap();
        let choice = choose_mode(&info.modes, SMALL, FrameRate::new(30, 1).unwrap()).unwrap();
        let mut camera = V4l2Camera::start_on(node, &info, choice).unwrap();
        let mut frame = Frame::new(PixelFormat::I422, SMALL, Colour::WEBCAM).unwrap();
        let next = camera.next_frame(&mut frame, &Wake::new().unwrap(), Duration::from_secs(60));
        let error = next.unwrap_err();
        assert!(error.to_string().contains("changes size again and again"), "{error}");
    }

    /// Without a script nothing goes wrong: what the target looks at is there.
    #[test]
    fn the_good_driver_gives_frames() {
        for (size, codec) in [(SMALL, Codec::Raw(PixelFormat::Yuyv)), (HD, Codec::Mjpeg)] {
            let mut installed = fake::install("uvcvideo", &[], false);
            let device = Device::of(installed.memory());
            let caps = device.caps().unwrap();
            let node = Node { path: PathBuf::from("/dev/no-such-node"), device, caps };
            let info = CameraInfo::of(&node).unwrap();
            let choice = choose_mode(&info.modes, size, FrameRate::new(30, 1).unwrap()).unwrap();
            assert_eq!(choice.codec, codec);
            let mut camera = V4l2Camera::start_on(node, &info, choice).unwrap();
            let mut frame = Frame::new(PixelFormat::I422, SMALL, Colour::WEBCAM).unwrap();
            let wake = Wake::new().unwrap();
            for _ in 0..20 {
                let next = camera.next_frame(&mut frame, &wake, Duration::from_secs(1)).unwrap();
                assert!(matches!(next, Next::Frame(_)), "{next:?}");
                assert_eq!(frame.size(), SMALL);
                let sample = if codec == Codec::Mjpeg { 128 } else { 0x5a };
                assert!(frame.bytes().iter().all(|&byte| byte == sample));
            }
        }
    }
}
