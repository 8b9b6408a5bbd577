use std::time::Duration;

use super::patience::Patience;
use super::{FrameTimes, Ladder, LevelReason};

/// Keeps frames in time: goes down within a few frames when they come late, and up again slowly.
#[derive(Debug)]
pub(super) struct Punctuality {
    level: usize,
    lowest: usize,
    lowest_of_full_rate: usize,
    first_that_saves_time: usize,
    /// Of the newest frames, whether each was late: the newest in the lowest bit.
    late: u8,
    /// Frames that say nothing, since they were on their way before the last change.
    frames_to_ignore: u32,
    /// Since the level was changed or the count was begun anew: frames, and late ones of them.
    frames: u32,
    late_frames: u32,
    /// Those of them that waited for the processor.
    hindered_frames: u32,
    counted_since: Duration,
    patience: Patience,
    /// Mean processor time of a frame on each of the two threads, of the last dozen.
    work: Option<[Duration; 2]>,
    reason: LevelReason,
}

/// A frame is late if its way takes longer than this part of the period, in percent.
const LATE_PERCENT: u32 = 75;
/// Or longer than this, however slow the camera is.
const LATE_AT_MOST: Duration = Duration::from_millis(40);
/// So many of the last eight frames have to be late for a fall.
const LATE_OF_EIGHT: u32 = 3;
/// A frame that takes so many times what is in time counts for two.
const VERY_LATE_TIMES: u32 = 2;
/// Frames are counted for so long; then the count begins anew.
const COUNT_AT_MOST: Duration = Duration::from_secs(4);
/// A frame that takes so many times its processor time, and the time of two hand-overs, has waited for the processor.
const HINDERED_TIMES: u32 = 2;
/// See [`HINDERED_TIMES`].
const HAND_OVER: Duration = Duration::from_millis(3);
/// Frames that are on their way when the level changes.
const UNDER_WAY: u32 = 3;
/// Frames at the beginning of a call: the camera, the network's memory and the background are warming up.
const FIRST_FRAMES: u32 = 15;
/// With one late frame in so many, the level is right, and the next higher one is not tried.
const CALM_FRAMES: u32 = 25;

impl Punctuality {
    pub(super) fn new(ladder: &Ladder) -> Self {
        Self {
            level: 0,
            lowest: ladder.lowest(),
            lowest_of_full_rate: ladder.lowest_of_full_rate(),
            first_that_saves_time: ladder.first_that_saves_time(),
            late: 0,
            frames_to_ignore: FIRST_FRAMES,
            frames: 0,
            late_frames: 0,
            hindered_frames: 0,
            counted_since: Duration::ZERO,
            patience: Patience::new(),
            work: None,
            reason: LevelReason::Busy,
        }
    }

    pub(super) fn begin(&mut self) {
        (self.late, self.frames_to_ignore) = (0, FIRST_FRAMES);
        (self.frames, self.late_frames, self.hindered_frames) = (0, 0, 0);
    }

    /// The level that keeps frames in time, and why it is not 0.
    pub(super) fn frame(&mut self, times: &FrameTimes) -> (usize, LevelReason) {
        let in_time = (times.period * LATE_PERCENT / 100).min(LATE_AT_MOST);
        let work = self.note_work(times);
        if self.frames_to_ignore > 0 {
            self.frames_to_ignore -= 1;
            self.counted_since = times.written_at;
            return (self.level, self.reason);
        }
        let is_late = times.way > in_time || times.dropped > 0;
        let is_very_late = times.way > VERY_LATE_TIMES * in_time || times.dropped > 1;
        self.late = self.late << 1 | u8::from(is_late);
        if is_very_late {
            self.late = self.late << 1 | 1;
        }
        self.frames += 1;
        self.late_frames += u32::from(is_late);
        let alone = HINDERED_TIMES * times.work.iter().sum::<Duration>() + HAND_OVER;
        self.hindered_frames += u32::from(times.way > alone);
        // Where one thread takes longer than a frame lasts, some are passed over anyway: then better every second one. Where
        // other programs take the time, that would not help.
        let is_too_slow = work.iter().any(|work| *work > times.period);
        let lowest = if is_too_slow { self.lowest } else { self.lowest_of_full_rate };
        if self.late.count_ones() >= LATE_OF_EIGHT && self.level < lowest {
            self.reason = match work.iter().sum::<Duration>() > in_time {
                true => LevelReason::Slow,
                false => LevelReason::Busy,
            };
            let level = (self.level + 1).max(self.first_that_saves_time);
            self.go_to(level.min(lowest), times.written_at);
            self.patience.fall(times.written_at);
        } else if self.level > 0 {
            let is_promising = self.is_promising();
            if self.patience.is_over(times.written_at, is_promising) {
                self.try_to_climb(times.written_at, is_promising);
            }
        }
        // A slow camera has fewer frames in that time than a count needs.
        let is_counted = self.frames >= CALM_FRAMES;
        if is_counted && times.written_at.saturating_sub(self.counted_since) > COUNT_AT_MOST {
            self.count_anew(times.written_at);
        }
        (self.level, self.reason)
    }

    /// The mean work of the newest frames, on each of the two threads.
    fn note_work(&mut self, times: &FrameTimes) -> [Duration; 2] {
        let work = self.work.get_or_insert(times.work);
        for (mean, new) in work.iter_mut().zip(times.work) {
            *mean = (*mean * 11 + new) / 12;
        }
        *work
    }

    /// Whether other programs were the reason, and none takes the processor any more.
    fn is_promising(&self) -> bool {
        let is_alone = self.hindered_frames * CALM_FRAMES <= self.frames;
        self.reason == LevelReason::Busy && is_alone && self.frames >= CALM_FRAMES
    }

    fn try_to_climb(&mut self, now: Duration, is_promising: bool) {
        if self.frames < CALM_FRAMES || self.late_frames * CALM_FRAMES > self.frames {
            return;
        }
        let next = if self.level <= self.first_that_saves_time { 0 } else { self.level - 1 };
        self.go_to(next, now);
        self.patience.climb(now, is_promising);
    }

    fn go_to(&mut self, level: usize, now: Duration) {
        self.level = level;
        (self.late, self.frames_to_ignore) = (0, UNDER_WAY);
        self.count_anew(now);
    }

    fn count_anew(&mut self, now: Duration) {
        (self.frames, self.late_frames, self.hindered_frames) = (0, 0, 0);
        self.counted_since = now;
    }
}
