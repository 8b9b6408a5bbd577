//! What the benchmarks share.
#![allow(dead_code)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;

use greenroom_device::{DeviceError, FrameRate, Sink, SinkMode};
use greenroom_frame::{Colour, FrameView, PixelFormat, SizePx};

/// The camera's size.
pub const SIZE: SizePx = SizePx::new(1280, 720);

/// One `write()` of a frame into the kernel, as v4l2loopback does it: a copy into its buffer. (Its
/// module is not on every machine; a file in memory is.)
pub struct KernelCopy {
    file: File,
    mode: SinkMode,
}

impl Sink for KernelCopy {
    fn name(&self) -> &str {
        "kernel copy"
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        self.file.write_all_at(frame.bytes(), 0).map_err(|source| DeviceError::Io {
            what: "the file in memory".into(),
            doing: "writing",
            source,
        })
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// A sink for frames of `size`.
pub fn sink(size: SizePx) -> KernelCopy {
    let rate = FrameRate::new(30, 1).expect("30 is a rate");
    let mode = SinkMode { format: PixelFormat::Yuyv, size, rate, colour: Colour::WEBCAM };
    let path = format!("/dev/shm/greenroom-bench-{}-{size}", std::process::id());
    let file = File::create(&path).expect("/dev/shm takes files");
    std::fs::remove_file(path).expect("the file was made above");
    KernelCopy { file, mode }
}

/// Frames of the demo clip as a webcam sends them: 1280x720, JPEG, 4:2:2.
pub fn camera_frames() -> Vec<Vec<u8>> {
    let clip = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/footage/demo.mp4");
    let folder = tempfile::tempdir().expect("a folder for frames");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-i", clip, "-frames:v", "16", "-vf", "fps=2,scale=1280:720"])
        .args(["-pix_fmt", "yuvj422p", "-q:v", "4"])
        .arg(folder.path().join("%02d.jpg"))
        .status()
        .expect("ffmpeg is installed");
    assert!(status.success(), "ffmpeg cannot read {clip}; run: cargo xtask assets");
    (1..=16)
        .map(|n| std::fs::read(folder.path().join(format!("{n:02}.jpg"))).expect("16 frames"))
        .collect()
}

/// The value in the middle.
pub fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("times and ratios are numbers"));
    values[values.len() / 2]
}
