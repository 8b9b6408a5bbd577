//! Times of the last frames, counted without a lock or an allocation.

use std::array;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Buckets to an octave: each is 4.4 % to 6.3 % wide, its middle within 3.2 % of all it counts.
const STEPS: usize = 16;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Shorter times (below 8.2 µs) count as this one: 2^13 ns.
const SHORTEST_BITS: u32 = 13;
/// Longer times (above 17.2 s) count as this one: 2^34 ns.
const LONGEST_BITS: u32 = 34;
const BUCKETS: usize = (LONGEST_BITS - SHORTEST_BITS) as usize * STEPS;
/// Records after which the older half is forgotten.
const HALF: u32 = 1000;

/// The distribution of a duration over about the last 1,000 to 2,000 records.
///
/// One thread records, any may ask; a record that is made in that very moment may be missed.
#[derive(Debug)]
pub struct Histogram {
    halves: [Half; 2],
    /// Which half records go to.
    current: AtomicUsize,
}

#[derive(Debug)]
struct Half {
    buckets: [AtomicU32; BUCKETS],
    records: AtomicU32,
}

impl Default for Histogram {
    fn default() -> Self {
        let half =
            |_| Half { buckets: array::from_fn(|_| AtomicU32::new(0)), records: AtomicU32::new(0) };
        Self { halves: array::from_fn(half), current: AtomicUsize::new(0) }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let current = self.current.load(Relaxed);
        let half = &self.halves[current];
        half.buckets[bucket(duration)].fetch_add(1, Relaxed);
        if half.records.fetch_add(1, Relaxed) + 1 == HALF {
            let other = 1 - current;
            self.halves[other].clear();
            self.current.store(other, Relaxed);
        }
    }

    /// The duration that a share of `quantile` (0..=1) of the records do not exceed, within 3.2 %;
    /// `None` before the first record.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let count = |index: usize| -> u64 {
            self.halves.iter().map(|half| u64::from(half.buckets[index].load(Relaxed))).sum()
        };
        let all: u64 = (0..BUCKETS).map(count).sum();
        let wanted = ((all as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        let found = (0..BUCKETS).find(|&index| {
            seen += count(index);
            seen >= wanted
        });
        found.map(middle)
    }
}

impl Half {
    fn clear(&self) {
        self.buckets.iter().for_each(|bucket| bucket.store(0, Relaxed));
        self.records.store(0, Relaxed);
    }
}

/// The bucket of a duration: its octave, then the four bits below its highest one.
fn bucket(duration: Duration) -> usize {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let nanos = nanos.clamp(1 << SHORTEST_BITS, (1 << LONGEST_BITS) - 1);
    let octave = nanos.ilog2();
    let step = (nanos >> (octave - STEP_BITS)) as usize - STEPS;
    (octave - SHORTEST_BITS) as usize * STEPS + step
}

/// The middle of a bucket.
fn middle(bucket: usize) -> Duration {
    let octave = SHORTEST_BITS + (bucket / STEPS) as u32;
    let width = 1u64 << (octave - STEP_BITS);
    Duration::from_nanos((STEPS + bucket % STEPS) as u64 * width + width / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn near(found: Option<Duration>, expected: Duration) -> bool {
        let ratio = found.unwrap().as_secs_f64() / expected.as_secs_f64();
        (0.95..1.05).contains(&ratio)
    }

    #[test]
    fn every_duration_is_told_within_five_percent() {
        let mut nanos = 10_000u64;
        let mut last = 0;
        while nanos < 10_000_000_000 {
            let duration = Duration::from_nanos(nanos);
            let index = bucket(duration);
            assert!(near(Some(middle(index)), duration), "{duration:?}: {:?}", middle(index));
            assert!(index >= last, "longer durations are in later buckets");
            last = index;
            nanos += nanos / 1000 + 1;
        }
        for far in [Duration::ZERO, Duration::MAX] {
            assert!(bucket(far) < BUCKETS);
        }
    }

    #[test]
    fn quantiles_of_a_known_distribution() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for ms in 1..=100 {
            histogram.record(ms * MS);
        }
        assert!(near(histogram.quantile(0.0), MS));
        assert!(near(histogram.quantile(0.5), 50 * MS));
        assert!(near(histogram.quantile(0.99), 99 * MS));
        assert!(near(histogram.quantile(1.0), 100 * MS));
    }

    #[test]
    fn old_records_are_forgotten_and_young_ones_are_not() {
        let histogram = Histogram::default();
        for _ in 0..5000 {
            histogram.record(100 * MS);
        }
        for _ in 0..HALF {
            histogram.record(MS);
        }
        assert!(near(histogram.quantile(0.4), MS), "the last thousand count");
        for _ in 0..HALF {
            histogram.record(MS);
        }
        assert!(near(histogram.quantile(1.0), MS), "those before the last two thousand do not");
        // At no moment fewer than a thousand are known.
        for extra in 0..HALF {
            histogram.record(MS);
            let kept: u32 = histogram.halves.iter().map(|half| half.records.load(Relaxed)).sum();
            assert!((HALF..=2 * HALF).contains(&kept), "{kept} after {extra}");
        }
    }
}
