//! What makes sense of a mask: lamps and chairs that look a little like a person are none.

use greenroom_frame::SizePx;

use super::components::{Component, Components};
use super::{People, RefineSteps};
use crate::counting::count;

/// Drops islands of masks, and keeps to the main person if that is wanted.
///
/// An *island* is a component of alpha 0.25 and more away from the person. The rule is that of
/// hysteresis thresholding (Canny, 1986): what is unsure stays only beside something sure, here beside
/// it in the picture or in time. So a second person stays, and a hand; the shade of a lamp does not.
///
/// Holes are not filled. Filling those below 0.5 whose lowest alpha was 0.2 gained 0.6 % of MAD on one
/// clip and nothing on others, and showed the room between arm and body in asl_5people (frames 86, 540,
/// 576): the network is as unsure there as it is inside a body.
///
/// Before smoothing, which lets what comes and goes fade.
#[derive(Debug)]
pub(crate) struct ComponentFilter {
    size: SizePx,
    people: People,
    components: Components,
    /// What was decided of each component.
    keeps: Vec<bool>,
    /// Samples of each component that were of [`KEPT`] or [`MAIN`] in the mask before.
    before: Vec<[u32; 2]>,
    /// What was decided of the mask before, a bit each: [`KEPT`], [`MAIN`].
    past: Vec<u8>,
    /// Squares of [`Self::cell`] samples on or beside those that someone stands in.
    near: Vec<bool>,
    cell: u32,
    /// Frames since the main person was seen as such.
    astray: u32,
}

/// It was of an island that was kept.
const KEPT: u8 = 1;
/// It was of the main person.
const MAIN: u8 = 2;

/// Alpha from which on a sample is of someone: where `raise` and the guide begin to show it, 0.07
/// (0.07^0.7 is 0.15).
const SOMEONE: u8 = 18;
/// Alpha from which on the network is sure of a person: 0.85. The lamp beside the man of the demo
/// clip reaches 0.81, every second person of the footage 1.0.
const SURE: u8 = 217;
/// Of so many samples of the mask, one has to be sure for an island to stay: 6 of 256x256.
const SURE_SHARE: u32 = 10_000;
/// And one of so many of its own: more than half of a person's are, of the lamp's 1 in 50 at the most.
const SURE_PART: u32 = 8;
/// An island of more than such a part of the person stays in any case, if its mean alpha is
/// [`LIKELY`].
const LARGE: u32 = 4;
/// 0.6.
const LIKELY: u32 = 153;
/// Mean alpha down to which an island stays that was kept in the mask before: 0.5.
const HALF: u32 = 128;
/// What is beside a person, unsure, and no larger than such a part of them is a hand; the lamp of the
/// demo clip comes near, and is twice as large.
const HAND_SHARE: u32 = 12;
/// And its mean alpha is no lower than that of a hand: 0.3. A shine of the demo clip's lamp has 0.24.
const LEAST_OF_HAND: u32 = 77;
/// What has just come off the main person, is still beside them, no larger than such a part and not too faint is
/// their head.
const HEAD_SHARE: u32 = 3;
/// The main person is no smaller than such a part of the largest.
const MAIN_SHARE: u32 = 8;
/// Frames for which the main person may be lost before somebody else is.
const PATIENCE_FRAMES: u32 = 15;

impl ComponentFilter {
    /// Whether all but one person are left out.
    pub(crate) fn shows_one_person(&self) -> bool {
        self.people == People::Main
    }

    /// For masks of `size`; `None` if nothing is to be done to them.
    pub(crate) fn new(size: SizePx, steps: RefineSteps) -> Option<Self> {
        let RefineSteps { islands, people, .. } = steps;
        if !islands && people == People::All {
            return None;
        }
        let components = Components::new(size);
        let most = components.all.capacity();
        let cell = (size.width_px / 32).max(2);
        let cells = size.width_px.div_ceil(cell) * size.height_px.div_ceil(cell);
        Some(Self {
            size,
            people,
            components,
            keeps: Vec::with_capacity(most),
            before: Vec::with_capacity(most),
            past: vec![0; size.area_px() as usize],
            near: vec![false; cells as usize],
            cell,
            astray: PATIENCE_FRAMES,
        })
    }

    /// The next mask has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.past.fill(0);
        self.astray = PATIENCE_FRAMES;
    }

    /// Makes sense of `mask`, all samples of it.
    pub(crate) fn apply(&mut self, mask: &mut [u8]) {
        self.components.find(mask, SOMEONE, SURE);
        if self.people == People::All && self.components.all.len() < 2 {
            // Nobody but the person; an island that was kept is the person now.
            self.remember(|_| 0);
            return;
        }
        self.look_back();
        match self.people {
            People::All => self.judge_all(),
            People::Main => self.judge_main(),
        }
        let width = self.size.width_px as usize;
        let Components { runs, .. } = &self.components;
        for run in runs.iter().filter(|run| !self.keeps[run.component as usize]) {
            mask[run.samples(width)].fill(0);
        }
        if self.people == People::Main {
            // The skirts of others, too.
            self.drop_skirts(mask);
        }
    }

    /// Everyone who is sure, large or was there before, and what is near and small.
    fn judge_all(&mut self) {
        let Some(first) = self.largest() else { return };
        let sure_samples = (self.size.area_px() as u32 / SURE_SHARE).max(2);
        let Components { all, .. } = &self.components;
        let (large, hand) = (all[first].mass / LARGE, all[first].area / HAND_SHARE);
        let before = &self.before;
        let stays = |(index, it): (usize, &Component)| {
            let [kept, _] = before[index];
            let likely = it.mass >= it.area * LIKELY;
            index == first
                || it.certain >= sure_samples.max(it.area / SURE_PART)
                || it.mass > large && likely
                // It was kept, and still is the same.
                || 2 * kept >= it.area && it.mass >= it.area * HALF
        };
        self.keeps.clear();
        self.keeps.extend(all.iter().enumerate().map(stays));
        self.mark_near();
        self.keep_near(|_, _| hand);
        let keeps = std::mem::take(&mut self.keeps);
        self.remember(|index| if keeps[index] && index != first { KEPT } else { 0 });
        self.keeps = keeps;
    }

    /// The main person, and their hands.
    fn judge_main(&mut self) {
        let Some(largest) = self.largest() else {
            self.astray = self.astray.saturating_add(1);
            self.keeps.clear();
            return;
        };
        let Components { all, .. } = &self.components;
        let same = (0..all.len()).max_by_key(|&index| self.before[index][1]);
        let same = same.filter(|&index| self.before[index][1] > 0);
        let is_someone = |index: &usize| all[*index].mass >= all[largest].mass / MAIN_SHARE;
        self.astray = if same.is_some_and(|index| is_someone(&index)) {
            0
        } else {
            self.astray.saturating_add(1)
        };
        let main = if self.astray > PATIENCE_FRAMES { Some(self.most_central()) } else { same };
        self.keeps.clear();
        self.keeps.resize(all.len(), false);
        let Some(main) = main else { return };
        if self.astray > PATIENCE_FRAMES {
            self.astray = 0;
        }
        self.keeps[main] = true;
        let [hand, head] = [HAND_SHARE, HEAD_SHARE].map(|share| all[main].area / share);
        let was_main: fn(&Self, usize) -> bool =
            |it, index| 2 * it.before[index][1] >= it.components.all[index].area;
        for index in 0..all.len() {
            let it = &self.components.all[index];
            let is_hand = it.area <= hand && !is_faint(it) && was_main(self, index);
            self.keeps[index] |= is_hand;
        }
        self.mark_near();
        self.keep_near(|it, index| if was_main(it, index) { head } else { hand });
        // Theirs are the squares around them, too.
        self.mark_near();
        let keeps = std::mem::take(&mut self.keeps);
        self.remember(|index| if keeps[index] { MAIN } else { 0 });
        self.keeps = keeps;
    }

    /// The component with the most of a person in it.
    fn largest(&self) -> Option<usize> {
        let all = &self.components.all;
        (0..all.len()).max_by_key(|&index| all[index].mass)
    }

    /// The same, at the sides of the picture only half as much.
    fn most_central(&self) -> usize {
        let middle = f64::from(self.size.width_px - 1) / 2.0;
        let weight = |it: &Component| {
            let column = it.columns as f64 / f64::from(it.area.max(1));
            f64::from(it.mass) * (1.0 - 0.5 * (column - middle).abs() / middle.max(1.0))
        };
        let all = &self.components.all;
        let central = (0..all.len()).max_by(|&a, &b| weight(&all[a]).total_cmp(&weight(&all[b])));
        central.unwrap_or_default()
    }

    /// Counts what was decided of each component's samples in the mask before.
    fn look_back(&mut self) {
        let width = self.size.width_px as usize;
        let Components { runs, all, .. } = &self.components;
        self.before.clear();
        self.before.resize(all.len(), [0; 2]);
        for run in runs {
            let was = &self.past[run.samples(width)];
            let before = &mut self.before[run.component as usize];
            for (samples, flag) in before.iter_mut().zip([KEPT, MAIN]) {
                *samples += count(was, |was| was & flag != 0) as u32;
            }
        }
    }

    /// Writes down the flag of each component.
    fn remember(&mut self, flag: impl Fn(usize) -> u8) {
        let width = self.size.width_px as usize;
        self.past.fill(0);
        for run in &self.components.runs {
            let flag = flag(run.component as usize);
            if flag != 0 {
                self.past[run.samples(width)].iter_mut().for_each(|was| *was |= flag);
            }
        }
    }

    /// Marks the squares that those who are kept stand in, and the ones around.
    fn mark_near(&mut self) {
        let Self { cell, size, .. } = *self;
        let (columns, rows) = (size.width_px.div_ceil(cell), size.height_px.div_ceil(cell));
        self.near.fill(false);
        let Components { runs, .. } = &self.components;
        for run in runs.iter().filter(|run| self.keeps[run.component as usize]) {
            let row = run.y / cell;
            let first = (run.start / cell).saturating_sub(1);
            let last = ((run.end - 1) / cell + 1).min(columns - 1);
            for row in row.saturating_sub(1)..=(row + 1).min(rows - 1) {
                let row = (row * columns) as usize;
                self.near[row + first as usize..=row + last as usize].fill(true);
            }
        }
    }

    /// Keeps what is in a marked square, of no more samples than `most` tells, and of an alpha that is not too faint.
    fn keep_near(&mut self, most: impl Fn(&Self, usize) -> u32) {
        let Self { cell, size, .. } = *self;
        let columns = size.width_px.div_ceil(cell);
        let Components { runs, all, .. } = &self.components;
        for run in runs {
            let index = run.component as usize;
            let it = &all[index];
            if !self.keeps[index] && !is_faint(it) && it.area <= most(self, index) {
                let row = (run.y / cell * columns) as usize;
                let range =
                    row + (run.start / cell) as usize..=row + ((run.end - 1) / cell) as usize;
                self.keeps[index] = self.near[range].iter().any(|&near| near);
            }
        }
    }

    /// What is too faint to be of a component is room unless it is beside the main person.
    fn drop_skirts(&self, mask: &mut [u8]) {
        let Self { cell, size, .. } = *self;
        let columns = size.width_px.div_ceil(cell) as usize;
        let kept = self.keeps.contains(&true);
        for (y, row) in mask.chunks_exact_mut(size.width_px as usize).enumerate() {
            let near = &self.near[y / cell as usize * columns..][..columns];
            for (samples, &near) in row.chunks_mut(cell as usize).zip(near) {
                if !near || !kept {
                    samples.fill(0);
                }
            }
        }
    }
}

/// Whether it is fainter than any hand.
fn is_faint(it: &Component) -> bool {
    it.mass < it.area * LEAST_OF_HAND
}

#[cfg(test)]
mod tests;
