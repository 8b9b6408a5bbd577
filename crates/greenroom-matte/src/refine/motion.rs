use std::ops::Range;

use greenroom_frame::SizePx;

use super::kernels::sum_difference;
use crate::Isa;

/// Finds how far a person has gone from one thumbnail to the next: as a whole, without turning.
///
/// It goes down the sums of absolute differences of luma, over the rows of cells that the person was in,
/// from the best of a few places (block matching with one block, which is the person), and to parts
/// of a cell by a parabola through the neighbours.
#[derive(Debug)]
pub(crate) struct Motion {
    cells: SizePx,
    /// The rows that are compared, and the columns from the person's first to the last in each.
    spans: Vec<(usize, Range<usize>)>,
    /// For each thumbnail cell, the mask column (x) and row offset (y) at its centre.
    samples: [Vec<usize>; 2],
    newest: [i32; 2],
}

/// Mean difference of luma up to which a person stands still.
const STILL: f32 = 1.5;
/// A shift counts as motion only if it leaves less than this share of the unshifted difference.
const MIN_IMPROVEMENT: f32 = 0.9;
/// Cells that a person goes at the most from one frame to the next, across and down: at 30 fps, from
/// one side of the picture to the other in two thirds of a second.
const MAX_SHIFT_CELLS: [i32; 2] = [8, 5];
/// Shifts that the search begins from, beside the last one.
const START_OFFSETS: [[i32; 2]; 6] = [[-6, 0], [-3, 0], [3, 0], [6, 0], [0, -3], [0, 3]];
/// Rows of cells that are compared: one of so many.
const ROW_STEP: usize = 2;
/// Fewest compared rows that a person must cover for a shift to be looked for.
const MIN_ROWS: usize = 3;

impl Motion {
    /// For masks and thumbnails of these sizes.
    pub(crate) fn new(mask: SizePx, cells: SizePx) -> Self {
        let middles = |count: u32, samples: u32, stride: u32| {
            let middle = |at: u32| ((2 * at + 1) * samples / (2 * count) * stride) as usize;
            (0..count).map(middle).collect()
        };
        Self {
            cells,
            spans: Vec::with_capacity(cells.height_px as usize),
            samples: [
                middles(cells.width_px, mask.width_px, 1),
                middles(cells.height_px, mask.height_px, mask.width_px),
            ],
            newest: [0, 0],
        }
    }

    /// Size of the thumbnails.
    pub(crate) fn cells(&self) -> SizePx {
        self.cells
    }

    /// Makes `person` tell for each cell whether `is_person` is true of the middle of it in the mask.
    pub(crate) fn fill_person(&self, person: &mut Vec<bool>, is_person: impl Fn(usize) -> bool) {
        let [columns, rows] = &self.samples;
        person.clear();
        for start in rows {
            person.extend(columns.iter().map(|column| is_person(start + column)));
        }
    }

    /// The columns and rows of cells that the person was in.
    pub(crate) fn extent(&self) -> Option<[Range<usize>; 2]> {
        let (first, last) = (self.spans.first()?, self.spans.last()?);
        let start = self.spans.iter().map(|(_, columns)| columns.start).min()?;
        let end = self.spans.iter().map(|(_, columns)| columns.end).max()?;
        Some([start..end, first.0..last.0 + ROW_STEP])
    }

    /// How many cells to the right and down a person has gone of whom `is_person` tells where in the
    /// mask they were; `new` and `old` are the lumas of the two thumbnails. `None` if they stand still, or
    /// did something else than go.
    pub(crate) fn find(
        &mut self,
        isa: Isa,
        is_person: impl Fn(usize) -> bool,
        new: &[u8],
        old: &[u8],
    ) -> Option<[f32; 2]> {
        self.look(is_person);
        let still = self.difference(isa, new, old, [0, 0])?;
        let guess = std::mem::take(&mut self.newest);
        if self.spans.len() < MIN_ROWS || still < STILL {
            return None;
        }
        let mut best = (still, [0, 0]);
        let try_way = |way: [i32; 2], best: &mut (f32, [i32; 2])| {
            if let Some(difference) = self.difference(isa, new, old, way)
                && difference < best.0
            {
                *best = (difference, way);
            }
        };
        START_OFFSETS.into_iter().chain([guess]).for_each(|way| try_way(way, &mut best));
        loop {
            let before @ [x, y] = best.1;
            [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]]
                .into_iter()
                .for_each(|way| try_way(way, &mut best));
            if best.1 == before {
                break;
            }
        }
        let (least, [x, y]) = best;
        // The lowest point of a parabola, and how much lower it is.
        let lowest = |before: [i32; 2], after: [i32; 2]| {
            let ends = [before, after].map(|way| self.difference(isa, new, old, way));
            let [Some(before), Some(after)] = ends else { return (0.0, 0.0) };
            let (slope, bend) = (before - after, before - 2.0 * least + after);
            if bend > 1e-3 {
                ((slope / (2.0 * bend)).clamp(-0.5, 0.5), slope * slope / (8.0 * bend))
            } else {
                (0.0, 0.0)
            }
        };
        let (across, less) = lowest([x - 1, y], [x + 1, y]);
        let (down, less_still) = lowest([x, y - 1], [x, y + 1]);
        if least - less - less_still > MIN_IMPROVEMENT * still {
            // Something else moves: an arm, or the person turns.
            return None;
        }
        self.newest = [x, y];
        Some([x as f32 + across, y as f32 + down])
    }

    /// The next thumbnails have nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.newest = [0, 0];
    }

    /// Where the person was.
    fn look(&mut self, is_person: impl Fn(usize) -> bool) {
        let Self { spans, samples: [columns, rows], .. } = self;
        spans.clear();
        for (y, &start) in rows.iter().enumerate().step_by(ROW_STEP) {
            let is_here = |&column: &usize| is_person(start + column);
            let first = columns.iter().position(is_here);
            let last = columns.iter().rposition(is_here);
            if let (Some(first), Some(last)) = (first, last) {
                spans.push((y, first..last + 1));
            }
        }
    }

    /// The mean difference of luma in the person's cells if they have gone this way; `None` if that is
    /// too far, or out of the picture by more than a half.
    fn difference(&self, isa: Isa, new: &[u8], old: &[u8], [x, y]: [i32; 2]) -> Option<f32> {
        if x.abs() > MAX_SHIFT_CELLS[0] || y.abs() > MAX_SHIFT_CELLS[1] {
            return None;
        }
        let (width, height) = (self.cells.width_px as i32, self.cells.height_px as i32);
        let (mut sum, mut count, mut all) = (0, 0, 0);
        for (row, columns) in &self.spans {
            all += columns.len();
            let to_row = *row as i32 + y;
            let start = (columns.start as i32).max(-x);
            let end = (columns.end as i32).min(width - x);
            if to_row < 0 || to_row >= height || start >= end {
                continue;
            }
            count += (end - start) as usize;
            let here =
                |y: i32, from: i32, to: i32| (y * width + from) as usize..(y * width + to) as usize;
            let (new, old) =
                (&new[here(to_row, start + x, end + x)], &old[here(*row as i32, start, end)]);
            sum_difference(isa, &mut sum, new, old);
        }
        (2 * count > all).then(|| sum as f32 / count as f32)
    }
}

#[cfg(test)]
mod tests;
