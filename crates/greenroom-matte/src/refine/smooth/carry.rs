use std::ops::Range;

use greenroom_frame::SizePx;

use super::super::kernels::{Shift, WeightRamp, between, between_states};
use super::changes::Changes;
use crate::Isa;

/// Takes the mask so far along with a person who goes: where the picture before, moved on, explains
/// the new one, the mask before, moved on, counts as well.
#[derive(Debug)]
pub(super) struct Carry {
    cells: SizePx,
    mask: SizePx,
    /// The first column and row of the mask of each cell, and the end.
    starts: [Vec<i32>; 2],
    /// Of the part that is looked at, from where it was before.
    changes: Changes,
    /// A row of the picture before, moved on; and one of weights.
    row: Vec<u8>,
    own: Vec<u8>,
    /// Stretches of cells that are carried: the row and the columns.
    carried: Vec<(usize, Range<usize>)>,
    state: Vec<u16>,
}

/// Change of a cell up to which it is what it was before elsewhere, and from which on it is not; more
/// than for what stands still, for nothing goes exactly by what is found.
///
/// The share of the new mask in what is carried is 0.4, for a person who goes turns as well. With a fifth,
/// the mask of who comes in stays behind.
const WEIGHTS: WeightRamp = WeightRamp { low: 16, high: 45, least: 100, most: 255 };
/// Cells around the person.
const MARGIN: i32 = 2;

/// A way in whole cells or samples, and what is left of it in 256ths, that leads back: the sample that
/// was at `x + whole` and a little more is at `x` now.
#[derive(Clone, Copy)]
struct Back {
    whole: i32,
    share: u16,
}

impl Back {
    fn of(way: f32) -> Self {
        let whole = (-way).floor();
        Self { whole: whole as i32, share: ((-way - whole) * 256.0) as u16 }
    }

    /// The part of `range` whose samples, and the ones after these, were among `len`.
    fn inside(self, range: Range<i32>, len: usize) -> Range<usize> {
        let start = range.start.max(-self.whole).max(0);
        let end = range.end.min(len as i32).min(len as i32 - 1 - self.whole).max(start);
        start as usize..end as usize
    }

    fn from(self, at: usize) -> usize {
        (at as i32 + self.whole) as usize
    }
}

impl Carry {
    pub(super) fn new(mask: SizePx, cells: SizePx) -> Self {
        let starts = |cells: u32, samples: u32| {
            (0..=cells).map(|cell| (cell * samples).div_ceil(cells) as i32).collect()
        };
        let (width, height) = (cells.width_px as usize, cells.height_px as usize);
        Self {
            cells,
            mask,
            starts: [
                starts(cells.width_px, mask.width_px),
                starts(cells.height_px, mask.height_px),
            ],
            changes: Changes::new(cells),
            row: vec![0; width],
            own: vec![0; width],
            carried: Vec::with_capacity(width.div_ceil(2) * height),
            state: vec![0; mask.area_px() as usize],
        }
    }

    /// Moves what is of a person who was in the columns and rows `person` and has gone by `way`, in
    /// cells: in `state` the mask so far, in `cell_weights` how much the new one counts. `new` and `old` are the
    /// planes of the two thumbnails.
    pub(super) fn carry(
        &mut self,
        isa: Isa,
        (person, way): ([Range<usize>; 2], [f32; 2]),
        new: [&[u8]; 3],
        old: [&[u8]; 3],
        cell_weights: &mut [u8],
        state: &mut [u16],
    ) {
        let (width, height) = (self.cells.width_px as usize, self.cells.height_px as usize);
        let [back_x, back_y] = way.map(Back::of);
        let around = |was: &Range<usize>, way: f32| {
            let way = way.round() as i32;
            was.start as i32 + way - MARGIN..was.end as i32 + way + MARGIN
        };
        let columns = back_x.inside(around(&person[0], way[0]), width);
        let rows = back_y.inside(around(&person[1], way[1]), height);
        self.compare(isa, [back_x, back_y], [columns.clone(), rows.clone()], new, old);
        self.weigh(isa, [columns, rows], cell_weights);
        let in_samples = |way: f32, cells: u32, samples: u32| way * samples as f32 / cells as f32;
        let back_x = Back::of(in_samples(way[0], self.cells.width_px, self.mask.width_px));
        let back_y = Back::of(in_samples(way[1], self.cells.height_px, self.mask.height_px));
        self.move_state(isa, [back_x, back_y], state);
    }

    /// The change of each cell from where it was before.
    fn compare(
        &mut self,
        isa: Isa,
        [back_x, back_y]: [Back; 2],
        [columns, rows]: [Range<usize>; 2],
        new: [&[u8]; 3],
        old: [&[u8]; 3],
    ) {
        let width = self.cells.width_px as usize;
        self.changes.clear(columns.len(), rows.len());
        let moved = &mut self.row[..columns.len()];
        let shift = Shift { across: back_x.share, down: back_y.share };
        for (index, y) in rows.enumerate() {
            for (new, old) in new.iter().zip(old) {
                let row =
                    |y: usize| &old[y * width + back_x.from(columns.start)..][..=columns.len()];
                let from = back_y.from(y);
                between(isa, moved, row(from), row(from + 1), shift);
                self.changes.add(isa, index, &new[y * width..][columns.clone()], moved);
            }
        }
    }

    /// The weights of cells that have changed less from where they were before.
    fn weigh(&mut self, isa: Isa, [columns, rows]: [Range<usize>; 2], cell_weights: &mut [u8]) {
        let width = self.cells.width_px as usize;
        let own = &mut self.own[..columns.len()];
        self.carried.clear();
        for (index, y) in rows.enumerate() {
            self.changes.weigh(isa, index, own, WEIGHTS);
            let held = &mut cell_weights[y * width..][columns.clone()];
            let mut start = None;
            for x in 0..=own.len() {
                let less = x < own.len() && own[x] < held[x];
                match (start, less) {
                    (None, true) => start = Some(x),
                    (Some(first), false) => {
                        held[first..x].copy_from_slice(&own[first..x]);
                        self.carried.push((y, columns.start + first..columns.start + x));
                        start = None;
                    }
                    _ => {}
                }
            }
        }
    }

    /// The mask so far, of all cells that are carried.
    fn move_state(&mut self, isa: Isa, [back_x, back_y]: [Back; 2], state: &mut [u16]) {
        let (width, height) = (self.mask.width_px as usize, self.mask.height_px as usize);
        let [column_starts, row_starts] = &self.starts;
        let shift = Shift { across: back_x.share, down: back_y.share };
        let parts = self.carried.iter().flat_map(|(y, cells)| {
            // And one around, for which the cell's weight counts, too.
            let columns = column_starts[cells.start] - 1..column_starts[cells.end] + 1;
            let columns = back_x.inside(columns, width);
            let rows = back_y.inside(row_starts[*y] - 1..row_starts[*y + 1] + 1, height);
            rows.map(move |y| (y * width, columns.clone()))
        });
        for (row, columns) in parts.clone() {
            let above = row.wrapping_add_signed(back_y.whole as isize * width as isize);
            let from = |row: usize| &state[row + back_x.from(columns.start)..][..=columns.len()];
            let out = &mut self.state[row..][columns.clone()];
            between_states(isa, out, from(above), from(above + width), shift);
        }
        for (row, columns) in parts {
            state[row..][columns.clone()].copy_from_slice(&self.state[row..][columns]);
        }
    }
}
