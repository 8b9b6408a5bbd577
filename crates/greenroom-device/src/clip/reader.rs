use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use greenroom_frame::{Frame, FrameShape, FrameView, Rgb8, SizePx};

use super::Clip;
use super::plan::{Plan, play_args};
use super::source::ClipSource;
use crate::ffmpeg::{Came, Ffmpeg, Flow, Guard, PictureError, RawPictures};
use crate::file::pace::FrameClock;
use crate::{DeviceError, FrameRate, Wake, wait_readable};

/// One pass of a [`Clip`], frame by frame. Dropping it ends its `ffmpeg`.
///
/// Frames are decoded ahead only as far as a pipe holds (1 MiB): while nobody asks for one, the
/// child sleeps.
#[derive(Debug)]
pub struct ClipReader {
    clip: Clip,
    ffmpeg: Ffmpeg,
    pictures: RawPictures,
    /// The picture that is coming in.
    pending: Frame,
    times: Times,
    /// How long nothing has come while it was waited for.
    waited: Duration,
}

/// What asking for the next frame ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipNext {
    /// The frame was filled; it is shown from this time of the clip on.
    Frame(Duration),
    /// The time was up and no frame came.
    NotYet,
    /// The [`Wake`] was set.
    Woken,
    /// There are no more frames: the last one is shown until the clip is this long.
    Ended(Duration),
}

/// A child that delivers nothing for so long will not any more: a network's end that went away
/// unheard ...
const STALL_OF_ADDRESS: Duration = Duration::from_secs(15);
/// ... or a file system that is gone. On a busy machine a healthy child may take long for a picture.
const STALL_OF_FILE: Duration = Duration::from_secs(60);

impl Clip {
    /// Starts an `ffmpeg` that decodes the clip once, from its begin.
    ///
    /// The child is killed when the thread that calls this ends.
    ///
    /// # Errors
    /// [`DeviceError::MissingProgram`], [`DeviceError::Io`].
    pub fn play(&self) -> Result<ClipReader, DeviceError> {
        ClipReader::start(self, Duration::ZERO, false)
    }

    /// As [`play`](Self::play), from the frame that is shown at `from` on; if `hurried`, only
    /// frames that stand alone are decoded (key frames), for a machine that is too slow for all.
    ///
    /// # Errors
    /// As [`play`](Self::play).
    pub fn play_from(&self, from: Duration, hurried: bool) -> Result<ClipReader, DeviceError> {
        ClipReader::start(self, from, hurried)
    }
}

impl ClipReader {
    fn start(clip: &Clip, from: Duration, hurried: bool) -> Result<Self, DeviceError> {
        let Plan { shape, picture, constant_rate, lengths, .. } = clip.plan;
        let args = play_args(&clip.source, &clip.plan, from, hurried)?;
        let mut ffmpeg = Ffmpeg::start(args, Flow::Out, Guard::tied())?;
        let pipe = ffmpeg.take_output().expect("the output was asked for as a pipe");
        Ok(Self {
            clip: clip.clone(),
            ffmpeg,
            pictures: RawPictures::new(pipe),
            pending: Frame::new(shape.format, picture, shape.colour)?,
            times: Times::new(from, constant_rate, lengths),
            waited: Duration::ZERO,
        })
    }

    /// Waits for the next frame and puts it into `into`, which becomes one of the wanted shape.
    /// Ends early when `wake` is set, and after `patience` at the latest.
    ///
    /// # Errors
    /// [`DeviceError::Broken`] when the clip cannot be decoded (any further), in one sentence.
    pub fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        patience: Duration,
    ) -> Result<ClipNext, DeviceError> {
        let deadline = Instant::now() + patience.min(Duration::from_secs(3600));
        loop {
            if let Some(not) = self.wait(wake, deadline)? {
                return Ok(not);
            }
            match self.pictures.read(self.pending.bytes_mut()) {
                Ok(Came::Part) => {}
                Ok(Came::Picture(ms)) => {
                    self.hand_over(into)?;
                    return Ok(ClipNext::Frame(self.times.next(ms)));
                }
                Ok(Came::End { is_between }) => return self.end(is_between),
                Err(PictureError::Malformed(why)) => return Err(self.broken(why)),
                Err(PictureError::Io(source)) => {
                    let what = self.clip.name().to_owned();
                    return Err(DeviceError::Io { what, doing: "reading frames", source });
                }
            }
        }
    }

    /// Waits for the bell and the pipe. `None`: there are bytes.
    fn wait(&mut self, wake: &Wake, until: Instant) -> Result<Option<ClipNext>, DeviceError> {
        let begun = Instant::now();
        let stall = match self.clip.source {
            ClipSource::Url(_) => STALL_OF_ADDRESS,
            ClipSource::File(_) | ClipSource::Pattern(_) => STALL_OF_FILE,
        };
        let left = until.saturating_duration_since(begun).min(stall);
        let ready = wait_readable(&[wake.as_fd(), self.pictures.as_fd()], Some(left));
        if ready & 1 != 0 {
            return Ok(Some(ClipNext::Woken));
        }
        if ready != 0 {
            self.waited = Duration::ZERO;
            return Ok(None);
        }
        self.waited += begun.elapsed();
        if self.waited >= stall {
            let why = format!("nothing came for {} seconds", stall.as_secs());
            return Err(self.broken(&why));
        }
        Ok(Some(ClipNext::NotYet))
    }

    /// The pipe is closed: was that the end of the clip?
    fn end(&mut self, is_between: bool) -> Result<ClipNext, DeviceError> {
        let (status, said) = self.ffmpeg.wait_at_end().map_err(|source| DeviceError::Io {
            what: self.clip.name().to_owned(),
            doing: "ending ffmpeg",
            source,
        })?;
        let length = self.times.length();
        match length {
            Some(length) if status.success() && is_between => {
                if let Some(reason) = said.reason {
                    // Each pass says it again.
                    tracing::debug!(clip = self.clip.name(), %reason, "not all was decoded");
                }
                Ok(ClipNext::Ended(length))
            }
            _ => {
                let nothing = || match status.success() {
                    true => "no picture came out of it".to_owned(),
                    false => format!("ffmpeg ended with {status}"),
                };
                Err(self.broken(&said.reason.unwrap_or_else(nothing)))
            }
        }
    }

    fn broken(&self, why: &str) -> DeviceError {
        DeviceError::Broken {
            what: self.clip.name().to_owned(),
            why: format!("it cannot be decoded ({why}); choose another video"),
        }
    }

    /// Gives the picture that is there to `into`.
    fn hand_over(&mut self, into: &mut Frame) -> Result<(), DeviceError> {
        let FrameShape { format, size, colour } = self.clip.plan.shape;
        into.reshape(format, size, colour)?;
        if self.pending.size() == size {
            std::mem::swap(&mut self.pending, into);
            return Ok(self.pending.reshape(format, size, colour)?);
        }
        into.fill(colour.encode(Rgb8 { r: 0, g: 0, b: 0 }));
        put_into(self.pending.view(), into, self.clip.plan.corner);
        Ok(())
    }
}

/// Copies a planar picture into a larger one of the same format. `corner`: where its first column
/// and row lie, on whole chroma samples.
fn put_into(picture: FrameView<'_>, frame: &mut Frame, corner: (u32, u32)) {
    let chroma = frame.format().chroma().plane_size(SizePx::new(corner.0, corner.1));
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        let corner = if index == 0 { corner } else { (chroma.width_px, chroma.height_px) };
        let rows = plane.iter_rows_mut().skip(corner.1 as usize);
        for (to, from) in rows.zip(picture.plane(index).iter_rows()) {
            to[corner.0 as usize..][..from.len()].copy_from_slice(from);
        }
    }
}

/// Makes times of the milliseconds that FFmpeg says.
#[derive(Debug)]
struct Times {
    /// Where in the clip this pass began.
    from: Duration,
    /// `Some` if the frames are likely to come at one rate.
    clock: Option<FrameClock>,
    expected_lengths: [Option<Duration>; 2],
    first_ms: Option<i64>,
    frames: u64,
    /// Time of the last frame.
    last: Duration,
}

/// How long a clip of one frame is that says nothing of it.
const ONE_FRAME: Duration = Duration::from_millis(100);
/// See [`Times::next`].
const HALF_MS: Duration = Duration::from_micros(500);
/// Longest that a last frame may stand: a file whose sound goes on.
const MAX_LAST_FRAME: Duration = Duration::from_secs(60);

impl Times {
    fn new(
        from: Duration,
        rate: Option<FrameRate>,
        expected_lengths: [Option<Duration>; 2],
    ) -> Self {
        let clock = rate.map(FrameClock::new);
        Self { from, clock, expected_lengths, first_ms: None, frames: 0, last: Duration::ZERO }
    }

    /// The time of the next frame; never before the one before it.
    fn next(&mut self, ms: i64) -> Duration {
        // A clip begins with its first frame, also where FFmpeg's clock began with the sound.
        let first_ms = *self.first_ms.get_or_insert(if self.from.is_zero() { ms } else { 0 });
        let ms = u64::try_from(ms.saturating_sub(first_ms)).unwrap_or(0);
        let time = self.from + Duration::from_millis(ms);
        self.last = match &mut self.clock {
            Some(clock) => clock.time_of_next(time),
            // Rounded up by half a millisecond at most: a camera whose frames come at the same times
            // must not find each frame a moment too late.
            None => time.saturating_sub(HALF_MS).max(self.last),
        };
        self.frames += 1;
        self.last
    }

    /// How long the clip is, its last frame being known; `None`: there was none.
    fn length(&self) -> Option<Duration> {
        if self.frames == 0 {
            return None;
        }
        if let Some(clock) = &self.clock {
            return Some(clock.end());
        }
        // MP4 writers get the video's own wrong by its last frame; its container's is then right.
        let is_likely = |told: &Duration| *told > self.last && *told - self.last <= MAX_LAST_FRAME;
        let told = self.expected_lengths.into_iter().flatten().find(is_likely);
        let intervals = u32::try_from(self.frames - 1).unwrap_or(u32::MAX);
        let mean = (self.last.saturating_sub(self.from)).checked_div(intervals);
        let last_frame = mean.filter(|mean| !mean.is_zero()).unwrap_or(ONE_FRAME);
        Some(told.unwrap_or(self.last + last_frame))
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, PixelFormat, Yuv8};

    use super::*;
    use crate::file::pace::time_of;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn constant_rates_are_exact_and_others_to_the_millisecond() {
        let ntsc = FrameRate::new(30_000, 1001).unwrap();
        let mut times = Times::new(Duration::ZERO, Some(ntsc), [Some(9999 * MS), None]);
        for index in 0..3000u64 {
            // Rounded, and with the 23 ms that the sound began before.
            let ms = 23 + (index * 1_001_000 + 15_000) / 30_000;
            assert_eq!(times.next(ms as i64), time_of(ntsc, index));
        }
        assert_eq!(times.length(), Some(Duration::from_millis(100_100)));

        let mut times = Times::new(Duration::ZERO, None, [Some(640 * MS), Some(950 * MS)]);
        let found = [0, 50, 40, 650].map(|ms| times.next(ms).as_micros());
        assert_eq!(found, [0, 49_500, 49_500, 649_500]);
        assert_eq!(times.length(), Some(950 * MS));
        let last = times.next(1250);
        assert_eq!(times.length(), Some(last + last / 4));
        assert_eq!(Times::new(Duration::ZERO, None, [None; 2]).length(), None);
    }

    #[test]
    fn a_pass_that_begins_later_counts_on() {
        let rate = FrameRate::new(25, 1).unwrap();
        let mut times = Times::new(1003 * MS, Some(rate), [None; 2]);
        assert_eq!([times.next(37), times.next(77)], [1040 * MS, 1080 * MS]);
        assert_eq!(times.length(), Some(1120 * MS));
    }

    #[test]
    fn small_pictures_lie_between_bars() {
        for format in [PixelFormat::I420, PixelFormat::I422] {
            let frame = |width, height, y| {
                let size = SizePx::new(width, height);
                let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
                frame.fill(Yuv8 { y, u: y, v: y });
                frame
            };
            let mut into = frame(11, 9, 1);
            put_into(frame(5, 3, 9).view(), &mut into, (2, 4));
            let view = into.view();
            assert_eq!(view.plane(0).row(4), [1, 1, 9, 9, 9, 9, 9, 1, 1, 1, 1]);
            assert_eq!(view.plane(0).iter_rows().filter(|row| row.contains(&9)).count(), 3);
            let chroma_row = if format == PixelFormat::I420 { 2 } else { 4 };
            assert_eq!(view.plane(1).row(chroma_row), [1, 9, 9, 9, 1, 1]);
        }
    }
}
