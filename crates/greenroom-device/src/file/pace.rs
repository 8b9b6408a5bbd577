//! When the frames of a file are due.

use std::time::{Duration, Instant};

use crate::FrameRate;

/// The clock of a file that plays as a live camera. Its first frame is due when it is there, each
/// other one as much later as it is in the film: nothing adds up.
#[derive(Debug)]
pub(super) struct Pace {
    /// From the frame before to this one.
    interval: Duration,
    last: Option<Duration>,
    start: Option<Instant>,
    skips_left: Option<u64>,
}

/// What to do with a frame that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is due later.
    Wait(Instant),
    /// It is due, and was at this time.
    Show(Instant),
    /// A later one is due already.
    Skip,
}

impl Pace {
    /// A clock that starts with the first frame.
    pub fn new(rate: FrameRate) -> Self {
        Self { interval: rate.interval(), last: None, start: None, skips_left: None }
    }

    /// What to do with the next frame, which is there at `now`, and in the film at `at`.
    ///
    /// A consumer that is late by up to a second gets the frame it would have got in time. If it
    /// stayed away longer, or frames come slower than their rate, the file goes on from where it
    /// is: skipping would then cost more time than it wins.
    pub fn decide(&mut self, at: Duration, now: Instant) -> Decision {
        // Frames of changing rate are taken to go on as they came last.
        match self.last.replace(at) {
            Some(last) if at > last => self.interval = at - last,
            _ => {}
        }
        let start = *self.start.get_or_insert_with(|| before(now, at));
        let due = start + at;
        if now < due {
            return Decision::Wait(due);
        }
        let late = now - due;
        // Rounded down; a frame is skipped only when the next one is due.
        let frames_late = (late.as_secs_f64() / self.interval.as_secs_f64()) as u64;
        let skips_left = self.skips_left.take().unwrap_or(frames_late);
        match (frames_late, skips_left) {
            (0, _) => Decision::Show(due),
            (_, 1..) if late < Duration::from_secs(1) => {
                self.skips_left = Some(skips_left - 1);
                Decision::Skip
            }
            _ => {
                self.start = Some(before(now, at));
                Decision::Show(now)
            }
        }
    }
}

/// When the film began that is at `at` now.
fn before(now: Instant, at: Duration) -> Instant {
    now.checked_sub(at).unwrap_or(now)
}

/// Puts the times of frames that come at one rate back onto its grid: containers round them, most to
/// a millisecond. Where frames come at other times, their own times are kept.
#[derive(Debug)]
pub(crate) struct FrameClock {
    rate: FrameRate,
    /// The last frame is number `index` after `anchor`.
    anchor: Duration,
    index: u64,
    last: Option<Duration>,
}

/// Most that a time is moved. (Containers are off by half a millisecond, and again as much at a seam
/// between two passes.)
const MAX_ROUNDING: Duration = Duration::from_millis(2);

impl FrameClock {
    /// For frames that are said to come at `rate`.
    pub fn new(rate: FrameRate) -> Self {
        Self { rate, anchor: Duration::ZERO, index: 0, last: None }
    }

    /// The time of the next frame, for which the container says `told`; always later than that of the
    /// frame before it.
    pub fn time_of_next(&mut self, told: Duration) -> Duration {
        let is_near =
            |time: Duration| time.abs_diff(told) <= MAX_ROUNDING.min(self.rate.interval() / 4);
        let after_last = |time: Duration| self.last.is_none_or(|last| time > last);
        let next = self.anchor + time_of(self.rate, self.index + 1);
        let nearest = (told.as_secs_f64() * self.rate.as_fps()).round() as u64;
        let on_grid = time_of(self.rate, nearest);
        let time = if self.last.is_some() && is_near(next) {
            self.index += 1;
            next
        } else if is_near(on_grid) && after_last(on_grid) {
            (self.anchor, self.index) = (Duration::ZERO, nearest);
            on_grid
        } else {
            let least = self.last.map_or(Duration::ZERO, |last| last + Duration::from_micros(1));
            (self.anchor, self.index) = (told.max(least), 0);
            self.anchor
        };
        self.last = Some(time);
        time
    }

    /// When a frame after the last would come.
    pub fn end(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| {
            last.max(self.anchor + time_of(self.rate, self.index + 1))
        })
    }
}

/// From frame 0 to frame `index`, to the nanosecond.
pub(crate) fn time_of(rate: FrameRate, index: u64) -> Duration {
    let (numerator, denominator) = (u128::from(rate.numerator()), u128::from(rate.denominator()));
    let nanos = u128::from(index) * denominator * 1_000_000_000 / numerator;
    let (secs, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    Duration::new(secs as u64, nanos as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NTSC: FrameRate = FrameRate::new(30_000, 1001).unwrap();
    const MS: Duration = Duration::from_millis(1);

    fn rate(fps: u32) -> FrameRate {
        FrameRate::new(fps, 1).unwrap()
    }

    #[test]
    fn times_do_not_drift() {
        assert_eq!(time_of(NTSC, 30_000 * 3600), Duration::from_secs(1001 * 3600));
        assert_eq!(time_of(rate(25), 3), 120 * MS);
    }

    #[test]
    fn in_time_every_frame_is_shown_when_it_is_due() {
        let (mut pace, begin) = (Pace::new(rate(25)), Instant::now());
        assert_eq!(pace.decide(Duration::ZERO, begin), Decision::Show(begin));
        for index in 1..1000 {
            let due = begin + 40 * MS * index;
            assert_eq!(pace.decide(40 * MS * index, due - 30 * MS), Decision::Wait(due));
            // Late by most of an interval, each time: it does not add up.
            assert_eq!(pace.decide(40 * MS * index, due + 39 * MS), Decision::Show(due));
        }
    }

    #[test]
    fn a_late_consumer_gets_the_newest_frame() {
        let (mut pace, begin) = (Pace::new(rate(25)), Instant::now());
        pace.decide(Duration::ZERO, begin);
        // Frames 1 to 4 were due at 40, 80, 120 and 160 ms.
        let now = begin + 170 * MS;
        assert_eq!([1, 2, 3].map(|index| pace.decide(40 * MS * index, now)), [Decision::Skip; 3]);
        assert_eq!(pace.decide(160 * MS, now), Decision::Show(begin + 160 * MS));
        assert_eq!(pace.decide(200 * MS, now), Decision::Wait(begin + 200 * MS));
    }

    #[test]
    fn after_a_long_pause_the_file_goes_on_from_where_it_was() {
        let (mut pace, begin) = (Pace::new(rate(25)), Instant::now());
        pace.decide(Duration::ZERO, begin);
        let now = begin + Duration::from_secs(3600);
        assert_eq!(pace.decide(40 * MS, now), Decision::Show(now));
        assert_eq!(pace.decide(80 * MS, now), Decision::Wait(now + 40 * MS));
    }

    /// Decoding takes 100 ms a frame at 25 fps: frames are shown all the same, one after the
    /// other or every few, and never later and later.
    #[test]
    fn a_file_that_decodes_too_slowly_is_shown_slowly() {
        let (mut pace, mut now) = (Pace::new(rate(25)), Instant::now());
        let mut shown = 0;
        for index in 0..300 {
            if let Decision::Show(due) = pace.decide(40 * MS * index, now) {
                shown += 1;
                assert!(now - due < 40 * MS);
            }
            now += 100 * MS;
        }
        assert!(shown >= 75, "{shown} of 300");
    }

    #[test]
    fn a_film_of_changing_rate_is_shown_at_its_own_times() {
        let (mut pace, begin) = (Pace::new(rate(25)), Instant::now());
        for at in [0, 40, 80, 280, 480, 520] {
            let due = begin + at * MS;
            // In the dark, frames are far apart, and one that is 100 ms late is not too late.
            let late = if (280..=480).contains(&at) { 100 * MS } else { 0 * MS };
            assert_eq!(pace.decide(at * MS, due + late), Decision::Show(due), "{at}");
        }
    }

    #[test]
    fn rounded_times_are_put_back_onto_the_grid() {
        let mut clock = FrameClock::new(NTSC);
        for index in 0..3000 {
            let told = MS * (time_of(NTSC, index).as_secs_f64() * 1000.0).round() as u32;
            assert_eq!(clock.time_of_next(told), time_of(NTSC, index));
        }
        assert_eq!(clock.end(), time_of(NTSC, 3000));
    }

    /// A webcam's rate falls in the dark and rises again, whatever the container says of it.
    #[test]
    fn times_off_the_grid_are_kept() {
        let mut clock = FrameClock::new(rate(30));
        let mut told = Duration::ZERO;
        for frame in 0..300 {
            let time = clock.time_of_next(told);
            assert!(time.abs_diff(told) <= MAX_ROUNDING, "{frame}: {told:?} became {time:?}");
            told += if (100..200).contains(&frame) { 73 * MS } else { 33 * MS };
        }
        let (mut slow, mut last) = (FrameClock::new(rate(10)), None);
        for index in 0..300 {
            let told = time_of(rate(30), index);
            let time = slow.time_of_next(told);
            assert!(time.abs_diff(told) <= MAX_ROUNDING && last < Some(time));
            last = Some(time);
        }
        // Two frames of one time, and one that goes back.
        let times = [5, 5, 4].map(|ms| slow.time_of_next(Duration::from_secs(99) + ms * MS));
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }
}
