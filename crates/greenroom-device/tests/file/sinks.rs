use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use greenroom_device::{
    DeviceError, FileReader, FileTarget, FrameRate, Next, Playback, Sink, SinkMode, Source, Wake,
    open_file_sink,
};
use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use crate::clips::{
    H264, PATIENCE, SIZE, any_frame, ffmpeg, ffprobe, numbered, processes_naming, read_all, take,
};

fn mode(format: PixelFormat, size: SizePx, colour: Colour) -> SinkMode {
    SinkMode { format, size, rate: FrameRate::new(30_000, 1001).unwrap(), colour }
}

fn open(path: &Path, wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    open_file_sink(&FileTarget::Path(path.to_owned()), wanted, None)
}

/// Frame `index`: slopes that move, in every plane. It was captured when its turn was at the rate.
fn frame(mode: SinkMode, index: usize) -> Frame {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let mut frame = Frame::new(mode.format, mode.size, mode.colour).unwrap();
    frame.set_captured_at(*BEGIN + mode.rate.interval() * index as u32);
    for mut plane in frame.view_mut().planes_mut() {
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = (40 + 2 * x + y + 3 * index).min(230) as u8;
            }
        }
    }
    frame
}

/// Writes `count` frames as the sink wants them; gives them back.
fn write_clip(path: &Path, wanted: SinkMode, count: usize) -> Vec<Frame> {
    let mut sink = open(path, wanted).unwrap();
    let frames: Vec<Frame> = (0..count).map(|index| frame(sink.mode(), index)).collect();
    frames.iter().for_each(|frame| sink.write(frame.view()).unwrap());
    sink.finish().unwrap();
    frames
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn psnr_db(a: &[Frame], b: &[Frame]) -> f64 {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.bytes().iter().zip(b.bytes()));
    let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), (a, b)| {
        (sum + f64::from(a.abs_diff(*b)).powi(2), count + 1.0)
    });
    10.0 * (255.0 * 255.0 * count / f64::max(sum, 1e-9)).log10()
}

#[test]
fn y4m_and_ffv1_give_back_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    for (name, format, kept, colour, pix_fmt) in [
        ("a.y4m", PixelFormat::I420, PixelFormat::I420, Colour::WEBCAM, "yuv420p"),
        ("b.y4m", PixelFormat::I422, PixelFormat::I422, Colour::WEBCAM, "yuv422p"),
        ("c.y4m", PixelFormat::Yuyv, PixelFormat::I422, Colour::WEBCAM, "yuv422p"),
        ("d.y4m", PixelFormat::Nv12, PixelFormat::I420, Colour::JPEG, "yuv420p"),
        ("e.y4m", PixelFormat::Grey, PixelFormat::Grey, Colour::WEBCAM, "gray"),
        ("f.mkv", PixelFormat::Grey, PixelFormat::Grey, Colour::WEBCAM, "gray"),
    ] {
        // Odd sizes too.
        for size in [SIZE, SizePx::new(63, 47)] {
            let path = folder.path().join(name);
            let frames = write_clip(&path, mode(format, size, colour), 7);
            assert_eq!((frames[0].format(), frames[0].size()), (kept, size), "{name}");
            let text = path.to_str().unwrap();
            // No conversion on the way out: what FFmpeg decodes, as it is.
            let decoded = ffmpeg(&["-i", text, "-f", "rawvideo", "-"]);
            let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect();
            assert!(decoded == bytes, "{name} {size}");
            let found = ffprobe(&path, "width,height,pix_fmt,r_frame_rate,nb_read_frames");
            let (width, height) = (size.width_px.to_string(), size.height_px.to_string());
            // FFmpeg has its own name for full-range YUV.
            let found_fmt = found[2].replace("yuvj", "yuv");
            let found: Vec<&str> = vec![&found[0], &found[1], &found_fmt, &found[3], &found[4]];
            assert_eq!(found, [&width, &height, pix_fmt, "30000/1001", "7"], "{name}");
        }
    }
}

/// A matte that went through a file is the matte that went in.
#[test]
fn a_matte_is_read_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["matte.mkv", "matte.y4m"] {
        let path = folder.path().join(name);
        let mut sink = open(&path, mode(PixelFormat::Grey, SIZE, Colour::JPEG)).unwrap();
        let mut matte = frame(sink.mode(), 0);
        let ramp = (0..=255u8).cycle();
        matte.bytes_mut().iter_mut().zip(ramp).for_each(|(to, value)| *to = value);
        sink.write(matte.view()).unwrap();
        sink.finish().unwrap();
        let back = read_all(&path);
        assert!(back[0].view().plane(0).data() == matte.bytes(), "{name}");
    }
}

#[test]
fn encoded_clips_look_like_what_went_in() {
    let folder = tempfile::tempdir().unwrap();
    for (extension, colours) in [
        ("mp4", &[Colour::WEBCAM, Colour::HD, Colour::JPEG][..]),
        ("mkv", &[Colour::HD]),
        ("mov", &[Colour::WEBCAM]),
        ("webm", &[Colour::HD, Colour::JPEG]),
    ] {
        for &colour in colours {
            let path = folder.path().join(format!("clip.{extension}"));
            let size = SizePx::new(160, 120);
            let frames = write_clip(&path, mode(PixelFormat::I420, size, colour), 31);
            let back = read_all(&path);
            assert_eq!(back.len(), 31, "{extension}");
            assert_eq!((back[0].size(), back[0].colour()), (size, colour), "{extension}");
            let db = psnr_db(&frames, &back);
            assert!(db > 40.0, "{extension} {colour:?}: {db} dB");
        }
    }
}

#[test]
fn every_player_shows_encoded_clips() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let wanted = mode(PixelFormat::I422, SizePx::new(161, 121), Colour::HD);
    let sink_mode = open(&path, wanted).unwrap().mode();
    assert_eq!((sink_mode.format, sink_mode.size), (PixelFormat::I420, SizePx::new(160, 120)));
    write_clip(&path, wanted, 5);
    let found = ffprobe(&path, "codec_name,pix_fmt,color_range,color_space,nb_read_frames");
    assert_eq!(found, ["h264", "yuv420p", "tv", "bt709", "5"]);
}

#[test]
fn an_older_file_stays_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.mp4", "b.y4m"] {
        let path = folder.path().join(name);
        fs::write(&path, "the older one").unwrap();
        let wanted = mode(PixelFormat::I420, SIZE, Colour::WEBCAM);
        let mut sink = open(&path, wanted).unwrap();
        let picture = frame(sink.mode(), 0);
        sink.write(picture.view()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"the older one");
        drop(sink);
        assert_eq!(fs::read(&path).unwrap(), b"the older one", "{name}");

        // No frame, no file.
        open(&path, wanted).unwrap().finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"the older one", "{name}");
        assert_eq!(names_in(folder.path()), [name], "nothing is left over");
        write_clip(&path, wanted, 3);
        assert_eq!(names_in(folder.path()), [name]);
        assert_eq!(read_all(&path).len(), 3);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_link_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real.y4m"), folder.path().join("link.y4m"));
    fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    write_clip(&link, mode(PixelFormat::I420, SIZE, Colour::WEBCAM), 2);
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(read_all(&real).len(), 2);
}

#[test]
fn targets_that_cannot_be_are_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = mode(PixelFormat::I420, SIZE, Colour::WEBCAM);
    let error = |name: &str, format| {
        let path = folder.path().join(name);
        let wanted = SinkMode { format, ..wanted };
        match open(&path, wanted) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{name} was opened"),
        }
    };
    for name in ["clip.xyz", "clip", "mp4"] {
        let text = error(name, PixelFormat::I420);
        assert!(text.contains("none of .mp4, .mkv, .mov, .webm, .y4m; give it one"), "{text}");
    }
    for name in ["matte.mp4", "matte.mov", "matte.webm"] {
        let text = error(name, PixelFormat::Grey);
        assert!(text.contains(".mkv or .y4m"), "{text}");
    }
    for name in ["no/such/clip.mp4", "no/such/clip.y4m"] {
        let text = error(name, PixelFormat::I420);
        assert!(text.contains("no/such does not exist"), "{text}");
    }
    for name in ["folder.mp4", "folder.y4m"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        let text = error(name, PixelFormat::I420);
        assert!(text.contains("is a folder, not a file"), "{text}");
    }
    assert_eq!(names_in(folder.path()).len(), 2, "nothing else was made");
}

#[test]
fn a_frame_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = mode(PixelFormat::I420, SIZE, Colour::WEBCAM);
    for name in ["a.y4m", "b.mkv"] {
        let mut sink = open(&folder.path().join(name), wanted).unwrap();
        let other = frame(SinkMode { format: PixelFormat::Yuyv, ..wanted }, 0);
        assert!(matches!(sink.write(other.view()), Err(DeviceError::Frame(_))));
    }
}

#[test]
fn a_full_disk_is_told_with_ffmpegs_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mkv");
    let script = "ulimit -f 40; exec \"$0\" --exact sinks::fills_the_disk --ignored --nocapture";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env("GREENROOM_TEST_TARGET", &path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(names_in(folder.path()).is_empty(), "half a file was left");
}

#[test]
#[ignore = "run by a_full_disk_is_told_with_ffmpegs_reason with a limit on file sizes"]
fn fills_the_disk() {
    let path = std::env::var_os("GREENROOM_TEST_TARGET").unwrap();
    let size = SizePx::new(320, 240);
    let mut sink = open(Path::new(&path), mode(PixelFormat::Grey, size, Colour::JPEG)).unwrap();
    let mut random = 1u32;
    let mut noise = frame(sink.mode(), 0);
    for _ in 0..200 {
        for sample in noise.bytes_mut() {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = (random >> 24) as u8;
        }
        if let Err(error) = sink.write(noise.view()) {
            println!("{error}");
            assert!(matches!(error, DeviceError::Broken { .. }), "{error:?}");
            return;
        }
    }
    let error = sink.finish().unwrap_err();
    println!("{error}");
    assert!(matches!(error, DeviceError::Broken { .. }), "{error:?}");
}

/// `-` is Y4M for another program; when that goes, the sink says so.
#[test]
fn standard_output_is_a_pipe_of_y4m() {
    let folder = tempfile::tempdir().unwrap();
    let verdict = folder.path().join("verdict");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sinks::writes_to_standard_output", "--ignored", "--nocapture"])
        .env("GREENROOM_TEST_VERDICT", &verdict)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut bytes = Vec::new();
    let mut output = child.stdout.take().unwrap();
    output.by_ref().take(600_000).read_to_end(&mut bytes).unwrap();
    drop(output);
    // Not its exit code: the harness cannot print its own lines either.
    child.wait().unwrap();
    assert_eq!(fs::read_to_string(verdict).unwrap(), "gone");
    // The test harness says a line first.
    let header = b"YUV4MPEG2 W64 H48 F30000:1001 Ip A1:1 C422 XCOLORRANGE=LIMITED\nFRAME\n";
    let at = bytes.windows(header.len()).position(|window| window == header).unwrap();
    let wanted = mode(PixelFormat::I422, SIZE, Colour::WEBCAM);
    let first = frame(wanted, 0);
    let planes = &bytes[at + header.len()..];
    assert!(planes.starts_with(first.bytes()));
    assert!(planes[first.bytes().len()..].starts_with(b"FRAME\n"));
}

#[test]
#[ignore = "run by standard_output_is_a_pipe_of_y4m, which reads its output"]
fn writes_to_standard_output() {
    let wanted = mode(PixelFormat::Yuyv, SIZE, Colour::WEBCAM);
    let mut sink = open_file_sink(&FileTarget::parse("-".as_ref()), wanted, None).unwrap();
    assert_eq!(sink.name(), "standard output");
    let picture = frame(sink.mode(), 0);
    for _ in 0..100_000 {
        if let Err(error) = sink.write(picture.view()) {
            assert!(matches!(error, DeviceError::ReaderLeft { .. }), "{error:?}");
            sink.finish().unwrap();
            fs::write(std::env::var_os("GREENROOM_TEST_VERDICT").unwrap(), "gone").unwrap();
            return;
        }
    }
    panic!("the reader's end was not noticed");
}

/// Killed without a word, greenroom leaves no FFmpeg behind, and what was written is playable.
#[test]
fn a_killed_writer_leaves_a_part_that_plays() {
    let folder = tempfile::tempdir().unwrap();
    numbered(&folder.path().join("in.mp4"), "50", 20, &H264);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sinks::copies_until_killed", "--ignored"])
        .env("GREENROOM_TEST_TARGET", folder.path())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let wait_for = |done: &dyn Fn() -> bool| {
        while !done() {
            assert!(begin.elapsed() < PATIENCE, "it took too long");
            sleep(Duration::from_millis(20));
        }
    };
    wait_for(&|| folder.path().join("running").exists());
    assert_eq!(processes_naming(folder.path()), 2);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for(&|| processes_naming(folder.path()) == 0);

    let names = names_in(folder.path());
    assert!(!names.contains(&"out.mp4".to_owned()), "{names:?}");
    let part = names.iter().find(|name| name.ends_with(".part")).unwrap();
    let frames = &ffprobe(&folder.path().join(part), "nb_read_frames")[0];
    assert!(frames.parse::<u32>().unwrap() >= 30, "{frames} frames");
}

#[test]
#[ignore = "run by a_killed_writer_leaves_a_part_that_plays, which kills it"]
fn copies_until_killed() {
    let folder = std::env::var_os("GREENROOM_TEST_TARGET").unwrap();
    let folder = Path::new(&folder);
    let mut reader = FileReader::open(&folder.join("in.mp4"), Playback::Live).unwrap();
    let wanted = mode(PixelFormat::I420, SIZE, Colour::WEBCAM);
    let mut sink = open(&folder.join("out.mp4"), wanted).unwrap();
    let mut picture = any_frame();
    for index in 0.. {
        take(&mut reader, &mut picture);
        sink.write(picture.view()).unwrap();
        if index == 30 {
            fs::write(folder.join("running"), "").unwrap();
        }
    }
}

/// Whatever the disk has room for: the new file is whole, or the older one is as it was.
#[test]
fn an_older_file_survives_a_full_disk() {
    for blocks in [1, 3, 8, 20, 40, 60, 64, 68] {
        let folder = tempfile::tempdir().unwrap();
        // Without the signal, as on a full disk: only an error.
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; \
             exec \"$0\" --exact sinks::replaces_older_files --ignored --nocapture"
        );
        let output = Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env("GREENROOM_TEST_TARGET", folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
#[ignore = "run by an_older_file_survives_a_full_disk with a limit on file sizes"]
fn replaces_older_files() {
    const FRAMES: usize = 8;
    let folder = std::env::var_os("GREENROOM_TEST_TARGET").unwrap();
    for name in ["a.mp4", "b.mkv", "c.mov", "d.webm", "e.y4m", "matte.mkv", "matte.y4m"] {
        let path = Path::new(&folder).join(name);
        fs::write(&path, "the older one").unwrap();
        let format = if name.starts_with("matte") { PixelFormat::Grey } else { PixelFormat::I420 };
        let mut sink = open(&path, mode(format, SIZE, Colour::WEBCAM)).unwrap();
        let mut random = 1u32;
        let mut written = Ok(());
        for index in 0..FRAMES {
            let mut noise = frame(sink.mode(), index);
            for sample in noise.bytes_mut() {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *sample = (random >> 24) as u8;
            }
            // Whoever writes on after an error, or ends in order, must not do harm either.
            written = written.and(sink.write(noise.view()));
        }
        let finished = sink.finish();
        if written.and(finished).is_ok() {
            assert_eq!(read_all(&path).len(), FRAMES, "{name}");
        } else {
            assert_eq!(fs::read(&path).unwrap(), b"the older one", "{name}");
        }
        println!("{name}");
    }
    let names = names_in(Path::new(&folder));
    assert_eq!(names.len(), 7, "something was left over: {names:?}");
}

/// A file shows each frame when it was captured, and is as long as that took.
#[test]
fn frames_keep_their_times() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.mp4", "b.mkv", "c.mov", "d.webm", "e.y4m"] {
        let path = folder.path().join(name);
        let mut sink = open(&path, mode(PixelFormat::I420, SIZE, Colour::WEBCAM)).unwrap();
        let begin = Instant::now();
        // In the dark a webcam takes its time.
        let times = [0, 33, 67, 100, 300, 500, 700, 900, 1100, 1133, 1167];
        for (index, ms) in times.iter().enumerate() {
            let mut frame = frame(sink.mode(), index);
            frame.set_captured_at(begin + Duration::from_millis(*ms));
            sink.write(frame.view()).unwrap();
        }
        sink.finish().unwrap();
        let mut reader = FileReader::open(&path, Playback::EveryFrame).unwrap();
        let (mut frame, mut found) = (any_frame(), Vec::new());
        while reader.next_frame(&mut frame, &Wake::new().unwrap(), PATIENCE).unwrap() != Next::Ended
        {
            found.push(frame.captured_at());
        }
        let length = *found.last().unwrap() - found[0];
        assert!(
            length.abs_diff(Duration::from_millis(1167)) < Duration::from_millis(20),
            "{name}: {length:?}"
        );
        if name != "e.y4m" {
            let found: Vec<_> = found.iter().map(|time| *time - found[0]).collect();
            assert_eq!(found.len(), times.len(), "{name}");
            let is_near = |(found, ms): (&Duration, &u64)| {
                found.abs_diff(Duration::from_millis(*ms)) < Duration::from_millis(3)
            };
            assert!(found.iter().zip(&times).all(is_near), "{name}: {found:?}");
        }
    }
}

#[test]
fn a_name_that_cannot_be_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for (name, words) in [
        ("new.mp4/", "the name of a folder, not of a file"),
        ("new.y4m/", "the name of a folder, not of a file"),
        ("no/such/a.mkv", "no/such does not exist"),
        ("file/a.mkv", "is a file, not a folder"),
        ("a.xyz", "none of .mp4"),
    ] {
        let target = FileTarget::Path(folder.path().join(name));
        let text = target.check(false).unwrap_err().to_string();
        assert!(text.contains(words), "{name}: {text}");
    }
    let target = |name: &str| FileTarget::Path(folder.path().join(name));
    assert!(target("a.mp4").check(true).is_err() && target("a.mkv").check(true).is_ok());
    assert!(target("a.mp4").check(false).is_ok());
    assert_eq!(names_in(folder.path()), ["file"]);
}
