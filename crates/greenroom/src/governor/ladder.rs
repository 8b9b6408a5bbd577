use std::fmt;

use greenroom_matte::{Effort, Input, MatteMaker, RefineSteps};

/// How much work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The matte's share of it.
    pub effort: Effort,
    /// The room's colour is taken out of the edge.
    pub removes_spill: bool,
    /// One frame of so many is shown.
    pub frames_per_shown: u32,
}

/// The levels of work, from all of it to the least.
///
/// The order goes by what is lost for the time that is gained (docs/speed.md has the figures). What others see as jerks comes last.
#[derive(Debug, Clone)]
pub struct Ladder {
    levels: Vec<Level>,
    /// The first level with fewer inferences than level 0.
    first_with_fewer_inferences: usize,
}

impl Level {
    const ALL: Self = Self {
        effort: Effort { frames_per_inference: 1, second_opinion_times: 1, input: Input::Full },
        removes_spill: true,
        frames_per_shown: 1,
    };
}

impl Ladder {
    /// The ladder below the work that `steps` ask for, with what `maker` can do less.
    pub fn new(steps: RefineSteps, maker: &MatteMaker) -> Self {
        let mut levels = vec![Level::ALL];
        let mut add = |change: &dyn Fn(&mut Level)| {
            let mut level = levels.last().copied().unwrap_or(Level::ALL);
            change(&mut level);
            levels.push(level);
            levels.len() - 1
        };
        if maker.has_second_opinion() {
            add(&|level| level.effort.second_opinion_times = 2);
        }
        let mut first_with_fewer_inferences = None;
        if maker.looks_twice() {
            let index = add(&|level| level.effort.input = Input::Once);
            first_with_fewer_inferences = Some(index);
        }
        if maker.can_carry() {
            let index = add(&|level| level.effort.frames_per_inference = 2);
            first_with_fewer_inferences.get_or_insert(index);
            add(&|level| level.effort.frames_per_inference = 3);
        }
        if maker.has_small_input() {
            let index = add(&|level| {
                level.effort.input = Input::Small;
                level.effort.second_opinion_times = 4;
            });
            first_with_fewer_inferences.get_or_insert(index);
        }
        if steps.guide && steps.spill {
            add(&|level| level.removes_spill = false);
        }
        let lowest = add(&|level| level.frames_per_shown = 2);
        let first_with_fewer_inferences = first_with_fewer_inferences.unwrap_or(lowest);
        Self { levels, first_with_fewer_inferences }
    }

    /// A level; of those below the lowest, the lowest.
    pub fn level(&self, index: usize) -> Level {
        self.levels[index.min(self.lowest())]
    }

    /// Index of the lowest level.
    pub fn lowest(&self) -> usize {
        self.levels.len() - 1
    }

    /// Index of the lowest level on which every frame is shown.
    pub(super) fn lowest_of_full_rate(&self) -> usize {
        let is_full_rate = |level: &Level| level.frames_per_shown == 1;
        self.levels.iter().rposition(is_full_rate).unwrap_or_default()
    }

    /// Index of the first level on which frames take less time: fewer questions to the second opinion, which no frame waits
    /// for, do not help there.
    pub(super) fn first_that_saves_time(&self) -> usize {
        self.first_with_fewer_inferences
    }
}

/// What is done less, in words.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Effort { frames_per_inference, second_opinion_times, input } = self.effort;
        let mut parts = Vec::new();
        if self.frames_per_shown > 1 {
            parts.push("every 2nd frame is shown".to_owned());
        }
        match frames_per_inference {
            0 | 1 => {}
            2 => parts.push("the network runs on every 2nd frame".to_owned()),
            3 => parts.push("the network runs on every 3rd frame".to_owned()),
            frames => parts.push(format!("the network runs on every {frames}th frame")),
        }
        match input {
            Input::Full => {}
            Input::Once => parts.push("whole pictures are looked at once".to_owned()),
            Input::Small => parts.push("the network's input is small".to_owned()),
        }
        if !self.removes_spill {
            parts.push("the room's colour stays in the edge".to_owned());
        }
        if parts.is_empty() && second_opinion_times > 1 {
            parts.push(format!(
                "the second opinion is asked {second_opinion_times} times less often"
            ));
        }
        match parts.is_empty() {
            true => f.write_str("everything is done"),
            false => f.write_str(&parts.join(", ")),
        }
    }
}
