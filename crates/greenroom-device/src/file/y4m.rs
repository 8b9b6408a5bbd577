//! Y4M: raw planes with a line of text before each frame, which every tool reads, also from a
//! pipe.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;

use greenroom_frame::{Chroma, Colour, ColourRange, FrameView, PixelFormat};
use rustix::event::{PollFd, PollFlags, poll};

use super::part::PartFile;
use super::{check_frame, not_opened, write_planes};
use crate::{DeviceError, Sink, SinkMode};

/// Writes Y4M into a file or pipe.
#[derive(Debug)]
struct Y4mSink {
    name: String,
    mode: SinkMode,
    out: Out,
    frames: u64,
}

#[derive(Debug)]
enum Out {
    Part(PartFile),
    /// Standard output, a FIFO.
    Pipe(File),
}

/// Y4M into the file, or into the pipe that is there, at `path`.
pub(super) fn open_file(path: &Path, wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    let name = path.display().to_string();
    let is_special = path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    let out = if is_special {
        let file = File::options().write(true).open(path);
        Out::Pipe(file.map_err(|error| not_opened(&name, "name another file", error))?)
    } else {
        Out::Part(PartFile::beside(path)?)
    };
    Ok(Box::new(Y4mSink { name, mode: mode_for(wanted), out, frames: 0 }))
}

/// Y4M into standard output.
pub(super) fn open_stdout(wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    let stdout = io::stdout();
    let name = "standard output".to_owned();
    if stdout.is_terminal() {
        return Err(DeviceError::WrongKind {
            what: name,
            found: "a terminal".to_owned(),
            wanted: "a pipe or file".to_owned(),
            remedy: "send it on, for example with `| ffplay -`".to_owned(),
        });
    }
    // Not through std's buffer: a frame is larger than it.
    let file = stdout
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| not_opened(&name, "close some files", error))?;
    let out = Out::Pipe(file.into());
    Ok(Box::new(Y4mSink { name, mode: mode_for(wanted), out, frames: 0 }))
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

impl Sink for Y4mSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        check_frame(frame, self.mode)?;
        let mut to = match &self.out {
            Out::Part(part) => Patient(part.file()),
            Out::Pipe(file) => Patient(file),
        };
        let mut write = || {
            if self.frames == 0 {
                to.write_all(header(self.mode).as_bytes())?;
            }
            to.write_all(b"FRAME\n")?;
            write_planes(frame, &mut to)
        };
        write().map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => DeviceError::ReaderLeft { what: self.name.clone() },
            _ => DeviceError::Io { what: self.name.clone(), doing: "writing", source: error },
        })?;
        self.frames += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
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
}
