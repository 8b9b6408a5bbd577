use std::time::{Duration, Instant};

/// Makes the time stamps of buffers: nanoseconds of CLOCK_MONOTONIC, each later than the one before.
#[derive(Debug, Default)]
pub(crate) struct Timestamps {
    captured_at: Option<Instant>,
    last_ns: i64,
}

impl Timestamps {
    /// That of a frame which was captured at `captured_at`. A frame that is written again has the time of now: readers take
    /// the same time twice for the same frame, and drop it.
    pub(crate) fn next(&mut self, captured_at: Instant) -> i64 {
        let again = self.captured_at.replace(captured_at) == Some(captured_at);
        let age = if again { Duration::ZERO } else { captured_at.elapsed() };
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let now_ns = now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec);
        let age_ns = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
        self.last_ns = now_ns.saturating_sub(age_ns).max(self.last_ns + 1);
        self.last_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_whatever_is_written() {
        let mut timestamps = Timestamps::default();
        let now = Instant::now();
        let old = now.checked_sub(Duration::from_secs(3)).unwrap();
        let mut last_ns = 0;
        for captured_at in [old, old, now, old, now, now] {
            let ns = timestamps.next(captured_at);
            assert!(ns > last_ns, "{ns} after {last_ns}");
            last_ns = ns;
        }
    }

    #[test]
    fn a_frame_has_the_time_at_which_it_was_captured() {
        let mut timestamps = Timestamps::default();
        let now = Instant::now();
        let old = timestamps.next(now.checked_sub(Duration::from_secs(3)).unwrap());
        let new = timestamps.next(now);
        assert!((2_000_000_000..4_000_000_000).contains(&(new - old)), "{}", new - old);
    }
}
