//! Sends frames to an FFmpeg that encodes them into a file.

use std::io;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use greenroom_frame::FrameView;
use rustix::pipe::fcntl_setpipe_size;

use super::encoded_file::EncodedFile;
use super::planes::{check_frame, frame_bytes, write_planes};
use crate::ffmpeg::{Arguments, Ffmpeg, Flow, Guard, mux};
use crate::{DeviceError, Sink, SinkMode};

/// Sends frames to an `ffmpeg` that encodes them into a file.
#[derive(Debug)]
pub(super) struct EncodedSink {
    name: String,
    mode: SinkMode,
    // Dropped in this order: the child ends before its file is removed.
    input: Option<ChildStdin>,
    ffmpeg: Ffmpeg,
    file: EncodedFile,
    frames: u64,
    /// When the first frame was captured, and the time of the last one since then.
    first_at: Option<Instant>,
    last: Duration,
}

/// Frames are at least so far apart in a file: what containers count in.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

impl EncodedSink {
    /// Starts the FFmpeg that `args` tell to encode into `file`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(
        name: String,
        mode: SinkMode,
        file: EncodedFile,
        args: Arguments,
    ) -> Result<Box<dyn Sink>, DeviceError> {
        let mut ffmpeg = Ffmpeg::start(args, Flow::In, Guard::writer())?;
        let input = ffmpeg.take_input();
        if let Some(Err(error)) = input.as_ref().map(|input| fcntl_setpipe_size(input, 1 << 20)) {
            tracing::debug!(%error, "the pipe stays small");
        }
        let last = Duration::ZERO;
        Ok(Box::new(EncodedSink {
            name,
            mode,
            input,
            ffmpeg,
            file,
            frames: 0,
            first_at: None,
            last,
        }))
    }

    /// Why the child ended, or that it did well and its file is whole.
    fn end(&mut self) -> Result<(), DeviceError> {
        self.input = None;
        let what = || self.name.clone();
        let (status, said) = self.ffmpeg.wait().map_err(|source| DeviceError::Io {
            what: what(),
            doing: "ending ffmpeg",
            source,
        })?;
        // FFmpeg 5 ends with 0 also where the disk had no room for the end of the file.
        if status.success() && !said.lost_output && self.file.is_complete() {
            return Ok(());
        }
        self.file.spoil();
        let reason = said.reason.unwrap_or_else(|| match status.success() {
            true => "its end is missing".to_owned(),
            false => format!("ffmpeg ended with {status}"),
        });
        let why = format!("it could not be written ({reason}); check the disk's space");
        Err(DeviceError::Broken { what: what(), why })
    }

    /// The frame's time since the first one.
    fn time_of(&mut self, captured_at: Instant) -> Duration {
        let first_at = *self.first_at.get_or_insert(captured_at);
        let time = captured_at.saturating_duration_since(first_at);
        self.last = match self.frames {
            0 => time,
            _ => time.max(self.last + MIN_INTERVAL),
        };
        self.last
    }
}

impl Sink for EncodedSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        check_frame(frame, self.mode)?;
        let time = self.time_of(frame.captured_at());
        let gone = || DeviceError::Gone { what: self.name.clone() };
        let input = self.input.as_mut().ok_or_else(gone)?;
        let mut write = || {
            if self.frames == 0 {
                mux::write_header(self.mode, input)?;
            }
            mux::write_head(time, frame_bytes(frame), input)?;
            write_planes(frame, input)
        };
        match write() {
            Ok(()) => {
                self.frames += 1;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.file.spoil();
                Err(self.end().err().unwrap_or_else(|| DeviceError::Gone {
                    what: format!("the FFmpeg that writes {}", self.name),
                }))
            }
            Err(source) => {
                self.file.spoil();
                Err(DeviceError::Io { what: self.name.clone(), doing: "writing", source })
            }
        }
    }

    fn complete(&mut self) -> Result<(), DeviceError> {
        if self.frames == 0 || self.input.is_none() {
            return Ok(());
        }
        self.end()?;
        let what = || self.name.clone();
        let doing = "writing it to the disk";
        self.file.sync().map_err(|source| DeviceError::Io { what: what(), doing, source })
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn finish(mut self: Box<Self>) -> Result<(), DeviceError> {
        self.complete()?;
        let Self { name: what, file, frames, .. } = *self;
        if frames == 0 {
            return Ok(());
        }
        let doing = "putting it in its place";
        file.complete().map_err(|source| DeviceError::Io { what, doing, source })
    }
}
