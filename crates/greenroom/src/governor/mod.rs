//! Decides how much work goes into the frames, so that they stay in time on a busy machine and within the user's budget.
//!
//! Nothing here has a clock, a thread or a file: the [`Governor`] is told what each frame took, and answers with a [`Level`] of
//! its [`Ladder`]. `Punctuality` goes by the time, `BudgetKeeper` by the processor time; the lower of their levels counts.

mod budget;
mod budget_keeper;
mod ladder;
mod patience;
mod punctuality;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use budget::CpuBudget;
use budget_keeper::BudgetKeeper;
pub use ladder::{Ladder, Level};
use punctuality::Punctuality;

/// What one frame took.
#[derive(Debug, Clone, Copy)]
pub struct FrameTimes {
    /// When it was written, by a clock that only goes forward.
    pub written_at: Duration,
    /// From one frame of the camera to the next.
    pub period: Duration,
    /// From the camera thread's hand-over to the write.
    pub way: Duration,
    /// Processor time of the matte and of the output thread for it.
    pub work: [Duration; 2],
    /// Frames that were passed over since the one before, in the camera's queue and in the program.
    pub dropped: u32,
    /// Processor time of the whole process so far.
    pub process_time: Duration,
    /// The machine runs on its battery.
    pub on_battery: bool,
}

/// Why not all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LevelReason {
    /// Frames come late, since other programs use the processor.
    Busy,
    /// Frames come late, since they take this processor longer than a frame lasts.
    Slow,
    /// The budget is used up.
    Budget,
}

impl fmt::Display for LevelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "other programs keep the processor busy",
            Self::Slow => "this processor is too slow for all of it",
            Self::Budget => "more would exceed the budget",
        })
    }
}

/// What was chosen, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Index of the level in the ladder; 0 is all the work.
    pub level: usize,
    /// `None` at level 0.
    pub reason: Option<LevelReason>,
}

/// Chooses a level for each frame.
#[derive(Debug)]
pub struct Governor {
    ladder: Ladder,
    punctuality: Punctuality,
    budget: Option<BudgetKeeper>,
    choice: Choice,
}

impl Governor {
    /// One that starts with all the work, and keeps to `budget` if there is one.
    pub fn new(ladder: Ladder, budget: Option<CpuBudget>) -> Self {
        let budget = budget.map(|budget| BudgetKeeper::new(budget, ladder.lowest()));
        let punctuality = Punctuality::new(&ladder);
        Self { ladder, punctuality, budget, choice: Choice { level: 0, reason: None } }
    }

    /// A call begins: the first frames say nothing, since much is loaded meanwhile.
    pub fn begin(&mut self) {
        self.punctuality.begin();
        if let Some(budget) = &mut self.budget {
            budget.begin();
        }
    }

    /// Learns what a frame took. Gives the choice, if that is another one now.
    pub fn frame(&mut self, times: &FrameTimes) -> Option<Choice> {
        let (late, reason) = self.punctuality.frame(times);
        let over = self.budget.as_mut().map_or(0, |budget| budget.frame(times));
        let choice = match (late, over) {
            (0, 0) => Choice { level: 0, reason: None },
            _ if late >= over => Choice { level: late, reason: Some(reason) },
            _ => Choice { level: over, reason: Some(LevelReason::Budget) },
        };
        let is_news = std::mem::replace(&mut self.choice, choice) != choice;
        is_news.then_some(choice)
    }

    /// What was chosen last.
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// The work of the chosen level.
    pub fn level(&self) -> Level {
        self.ladder.level(self.choice.level)
    }

    /// All levels.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// The share of one core that may be used now, less on battery; `None` without a budget.
    pub fn budget_now(&self) -> Option<f64> {
        self.budget.as_ref().map(BudgetKeeper::share_now)
    }
}
