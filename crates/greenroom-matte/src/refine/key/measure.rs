use greenroom_frame::FrameView;

use super::grid::Grid;
use super::model::SCREEN;

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

/// Code of the distance half way to the screen's colour.
pub(super) const HALF: u8 = 128;
/// Alphas from which on a sample is solid, and up to which it is clear.
const SOLID: u8 = 140;
const CLEAR: u8 = 115;
/// Every so many rows one is looked at.
const ROW_STEP: usize = 2;

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

/// Measures each cell: `distance` and `alpha` are planes of the size of `frame`'s chroma.
pub(super) fn measure(
    cells: &mut [Cell],
    grid: Grid,
    frame: &FrameView<'_>,
    distance: &[u8],
    alpha: &[u8],
) {
    cells.fill(Cell::default());
    let (u, v) = (frame.plane(1), frame.plane(2));
    let (width, across) = (u.row_bytes(), grid.samples[0] as usize);
    for y in (0..u.rows()).step_by(ROW_STEP) {
        let row = &mut cells[grid.row_of(y) * grid.columns()..][..grid.columns()];
        let line = |plane: &'_ [u8]| -> std::ops::Range<usize> {
            y * width..(y * width + width).min(plane.len())
        };
        let chunks = u.row(y).chunks(across).zip(v.row(y).chunks(across));
        let planes = distance[line(distance)].chunks(across).zip(alpha[line(alpha)].chunks(across));
        for (cell, ((u, v), (distance, alpha))) in row.iter_mut().zip(chunks.zip(planes)) {
            let sum = |samples: &[u8]| samples.iter().map(|&s| u32::from(s)).sum::<u32>();
            let count = |samples: &[u8], is: fn(u8) -> bool| {
                samples.iter().map(|&s| u32::from(is(s))).sum::<u32>()
            };
            cell.count += distance.len() as u32;
            cell.screen += count(distance, |code| code >= HALF);
            cell.solid += count(alpha, |alpha| alpha >= SOLID);
            cell.clear += count(alpha, |alpha| alpha <= CLEAR);
            cell.chroma[0] += sum(u);
            cell.chroma[1] += sum(v);
            cell.distances[0] += sum(distance);
            cell.distances[1] +=
                distance.iter().map(|&code| u32::from(code) * u32::from(code)).sum::<u32>();
        }
    }
}
