use std::time::{Duration, Instant};

use greenroom_frame::SizePx;

use super::components::{Components, Run};
use super::crop::Bounds;
use crate::counting::count_pairs;

/// Finds who is lost: much of somebody whom the mask before showed, and the newest one does not.
///
/// A network that knows people by their heads loses who stands up before the camera, from one frame to the next and for
/// as long as no head is in the picture. Looked at in a window of their own they are found again.
#[derive(Debug)]
pub(crate) struct LostFinder {
    size: SizePx,
    /// The mask before.
    before: Vec<u8>,
    /// [`STAYED`] or [`LOST`] where the mask before showed somebody.
    marks: Vec<u8>,
    components: Components,
    /// 255 where anybody was, and a little around.
    near: Vec<u8>,
    reach_px: u32,
    /// Since when the mask has lost somebody in every frame, and what whom it has lost stay in.
    episode: Option<(Instant, Bounds)>,
}

/// Alpha from which on a sample is of a person.
const PERSON: u8 = 128;
const STAYED: u8 = 1;
const LOST: u8 = 2;
/// Share of the picture that has to be lost. From 0.02 on, those who walk out of the picture are looked at once more, too,
/// and the floor between their legs is shown (IoU of `leave_return_b` 0.884 instead of 0.891).
const LEAST_PART: f32 = 0.04;
/// Share of a person that has to be lost: who moves or turns loses less from one frame to the next.
const LEAST_SHARE: f32 = 0.4;
/// They have gone no further since the mask before than one of so many parts of the picture's width, and than one of so many
/// from where they were lost.
const REACH: u32 = 40;
const LONG_REACH: u32 = 8;
/// So long they are looked for, while each mask loses them: somebody who has left a jacket may be found in it.
const LONGEST: Duration = Duration::from_secs(5);

impl LostFinder {
    /// For masks of `size`. If they show one person only, whom they lose is looked for where they were and nowhere beside:
    /// there, somebody else may be.
    pub(crate) fn new(size: SizePx, shows_one_person: bool) -> Self {
        let zeros = || vec![0; size.area_px() as usize];
        Self {
            size,
            before: zeros(),
            marks: zeros(),
            components: Components::side_by_side(size),
            near: zeros(),
            reach_px: if shows_one_person { 0 } else { size.width_px / REACH },
            episode: None,
        }
    }

    /// The next mask has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.before.fill(0);
        self.episode = None;
    }

    /// The mask that was [learned](Self::learn) last.
    pub(crate) fn before(&self) -> &[u8] {
        &self.before
    }

    /// Takes over the mask that is shown.
    pub(crate) fn learn(&mut self, mask: &[u8]) {
        self.before.copy_from_slice(mask);
    }

    /// Where those were whom `mask`, of a frame that was captured `at` this time, has lost since the one that was
    /// [learned](Self::learn); `None` if nobody is lost, or somebody has been for too long.
    pub(crate) fn find(&mut self, mask: &[u8], at: Instant) -> Option<Bounds> {
        let before = self.episode.take();
        let lost = self.lost(mask)?;
        let (since, limits) =
            before.unwrap_or_else(|| (at, self.widened(lost, self.size.width_px / LONG_REACH)));
        if at.saturating_duration_since(since) > LONGEST {
            return None;
        }
        self.episode = Some((since, limits));
        self.mark_near(limits);
        Some(lost)
    }

    /// Where those were whom `mask` has lost.
    fn lost(&mut self, mask: &[u8]) -> Option<Bounds> {
        let least = LEAST_PART * self.size.area_px() as f32;
        let is_lost = |before, now| (before >= PERSON) & (now < PERSON);
        let lost = count_pairs(&self.before, mask, is_lost);
        if (lost as f32) < least {
            return None;
        }
        for ((mark, &before), &now) in self.marks.iter_mut().zip(&self.before).zip(mask) {
            *mark = match before >= PERSON {
                true if now < PERSON => LOST,
                true => STAYED,
                false => 0,
            };
        }
        self.components.find(&self.marks, STAYED, LOST);
        let Components { runs, all, .. } = &self.components;
        let is_lost = |run: &&Run| {
            let person = all[run.component as usize];
            let lost = person.certain as f32;
            lost >= least && lost >= LEAST_SHARE * person.area as f32
        };
        let places = runs.iter().filter(is_lost).map(|run| self.around(*run));
        places.reduce(|a, b| Bounds {
            x: [a.x[0].min(b.x[0]), a.x[1].max(b.x[1])],
            y: [a.y[0].min(b.y[0]), a.y[1].max(b.y[1])],
        })
    }

    /// Finds where the people of the mask before may be by now, within the `limits`.
    fn mark_near(&mut self, limits: Bounds) {
        self.near.fill(0);
        for run in &self.components.runs {
            let Bounds { x, y } = self.around(*run);
            let clipped =
                |[from, to]: [u32; 2], [least, most]: [u32; 2]| from.max(least)..to.min(most);
            let [x, y] = [clipped(x, limits.x), clipped(y, limits.y)];
            let rows = self.near.chunks_exact_mut(self.size.width_px as usize);
            if !x.is_empty() {
                let rows = rows.take(y.end as usize).skip(y.start as usize);
                rows.for_each(|row| row[x.start as usize..x.end as usize].fill(255));
            }
        }
    }

    /// Where the samples of `run` may have gone.
    fn around(&self, run: Run) -> Bounds {
        let place = Bounds { x: [run.start, run.end], y: [run.y, run.y + 1] };
        self.widened(place, self.reach_px)
    }

    fn widened(&self, Bounds { x, y }: Bounds, reach: u32) -> Bounds {
        let SizePx { width_px, height_px } = self.size;
        let widen =
            |[from, to]: [u32; 2], side: u32| [from.saturating_sub(reach), (to + reach).min(side)];
        Bounds { x: widen(x, width_px), y: widen(y, height_px) }
    }

    /// 255 in samples in which anybody may be whom the mask before showed, after somebody was [found](Self::find) to be lost.
    pub(crate) fn near(&self) -> &[u8] {
        &self.near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: SizePx = SizePx::new(80, 40);

    /// Samples of 255 in the columns `x` and the rows `y`.
    fn mask(x: [usize; 2], y: [usize; 2]) -> Vec<u8> {
        let is_in = |at: usize, [from, to]: [usize; 2]| (from..to).contains(&at);
        (0..80 * 40)
            .map(|at| if is_in(at % 80, x) && is_in(at / 80, y) { 255 } else { 0 })
            .collect()
    }

    fn both(one: &[u8], other: &[u8]) -> Vec<u8> {
        one.iter().zip(other).map(|(one, other)| one | other).collect()
    }

    #[test]
    fn who_is_lost_beside_somebody_who_stays_is_found() {
        let (stays, goes) = (mask([4, 24], [10, 40]), mask([50, 80], [0, 40]));
        let (mut finder, at) = (LostFinder::new(SIZE, false), Instant::now());
        assert_eq!(finder.find(&stays, at), None);
        finder.learn(&both(&stays, &goes));
        assert_eq!(finder.find(&both(&stays, &goes), at), None);
        let bounds = finder.find(&stays, at).unwrap();
        assert_eq!((bounds.x, bounds.y), ([48, 80], [0, 40]));
        // Around who stays, there is nobody to look for.
        assert_eq!(finder.near(), mask([48, 80], [0, 40]));
        // Half of them is enough; what is left is of the same person.
        let bounds = finder.find(&both(&stays, &mask([50, 65], [0, 40])), at).unwrap();
        assert_eq!((bounds.x, bounds.y), ([48, 80], [0, 40]));
        finder.reset();
        assert_eq!(finder.find(&stays, at), None);
    }

    #[test]
    fn who_moves_or_is_small_is_not_lost() {
        let (mut finder, at) = (LostFinder::new(SIZE, false), Instant::now());
        finder.learn(&mask([50, 80], [0, 40]));
        // A third of them has gone out of the picture.
        assert_eq!(finder.find(&mask([60, 80], [0, 40]), at), None);
        // A fiftieth of the picture.
        finder.learn(&mask([10, 18], [10, 18]));
        assert_eq!(finder.find(&mask([0, 0], [0, 0]), at), None);
    }

    #[test]
    fn who_is_lost_all_the_time_is_looked_for_a_few_seconds_and_not_far_away() {
        let (mut finder, start) = (LostFinder::new(SIZE, false), Instant::now());
        let (mut shown, nobody) = (mask([40, 60], [0, 40]), mask([0, 0], [0, 0]));
        for ms in (0..5000).step_by(33) {
            finder.learn(&shown);
            let found = finder.find(&nobody, start + Duration::from_millis(ms));
            assert!(found.is_some(), "after {ms} ms");
            // All that may be they is taken for them.
            shown.copy_from_slice(finder.near());
        }
        assert_eq!(shown, mask([28, 72], [0, 40]));
        finder.learn(&shown);
        assert_eq!(finder.find(&nobody, start + Duration::from_millis(5033)), None);
    }

    #[test]
    fn of_one_person_among_others_nothing_beside_is_taken() {
        let mut finder = LostFinder::new(SIZE, true);
        finder.learn(&mask([50, 80], [0, 40]));
        assert!(finder.find(&mask([0, 0], [0, 0]), Instant::now()).is_some());
        assert_eq!(finder.near(), mask([50, 80], [0, 40]));
    }
}
