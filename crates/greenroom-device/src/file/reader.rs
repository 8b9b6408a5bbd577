//! Any video that FFmpeg reads, as a camera or frame by frame.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use greenroom_frame::Frame;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::pace::{Decision, FrameClock, Pace, time_of};
use super::probe::{Plan, probe};
use crate::clip::plan::RAW_WITH_TIMES;
use crate::ffmpeg::{Arguments, Came, Ffmpeg, Flow, Guard, Input, PictureError, RawPictures};
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
    /// Every frame once, in order, as fast as it is taken.
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
    pictures: RawPictures,
    clock: FrameClock,
    /// The frame that is coming in; it changes places with the consumer's.
    pending: Frame,
    /// When it is shown, counted from the file's begin, once it is whole.
    pending_at: Option<Duration>,
    /// When the first frame is shown: sound may begin before.
    first_at: Option<Duration>,
    dropped: u32,
    ended: bool,
}

/// What reading the pending frame ended with.
enum Filled {
    /// It is whole, and shown at this time of the film.
    Whole(Duration),
    End {
        is_between: bool,
    },
    Not(Next),
}

impl FileReader {
    /// Opens the video or picture at `path`.
    ///
    /// # Errors
    /// [`DeviceError::NotFound`], [`DeviceError::Denied`], [`DeviceError::WrongKind`] if it is no
    /// file, [`DeviceError::Unsupported`] with FFmpeg's reason if it is no video,
    /// [`DeviceError::MissingProgram`] without FFmpeg.
    pub fn open(path: &Path, playback: Playback) -> Result<Self, DeviceError> {
        let name = path.display().to_string();
        let plan = probe(path)?;
        tracing::debug!(file = %name, filters = %plan.picture_filters, rate = %plan.rate, "decoding");
        let arguments = decode_args(path, &plan, playback)?;
        let mut ffmpeg = Ffmpeg::start(arguments, Flow::Out, Guard::reader())?;
        let pipe = ffmpeg.take_output().expect("the output was asked for as a pipe");
        let Plan { format, size, colour, rate, frames, .. } = plan;
        Ok(Self {
            name,
            mode: mode_of(&plan),
            frames,
            playback,
            opened_at: Instant::now(),
            pace: Pace::new(rate),
            ffmpeg,
            pictures: RawPictures::new(pipe),
            clock: FrameClock::new(rate),
            pending: Frame::new(format, size, colour)?,
            pending_at: None,
            first_at: None,
            dropped: 0,
            ended: false,
        })
    }

    /// What a reader of the video or picture at `path` would deliver; nothing is decoded yet.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn probe(path: &Path) -> Result<SourceMode, DeviceError> {
        probe(path).map(|plan| mode_of(&plan))
    }

    /// How many frames [`Playback::EveryFrame`] will deliver, as far as the file tells: exact for
    /// most MP4 files, off by a few or unknown for others.
    pub fn expected_frames(&self) -> Option<u64> {
        self.frames
    }

    /// From where the file begins, with whatever it holds, to its first picture: sound may begin
    /// before. Known once the first frame is there.
    pub fn first_frame_at(&self) -> Duration {
        self.first_at.unwrap_or_default()
    }

    /// Reads on until the pending frame is whole.
    fn fill(&mut self, wake: &Wake, deadline: Instant) -> Result<Filled, DeviceError> {
        if let Some(at) = self.pending_at {
            return Ok(Filled::Whole(at));
        }
        loop {
            if let Some(not) = self.wait(true, wake, deadline)? {
                return Ok(Filled::Not(not));
            }
            match self.pictures.read(self.pending.bytes_mut()) {
                Ok(Came::Part) => {}
                Ok(Came::Picture(us)) => {
                    let told = Duration::from_micros(u64::try_from(us).unwrap_or(0));
                    let at = self.clock.time_of_next(told);
                    self.first_at.get_or_insert(at);
                    self.pending_at = Some(at);
                    return Ok(Filled::Whole(at));
                }
                Ok(Came::End { is_between }) => return Ok(Filled::End { is_between }),
                Err(PictureError::Io(source)) => return Err(self.io("reading frames", source)),
                Err(PictureError::Malformed(why)) => return Err(self.broken(why)),
            }
        }
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
                PollFd::from_borrowed_fd(self.pictures.as_fd(), events),
            ];
            // A pipe that is closed is told also when it is not asked for: it must not be polled
            // while only the clock counts.
            let asked = if for_bytes { &mut fds[..] } else { &mut fds[..1] };
            match poll(asked, Some(&left)) {
                Ok(0) => return Ok(Some(Next::NotYet(PassedOver::default()))),
                Ok(_) if !fds[0].revents().is_empty() => return Ok(Some(Next::Woken)),
                Ok(_) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(self.io("waiting for frames", error.into())),
            }
        }
    }

    /// The pipe is closed: was that the end of the file?
    fn end(&mut self, is_between: bool) -> Result<Next, DeviceError> {
        let (status, said) = self.ffmpeg.wait_at_end().map_err(|source| DeviceError::Io {
            what: self.name.clone(),
            doing: "ending ffmpeg",
            source,
        })?;
        let is_whole = status.success() && is_between && self.first_at.is_some();
        if self.playback == Playback::EveryFrame && is_whole {
            if let Some(reason) = said.reason {
                let file = &self.name;
                tracing::warn!("not all of {file} could be decoded ({reason}); check the file");
            }
            self.ended = true;
            return Ok(Next::Ended);
        }
        Err(self.broken(&said.reason.unwrap_or_else(|| format!("ffmpeg ended with {status}"))))
    }

    fn broken(&self, why: &str) -> DeviceError {
        DeviceError::Broken {
            what: self.name.clone(),
            why: format!("it cannot be decoded ({why}); choose another video"),
        }
    }

    /// Hands the pending frame over for `into`.
    fn deliver(&mut self, into: &mut Frame, captured_at: Instant) -> Result<Next, DeviceError> {
        let (format, size, colour) =
            (self.pending.format(), self.pending.size(), self.pending.colour());
        self.pending.set_captured_at(captured_at);
        std::mem::swap(&mut self.pending, into);
        self.pending.reshape(format, size, colour)?;
        self.pending_at = None;
        let dropped = std::mem::take(&mut self.dropped);
        Ok(Next::Frame(PassedOver { dropped, corrupt: 0 }))
    }

    fn io(&self, doing: &'static str, source: io::Error) -> DeviceError {
        DeviceError::Io { what: self.name.clone(), doing, source }
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
            let at = match self.fill(wake, deadline)? {
                Filled::Whole(at) => at,
                Filled::End { is_between } => return self.end(is_between),
                Filled::Not(next) => return Ok(next),
            };
            let now = Instant::now();
            let decision = match self.playback {
                Playback::Live => self.pace.decide(at, now),
                Playback::Unpaced => Decision::Show(now),
                Playback::EveryFrame => Decision::Show(self.opened_at + at),
            };
            match decision {
                Decision::Show(due) => return self.deliver(into, due),
                Decision::Skip => {
                    self.dropped = self.dropped.saturating_add(1);
                    self.pending_at = None;
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

/// What a file of this plan delivers.
fn mode_of(plan: &Plan) -> SourceMode {
    let Plan { format, size, colour, rate, .. } = *plan;
    SourceMode { codec: Codec::Raw(format), size, rate, colour }
}

/// The arguments that make FFmpeg write raw frames as planned to its standard output, with their
/// times in microseconds.
///
/// # Errors
/// When the file cannot be opened.
fn decode_args(path: &Path, plan: &Plan, playback: Playback) -> Result<Arguments, DeviceError> {
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
    // The container counts in milliseconds: what it is told is a thousand times the time.
    let interval_ns = time_of(plan.rate, 1).as_nanos();
    let one_by_one = format!("N*{interval_ns}");
    let times = match plan.is_still {
        true => one_by_one,
        false => format!("'if(isnan(PTS),{one_by_one},PTS*1000)'"),
    };
    let filters = format!("{},{repeat}settb=1/1000000,setpts={times}", plan.picture_filters);
    let mut args = Arguments::default();
    // Turned by our own filter: whether FFmpeg does it, and for what, changes with its version.
    args.add(["-noautorotate"]);
    args.add(how.iter().copied());
    args.add_input(Input::File(path))?;
    args.add(["-map", "0:V:0", "-filter:v", &filters]);
    args.add(RAW_WITH_TIMES);
    Ok(args)
}
