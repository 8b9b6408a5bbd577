//! Motion JPEG with restart markers, as FFmpeg writes it and many cameras send it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use greenroom_device::{DeviceError, MjpegData, MjpegDecoder};
use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

fn decode(jpeg: &[u8]) -> Result<Frame, DeviceError> {
    let mut frame = Frame::new(PixelFormat::I422, SizePx::new(2, 2), Colour::JPEG).unwrap();
    MjpegDecoder::new().unwrap().decode(MjpegData(jpeg), &mut frame).map(|()| frame)
}

/// One frame in eight slices, and its planes as FFmpeg decodes them.
fn frame_of_slices() -> (Vec<u8>, Vec<u8>) {
    let ffmpeg = |args: &[&str]| {
        let output = Command::new("ffmpeg").args(["-v", "error"]).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let jpeg = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240",
        "-frames:v",
        "1",
        "-pix_fmt",
        "yuvj422p",
        "-c:v",
        "mjpeg",
        "-q:v",
        "3",
        "-threads",
        "8",
        "-slices",
        "8",
        "-f",
        "mjpeg",
        "-",
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frame.jpg");
    std::fs::write(&path, &jpeg).unwrap();
    let path = path.to_str().unwrap();
    let planes = ffmpeg(&["-i", path, "-pix_fmt", "yuvj422p", "-f", "rawvideo", "-"]);
    (jpeg, planes)
}

/// Where each restart marker lies.
fn restarts_at_bytes(jpeg: &[u8]) -> Vec<usize> {
    let is_restart = |pair: &[u8]| pair[0] == 0xff && (0xd0..=0xd7).contains(&pair[1]);
    jpeg.windows(2).enumerate().filter(|(_, pair)| is_restart(pair)).map(|(at, _)| at).collect()
}

#[test]
fn the_planes_are_those_that_ffmpeg_sees() {
    let (jpeg, planes) = frame_of_slices();
    assert!(restarts_at_bytes(&jpeg).len() >= 7, "the frame has restart markers");
    let frame = decode(&jpeg).unwrap();
    assert_eq!((frame.format(), frame.size()), (PixelFormat::I422, SizePx::new(320, 240)));
    assert_eq!(frame.bytes().len(), planes.len());
    // Two inverse transforms, each within its tolerance.
    let worst = frame.bytes().iter().zip(&planes).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst <= 3, "differs by {worst}");
}

#[test]
fn padding_before_a_restart_is_passed_over() {
    let (jpeg, _) = frame_of_slices();
    let at_bytes = restarts_at_bytes(&jpeg)[3];
    let padded = |bytes: usize| {
        let (head, tail) = jpeg.split_at(at_bytes);
        decode(&[head, &vec![0; bytes], tail].concat())
    };
    assert_eq!(padded(2).unwrap().bytes(), decode(&jpeg).unwrap().bytes());
    assert!(matches!(padded(100), Err(DeviceError::Broken { .. })));
}

#[test]
fn a_lost_packet_is_noticed() {
    let (jpeg, _) = frame_of_slices();
    let restarts = restarts_at_bytes(&jpeg);
    let (begin, end) = (restarts[2] + 2, restarts[3]);
    for lost in [begin..begin + 64, end - 64..end, begin..end, restarts[2]..restarts[4]] {
        let mut jpeg = jpeg.clone();
        jpeg.drain(lost.clone());
        assert!(matches!(decode(&jpeg), Err(DeviceError::Broken { .. })), "{lost:?}");
    }
}
