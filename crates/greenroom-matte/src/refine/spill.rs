use greenroom_frame::{Cells, SizePx};

use super::kernels::{add_row, spread, weigh};
use crate::Isa;

/// Finds the colours of person and room along the edge: the means of the sketch's cells nearby,
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
    /// Columns and rows of the sketch.
    sketch: (usize, usize),
    /// Two rows of the sketch, weighted and added: eight channels, one behind the other. First the
    /// person's weight and weighted Y, U and V, then the room's.
    wide: Vec<f32>,
    /// The same in rows of cells, each channel between two zeros: as they are, blurred once and
    /// blurred twice.
    sums: [Vec<f32>; 3],
    /// A row of these.
    column: Vec<f32>,
}

const CHANNELS: usize = 8;
/// Weight of a cell's own colour, mixed as it is, of 324 in a whole window: where there is no sure
/// person, or room, far and wide, nothing is changed.
const OWN: f32 = 0.5;

impl Spill {
    /// The colours found last.
    pub(crate) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Finds them from a sketch of `size`: `row` gives Y, U and V of a row of cells, 0..=1, and the
    /// four rows of factors that alpha is made of; alphas of `ramp` become 0 and 1.
    pub(crate) fn find<'a>(
        &mut self,
        isa: Isa,
        size: SizePx,
        ramp: [f32; 2],
        row: impl Fn(usize) -> ([&'a [f32]; 3], &'a [f32]),
    ) {
        let (width, height) = (size.width_px as usize, size.height_px as usize);
        self.adopt((width, height));
        let len = CHANNELS * self.stride();
        for (y, sums) in self.sums[0].chunks_exact_mut(len).enumerate() {
            self.wide.fill(0.0);
            for y in 2 * y..(2 * y + 2).min(height) {
                let (colours, factors) = row(y);
                weigh(isa, &mut self.wide, colours, factors, ramp);
            }
            let channels = self.wide.chunks_exact(width);
            for (sums, wide) in sums.chunks_exact_mut(len / CHANNELS).zip(channels) {
                let (pairs, last) = wide.as_chunks::<2>();
                sums[1..].iter_mut().zip(pairs).for_each(|(sum, [a, b])| *sum = a + b);
                if let [last] = last {
                    sums[1 + pairs.len()] = *last;
                }
            }
        }
        let [own, once, twice] = &mut self.sums;
        blur(isa, own, once, &mut self.column);
        blur(isa, once, twice, &mut self.column);
        self.divide();
    }

    fn stride(&self) -> usize {
        self.cells.columns() + 2
    }

    fn adopt(&mut self, sketch: (usize, usize)) {
        if std::mem::replace(&mut self.sketch, sketch) == sketch {
            return;
        }
        let (width, height) = sketch;
        self.cells.resize(width as f64 / 2.0, height as f64 / 2.0);
        let len = CHANNELS * self.stride() * self.cells.rows();
        self.wide = vec![0.0; CHANNELS * width];
        self.column = vec![0.0; CHANNELS * self.stride()];
        self.sums = std::array::from_fn(|_| vec![0.0; len]);
    }

    fn divide(&mut self) {
        let (stride, columns) = (self.stride(), self.cells.columns());
        let [own, _, blurred] = &self.sums;
        for y in 0..self.cells.rows() {
            let row = |sums, channel: usize| -> &[f32] {
                let sums: &Vec<f32> = sums;
                &sums[(y * CHANNELS + channel) * stride + 1..][..columns]
            };
            for plane in 0..3 {
                let [p, r] = [1 + plane, 5 + plane];
                let (weights, mixed) = ([row(own, 0), row(own, 4)], [row(own, p), row(own, r)]);
                let persons = [row(blurred, 0), row(blurred, p)];
                let rooms = [row(blurred, 4), row(blurred, r)];
                self.cells.edit_row(plane, y, |[person, less]| {
                    for x in 0..columns {
                        let mixed = mixed[0][x] + mixed[1][x];
                        let mixed = OWN * mixed / (weights[0][x] + weights[1][x]);
                        let room = 255.0 * (rooms[1][x] + mixed) / (rooms[0][x] + OWN);
                        person[x] = 255.0 * (persons[1][x] + mixed) / (persons[0][x] + OWN);
                        less[x] = person[x] - room;
                    }
                });
            }
        }
    }
}

/// The sums of three by three; nothing lies outside. `column` is as long as a row.
fn blur(isa: Isa, from: &[f32], into: &mut [f32], column: &mut [f32]) {
    let row = column.len();
    let rows = from.len() / row;
    for (y, out) in into.chunks_exact_mut(row).enumerate() {
        column.fill(0.0);
        for near in y.saturating_sub(1)..(y + 2).min(rows) {
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
