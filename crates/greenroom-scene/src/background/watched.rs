//! The time of what moves behind the person.

use std::time::Duration;

use crate::Pace;

/// Longest step between two frames. Before a longer one nobody watched, or the machine was held up.
/// Shorter than the lateness at which the reader of a video starts a decoder anew.
const LONGEST_STEP: Duration = Duration::from_millis(500);

/// Time of a video or a slideshow: that of the frames it stands behind, without the pauses in which
/// nobody watched. It goes on by half a second at most from frame to frame: what is shown behind a
/// caller who comes back is where it was, and it still moves on a machine that makes a frame every
/// two seconds.
#[derive(Debug, Clone)]
pub(super) struct WatchedTime {
    pace: Pace,
    time: Duration,
    last: Option<Duration>,
}

impl WatchedTime {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, time: Duration::ZERO, last: None }
    }

    /// The time of the frame that was taken at `moment` of its scene.
    pub(super) fn tick(&mut self, moment: Duration) -> Duration {
        let passed = self.last.map_or(Duration::ZERO, |last| moment.saturating_sub(last));
        self.last = Some(moment);
        self.time += match self.pace {
            Pace::Exact => passed,
            Pace::Live => passed.min(LONGEST_STEP),
        };
        self.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_left_out_and_slow_machines_go_on() {
        let seen = |pace, moments: [u64; 6]| {
            let mut time = WatchedTime::new(pace);
            moments.map(|ms| time.tick(Duration::from_millis(ms)).as_millis())
        };
        let paused = [5000, 5040, 5080, 905_080, 905_120, 905_120];
        assert_eq!(seen(Pace::Live, paused), [0, 40, 80, 580, 620, 620]);
        assert_eq!(seen(Pace::Exact, paused), [0, 40, 80, 900_080, 900_120, 900_120]);
        // Each frame comes later than the longest step.
        let slow = [0, 1500, 3000, 5000, 6001, 7500];
        assert_eq!(seen(Pace::Live, slow), [0, 500, 1000, 1500, 2000, 2500]);
    }
}
