//! Clips whose frames tell their own number, and a camera that looks at them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, FrameShape, FrameView, MatteView, PixelFormat, SizePx};

use super::super::{ROUNDING, Video};
use crate::background::{Background, MattedFrame};
use crate::{Moment, Pace, SceneError, SceneFormat};

/// Longest wait for something that comes soon on any machine, however slow or busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

pub(super) const SIZE: SizePx = SizePx::new(160, 96);
pub(super) const SITE: SceneFormat = SceneFormat {
    shape: FrameShape { format: PixelFormat::I420, size: SIZE, colour: Colour::WEBCAM },
    pace: Pace::Live,
};

/// Bits of a number, drawn as blocks of 20 x 48 pixels in two rows of eight.
const BITS: u32 = 16;

/// A clip of `frames` frames that come out of FFmpeg as `codec` (and filters) make it.
pub(super) fn numbered(path: &Path, rate: &str, frames: u32, codec: &[&str]) -> PathBuf {
    let size = SIZE.to_string();
    let input = ["-v", "error", "-y", "-f", "rawvideo", "-pixel_format", "gray", "-video_size"];
    let mut ffmpeg = Command::new("ffmpeg")
        .args(input)
        .args([&size, "-framerate", rate, "-i", "pipe:0"])
        .args(codec)
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = ffmpeg.stdin.take().unwrap();
    for number in 0..frames {
        let picture: Vec<u8> = (0..SIZE.height_px)
            .flat_map(|y| (0..SIZE.width_px).map(move |x| (y / 48) * 8 + x / 20))
            .map(|bit| if number >> bit & 1 == 1 { 220 } else { 30 })
            .collect();
        pipe.write_all(&picture).unwrap();
    }
    drop(pipe);
    assert!(ffmpeg.wait().unwrap().success(), "{}", path.display());
    path.to_owned()
}

pub(super) const H264: [&str; 8] =
    ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p"];

/// The number that a frame shows.
pub(super) fn number(frame: FrameView<'_>) -> u32 {
    let luma = frame.plane(0);
    let bit = |bit: u32| luma.row((bit / 8 * 48 + 24) as usize)[(bit % 8 * 20 + 10) as usize];
    (0..BITS).map(|index| u32::from(bit(index) > 125) << index).sum()
}

/// Sees what stands behind an empty room.
pub(super) struct Eye {
    room: Frame,
    luma: Frame,
    chroma: Frame,
}

impl Eye {
    pub(super) fn new() -> Self {
        let grey = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        let FrameShape { format, size, colour } = SITE.shape;
        Self {
            room: Frame::new(format, size, colour).unwrap(),
            luma: grey(size),
            chroma: grey(format.chroma().plane_size(size)),
        }
    }

    /// The number that the video shows at `time`.
    pub(super) fn see(&self, video: &mut Video, time: Duration) -> u32 {
        let moment = Moment { time, frame: 0, seed: 0 };
        let (room, luma, chroma) = (self.room.view(), self.luma.view(), self.chroma.view());
        let matte = MatteView::new(room, luma, chroma).unwrap();
        let seen = video.behind(&MattedFrame { frame: room, matte }, &moment).unwrap();
        assert_eq!(seen.shape(), SITE.shape);
        let mut copy = self.room.clone();
        seen.copy_to(&mut copy).unwrap();
        number(copy.view())
    }

    /// As [`see`](Self::see) on a machine that has all the time it needs: time stands still until
    /// the frame that is due has been decoded.
    pub(super) fn see_due(&self, video: &mut Video, time: Duration) -> u32 {
        self.see_within(video, time, PATIENCE).unwrap()
    }

    /// As [`see_due`](Self::see_due); an error when the frame is not decoded within `patience`, or
    /// the video has broken down.
    pub(super) fn see_within(
        &self,
        video: &mut Video,
        time: Duration,
        patience: Duration,
    ) -> Result<u32, SceneError> {
        let due = video.time.clone().tick(time) + ROUNDING;
        if video.kept.is_none() {
            video.kept = video.reel.take_due(due, &mut video.shown, patience)?;
        }
        Ok(self.see(video, time))
    }
}

/// The `ffmpeg` and `ffprobe` children that have `path` on their command line or open.
pub(super) fn children(path: &Path) -> Vec<u32> {
    let needle = path.to_str().unwrap();
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut files = files.filter_map(|file| fs::read_link(file.path()).ok());
        line.starts_with("ff") && (line.contains(needle) || files.any(|file| file == path))
    })
    .collect()
}

/// Waits until there are `count` of them.
pub(super) fn wait_for_children(path: &Path, count: usize) -> Vec<u32> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let found = children(path);
        if found.len() == count {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{} children instead of {count}", children(path).len());
}
