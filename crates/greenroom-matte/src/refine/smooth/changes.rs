use greenroom_frame::SizePx;

use super::super::kernels::{WeightRamp, add_difference, most_around, weights};
use crate::Isa;

/// How much the cells of a thumbnail, or of a part of it, have changed; nothing has around them.
#[derive(Debug)]
pub(super) struct Changes {
    columns: usize,
    /// Of each cell, and of the row around.
    cells: Vec<u16>,
    /// A row of the most in 3x3 cells, and of the most in each column of three.
    most: [Vec<u16>; 2],
}

impl Changes {
    /// For parts of up to so many cells.
    pub(super) fn new(cells: SizePx) -> Self {
        let (columns, rows) = (cells.width_px as usize, cells.height_px as usize);
        Self {
            columns,
            cells: vec![0; (columns + 2) * (rows + 2)],
            most: [0, 2].map(|more| vec![0; columns + more]),
        }
    }

    /// Begins with so many cells, none of which has changed.
    pub(super) fn clear(&mut self, columns: usize, rows: usize) {
        self.columns = columns;
        self.cells[..(columns + 2) * (rows + 2)].fill(0);
    }

    /// Adds what has changed in one plane of row `y`.
    pub(super) fn add(&mut self, isa: Isa, y: usize, new: &[u8], old: &[u8]) {
        let start = (y + 1) * (self.columns + 2) + 1;
        add_difference(isa, &mut self.cells[start..][..self.columns], new, old);
    }

    /// The weights of row `y`, by the most that has changed in 3x3 cells.
    pub(super) fn weigh(&mut self, isa: Isa, y: usize, out: &mut [u8], ramp: WeightRamp) {
        let stride = self.columns + 2;
        let rows = [0, 1, 2].map(|row| &self.cells[(y + row) * stride..][..stride]);
        let [most, around] = &mut self.most;
        let most = &mut most[..self.columns];
        most_around(isa, most, &mut around[..stride], rows);
        weights(isa, out, most, ramp);
    }
}
