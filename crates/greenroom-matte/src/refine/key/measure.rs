use greenroom_frame::{FrameView, SizePx};

use super::super::kernels::tally;
use super::codes::{HALF, SCREEN};
use super::grid::Grid;
use crate::Isa;

/// What is measured of the samples of one cell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    /// Samples that were looked at.
    pub count: u32,
    /// Those nearer to the screen's colour than half way.
    screen: u32,
    /// Those whose alpha is surely more than half, and surely less.
    pub solid: u32,
    pub clear: u32,
    /// Sums of U, V, and of distances and their squares.
    chroma: [u32; 2],
    distances: [u32; 2],
}

/// Alphas from which on a sample is solid, and up to which it is clear.
const SOLID: u8 = 140;
const CLEAR: u8 = 115;
/// Every so many rows one is looked at.
pub(super) const ROW_STEP: usize = 2;

impl Cell {
    /// Whether all samples but so many of a hundred are screen.
    pub(super) fn is_all_screen(&self, specks_percent: u32) -> bool {
        self.count > 0 && 100 * (self.count - self.screen) <= specks_percent * self.count
    }

    /// Whether most of it has the screen's colour.
    pub(super) fn is_mostly_screen(&self) -> bool {
        self.count > 0 && 2 * self.screen > self.count
    }

    /// Mean U and V.
    pub(super) fn chroma(&self) -> [f32; 2] {
        self.chroma.map(|sum| sum as f32 / self.count.max(1) as f32)
    }

    /// Mean code of distance, and its standard deviation.
    pub(super) fn distance(&self) -> (f32, f32) {
        let [mean, square] = self.distances.map(|sum| sum as f32 / self.count.max(1) as f32);
        (mean.min(SCREEN), (square - mean * mean).max(0.0).sqrt())
    }
}

/// Measures cells.
#[derive(Debug)]
pub(super) struct Measurer {
    grid: Grid,
    /// Sums of the columns of a row of cells.
    sums: [Vec<u16>; 6],
    squares: Vec<u32>,
}

impl Measurer {
    /// For pictures whose chroma has that size.
    pub(super) fn new(grid: Grid, chroma: SizePx) -> Self {
        let width = chroma.width_px as usize;
        Self { grid, sums: std::array::from_fn(|_| vec![0; width]), squares: vec![0; width] }
    }

    /// Measures each cell: `distance` and `alpha` are planes of the size of `frame`'s chroma, of which every
    /// [`ROW_STEP`]th row counts.
    pub(super) fn measure(
        &mut self,
        isa: Isa,
        cells: &mut [Cell],
        frame: &FrameView<'_>,
        distance: &[u8],
        alpha: &[u8],
    ) {
        let (u, v) = (frame.plane(1), frame.plane(2));
        let [across, down] = self.grid.samples.map(|count| count as usize);
        let width = u.row_bytes();
        for (row, cells) in cells.chunks_exact_mut(self.grid.columns()).enumerate() {
            self.sums.iter_mut().for_each(|sums| sums.fill(0));
            self.squares.fill(0);
            let rows = (row * down).next_multiple_of(ROW_STEP)..((row + 1) * down).min(u.rows());
            let rows = rows.step_by(ROW_STEP);
            let count = rows.len() as u32;
            for y in rows {
                let [distance, alpha] = [distance, alpha].map(|plane| &plane[y * width..][..width]);
                let sums = self.sums.each_mut().map(Vec::as_mut_slice);
                let planes = [u.row(y), v.row(y), distance, alpha];
                tally(isa, sums, &mut self.squares, planes, [HALF, SOLID, CLEAR]);
            }
            for (x, cell) in cells.iter_mut().enumerate() {
                let columns = x * across..((x + 1) * across).min(width);
                let [screen, solid, clear, u, v, distance] = self.sums.each_ref().map(|sums| {
                    sums[columns.clone()].iter().map(|&sum| u32::from(sum)).sum::<u32>()
                });
                let squares = self.squares[columns.clone()].iter().sum();
                *cell = Cell {
                    count: count * columns.len() as u32,
                    screen,
                    solid,
                    clear,
                    chroma: [u, v],
                    distances: [distance, squares],
                };
            }
        }
    }
}
