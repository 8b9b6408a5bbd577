use greenroom_frame::SizePx;

use super::components::{Components, Run};
use super::crop::Bounds;

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
/// They have gone no further since the mask before than one of so many parts of the picture's width.
const REACH: u32 = 40;

impl LostFinder {
    /// For masks of `size`.
    pub(crate) fn new(size: SizePx) -> Self {
        let area = size.area_px() as usize;
        let components = Components::side_by_side(size);
        Self { size, before: vec![0; area], marks: vec![0; area], components, near: vec![0; area] }
    }

    /// The next mask has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.before.fill(0);
    }

    /// Takes over the mask that is shown.
    pub(crate) fn learn(&mut self, mask: &[u8]) {
        self.before.copy_from_slice(mask);
    }

    /// Where those were whom `mask` has lost since the one that was [learned](Self::learn); `None` if nobody is.
    pub(crate) fn find(&mut self, mask: &[u8]) -> Option<Bounds> {
        let least = LEAST_PART * self.size.area_px() as f32;
        let is_lost = |before: u8, now: u8| u32::from(before >= PERSON && now < PERSON);
        let lost: u32 =
            self.before.iter().zip(mask).map(|(&before, &now)| is_lost(before, now)).sum();
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
        let bounds = places.reduce(|a, b| Bounds {
            x: [a.x[0].min(b.x[0]), a.x[1].max(b.x[1])],
            y: [a.y[0].min(b.y[0]), a.y[1].max(b.y[1])],
        })?;
        self.near.fill(0);
        for run in runs {
            let Bounds { x, y } = self.around(*run);
            let [x, y] = [x, y].map(|[from, to]| from as usize..to as usize);
            let rows = self.near.chunks_exact_mut(self.size.width_px as usize);
            rows.take(y.end).skip(y.start).for_each(|row| row[x.clone()].fill(255));
        }
        Some(bounds)
    }

    /// Where the samples of `run` may have gone.
    fn around(&self, run: Run) -> Bounds {
        let SizePx { width_px, height_px } = self.size;
        let reach = width_px / REACH;
        let widen =
            |from: u32, to: u32, side: u32| [from.saturating_sub(reach), (to + reach).min(side)];
        Bounds { x: widen(run.start, run.end, width_px), y: widen(run.y, run.y + 1, height_px) }
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
        let mut finder = LostFinder::new(SIZE);
        assert_eq!(finder.find(&stays), None);
        finder.learn(&both(&stays, &goes));
        assert_eq!(finder.find(&both(&stays, &goes)), None);
        let bounds = finder.find(&stays).unwrap();
        assert_eq!((bounds.x, bounds.y), ([48, 80], [0, 40]));
        assert_eq!(finder.near(), both(&mask([2, 26], [8, 40]), &mask([48, 80], [0, 40])));
        // Half of them is enough; what is left is of the same person.
        let bounds = finder.find(&both(&stays, &mask([50, 65], [0, 40]))).unwrap();
        assert_eq!((bounds.x, bounds.y), ([48, 80], [0, 40]));
        finder.reset();
        assert_eq!(finder.find(&stays), None);
    }

    #[test]
    fn who_moves_or_is_small_is_not_lost() {
        let mut finder = LostFinder::new(SIZE);
        finder.learn(&mask([50, 80], [0, 40]));
        // A third of them has gone out of the picture.
        assert_eq!(finder.find(&mask([60, 80], [0, 40])), None);
        // A fiftieth of the picture.
        finder.learn(&mask([10, 18], [10, 18]));
        assert_eq!(finder.find(&mask([0, 0], [0, 0])), None);
    }
}
