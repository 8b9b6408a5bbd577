//! Y4M: raw planes with a line of text before each frame, which every tool reads, also from a
//! pipe.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use greenroom_frame::{Chroma, Colour, ColourRange, FrameView, PixelFormat};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Access, access};

use super::film::Film;
use super::part::{PartFile, check_target};
use super::planes::{check_frame, write_planes};
use crate::file_refusal::not_opened;
use crate::{DeviceError, FrameRate, Sink, SinkMode};

/// Writes Y4M into a file or pipe.
#[derive(Debug)]
struct Y4mSink {
    name: String,
    mode: SinkMode,
    out: Out,
    frames: u64,
    /// `None`: every frame is written once.
    rhythm: Option<Rhythm>,
    /// The last frame, to be written until the next one's time has come.
    held: Vec<u8>,
}

#[derive(Debug)]
enum Out {
    Part(PartFile),
    /// Standard output, a FIFO.
    Pipe(File),
}

/// Y4M into the file, or into the pipe that is there, at `path`.
pub(super) fn open_file(
    path: &Path,
    wanted: SinkMode,
    film: Option<&Film<'_>>,
) -> Result<Box<dyn Sink>, DeviceError> {
    let name = path.display().to_string();
    let out = if is_special(path) {
        let file = File::options().write(true).open(path);
        Out::Pipe(file.map_err(|error| not_opened(&name, "name another file", error))?)
    } else {
        Out::Part(PartFile::beside(path)?)
    };
    Ok(Box::new(Y4mSink::new(name, wanted, out, film)))
}

/// See [`FileTarget::check`](super::FileTarget::check).
pub(super) fn check_file(path: &Path) -> Result<(), DeviceError> {
    if !is_special(path) {
        return check_target(path);
    }
    let name = path.display().to_string();
    let may_write = access(path, Access::WRITE_OK);
    may_write.map_err(|error| not_opened(&name, "name another file", error.into()))
}

/// A FIFO or a device, which is written as it is.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Y4M into standard output.
pub(super) fn open_stdout(
    wanted: SinkMode,
    film: Option<&Film<'_>>,
) -> Result<Box<dyn Sink>, DeviceError> {
    check_stdout()?;
    // Not through std's buffer: a frame is larger than it.
    let file = io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| not_opened(STDOUT, "close some files", error))?;
    let out = Out::Pipe(file.into());
    Ok(Box::new(Y4mSink::new(STDOUT.to_owned(), wanted, out, film)))
}

const STDOUT: &str = "standard output";

/// See [`FileTarget::check`](super::FileTarget::check).
pub(super) fn check_stdout() -> Result<(), DeviceError> {
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    Err(DeviceError::WrongKind {
        what: STDOUT.to_owned(),
        found: "a terminal".to_owned(),
        wanted: "a pipe or file".to_owned(),
        remedy: "send it on, for example with `| ffplay -`".to_owned(),
    })
}

/// When frames are due that come at one rate, of frames that come at any.
#[derive(Debug)]
struct Rhythm {
    rate: FrameRate,
    /// Longest time for which one frame is written again and again.
    max_gap: Duration,
    first_at: Option<Instant>,
    /// What is left out of longer gaps.
    cut: Duration,
    last: Duration,
    /// How many frames were due so far.
    due: u64,
}

/// Live, no frame for so long means that everything stood still, and no file is to be filled with it.
const MAX_LIVE_GAP: Duration = Duration::from_secs(10);

impl Rhythm {
    fn new(rate: FrameRate, max_gap: Duration) -> Self {
        let (cut, last) = (Duration::ZERO, Duration::ZERO);
        Self { rate, max_gap, first_at: None, cut, last, due: 0 }
    }

    /// How often the frame before this one is to be written, now that this one's time is known.
    fn due_before(&mut self, captured_at: Instant) -> u64 {
        let Some(first_at) = self.first_at else {
            self.first_at = Some(captured_at);
            return 0;
        };
        let time = captured_at.saturating_duration_since(first_at).saturating_sub(self.cut);
        let gap = time.saturating_sub(self.last);
        self.cut += gap.saturating_sub(self.max_gap);
        self.last += gap.min(self.max_gap);
        // Each of its frames stands for half an interval before it and half after.
        let index = (self.last.as_secs_f64() * self.rate.as_fps()).round() as u64;
        let due = index.saturating_sub(self.due);
        self.due += due;
        due
    }
}

/// The planar format with the wanted chroma; all else as wanted.
fn mode_for(wanted: SinkMode) -> SinkMode {
    SinkMode { format: wanted.format.chroma().planar_format(), ..wanted }
}

/// The line before all frames.
fn header(mode: SinkMode) -> String {
    let SinkMode { format, size, rate, colour } = mode;
    let chroma = match (format.chroma(), colour) {
        (Chroma::None, _) => "mono",
        (Chroma::Half2x1, _) => "422",
        // Chroma in the middle of four pixels, as JPEG has it, or on the left, as video has it.
        (Chroma::Half2x2, Colour::JPEG) => "420jpeg",
        (Chroma::Half2x2, _) => "420mpeg2",
    };
    let range = match (format, colour.range) {
        (PixelFormat::Grey, _) | (_, ColourRange::Full) => "FULL",
        (_, ColourRange::Limited) => "LIMITED",
    };
    let (width_px, height_px) = (size.width_px, size.height_px);
    let (numerator, denominator) = (rate.numerator(), rate.denominator());
    format!(
        "YUV4MPEG2 W{width_px} H{height_px} F{numerator}:{denominator} Ip A1:1 C{chroma} \
         XCOLORRANGE={range}\n"
    )
}

impl Y4mSink {
    fn new(name: String, wanted: SinkMode, out: Out, film: Option<&Film<'_>>) -> Self {
        let max_gap = match (film, &out) {
            (Some(_), _) => Some(Duration::MAX),
            (None, Out::Part(_)) => Some(MAX_LIVE_GAP),
            // Who reads a live pipe shows each frame when it comes.
            (None, Out::Pipe(_)) => None,
        };
        if film.is_some_and(|film| film.sound.is_some()) {
            tracing::warn!("sound: left out, Y4M holds none; name a .mkv, .mp4 or .webm file");
        }
        let rhythm = max_gap.map(|max_gap| Rhythm::new(wanted.rate, max_gap));
        Self { name, mode: mode_for(wanted), out, frames: 0, rhythm, held: Vec::new() }
    }

    /// Writes one frame, which `write` writes into what it is given.
    fn put(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), DeviceError> {
        let mut pipe;
        let to: &mut dyn Write = match &mut self.out {
            Out::Part(part) => part,
            Out::Pipe(file) => {
                pipe = Patient(file);
                &mut pipe
            }
        };
        let (mode, is_first) = (self.mode, self.frames == 0);
        let put = || {
            if is_first {
                to.write_all(header(mode).as_bytes())?;
            }
            to.write_all(b"FRAME\n")?;
            write(to)
        };
        put().map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => DeviceError::ReaderLeft { what: self.name.clone() },
            _ => DeviceError::Io { what: self.name.clone(), doing: "writing", source: error },
        })?;
        self.frames += 1;
        Ok(())
    }

    fn put_held(&mut self, times: u64) -> Result<(), DeviceError> {
        let held = std::mem::take(&mut self.held);
        let put = (0..times).try_for_each(|_| self.put(|to| to.write_all(&held)));
        self.held = held;
        put
    }
}

impl Sink for Y4mSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn may_stand_still(&self) -> bool {
        matches!(self.out, Out::Pipe(_))
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        check_frame(frame, self.mode)?;
        let Some(rhythm) = &mut self.rhythm else {
            return self.put(|mut to| write_planes(frame, &mut to));
        };
        let due = rhythm.due_before(frame.captured_at());
        self.put_held(due)?;
        self.held.clear();
        // Writing into memory does not fail.
        let _ = write_planes(frame, &mut self.held);
        Ok(())
    }

    fn complete(&mut self) -> Result<(), DeviceError> {
        if !self.held.is_empty() {
            self.put_held(1)?;
            self.held = Vec::new();
        }
        match &mut self.out {
            Out::Part(part) if self.frames > 0 => part.sync().map_err(|source| DeviceError::Io {
                what: self.name.clone(),
                doing: "writing it to the disk",
                source,
            }),
            Out::Part(_) | Out::Pipe(_) => Ok(()),
        }
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn finish(mut self: Box<Self>) -> Result<(), DeviceError> {
        self.complete()?;
        let Self { name: what, out, frames, .. } = *self;
        match out {
            Out::Part(part) if frames > 0 => part.complete().map_err(|source| DeviceError::Io {
                what,
                doing: "putting it in its place",
                source,
            }),
            Out::Part(_) | Out::Pipe(_) => Ok(()),
        }
    }
}

/// A file that waits when it is a pipe that somebody else made non-blocking.
struct Patient<'a>(&'a File);

impl Write for Patient<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut fds = [PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::OUT)];
                    poll(&mut fds, None)?;
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::SizePx;

    use super::*;
    use crate::FrameRate;

    #[test]
    fn the_header_says_size_rate_chroma_and_range() {
        let rate = FrameRate::new(30_000, 1001).unwrap();
        let line = |format, colour| {
            let size = SizePx::new(1280, 720);
            header(mode_for(SinkMode { format, size, rate, colour }))
        };
        assert_eq!(
            line(PixelFormat::Yuyv, Colour::WEBCAM),
            "YUV4MPEG2 W1280 H720 F30000:1001 Ip A1:1 C422 XCOLORRANGE=LIMITED\n"
        );
        for (format, colour, words) in [
            (PixelFormat::I420, Colour::JPEG, "C420jpeg XCOLORRANGE=FULL"),
            (PixelFormat::Nv12, Colour::HD, "C420mpeg2 XCOLORRANGE=LIMITED"),
            (PixelFormat::Grey, Colour::WEBCAM, "Cmono XCOLORRANGE=FULL"),
        ] {
            assert!(line(format, colour).ends_with(&format!("{words}\n")), "{format}");
        }
    }

    #[test]
    fn frames_are_repeated_and_left_out_so_that_the_length_is_kept() {
        let rate = FrameRate::new(30, 1).unwrap();
        let begin = Instant::now();
        let written = |interval_ms: u64, frames: u64, max_gap| {
            let mut rhythm = Rhythm::new(rate, max_gap);
            let at = |frame| begin + Duration::from_millis(interval_ms * frame);
            let before: u64 = (0..frames).map(|frame| rhythm.due_before(at(frame))).sum();
            before + 1
        };
        assert_eq!(written(100, 11, Duration::MAX), 31);
        assert_eq!(written(10, 101, Duration::MAX), 31);
        assert_eq!(written(33, 91, Duration::MAX), 90);
        // An hour between two frames is one of a film, and not of a camera.
        assert_eq!(written(3_600_000, 2, Duration::MAX), 108_001);
        assert_eq!(written(3_600_000, 3, MAX_LIVE_GAP), 601);
    }
}
