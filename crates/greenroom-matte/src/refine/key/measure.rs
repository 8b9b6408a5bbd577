use std::ops::Range;

use greenroom_frame::{FrameView, SizePx};

use super::super::kernels::{TallyLevels, TallyMut, TallyRows, tally};
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

/// A sample is nearer to the screen's colour than half way; and it is solid, or clear, if its alpha is surely more than
/// half, or less.
const LEVELS: TallyLevels = TallyLevels { near: HALF, solid: 140, clear: 115 };
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

/// Sums of the columns of a row of cells, as [`TallyMut`] has them.
#[derive(Debug)]
struct Sums {
    near: Vec<u16>,
    solid: Vec<u16>,
    clear: Vec<u16>,
    u: Vec<u16>,
    v: Vec<u16>,
    distance: Vec<u16>,
    squares: Vec<u32>,
}

impl Sums {
    fn new(width: usize) -> Self {
        let zeros = || vec![0; width];
        Self {
            near: zeros(),
            solid: zeros(),
            clear: zeros(),
            u: zeros(),
            v: zeros(),
            distance: zeros(),
            squares: vec![0; width],
        }
    }

    fn clear(&mut self) {
        let Self { near, solid, clear, u, v, distance, squares } = self;
        [near, solid, clear, u, v, distance].into_iter().for_each(|sums| sums.fill(0));
        squares.fill(0);
    }

    fn as_mut(&mut self) -> TallyMut<'_> {
        let Self { near, solid, clear, u, v, distance, squares } = self;
        TallyMut { near, solid, clear, u, v, distance, squares }
    }

    /// The cell that lies in these columns, each of which has `count` samples.
    fn cell(&self, columns: Range<usize>, count: u32) -> Cell {
        let sum = |sums: &[u16]| sums[columns.clone()].iter().map(|&sum| u32::from(sum)).sum();
        Cell {
            count: count * columns.len() as u32,
            screen: sum(&self.near),
            solid: sum(&self.solid),
            clear: sum(&self.clear),
            chroma: [sum(&self.u), sum(&self.v)],
            distances: [sum(&self.distance), self.squares[columns.clone()].iter().sum()],
        }
    }
}

/// Measures cells.
#[derive(Debug)]
pub(super) struct Measurer {
    grid: Grid,
    sums: Sums,
}

impl Measurer {
    /// For pictures whose chroma has that size.
    pub(super) fn new(grid: Grid, chroma: SizePx) -> Self {
        let width = chroma.width_px as usize;
        Self { grid, sums: Sums::new(width) }
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
            self.sums.clear();
            let rows = (row * down).next_multiple_of(ROW_STEP)..((row + 1) * down).min(u.rows());
            let rows = rows.step_by(ROW_STEP);
            let count = rows.len() as u32;
            for y in rows {
                let [distance, alpha] = [distance, alpha].map(|plane| &plane[y * width..][..width]);
                let rows = TallyRows { u: u.row(y), v: v.row(y), distance, alpha };
                tally(isa, self.sums.as_mut(), rows, LEVELS);
            }
            for (x, cell) in cells.iter_mut().enumerate() {
                let columns = x * across..((x + 1) * across).min(width);
                *cell = self.sums.cell(columns, count);
            }
        }
    }
}
