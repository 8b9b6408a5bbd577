//! When the frames of a file are due.

use std::time::{Duration, Instant};

use crate::FrameRate;

/// The clock of a file that plays as a live camera. Frame 0 is due when it is first there, frame
/// n exactly n intervals later: nothing adds up.
#[derive(Debug)]
pub(super) struct Pace {
    rate: FrameRate,
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
        Self { rate, start: None, skips_left: None }
    }

    /// What to do with frame `index`, which is there at `now`.
    ///
    /// A consumer that is late by up to a second gets the frame it would have got in time. If it
    /// stayed away longer, or frames come slower than their rate, the file goes on from where it
    /// is: skipping would then cost more time than it wins.
    pub fn decide(&mut self, index: u64, now: Instant) -> Decision {
        let start = *self.start.get_or_insert_with(|| now - time_of(self.rate, index));
        let due = start + time_of(self.rate, index);
        if now < due {
            return Decision::Wait(due);
        }
        let late = now - due;
        // Rounded down; a frame is skipped only when the next one is due.
        let frames_late = (late.as_secs_f64() * self.rate.as_fps()) as u64;
        let skips_left = self.skips_left.take().unwrap_or(frames_late);
        match (frames_late, skips_left) {
            (0, _) => Decision::Show(due),
            (_, 1..) if late < Duration::from_secs(1) => {
                self.skips_left = Some(skips_left - 1);
                Decision::Skip
            }
            _ => {
                self.start = Some(now - time_of(self.rate, index));
                Decision::Show(now)
            }
        }
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
        assert_eq!(pace.decide(0, begin), Decision::Show(begin));
        for index in 1..1000 {
            let due = begin + 40 * MS * index;
            assert_eq!(pace.decide(index.into(), due - 30 * MS), Decision::Wait(due));
            // Late by most of an interval, each time: it does not add up.
            assert_eq!(pace.decide(index.into(), due + 39 * MS), Decision::Show(due));
        }
    }

    #[test]
    fn a_late_consumer_gets_the_newest_frame() {
        let (mut pace, begin) = (Pace::new(rate(25)), Instant::now());
        pace.decide(0, begin);
        // Frames 1 to 4 were due at 40, 80, 120 and 160 ms.
        let now = begin + 170 * MS;
        assert_eq!([1, 2, 3].map(|index| pace.decide(index, now)), [Decision::Skip; 3]);
        assert_eq!(pace.decide(4, now), Decision::Show(begin + 160 * MS));
        assert_eq!(pace.decide(5, now), Decision::Wait(begin + 200 * MS));
    }

    #[test]
    fn after_a_long_pause_the_file_goes_on_from_where_it_was() {
        let (mut pace, begin) = (Pace::new(rate(25)), Instant::now());
        pace.decide(0, begin);
        let now = begin + Duration::from_secs(3600);
        assert_eq!(pace.decide(1, now), Decision::Show(now));
        assert_eq!(pace.decide(2, now), Decision::Wait(now + 40 * MS));
    }

    /// Decoding takes 100 ms a frame at 25 fps: frames are shown all the same, one after the
    /// other or every few, and never later and later.
    #[test]
    fn a_file_that_decodes_too_slowly_is_shown_slowly() {
        let (mut pace, mut now) = (Pace::new(rate(25)), Instant::now());
        let mut shown = 0;
        for index in 0..300 {
            if let Decision::Show(due) = pace.decide(index, now) {
                shown += 1;
                assert!(now - due < 40 * MS);
            }
            now += 100 * MS;
        }
        assert!(shown >= 75, "{shown} of 300");
    }
}
