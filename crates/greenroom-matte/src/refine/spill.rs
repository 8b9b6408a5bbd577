use std::ops::Range;

use greenroom_frame::{Cells, SizePx};

use super::kernels::{
    ColourRows, FactorRows, Ramp, ShareRows, ShareRowsMut, SideRows, add_row, colours, shares,
    spread, weigh,
};
use crate::Isa;

/// Finds the colours of person and room along the edge: the means of the thumbnail's cells nearby,
/// weighted by how surely each is person, or room (blur fusion: Forte, "Approximate Fast Foreground
/// Colour Estimation", 2021).
///
/// Cells are taken two by two: on stills before known walls and with true alpha, luma at the edge was
/// off by 21 codes as the camera has it, by 4.3 with cells of 8 pixels, and by 5.2 with cells of 16,
/// which cost a quarter. A cell counts by the fourth power of its alpha (the third does as well), so
/// that mixed ones hardly do; counting by alpha itself, as blur fusion does, it was 7.9.
#[derive(Debug, Default)]
pub(crate) struct Spill {
    cells: Cells,
    /// Columns and rows of the thumbnail.
    thumbnail: (usize, usize),
    /// Two rows of the thumbnail, weighted and added: eight channels, one behind the other. First the
    /// person's weight and weighted Y, U and V, then the room's.
    wide: Vec<f32>,
    /// The same in rows of cells, each channel between two zeros: as they are, blurred once and
    /// blurred twice.
    sums: [Vec<f32>; 3],
    /// A row of these.
    column: Vec<f32>,
    shares: Shares,
}

const CHANNELS: usize = 8;
/// Weight of a cell's own colour, mixed as it is, of 324 in a whole window: where there is no sure
/// person, or room, far and wide, nothing is changed.
const OWN: f32 = 0.5;
/// Cells around the edge that are looked at: two that a colour is blurred over, and the one that the
/// last of the edge's samples lie before.
const REACH: usize = 3;

impl Spill {
    /// The colours found last.
    pub(crate) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Finds them from a thumbnail of `size`, around the columns and rows that the edge is in: `row` gives
    /// the colours of a row of cells and what alpha is made of there, which goes through `ramp`.
    pub(crate) fn find<'a>(
        &mut self,
        isa: Isa,
        size: SizePx,
        edge: [Range<usize>; 2],
        ramp: Ramp,
        row: impl Fn(usize) -> (ColourRows<'a>, FactorRows<'a>),
    ) {
        let (width, height) = (size.width_px as usize, size.height_px as usize);
        self.adopt((width, height));
        let [columns, rows] = edge;
        if rows.is_empty() {
            return;
        }
        // In cells, two of the thumbnail's each.
        let part = |edge: Range<usize>, most: usize| {
            (edge.start / 2).saturating_sub(REACH)..(edge.end.div_ceil(2) + REACH).min(most)
        };
        let columns = part(columns, self.cells.columns());
        let rows = part(rows, self.cells.rows());
        let part = 2 * columns.start..(2 * columns.end).min(width);
        let len = CHANNELS * self.stride();
        for y in rows.clone() {
            let sums = &mut self.sums[0][y * len..][..len];
            let wide = &mut self.wide[..CHANNELS * part.len()];
            wide.fill(0.0);
            for y in 2 * y..(2 * y + 2).min(height) {
                let (colours, factors) = row(y);
                let (colours, factors) =
                    (colours.columns(part.clone()), factors.columns(part.clone()));
                weigh(isa, wide, colours, factors, ramp);
            }
            let channels = wide.chunks_exact(part.len());
            for (sums, wide) in sums.chunks_exact_mut(len / CHANNELS).zip(channels) {
                let (pairs, last) = wide.as_chunks::<2>();
                let sums = &mut sums[1 + columns.start..];
                sums.iter_mut().zip(pairs).for_each(|(sum, [a, b])| *sum = a + b);
                if let [last] = last {
                    sums[pairs.len()] = *last;
                }
            }
        }
        let [own, once, twice] = &mut self.sums;
        blur(isa, own, once, &mut self.column, rows.clone());
        blur(isa, once, twice, &mut self.column, rows.clone());
        rows.for_each(|y| self.divide(isa, y, columns.clone()));
    }

    fn stride(&self) -> usize {
        self.cells.columns() + 2
    }

    fn adopt(&mut self, thumbnail: (usize, usize)) {
        if std::mem::replace(&mut self.thumbnail, thumbnail) == thumbnail {
            return;
        }
        let (width, height) = thumbnail;
        self.cells.resize(width as f64 / 2.0, height as f64 / 2.0);
        let len = CHANNELS * self.stride() * self.cells.rows();
        self.wide = vec![0.0; CHANNELS * width];
        self.column = vec![0.0; CHANNELS * self.stride()];
        self.shares = Shares::new(self.stride());
        self.sums = std::array::from_fn(|_| vec![0.0; len]);
    }

    fn divide(&mut self, isa: Isa, y: usize, columns: Range<usize>) {
        let stride = self.stride();
        let [own, _, blurred] = &self.sums;
        let row = |sums, channel: usize| -> &[f32] {
            let sums: &Vec<f32> = sums;
            &sums[(y * CHANNELS + channel) * stride + 1 + columns.start..][..columns.len()]
        };
        let both = |sums, channel: usize| SideRows {
            person: row(sums, channel),
            room: row(sums, channel + CHANNELS / 2),
        };
        let len = columns.len();
        shares(isa, self.shares.first_mut(len), both(own, 0), both(blurred, 0), OWN);
        for plane in 0..3 {
            self.cells.edit_row(plane, y, |[person, room]| {
                let (person, room) = (&mut person[columns.clone()], &mut room[columns.clone()]);
                let (cell, around) = (both(own, 1 + plane), both(blurred, 1 + plane));
                colours(isa, person, room, cell, around, self.shares.first(len));
            });
        }
    }
}

/// A row of what all colours of a cell are multiplied by, as [`ShareRows`] has it.
#[derive(Debug, Default)]
struct Shares {
    mixed: Vec<f32>,
    person: Vec<f32>,
    room: Vec<f32>,
}

impl Shares {
    fn new(len: usize) -> Self {
        let zeros = || vec![0.0; len];
        Self { mixed: zeros(), person: zeros(), room: zeros() }
    }

    /// The first so many.
    fn first(&self, len: usize) -> ShareRows<'_> {
        let Self { mixed, person, room } = self;
        ShareRows { mixed: &mixed[..len], person: &person[..len], room: &room[..len] }
    }

    fn first_mut(&mut self, len: usize) -> ShareRowsMut<'_> {
        let Self { mixed, person, room } = self;
        ShareRowsMut {
            mixed: &mut mixed[..len],
            person: &mut person[..len],
            room: &mut room[..len],
        }
    }
}

/// The sums of three by three in these rows; nothing lies outside. `column` is as long as a row.
fn blur(isa: Isa, from: &[f32], into: &mut [f32], column: &mut [f32], rows: Range<usize>) {
    let row = column.len();
    for y in rows.clone() {
        let out = &mut into[y * row..][..row];
        column.fill(0.0);
        for near in y.saturating_sub(1).max(rows.start)..(y + 2).min(rows.end) {
            add_row(isa, column, &from[near * row..][..row]);
        }
        spread(isa, &mut out[1..row - 1], column, 1.0);
        // What ran over from one channel into the next.
        for channel in out.chunks_exact_mut(row / CHANNELS) {
            channel[0] = 0.0;
            channel[row / CHANNELS - 1] = 0.0;
        }
    }
}

#[cfg(test)]
mod tests;
