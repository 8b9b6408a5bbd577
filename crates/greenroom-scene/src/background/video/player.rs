//! The thread that reads a clip ahead.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_device::{ClipNext, ClipSource, Wake};
use greenroom_frame::FrameLayout;

use super::film::{Film, Pass};
use super::reel::{Kept, Ready, Reel, Timed};
use crate::{Fit, Pace, SceneError, SceneFormat};

/// What the thread is made of.
pub(super) struct Player {
    pub reel: Arc<Reel>,
    pub stop: Wake,
    pub source: ClipSource,
    pub fit: Fit,
    pub scene_format: SceneFormat,
    pub kept_bytes: usize,
}

/// How a pass ended that was not broken.
enum PassEnd {
    /// All was shown; the clip is so long. Its frames, if they were kept.
    Whole(Duration, Option<Vec<Timed>>),
    Stopped,
}

/// The passes of one opened clip.
struct Playing<'a> {
    player: &'a Player,
    film: Film,
    /// Time at which this pass began.
    origin: Duration,
    /// The clip's length, once a pass has told it.
    length: Option<Duration>,
    /// Frames of a pass that was whole and began at the begin.
    counted: Option<u64>,
    /// The next pass, started before this one ends.
    next: Option<Pass>,
    /// Time of the last frame that was handed over, to begin after it when all is lost.
    last_at: Duration,
    haste: Haste,
}

/// What is done about a decoder that does not keep up.
#[derive(Debug, Default, Clone, Copy)]
struct Haste {
    /// Only key frames are decoded.
    is_hurried: bool,
    jumped_at: Option<Instant>,
}

/// Longest that a first frame may take from an address, which may never answer ...
const FIRST_FRAME_OF_ADDRESS: Duration = Duration::from_secs(10);
/// ... and from a file, which comes as soon as the machine has decoded it.
const FIRST_FRAME_OF_FILE: Duration = Duration::from_secs(60);
/// The next pass is started when this one has so much left: starting a decoder takes 0.1 s, and ten
/// times that on a machine that is busy with twenty of them.
const START_BEFORE: Duration = Duration::from_secs(4);
/// Lateness at which a decoder is left behind and another one started ahead of the clock ...
const LATE: Duration = Duration::from_millis(700);
/// ... by so much.
const LEAD: Duration = Duration::from_millis(500);
/// A decoder that is late again so soon cannot decode all frames.
const LATE_AGAIN: Duration = Duration::from_secs(10);
/// Between two attempts to open a clip that broke.
const BACK_OFF: [u64; 6] = [1, 2, 4, 8, 16, 30];
/// A clip that has played for so long is well again.
const IS_WELL: Duration = Duration::from_secs(30);

impl Player {
    pub(super) fn run(self) {
        // Decoders of other people's formats run on this thread, too.
        if catch_unwind(AssertUnwindSafe(|| self.play_until_stopped())).is_err() {
            tracing::error!(
                "a part of greenroom failed over {}; its last picture stays",
                self.source
            );
            self.reel.refuse(SceneError::NoPicture { what: self.source.to_string() });
        }
        // Freed here and not on the frame thread.
        self.reel.clear();
    }

    fn play_until_stopped(&self) {
        let mut failures = 0;
        let mut begin_at = Duration::ZERO;
        loop {
            let begun = Instant::now();
            let mut has_played = false;
            let Err(error) = self.play(&mut begin_at, &mut has_played) else { return };
            if failures == 0 && !has_played {
                self.reel.refuse(error);
                return;
            }
            if has_played && begun.elapsed() > IS_WELL {
                failures = 0;
            }
            let seconds = BACK_OFF[failures.min(BACK_OFF.len() - 1)];
            if failures == 0 {
                tracing::warn!("{error}; its last picture stays while it is tried again");
            } else {
                tracing::debug!(%error, seconds, "the background is still broken");
            }
            failures += 1;
            self.reel.break_down();
            if !self.reel.rest(Duration::from_secs(seconds)) {
                return;
            }
        }
    }

    /// Plays from `begin_at` on, which is put after the last frame, until it is stopped.
    fn play(&self, begin_at: &mut Duration, has_played: &mut bool) -> Result<(), SceneError> {
        let film = Film::open(&self.source, self.fit, self.scene_format, &self.stop)?;
        let first = film.play()?;
        let mut playing = Playing {
            player: self,
            film,
            origin: self.reel.now().max(*begin_at),
            length: None,
            counted: None,
            next: Some(first),
            last_at: Duration::ZERO,
            haste: Haste::default(),
        };
        let ended = playing.passes(has_played);
        *begin_at = playing.last_at + Duration::from_millis(1);
        ended
    }
}

impl Playing<'_> {
    /// Pass after pass until it is stopped; one, if the clip can be kept.
    fn passes(&mut self, has_played: &mut bool) -> Result<(), SceneError> {
        loop {
            let pass = match self.next.take() {
                Some(next) => next,
                None => self.film.play()?,
            };
            match self.pass(pass, has_played)? {
                PassEnd::Stopped => return Ok(()),
                PassEnd::Whole(length, Some(frames)) => {
                    self.next = None;
                    let kept = Arc::new(Kept { origin: self.origin, length, frames });
                    tracing::debug!(frames = kept.frames.len(), ?length, "kept in memory");
                    self.player.reel.keep(Arc::clone(&kept));
                    self.player.reel.wait_until_stopped();
                    return Ok(());
                }
                // The last key frame is not where the clip ends.
                PassEnd::Whole(length, None) if self.haste.is_hurried => {
                    let known = self.length.or_else(|| self.film.expected_length());
                    self.origin += known.map_or(length, |known| known.max(length));
                }
                PassEnd::Whole(length, None) => {
                    self.origin += length;
                    self.length = Some(length);
                }
            }
        }
    }

    fn pass(&mut self, mut pass: Pass, has_played: &mut bool) -> Result<PassEnd, SceneError> {
        let reel = &self.player.reel;
        let mut kept = self.may_keep().then(Vec::new);
        let begun = Instant::now();
        let mut is_first = true;
        let mut frames_so_far = 0;
        let patience = match self.player.source {
            ClipSource::Url(_) => FIRST_FRAME_OF_ADDRESS,
            ClipSource::File(_) | ClipSource::Pattern(_) => FIRST_FRAME_OF_FILE,
        };
        loop {
            if reel.wait_for_room() == Ready::Stopped {
                return Ok(PassEnd::Stopped);
            }
            let mut frame = reel.take_free(self.player.scene_format.shape)?;
            let into = Arc::get_mut(&mut frame).expect("a free frame has no other owner");
            let at = match pass.next_frame(into, &self.player.stop, patience)? {
                ClipNext::Frame(at) => at,
                ClipNext::Woken => return Ok(PassEnd::Stopped),
                ClipNext::Ended(length) => {
                    self.counted = (!self.haste.is_hurried).then_some(frames_so_far);
                    return Ok(PassEnd::Whole(length, kept));
                }
                ClipNext::NotYet if is_first && !*has_played => {
                    return Err(SceneError::NoPicture { what: self.player.source.to_string() });
                }
                // A live stream may pause; the reader itself ends one that is dead.
                ClipNext::NotYet => continue,
            };
            is_first = false;
            frames_so_far += 1;
            if let Some(frames) = &mut kept {
                frames.push(Timed { at, frame: Arc::clone(&frame) });
                if frames.len() > 1 && frames.len() > self.frames_kept() {
                    kept = None;
                }
            }
            self.last_at = self.origin + at;
            reel.push(Timed { at: self.last_at, frame });
            *has_played = true;
            if kept.is_none() {
                self.start_next_in_time(at)?;
            }
            if begun.elapsed() > LATE
                && let Some(later) = self.catch_up(at, kept.is_some())?
            {
                (pass, kept) = (later, None);
            }
        }
    }

    /// How many frames the memory holds.
    fn frames_kept(&self) -> usize {
        let shape = self.player.scene_format.shape;
        let frame_bytes = FrameLayout::tight(shape.format, shape.size)
            .map_or(usize::MAX, |layout| layout.len_bytes().max(1));
        self.player.kept_bytes / frame_bytes
    }

    /// Whether to try to keep the pass that begins.
    fn may_keep(&self) -> bool {
        // What was counted counts more than what a file says of itself.
        let frames = self.counted.or_else(|| self.film.expected_frames()).unwrap_or(0);
        !self.haste.is_hurried && (frames <= 1 || frames <= self.frames_kept() as u64)
    }

    /// Starts the next pass when this one is near its end, or from the begin where nobody knows its
    /// end; what comes from addresses may never end, and is opened again when it does.
    fn start_next_in_time(&mut self, at: Duration) -> Result<(), SceneError> {
        if self.next.is_some() || matches!(self.player.source, ClipSource::Url(_)) {
            return Ok(());
        }
        let length = self.length.or_else(|| self.film.expected_length());
        if length.is_none_or(|length| at + START_BEFORE >= length) {
            self.next = match self.haste.is_hurried {
                false => Some(self.film.play()?),
                true => self.film.play_from(Duration::ZERO, true)?,
            };
        }
        Ok(())
    }

    /// If frame `at` comes late: a decoder that begins ahead of the clock, or the clock of the clip
    /// set back where there can be none.
    fn catch_up(&mut self, at: Duration, is_kept: bool) -> Result<Option<Pass>, SceneError> {
        let now = self.player.reel.now();
        let late = now.saturating_sub(self.origin + at);
        if self.player.scene_format.pace == Pace::Exact || late < LATE {
            return Ok(None);
        }
        let is_late_again = self.haste.jumped_at.is_some_and(|then| then.elapsed() < LATE_AGAIN);
        let length = self.length.or_else(|| self.film.expected_length());
        // A clip that is kept comes late once and never again; skipping would cost keeping it. And
        // where not even key frames come in time, slowly is all there is.
        if let Some(length) = length.filter(|length| *length > 2 * LEAD)
            && matches!(self.film, Film::Clip(_))
            && !is_kept
            && !(is_late_again && self.haste.is_hurried)
        {
            self.haste.is_hurried |= is_late_again;
            self.haste.jumped_at = Some(Instant::now());
            let mut from = now + LEAD - self.origin;
            while from >= length {
                from -= length;
                self.origin += length;
            }
            tracing::debug!(?late, ?from, hurried = self.haste.is_hurried, "decoding is too slow");
            self.next = None;
            if let Some(pass) = self.film.play_from(from, self.haste.is_hurried)? {
                return Ok(Some(pass));
            }
        }
        tracing::debug!(?late, "decoding is too slow: played slowly");
        self.origin += late;
        Ok(None)
    }
}
