//! What the threads tell the governor, and what it tells them.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use greenroom_device::FrameRate;
use greenroom_matte::{MaskOrigin, MatteMaker, RefineSteps};
use rustix::time::{ClockId, clock_gettime};

use super::Stats;
use crate::governor::{Choice, CpuBudget, FrameTimes, Governor, Ladder, Level};
use crate::lock::lock;
use crate::power::BatteryWatch;
use crate::status::GovernorStatus;

/// Holds the work to what the machine and the user's budget allow.
pub(super) struct Governing {
    /// Not while frames are read as fast as they can be worked on: then none is late.
    is_on: bool,
    governor: Mutex<Governor>,
    battery: Option<BatteryWatch>,
    /// The frames that had been passed over when the last one was written.
    passed_over: AtomicU64,
    /// That less is done than all has been logged in this call.
    is_told: AtomicBool,
    inferred: AtomicU64,
    carried: AtomicU64,
    still: AtomicU64,
}

/// A frame that was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    /// When it was written, from the start of the pipeline.
    pub(super) at: Duration,
    pub(super) period: Duration,
    /// From the camera thread's hand-over to the write, without the time for which a mask server was waited for.
    pub(super) way: Duration,
    /// Processor time of the matte and of the output thread.
    pub(super) work: [Duration; 2],
}

impl Governing {
    /// For a maker, and the steps that it was made for.
    ///
    /// # Errors
    /// When the system has no threads or descriptors left.
    pub(super) fn new(
        maker: &MatteMaker,
        steps: RefineSteps,
        is_on: bool,
        budget: Option<CpuBudget>,
    ) -> io::Result<Self> {
        let ladder = Ladder::new(steps, maker);
        let battery = budget.filter(|_| is_on).map(|_| BatteryWatch::start()).transpose()?;
        Ok(Self {
            is_on,
            governor: Mutex::new(Governor::new(ladder, budget)),
            battery,
            passed_over: AtomicU64::new(0),
            is_told: AtomicBool::new(false),
            inferred: AtomicU64::new(0),
            carried: AtomicU64::new(0),
            still: AtomicU64::new(0),
        })
    }

    /// A call begins.
    pub(super) fn begin(&self) {
        lock(&self.governor).begin();
        self.is_told.store(false, Relaxed);
    }

    /// How much is to be done for the next frame.
    pub(super) fn level(&self) -> Level {
        lock(&self.governor).level()
    }

    /// Counts a mask.
    pub(super) fn count(&self, origin: MaskOrigin) {
        let counter = match origin {
            MaskOrigin::Inferred => &self.inferred,
            MaskOrigin::Carried => &self.carried,
            MaskOrigin::Still => &self.still,
        };
        Stats::count(counter);
    }

    /// Learns from a frame that was written. Tells whether something else is chosen now.
    pub(super) fn written(&self, written: Written, stats: &Stats) -> bool {
        if !self.is_on {
            return false;
        }
        let passed_over =
            [&stats.dropped_in_camera, &stats.dropped_before_matte, &stats.dropped_before_output];
        let passed_over = passed_over.map(|counter| counter.load(Relaxed)).iter().sum::<u64>();
        let dropped = passed_over - self.passed_over.swap(passed_over, Relaxed);
        let mut governor = lock(&self.governor);
        let choice = governor.frame(&FrameTimes {
            written_at: written.at,
            period: written.period,
            way: written.way,
            work: written.work,
            dropped: u32::try_from(dropped).unwrap_or(u32::MAX),
            process_time: time_of(ClockId::ProcessCPUTime),
            on_battery: self
                .battery
                .as_ref()
                .is_some_and(|battery| battery.is_on_battery(written.at)),
        });
        let Some(Choice { level, reason }) = choice else { return false };
        let chosen = governor.level();
        drop(governor);
        match reason {
            Some(reason) if !self.is_told.swap(true, Relaxed) => {
                tracing::info!("governor: {chosen}, because {reason}; more as soon as it can be");
            }
            Some(reason) => tracing::debug!("governor: level {level}: {chosen}, because {reason}"),
            None => tracing::debug!("governor: level {level}: {chosen}"),
        }
        true
    }

    /// What is chosen now.
    pub(super) fn status(&self) -> GovernorStatus {
        let governor = lock(&self.governor);
        let Choice { level, reason } = governor.choice();
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        GovernorStatus {
            level,
            lowest_level: governor.ladder().lowest(),
            chosen: governor.level().to_string(),
            reason,
            budget: governor.budget_now(),
            inferred: count(&self.inferred),
            carried: count(&self.carried),
            still: count(&self.still),
        }
    }
}

/// A stretch of the calling thread's processor time.
#[derive(Debug, Clone, Copy)]
pub(super) struct ThreadTime(Duration);

impl ThreadTime {
    /// Begins now.
    pub(super) fn begin() -> Self {
        Self(time_of(ClockId::ThreadCPUTime))
    }

    /// The processor time since it began, on the same thread.
    pub(super) fn elapsed(self) -> Duration {
        time_of(ClockId::ThreadCPUTime).saturating_sub(self.0)
    }
}

fn time_of(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// How long the frames of a camera last.
#[derive(Debug)]
pub(super) struct FramePeriod {
    last_at: Option<Instant>,
    period: Duration,
    /// The camera is not taken to be faster.
    least: Duration,
    /// Gaps in a row that were longer than any period.
    pauses: u32,
}

/// So many pauses in a row are the new period: in the dark, a camera exposes longer.
const PAUSES: u32 = 3;

impl FramePeriod {
    /// Of a camera that says that it is so fast.
    pub(super) fn of(rate: FrameRate) -> Self {
        let period = rate.interval();
        Self { last_at: None, period, least: period / 2, pauses: 0 }
    }

    /// The mean time from one frame to the next, after the frame that was taken at `captured_at`, before which `passed_over`
    /// came that nobody gets.
    pub(super) fn next(&mut self, captured_at: Instant, passed_over: u32) -> Duration {
        if let Some(last_at) = self.last_at.replace(captured_at) {
            let passed = captured_at.saturating_duration_since(last_at) / (passed_over + 1);
            // A pause of the camera is no period.
            let is_pause = passed > 3 * self.period;
            self.pauses = if is_pause { self.pauses + 1 } else { 0 };
            self.period = match is_pause {
                true if self.pauses < PAUSES => self.period,
                true => passed,
                false => (self.period * 7 + passed) / 8,
            };
            self.period = self.period.max(self.least);
        }
        self.period
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_is_that_of_the_frames_whatever_the_first_ones_were() {
        let rate = FrameRate::new(30, 1).unwrap();
        let after = |gaps_ms: &[u64]| {
            let mut period = FramePeriod::of(rate);
            let mut at = Instant::now();
            let mut last = period.next(at, 0);
            for &gap_ms in gaps_ms {
                at += Duration::from_millis(gap_ms);
                last = period.next(at, 0);
            }
            last.as_millis()
        };
        assert_eq!(after(&[]), 33);
        // The first frame was taken late; two have the same time.
        let usual = [33; 40];
        for odd in [[1, 33], [0, 33], [0, 0], [90, 33], [3000, 33]] {
            assert!((32..=34).contains(&after(&[&odd[..], &usual].concat())), "{odd:?}");
        }
        // In the dark.
        assert!((98..=101).contains(&after(&[&usual[..], &[100; 40]].concat())));
        assert!((198..=201).contains(&after(&[&usual[..], &[200; 4]].concat())));
    }
}
