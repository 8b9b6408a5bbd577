use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use greenroom_device::{Codec, DeviceError, FileReader, FrameRate, Next, Playback, Source, Wake};
use greenroom_frame::{Colour, PixelFormat, SizePx};

use crate::clips::{
    FFV1, H264, PATIENCE, SIZE, any_frame, ffmpeg, number, numbered, processes_naming, read_all,
    take,
};

/// Frames a second of which the second one is due after [`PATIENCE`].
const SLOW: &str = "1/1000";

fn open_error(path: &Path) -> DeviceError {
    FileReader::open(path, Playback::Live).unwrap_err()
}

#[test]
fn every_frame_comes_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rate, frames, codec) in [
        ("a.mp4", "25", 13, &H264[..]),
        ("b.mp4", "30000/1001", 27, &H264),
        // Times in whole milliseconds.
        ("c.mkv", "30000/1001", 27, &H264),
        ("d.mkv", "24000/1001", 1, &FFV1),
        ("e.y4m", "50", 20, &[]),
        ("f.avi", "12", 20, &FFV1),
    ] {
        let path = numbered(&folder.path().join(name), rate, frames, codec);
        let found: Vec<u32> = read_all(&path).iter().map(|frame| number(frame).into()).collect();
        assert_eq!(found, (0..frames).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_frame_says_what_it_is_and_when_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("a.mp4"), "30000/1001", 13, &H264);
    let mut reader = FileReader::open(&path, Playback::EveryFrame).unwrap();
    let mode = reader.mode();
    assert_eq!((mode.codec, mode.size), (Codec::Raw(PixelFormat::I420), SIZE));
    assert_eq!(mode.rate, FrameRate::new(30_000, 1001).unwrap());
    assert_eq!((mode.colour, reader.expected_frames()), (Colour::WEBCAM, Some(13)));
    assert_eq!(reader.name(), path.to_str().unwrap());

    let mut frame = any_frame();
    take(&mut reader, &mut frame);
    let begin = frame.captured_at();
    for index in 1..13 {
        take(&mut reader, &mut frame);
        assert_eq!((frame.format(), frame.size()), (PixelFormat::I420, SIZE));
        assert_eq!(frame.colour(), Colour::WEBCAM);
        let expected = Duration::from_nanos(index * 1001 * 1_000_000_000 / 30_000);
        assert_eq!(frame.captured_at() - begin, expected);
    }
}

/// Planes are FFmpeg's own, byte for byte, in every kind of YUV that is kept as it is.
#[test]
fn yuv_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mkv");
    for (pix_fmt, codec, format, colour) in [
        ("yuv420p", "ffv1", PixelFormat::I420, Colour::WEBCAM),
        ("yuv422p", "ffv1", PixelFormat::I422, Colour::WEBCAM),
        ("yuvj422p", "mjpeg", PixelFormat::I422, Colour::JPEG),
        ("yuvj420p", "mjpeg", PixelFormat::I420, Colour::JPEG),
    ] {
        let path = path.to_str().unwrap();
        let make = ["-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "5"];
        ffmpeg(&[&make[..], &["-pix_fmt", pix_fmt, "-c:v", codec, path]].concat());
        let expected = ffmpeg(&["-i", path, "-pix_fmt", pix_fmt, "-f", "rawvideo", "-"]);
        let frames = read_all(Path::new(path));
        assert_eq!((frames[0].format(), frames[0].colour()), (format, colour), "{pix_fmt}");
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect();
        assert!(bytes == expected, "{pix_fmt}");
    }
}

/// A matte clip read back is the matte.
#[test]
fn grey_keeps_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matte.mkv");
    let text = path.to_str().unwrap();
    let source = "color=black:size=64x48,format=gray,geq=lum='X*4+mod(Y,4)'";
    let make = ["-f", "lavfi", "-i", source, "-frames:v", "2", "-pix_fmt", "gray", "-c:v", "ffv1"];
    ffmpeg(&[&make[..], &[text]].concat());
    let expected = ffmpeg(&["-i", text, "-pix_fmt", "gray", "-f", "rawvideo", "-"]);
    let frames = read_all(&path);
    let luma: Vec<u8> =
        frames.iter().flat_map(|frame| frame.view().plane(0).data().to_vec()).collect();
    assert!(luma == expected);
    assert!(luma.contains(&255) && luma.contains(&0));
    assert!(frames[0].view().plane(1).data().iter().all(|&u| u == 128));
}

#[test]
fn odd_and_deep_and_turned_videos_are_made_to_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mkv");
    let text = path.to_str().unwrap();
    let make = |size: &str, pix_fmt: &str| {
        let source = format!("testsrc2=size={size}");
        let input = ["-f", "lavfi", "-i", &source, "-frames:v", "2"];
        ffmpeg(&[&input[..], &["-pix_fmt", pix_fmt, "-c:v", "ffv1", text]].concat());
        let frames = read_all(&path);
        assert_eq!(frames.len(), 2);
        (frames[0].format(), frames[0].size(), frames[0].colour())
    };
    let size = SizePx::new;
    assert_eq!(make("101x77", "yuv444p"), (PixelFormat::I420, size(100, 76), Colour::WEBCAM));
    assert_eq!(make("64x48", "yuv422p10le"), (PixelFormat::I422, size(64, 48), Colour::WEBCAM));
    assert_eq!(make("1280x720", "bgr0"), (PixelFormat::I420, size(1280, 720), Colour::HD));

    // A phone's portrait video: the top left corner is what was the bottom left.
    let source = numbered(&folder.path().join("b.mp4"), "25", 3, &H264);
    let turned = folder.path().join("turned.mp4");
    let (from, to) = (source.to_str().unwrap(), turned.to_str().unwrap());
    ffmpeg(&["-i", from, "-metadata:s:v", "rotate=90", "-c", "copy", to]);
    assert_eq!(read_all(&turned)[0].size(), size(48, 64));
}

#[test]
fn a_video_of_changing_rate_keeps_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let source = "testsrc2=size=64x48:rate=30,select='not(between(n,10,24))'";
    let make = ["-f", "lavfi", "-i", source, "-t", "3", "-fps_mode", "vfr", "-c:v", "libx264"];
    ffmpeg(&[&make[..], &[path.to_str().unwrap()]].concat());
    let reader = FileReader::open(&path, Playback::EveryFrame).unwrap();
    let seconds = read_all(&path).len() as f64 / reader.mode().rate.as_fps();
    assert!((seconds - 3.0).abs() < 0.1, "{seconds} s at {}", reader.mode().rate);
    let expected = reader.expected_frames().unwrap() as f64 / reader.mode().rate.as_fps();
    assert!((expected - 3.0).abs() < 0.1, "{expected} s");
}

/// Whatever the machine's load: what was skipped is counted, order is kept, frames lie on the
/// clock's grid, and at the seam nothing is missing or doubled.
#[test]
fn a_live_file_loops_without_a_seam() {
    const FRAMES: u64 = 13;
    let folder = tempfile::tempdir().unwrap();
    for (name, codec) in [("a.mp4", &H264[..]), ("b.mkv", &H264), ("c.mkv", &FFV1)] {
        let path = numbered(&folder.path().join(name), "50", FRAMES as u32, codec);
        let mut reader = FileReader::open(&path, Playback::Live).unwrap();
        let (mut frame, mut position, mut last) = (any_frame(), 0, None);
        for _ in 0..40 {
            let taken = take(&mut reader, &mut frame);
            position += u64::from(taken.dropped);
            assert_eq!(u64::from(number(&frame)), position % FRAMES, "{name} frame {position}");
            if let Some((last_position, last_at)) = last.replace((position, frame.captured_at())) {
                let interval = Duration::from_millis(20) * (position - last_position) as u32;
                assert!(frame.captured_at() - last_at >= interval, "{name}: early");
            }
            assert!(frame.captured_at() <= Instant::now(), "{name}: before it was due");
            position += 1;
        }
    }
}

#[test]
fn unpaced_loops_as_fast_as_it_is_asked_and_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // At its own rate the second frame would come after [`PATIENCE`].
    let path = numbered(&folder.path().join("a.mkv"), SLOW, 28, &FFV1);
    let mut reader = FileReader::open(&path, Playback::Unpaced).unwrap();
    let mut frame = any_frame();
    take(&mut reader, &mut frame);
    let mut last = frame.captured_at();
    for position in 1..200 {
        assert_eq!(take(&mut reader, &mut frame).dropped, 0);
        assert_eq!(u32::from(number(&frame)), position % 28);
        assert!((last..=Instant::now()).contains(&frame.captured_at()));
        last = frame.captured_at();
    }
}

#[test]
fn probing_tells_what_opening_would() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rate, codec) in [("a.mp4", "30000/1001", &H264[..]), ("b.mkv", "12", &FFV1)] {
        let path = numbered(&folder.path().join(name), rate, 5, codec);
        let mode = FileReader::probe(&path).unwrap();
        assert_eq!(mode, FileReader::open(&path, Playback::Live).unwrap().mode());
        assert_eq!((mode.size, mode.colour), (SIZE, Colour::WEBCAM));
    }
    let missing = FileReader::probe(&folder.path().join("missing.mp4"));
    assert!(matches!(missing, Err(DeviceError::NotFound { .. })), "{missing:?}");
    let no_file = FileReader::probe(folder.path());
    assert!(matches!(no_file, Err(DeviceError::WrongKind { .. })), "{no_file:?}");
}

#[test]
fn a_late_consumer_gets_the_newest_frame_and_no_growing_delay() {
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("a.mkv"), "50", 28, &FFV1);
    let mut reader = FileReader::open(&path, Playback::Live).unwrap();
    let mut frame = any_frame();
    take(&mut reader, &mut frame);
    // Late by five intervals each time, until frames are passed over; a machine that is late by
    // more than a second shows the next one, see `Pace`.
    let (mut dropped, mut shown, mut last) = (0, 0, frame.captured_at());
    while dropped < 20 {
        assert!(shown < 1000, "{dropped} passed over");
        std::thread::sleep(Duration::from_millis(110));
        let now = take(&mut reader, &mut frame).dropped;
        (dropped, shown) = (dropped + now, shown + 1);
        assert_eq!(u32::from(number(&frame)), (shown + dropped) % 28);
        // As far on as the frames that were passed over.
        assert!(frame.captured_at() - last >= Duration::from_millis(20) * (now + 1));
        last = frame.captured_at();
    }
}

#[test]
fn waiting_ends_early_for_the_bell_and_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("a.mkv"), SLOW, 3, &FFV1);
    let mut reader = FileReader::open(&path, Playback::Live).unwrap();
    let (mut frame, wake) = (any_frame(), Wake::new().unwrap());
    take(&mut reader, &mut frame);
    let begin = Instant::now();
    let next = reader.next_frame(&mut frame, &wake, Duration::from_millis(50)).unwrap();
    assert!(matches!(next, Next::NotYet(_)), "{next:?}");
    assert!(begin.elapsed() >= Duration::from_millis(50));
    wake.ring();
    assert_eq!(reader.next_frame(&mut frame, &wake, PATIENCE).unwrap(), Next::Woken);
    // Nothing is lost by it, neither while a frame is waited for nor while it comes in.
    let path = numbered(&folder.path().join("b.mkv"), "5", 3, &FFV1);
    let mut reader = FileReader::open(&path, Playback::Unpaced).unwrap();
    for expected in [0, 1, 2, 0] {
        assert_eq!(reader.next_frame(&mut frame, &wake, PATIENCE).unwrap(), Next::Woken);
        take(&mut reader, &mut frame);
        assert_eq!(number(&frame), expected);
    }
}

#[test]
fn a_picture_is_a_camera_in_which_nothing_happens() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.jpg", "c.webp", "d.gif"] {
        let path = folder.path().join(name);
        let input = ["-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1"];
        ffmpeg(&[&input[..], &[path.to_str().unwrap()]].concat());
        let mut reader = FileReader::open(&path, Playback::Live).unwrap();
        let (mut first, mut frame) = (any_frame(), any_frame());
        take(&mut reader, &mut first);
        for _ in 0..3 {
            take(&mut reader, &mut frame);
            assert!(frame.bytes() == first.bytes(), "{name}");
        }
        assert!(first.bytes().iter().any(|&byte| byte != first.bytes()[0]), "{name} is empty");
        assert_eq!(read_all(&path).len(), 1, "{name}");
    }
}

#[test]
fn half_a_picture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.jpg"] {
        let path = folder.path().join(name);
        let input = ["-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1"];
        ffmpeg(&[&input[..], &[path.to_str().unwrap()]].concat());
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        for playback in [Playback::Live, Playback::EveryFrame] {
            let opened = FileReader::open(&path, playback);
            let wake = Wake::new().unwrap();
            let next =
                opened.and_then(|mut reader| reader.next_frame(&mut any_frame(), &wake, PATIENCE));
            let text = next.unwrap_err().to_string();
            assert!(text.contains(name) && !text.contains('\n'), "{text}");
        }
    }
}

#[test]
fn names_that_look_like_something_else_are_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["-x.mp4", "concat:a.mp4", "http:b.mp4", "a b'c.mp4", "100%.mp4", "é.mp4"] {
        let path = numbered(&folder.path().join("clip.mp4"), "25", 2, &H264);
        let odd = folder.path().join(name);
        fs::rename(path, &odd).unwrap();
        assert_eq!(read_all(&odd).len(), 2, "{name}");
    }
    // Relative, so that nothing stands before the name.
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sources::reads_the_relative_file", "--ignored"])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "run by names_that_look_like_something_else_are_files in its folder"]
fn reads_the_relative_file() {
    assert_eq!(read_all(Path::new("-x.mp4")).len(), 2);
    assert_eq!(read_all(Path::new("concat:a.mp4")).len(), 2);
}

#[test]
fn what_is_no_video_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let clip = numbered(&folder.path().join("clip.mp4"), "25", 20, &H264);
    // The index lies at its end.
    let bytes = fs::read(&clip).unwrap();
    let refusals = [
        (file("text.txt", b"this is no video\n"), "Invalid data found"),
        (file("empty.mp4", b""), "it is empty"),
        (file("cut.mp4", &bytes[..bytes.len() / 2]), "moov atom not found"),
    ];
    for (path, reason) in refusals {
        let error = open_error(&path);
        assert!(matches!(error, DeviceError::Unsupported { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains(path.to_str().unwrap()), "{text}");
        assert!(!text.contains('\n') && !text.contains("0x"), "one sentence: {text}");
    }
    let sound = folder.path().join("sound.wav");
    ffmpeg(&["-f", "lavfi", "-i", "sine", "-t", "1", sound.to_str().unwrap()]);
    let text = open_error(&sound).to_string();
    assert!(text.contains("no video") && text.contains("wav"), "{text}");

    let missing = open_error(&folder.path().join("missing.mp4"));
    assert!(matches!(missing, DeviceError::NotFound { .. }), "{missing:?}");
    for (path, found) in [(folder.path(), "a folder"), (Path::new("/dev/null"), "a device")] {
        let error = open_error(path);
        assert!(matches!(error, DeviceError::WrongKind { .. }), "{error:?}");
        assert!(error.to_string().contains(found), "{error}");
    }
}

#[test]
fn without_ffmpeg_the_cure_is_named() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sources::says_that_ffmpeg_is_missing", "--ignored", "--nocapture"])
        .env("PATH", "/nonexistent")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "run by without_ffmpeg_the_cure_is_named with an empty PATH"]
fn says_that_ffmpeg_is_missing() {
    let file = tempfile::Builder::new().suffix(".mp4").tempfile().unwrap();
    fs::write(file.path(), "not looked at").unwrap();
    let error = open_error(file.path());
    assert!(matches!(error, DeviceError::MissingProgram { .. }), "{error:?}");
    assert!(error.to_string().contains("sudo apt install ffmpeg"), "{error}");
}

#[test]
fn the_child_ends_with_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("only-here.mkv"), "25", 10, &FFV1);
    let mut reader = FileReader::open(&path, Playback::Live).unwrap();
    take(&mut reader, &mut any_frame());
    assert_eq!(processes_naming(&path), 1);
    drop(reader);
    assert_eq!(processes_naming(&path), 0);
}

#[test]
fn a_file_that_breaks_off_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let whole = numbered(&folder.path().join("a.y4m"), "25", 10, &[]);
    let bytes = fs::read(&whole).unwrap();
    let cut = folder.path().join("cut.y4m");
    fs::write(&cut, &bytes[..bytes.len() * 7 / 10]).unwrap();
    let count = read_all(&cut).len();
    assert!((6..=7).contains(&count), "{count} frames");
}
