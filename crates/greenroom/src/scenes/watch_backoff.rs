//! How long file events are ignored.

use std::time::{Duration, Instant};

/// How long file events are ignored after some were handled, shortest and longest: whoever writes a
/// log beside a background wakes us a few times a second at first, then once.
const BACKOFF: [Duration; 2] = [Duration::from_millis(80), Duration::from_secs(1)];

/// See [`BACKOFF`]. The time doubles while nothing of ours changes.
#[derive(Debug, Default)]
pub(super) struct WatchBackoff {
    until: Option<Instant>,
    time: Duration,
}

impl WatchBackoff {
    /// Whether events are ignored at `now`.
    pub(super) fn ignores(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Events are listened to until the next [restart](Self::restart).
    pub(super) fn listen(&mut self) {
        self.until = None;
    }

    /// Until when events are ignored.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// There were no events: the next time is a short one.
    pub(super) fn end(&mut self) {
        self.time = Duration::ZERO;
    }

    /// Events were handled at `now`; `were_ours` if a file of ours changed.
    pub(super) fn restart(&mut self, were_ours: bool, now: Instant) {
        let [shortest, longest] = BACKOFF;
        self.time = match were_ours {
            true => shortest,
            false => (2 * self.time).clamp(shortest, longest),
        };
        self.until = Some(now + self.time);
    }
}
