//! Any video that FFmpeg reads, as a camera or frame by frame.

use std::ffi::OsString;
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ChildStdout;
use std::time::{Duration, Instant};

use greenroom_frame::Frame;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;

use super::pace::{Decision, Pace, time_of};
use super::probe::{Plan, input_args, probe};
use super::{check_is_file, not_opened};
use crate::ffmpeg::{Ffmpeg, Flow, Guard};
use crate::{Codec, DeviceError, Next, PassedOver, Source, SourceMode, Wake};

/// How a file plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Playback {
    /// As a live camera: at its own rate, looped, the newest frame when the consumer is late. A
    /// picture is a video in which nothing happens.
    Live,
    /// As [`Live`](Self::Live), but never waits for its time: looped, each frame as soon as it is
    /// asked for and decoded, none passed over.
    Unpaced,
    /// Every frame once, in order, as fast as it is taken. A video of changing rate becomes one of
    /// its average rate.
    EveryFrame,
}

/// A video or picture file, decoded by an `ffmpeg` of its own. Frames are upright, of even size
/// and with square pixels, 4:2:2 if the file is (else 4:2:0), in the file's own colour.
#[derive(Debug)]
pub struct FileReader {
    name: String,
    mode: SourceMode,
    frames: Option<u64>,
    playback: Playback,
    opened_at: Instant,
    pace: Pace,
    ffmpeg: Ffmpeg,
    pipe: ChildStdout,
    /// The frame that is coming in; it changes places with the consumer's.
    pending: Frame,
    filled_bytes: usize,
    /// Number of the pending frame.
    index: u64,
    dropped: u32,
    ended: bool,
}

/// What reading the pending frame ended with.
enum Filled {
    Whole,
    End,
    Not(Next),
}

/// Most that an unprivileged process may ask for: fewer turns between the two processes.
const PIPE_BYTES: usize = 1 << 20;

impl FileReader {
    /// Opens the video or picture at `path`.
    ///
    /// # Errors
    /// [`DeviceError::NotFound`], [`DeviceError::Denied`], [`DeviceError::WrongKind`] if it is no
    /// file, [`DeviceError::Unsupported`] with FFmpeg's reason if it is no video,
    /// [`DeviceError::MissingProgram`] without FFmpeg.
    pub fn open(path: &Path, playback: Playback) -> Result<Self, DeviceError> {
        let name = path.display().to_string();
        let plan = plan_of(path)?;
        tracing::debug!(file = %name, filters = %plan.picture_filters, timing = %plan.timing_filters, "decoding");
        let mut ffmpeg =
            Ffmpeg::start(decode_args(path, &plan, playback), Flow::Out, Guard::reader())?;
        let pipe = ffmpeg.take_output().expect("the output was asked for as a pipe");
        if let Err(error) = fcntl_setpipe_size(&pipe, PIPE_BYTES) {
            tracing::debug!(%error, "the pipe stays small");
        }
        let Plan { format, size, colour, rate, frames, .. } = plan;
        Ok(Self {
            name,
            mode: mode_of(&plan),
            frames,
            playback,
            opened_at: Instant::now(),
            pace: Pace::new(rate),
            ffmpeg,
            pipe,
            pending: Frame::new(format, size, colour)?,
            filled_bytes: 0,
            index: 0,
            dropped: 0,
            ended: false,
        })
    }

    /// What a reader of the video or picture at `path` would deliver; nothing is decoded yet.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn probe(path: &Path) -> Result<SourceMode, DeviceError> {
        plan_of(path).map(|plan| mode_of(&plan))
    }

    /// How many frames [`Playback::EveryFrame`] will deliver, as far as the file tells: exact for
    /// most MP4 files, off by a few or unknown for others.
    pub fn expected_frames(&self) -> Option<u64> {
        self.frames
    }

    /// Reads on until the pending frame is whole.
    fn fill(&mut self, wake: &Wake, deadline: Instant) -> Result<Filled, DeviceError> {
        while self.filled_bytes < self.pending.bytes().len() {
            if let Some(not) = self.wait(true, wake, deadline)? {
                return Ok(Filled::Not(not));
            }
            let rest = &mut self.pending.bytes_mut()[self.filled_bytes..];
            match rustix::io::read(&self.pipe, rest) {
                Ok(0) => return Ok(Filled::End),
                Ok(bytes) => self.filled_bytes += bytes,
                Err(Errno::INTR) => {}
                Err(error) => return Err(self.io("reading frames", error)),
            }
        }
        Ok(Filled::Whole)
    }

    /// Waits for the bell and, if `for_bytes`, for the pipe. `None`: there are bytes.
    fn wait(
        &self,
        for_bytes: bool,
        wake: &Wake,
        until: Instant,
    ) -> Result<Option<Next>, DeviceError> {
        let events = if for_bytes { PollFlags::IN } else { PollFlags::empty() };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).expect("an hour is a time");
            let mut fds = [
                PollFd::from_borrowed_fd(wake.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.pipe.as_fd(), events),
            ];
            // A pipe that is closed is told also when it is not asked for: it must not be polled
            // while only the clock counts.
            let asked = if for_bytes { &mut fds[..] } else { &mut fds[..1] };
            match poll(asked, Some(&left)) {
                Ok(0) => return Ok(Some(Next::NotYet(PassedOver::default()))),
                Ok(_) if !fds[0].revents().is_empty() => return Ok(Some(Next::Woken)),
                Ok(_) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(self.io("waiting for frames", error)),
            }
        }
    }

    /// The pipe is closed: was that the end of the file?
    fn end(&mut self) -> Result<Next, DeviceError> {
        let (status, reason) = self.ffmpeg.wait().map_err(|source| DeviceError::Io {
            what: self.name.clone(),
            doing: "ending ffmpeg",
            source,
        })?;
        let is_whole = status.success() && self.filled_bytes == 0 && self.index > 0;
        if self.playback == Playback::EveryFrame && is_whole {
            if let Some(reason) = reason {
                let file = &self.name;
                tracing::warn!("not all of {file} could be decoded ({reason}); check the file");
            }
            self.ended = true;
            return Ok(Next::Ended);
        }
        let reason = reason.unwrap_or_else(|| format!("ffmpeg ended with {status}"));
        Err(DeviceError::Broken {
            what: self.name.clone(),
            why: format!("it cannot be decoded ({reason}); choose another video"),
        })
    }

    /// Hands the pending frame over for `into`.
    fn deliver(&mut self, into: &mut Frame, captured_at: Instant) -> Result<Next, DeviceError> {
        let (format, size, colour) =
            (self.pending.format(), self.pending.size(), self.pending.colour());
        self.pending.set_captured_at(captured_at);
        std::mem::swap(&mut self.pending, into);
        self.pending.reshape(format, size, colour)?;
        self.next_pending();
        let dropped = std::mem::take(&mut self.dropped);
        Ok(Next::Frame(PassedOver { dropped, corrupt: 0 }))
    }

    fn next_pending(&mut self) {
        self.index += 1;
        self.filled_bytes = 0;
    }

    fn io(&self, doing: &'static str, error: Errno) -> DeviceError {
        DeviceError::Io { what: self.name.clone(), doing, source: error.into() }
    }
}

impl Source for FileReader {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SourceMode {
        self.mode
    }

    /// As [`Source::next_frame`]. The time of capture is when the frame was due
    /// ([`Playback::Live`]), when it was handed out ([`Playback::Unpaced`]) or its time in the
    /// film, counted from the opening ([`Playback::EveryFrame`]).
    fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        patience: Duration,
    ) -> Result<Next, DeviceError> {
        if self.ended {
            return Ok(Next::Ended);
        }
        // Bounded, so that any patience is a time.
        let deadline = Instant::now() + patience.min(Duration::from_secs(3600));
        loop {
            match self.fill(wake, deadline)? {
                Filled::Whole => {}
                Filled::End => return self.end(),
                Filled::Not(next) => return Ok(next),
            }
            let now = Instant::now();
            let decision = match self.playback {
                Playback::Live => self.pace.decide(self.index, now),
                Playback::Unpaced => Decision::Show(now),
                Playback::EveryFrame => {
                    Decision::Show(self.opened_at + time_of(self.mode.rate, self.index))
                }
            };
            match decision {
                Decision::Show(due) => return self.deliver(into, due),
                Decision::Skip => {
                    self.dropped = self.dropped.saturating_add(1);
                    self.next_pending();
                }
                Decision::Wait(due) => match self.wait(false, wake, due.min(deadline))? {
                    Some(Next::NotYet(_)) if due <= deadline => {}
                    Some(next) => return Ok(next),
                    None => {}
                },
            }
        }
    }
}

/// What the file at `path` is and how it becomes frames, without decoding any.
fn plan_of(path: &Path) -> Result<Plan, DeviceError> {
    let (name, remedy) = (path.display().to_string(), "name a video or picture file");
    let found = fs::metadata(path).map_err(|error| not_opened(&name, remedy, error))?;
    check_is_file(&name, found.file_type(), remedy)?;
    if found.len() == 0 {
        let why = format!("it is empty; {remedy}");
        return Err(DeviceError::Unsupported { what: name, why });
    }
    probe(path)
}

/// What a file of this plan delivers.
fn mode_of(plan: &Plan) -> SourceMode {
    let Plan { format, size, colour, rate, .. } = *plan;
    SourceMode { codec: Codec::Raw(format), size, rate, colour }
}

/// The arguments that make FFmpeg write raw frames as planned to its standard output.
fn decode_args(path: &Path, plan: &Plan, playback: Playback) -> Vec<OsString> {
    // Decoded and scaled once.
    const REPEAT: &str = "loop=loop=-1:size=1:start=0,";
    // Of a video, damaged frames are shown as far as they go; a picture is whole or refused.
    const WHOLE: &[&str] = &["-err_detect", "explode"];
    let (how, repeat) = match playback {
        Playback::Live | Playback::Unpaced if plan.is_still => (WHOLE, REPEAT),
        Playback::Live | Playback::Unpaced => (&["-stream_loop", "-1"][..], ""),
        Playback::EveryFrame if plan.is_still => (WHOLE, ""),
        Playback::EveryFrame => (&[][..], ""),
    };
    let filters = format!("{},{repeat}{}", plan.picture_filters, plan.timing_filters);
    let rate = format!("{}/{}", plan.rate.numerator(), plan.rate.denominator());
    let output = ["-map", "0:V:0", "-filter:v", &filters, "-r", &rate, "-f", "rawvideo", "pipe:1"];
    // Turned by our own filter: whether FFmpeg does it, and for what, changes with its version.
    let mut args = vec!["-noautorotate".into()];
    args.extend(how.iter().map(OsString::from));
    args.extend(input_args(path));
    args.extend(output.map(OsString::from));
    args
}
