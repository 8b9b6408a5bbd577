use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A frame older than this has a wrong time rather than a long way behind it.
const MAX_AGE: Duration = Duration::from_secs(2);

/// The moment of a camera's CLOCK_MONOTONIC time in microseconds, `captured_us`. Now, if there is none or it lies
/// in the future or too far back to be true.
pub fn instant_of(captured_us: Option<i64>) -> Instant {
    let clock = clock_gettime(ClockId::Monotonic);
    let now_us = clock.tv_sec.saturating_mul(1_000_000).saturating_add(clock.tv_nsec / 1000);
    let now = Instant::now();
    captured_us.and_then(|captured_us| age(now_us, captured_us)).map_or(now, |age| {
        // The machine may have been up for less than the age only if the time is wrong.
        now.checked_sub(age).unwrap_or(now)
    })
}

fn age(now_us: i64, captured_us: i64) -> Option<Duration> {
    let age_us = u64::try_from(now_us.checked_sub(captured_us)?).ok()?;
    Some(Duration::from_micros(age_us)).filter(|age| *age <= MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believable_times_are_believed() {
        assert_eq!(age(5_000_000, 4_967_000), Some(Duration::from_micros(33_000)));
        assert_eq!(age(5_000_000, 5_000_000), Some(Duration::ZERO));
    }

    #[test]
    fn others_are_not() {
        assert_eq!(age(5_000_000, 5_000_001), None);
        assert_eq!(age(5_000_000, 2_999_999), None);
        assert_eq!(age(5_000_000, i64::MIN), None);
        assert_eq!(age(5_000_000, i64::MAX), None);
        let before = Instant::now();
        assert!(instant_of(None) >= before);
        assert!(instant_of(Some(i64::MIN)) >= before);
    }

    #[test]
    fn the_clock_is_the_one_behind_instant() {
        let clock = clock_gettime(ClockId::Monotonic);
        let ten_ms_ago = clock.tv_sec * 1_000_000 + clock.tv_nsec / 1000 - 10_000;
        let age = Instant::now().duration_since(instant_of(Some(ten_ms_ago)));
        assert!((Duration::from_millis(9)..Duration::from_millis(500)).contains(&age), "{age:?}");
    }
}
