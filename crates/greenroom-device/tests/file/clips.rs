//! Clips whose frames tell their own number.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use greenroom_device::{FileReader, Next, PassedOver, Playback, Source, Wake};
use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

pub const SIZE: SizePx = SizePx::new(64, 48);
/// Longest wait for something that comes soon on any machine, however slow or busy.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Runs `ffmpeg` and gives what it wrote to its standard output.
pub fn ffmpeg(args: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What `ffprobe` says of the first video stream's entries, one a line.
pub fn ffprobe(path: &Path, entries: &str) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries"])
        .arg(format!("stream={entries}"))
        .args(["-of", "default=noprint_wrappers=1:nokey=1"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A clip of `frames` frames of one grey each, 16 + 8 n (n below 28), coded by `codec`.
pub fn numbered(path: &Path, rate: &str, frames: u32, codec: &[&str]) -> PathBuf {
    let source = format!("color=black:size={SIZE}:rate={rate},geq=lum='16+N*8':cb=128:cr=128");
    let frames = frames.to_string();
    let input = ["-f", "lavfi", "-i", &source, "-frames:v", &frames];
    ffmpeg(&[&input[..], codec, &[path.to_str().unwrap()]].concat());
    path.to_owned()
}

pub const H264: [&str; 8] = ["-c:v", "libx264", "-bf", "3", "-g", "7", "-qp", "0"];
pub const FFV1: [&str; 2] = ["-c:v", "ffv1"];

/// The number that a frame of a [`numbered`] clip shows.
pub fn number(frame: &Frame) -> u8 {
    let luma = frame.view().plane(0).row(20)[30];
    (luma - 16 + 4) / 8
}

pub fn any_frame() -> Frame {
    Frame::new(PixelFormat::I420, SizePx::new(2, 2), Colour::WEBCAM).unwrap()
}

/// The next frame, which must come.
pub fn take(reader: &mut FileReader, into: &mut Frame) -> PassedOver {
    match reader.next_frame(into, &Wake::new().unwrap(), PATIENCE).unwrap() {
        Next::Frame(taken) => taken,
        other => panic!("no frame but {other:?}"),
    }
}

/// All frames of a file.
pub fn read_all(path: &Path) -> Vec<Frame> {
    let mut reader = FileReader::open(path, Playback::EveryFrame).unwrap();
    let wake = Wake::new().unwrap();
    let mut frames = Vec::new();
    loop {
        let mut frame = any_frame();
        match reader.next_frame(&mut frame, &wake, PATIENCE).unwrap() {
            Next::Frame(taken) => {
                assert_eq!(taken, PassedOver::default());
                frames.push(frame);
            }
            Next::Ended => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reader.next_frame(&mut any_frame(), &wake, PATIENCE).unwrap(), Next::Ended);
    frames
}

/// How many FFmpeg processes have `path`, or something below it, on their command line or open.
pub fn processes_naming(path: &Path) -> usize {
    let needle = path.to_str().unwrap();
    let names = |process: &Path| {
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        let files = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        let mut files = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        String::from_utf8_lossy(&line).contains(needle) || files.any(|file| file.starts_with(path))
    };
    let is_ffmpeg = |process: &Path| {
        std::fs::read_to_string(process.join("comm")).is_ok_and(|name| name.starts_with("ff"))
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes.filter(|process| is_ffmpeg(process) && names(process)).count()
}
