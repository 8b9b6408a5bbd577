use std::time::Duration;

use super::patience::Patience;
use super::{CpuBudget, FrameTimes};

/// Keeps the processor time of the whole process within a budget, from second to second.
#[derive(Debug)]
pub(super) struct BudgetKeeper {
    budget: CpuBudget,
    on_battery: bool,
    level: usize,
    /// Where the second began that is being measured: time and processor time; `None` before the first frame.
    begun: Option<[Duration; 2]>,
    /// Seconds that say nothing, since the level changed within them or much was loaded.
    seconds_to_ignore: u32,
    /// The share that was used in the second before, if that counts.
    used: Option<f64>,
    /// The second before was over the budget.
    was_over: bool,
    /// What a level takes, in that of the next lower one: as the last fall from it has shown, and less and less of that as time
    /// goes by, since it may have been a second like no other.
    gains: Vec<f64>,
    patience: Patience,
}

/// Time over which the processor time is measured.
const SECOND: Duration = Duration::from_secs(1);
/// A gap between two frames after which the measurement is begun anew.
const GAP: Duration = Duration::from_millis(500);
/// A share of the budget up to which a second may be over it: the work differs from second to second.
const SLACK: f64 = 1.05;
/// So far over it, two levels are left at once.
const FAR_OVER: f64 = 1.5;
/// What a level is taken to take, in that of the next lower one, before it is known.
const USUAL_GAIN: f64 = 1.2;
/// A level takes no more than so many times what the next lower one takes.
const MOST_GAIN: f64 = 1.5;
/// What is left of a gain above 1 after each second in which a climb waits for it.
const FORGOTTEN: f64 = 0.8;
/// Seconds at the beginning of a call.
const FIRST_SECONDS: u32 = 2;

impl BudgetKeeper {
    pub(super) fn new(budget: CpuBudget, lowest: usize) -> Self {
        Self {
            budget,
            on_battery: false,
            level: 0,
            begun: None,
            seconds_to_ignore: FIRST_SECONDS,
            used: None,
            was_over: false,
            gains: vec![USUAL_GAIN; lowest],
            patience: Patience::new(),
        }
    }

    pub(super) fn begin(&mut self) {
        (self.begun, self.used, self.was_over) = (None, None, false);
        self.seconds_to_ignore = FIRST_SECONDS;
    }

    /// The share of one core that may be used now.
    pub(super) fn share_now(&self) -> f64 {
        self.budget.share(self.on_battery)
    }

    /// The level that keeps to the budget.
    pub(super) fn frame(&mut self, times: &FrameTimes) -> usize {
        self.on_battery = times.on_battery;
        let now = [times.written_at, times.process_time];
        let [at, processor_time] = *self.begun.get_or_insert(now);
        let passed = now[0].saturating_sub(at);
        if passed < SECOND {
            return self.level;
        }
        self.begun = Some(now);
        if passed > SECOND + GAP {
            return self.level;
        }
        if self.seconds_to_ignore > 0 {
            self.seconds_to_ignore -= 1;
            return self.level;
        }
        let used = now[1].saturating_sub(processor_time).as_secs_f64() / passed.as_secs_f64();
        self.second(used, times.written_at);
        self.level
    }

    /// A second in which `used` of a core was used.
    fn second(&mut self, used: f64, now: Duration) {
        let of_budget = used / self.share_now();
        if let Some(before) = self.used.replace(used)
            && let Some(gain) = self.gains.get_mut(self.level.wrapping_sub(1))
            && before > used
        {
            // The first second on this level.
            *gain = (before / used).min(MOST_GAIN);
        }
        // A single second a little over it may be a question to the second opinion, or a scene that was loaded.
        let is_over = of_budget > SLACK;
        let was_over = std::mem::replace(&mut self.was_over, is_over);
        let is_to_fall = of_budget > FAR_OVER || is_over && was_over;
        if is_to_fall && self.level < self.gains.len() {
            self.was_over = false;
            let levels = if of_budget > FAR_OVER { 2 } else { 1 };
            self.go_to((self.level + levels).min(self.gains.len()));
            self.patience.fall(now);
            // What the next second is compared with.
            self.used = (levels == 1).then_some(used);
        } else {
            self.used = None;
            let higher = self.level.checked_sub(1).filter(|_| self.patience.is_over(now, false));
            let Some(higher) = higher else { return };
            let gain = &mut self.gains[higher];
            if of_budget * *gain < 1.0 {
                self.go_to(higher);
                self.patience.climb(now, false);
            } else {
                *gain = 1.0 + FORGOTTEN * (*gain - 1.0);
            }
        }
    }

    fn go_to(&mut self, level: usize) {
        self.level = level;
        self.seconds_to_ignore = 1;
    }
}
