//! What those who watch see, and when something is to be written for them again.

use std::time::{Duration, Instant};

use crate::pipeline::demand::Epoch;

/// A picture is written again when no new one came for so long. With the time of one composition
/// that stays below 300 ms, and below a third of what Chromium allows a camera (1000 ms, then it
/// begins its stream anew). A camera of 4 fps or more is never repeated.
const REPEAT_INTERVAL: Duration = Duration::from_millis(250);
/// Time without a new picture after which the placeholder is shown: a picture that stands still is
/// not to be taken for one that lives.
const STALL: Duration = Duration::from_secs(1);
/// Time between placeholders while there is no picture.
const PLACEHOLDER_INTERVAL: Duration = Duration::from_millis(200);

/// What those who watch see now.
#[derive(Debug, Clone, Copy)]
pub(super) enum View {
    /// A picture that was composed for `epoch`.
    Picture { epoch: Epoch, composed_at: Instant, repeat_at: Instant },
    /// The placeholder; due again at `next`.
    Placeholder { next: Instant },
}

/// What is to be written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// The last picture once more.
    Repetition,
    /// The placeholder once more.
    Placeholder,
    /// The placeholder: neither a picture came nor word of why there is none.
    StallPlaceholder,
}

impl View {
    /// A picture is written now.
    pub(super) fn picture(epoch: Epoch, now: Instant) -> Self {
        Self::Picture { epoch, composed_at: now, repeat_at: now + REPEAT_INTERVAL }
    }

    /// The placeholder is written now.
    pub(super) fn placeholder(now: Instant) -> Self {
        Self::Placeholder { next: now + PLACEHOLDER_INTERVAL }
    }

    /// What is written now is what was written last.
    pub(super) fn written_again(self, now: Instant) -> Self {
        match self {
            Self::Picture { epoch, composed_at, .. } => {
                Self::Picture { epoch, composed_at, repeat_at: now + REPEAT_INTERVAL }
            }
            Self::Placeholder { .. } => Self::placeholder(now),
        }
    }

    /// When something is to be written at the latest.
    pub(super) fn deadline(&self) -> Instant {
        match *self {
            Self::Picture { composed_at, repeat_at, .. } => repeat_at.min(composed_at + STALL),
            Self::Placeholder { next } => next,
        }
    }

    /// What may be written again at `now`, if pictures are wanted for `wanted` (`None` in a pause).
    /// A picture of another epoch is none: it was not made for who watches now.
    pub(super) fn again(&self, wanted: Option<Epoch>, now: Instant) -> Due {
        match *self {
            Self::Placeholder { .. } => Due::Placeholder,
            Self::Picture { epoch, .. } if wanted != Some(epoch) => Due::Placeholder,
            Self::Picture { composed_at, .. } if now >= composed_at + STALL => {
                Due::StallPlaceholder
            }
            Self::Picture { .. } => Due::Repetition,
        }
    }

    /// What is to be written at `now`; see [`again`](Self::again).
    pub(super) fn due(&self, wanted: Option<Epoch>, now: Instant) -> Due {
        if now < self.deadline() { Due::Nothing } else { self.again(wanted, now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::demand::Demand;

    const STEP: Duration = Duration::from_millis(1);

    /// An hour of a consumer on a clock of its own: what was written and when.
    struct Consumer {
        view: View,
        wanted: Option<Epoch>,
        now: Instant,
        written: Vec<(Instant, Due)>,
    }

    impl Consumer {
        fn new() -> Self {
            let (now, demand) = (Instant::now(), Demand::default());
            demand.set(true);
            let wanted = Some(demand.epoch());
            Self {
                view: View::placeholder(now),
                wanted,
                now,
                written: vec![(now, Due::Placeholder)],
            }
        }

        fn picture(&mut self) {
            self.view = View::picture(self.wanted.unwrap(), self.now);
            self.written.push((self.now, Due::Nothing));
        }

        /// Lets time pass as the output thread does.
        fn pass(&mut self, time: Duration) {
            let end = self.now + time;
            while self.now < end {
                self.now += STEP;
                let due = self.view.due(self.wanted, self.now);
                self.view = match due {
                    Due::Nothing => continue,
                    Due::Repetition => self.view.written_again(self.now),
                    Due::Placeholder | Due::StallPlaceholder => View::placeholder(self.now),
                };
                self.written.push((self.now, due));
            }
        }

        fn longest_gap(&self) -> Duration {
            let last = self.now - self.written.last().unwrap().0;
            self.written.windows(2).map(|pair| pair[1].0 - pair[0].0).chain([last]).max().unwrap()
        }

        fn count(&self, due: Due) -> usize {
            self.written.iter().filter(|(_, written)| *written == due).count()
        }
    }

    #[test]
    fn whatever_the_camera_does_there_is_never_a_long_silence() {
        for ms in [33, 100, 200, 251, 400, 600, 999, 1001, 1700, 2500, 9000, 60_000] {
            let mut consumer = Consumer::new();
            for _ in 0..20 {
                consumer.picture();
                consumer.pass(Duration::from_millis(ms));
            }
            assert!(consumer.longest_gap() <= Duration::from_millis(250), "{ms}");
            let repeated = consumer.count(Due::Repetition);
            assert_eq!(repeated == 0, ms < 250, "{ms}: {repeated} repetitions");
            assert_eq!(consumer.count(Due::StallPlaceholder) > 0, ms > 1000, "{ms}");
        }
    }

    #[test]
    fn a_picture_is_repeated_for_less_than_a_second() {
        let mut consumer = Consumer::new();
        consumer.picture();
        let composed_at = consumer.now;
        consumer.pass(Duration::from_secs(60));
        let repeated = consumer.written.iter().filter(|(_, due)| *due == Due::Repetition);
        let last = repeated.map(|(at, _)| *at).max().unwrap();
        assert!(last < composed_at + STALL, "{:?}", last - composed_at);
        let stalled =
            consumer.written.iter().find(|(_, due)| *due == Due::StallPlaceholder).unwrap();
        assert!(stalled.0 <= composed_at + STALL);
        assert_eq!(consumer.count(Due::StallPlaceholder), 1);
    }

    #[test]
    fn neither_in_a_pause_nor_for_somebody_else_is_a_picture_repeated() {
        for after_ms in [0, 1, 200, 700] {
            let mut consumer = Consumer::new();
            consumer.picture();
            consumer.pass(Duration::from_millis(after_ms));
            let before = consumer.count(Due::Repetition);
            // Somebody else watches.
            let others = Demand::default();
            for wanted in [true, false, true] {
                others.set(wanted);
            }
            assert_ne!(Some(others.epoch()), consumer.wanted);
            let ours = consumer.wanted.replace(others.epoch());
            assert_eq!(consumer.view.again(consumer.wanted, consumer.now), Due::Placeholder);
            consumer.pass(Duration::from_secs(3));
            assert_eq!(consumer.count(Due::Repetition), before);
            consumer.wanted = ours;
            consumer.picture();
            consumer.wanted = None;
            consumer.pass(Duration::from_secs(3));
            assert_eq!(consumer.count(Due::Repetition), before);
            assert!(consumer.longest_gap() <= Duration::from_millis(250));
        }
    }
}
