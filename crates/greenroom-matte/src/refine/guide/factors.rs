use std::ops::Range;

use greenroom_frame::SizePx;

use super::super::kernels::{
    FactorRows, LineRows, LineRowsMut, Product, Ramp, add_product, add_row, classify, double, fold,
    mix, slide, slide_product, solve, spread,
};
use super::cells::{BLOCK_CELLS, RADIUS};
use super::certain::{CertainBlocks, Class, MIXED, PERSON, stretches};
use super::thumbnail::Thumbnail;
use crate::Isa;

/// Variance of colour (of 1) that counts as flat. With two thirds of it MAD is 1 % lower and dtSSD
/// 1 % higher, with thrice as much MAD 4 % higher.
const EPSILON: f32 = 3e-4;
/// The alphas that become 0 and 1. The middle lies below a half: networks cut a little into hair.
/// With 0.2..0.8, MAD is 2 to 6 % higher and dtSSD 2 %.
pub(super) const RAMP: Ramp = Ramp { room: 0.15, person: 0.75 };
/// Side of a window.
const SIDE: usize = 2 * RADIUS + 1;
/// Row of means and products that [`solve`] takes.
const MOMENTS: usize = 13;
/// Which rows are multiplied for each product: of y, u, v, p.
const PRODUCTS: [(usize, usize); 9] =
    [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2), (0, 3), (1, 3), (2, 3)];

/// What alpha is made of in each cell of the thumbnail, and in each quarter of one.
#[derive(Debug)]
pub(super) struct Factors {
    /// Cells in a row, and rows.
    width: usize,
    rows: usize,
    /// Sums of the columns of a window for each moment, or factor, with [`RADIUS`] more at both ends.
    columns: Vec<Vec<f32>>,
    /// A stretch of each moment, and of each factor.
    moments: Vec<f32>,
    found: Vec<f32>,
    /// For each row of the thumbnail a row of each of the four factors: of the window around a cell, and
    /// the means of all windows that a cell lies in.
    windows: Vec<f32>,
    means: Vec<f32>,
    /// What the blocks of these, and of `lines`, are filled with, where they are sure.
    filled: [Vec<Class>; 3],
    /// Rows of slopes and of offsets, twice as many as the thumbnail has, each of twice its width and
    /// one more at both ends.
    lines: Vec<[Vec<f32>; 2]>,
    /// What the mask has in each block of a line.
    own: Vec<Class>,
    /// What alpha comes to in a line's places that were worked out, whatever luma there is.
    places: Vec<Class>,
    /// The same for each block of each line, and the first place beside it.
    blocks: Vec<Class>,
}

impl Factors {
    pub(super) fn new(thumbnail: SizePx) -> Self {
        let (width, rows) = (thumbnail.width_px as usize, thumbnail.height_px as usize);
        let zeros = |len: usize| vec![0.0; len];
        let filled = vec![MIXED; width.div_ceil(BLOCK_CELLS) * rows];
        Self {
            width,
            rows,
            columns: vec![zeros(width + 2 * RADIUS); MOMENTS],
            moments: zeros(MOMENTS * width),
            found: zeros(8 * width),
            windows: zeros(4 * width * rows),
            means: zeros(4 * width * rows),
            filled: [filled.clone(), filled.clone(), [filled.clone(), filled].concat()],
            lines: vec![[zeros(2 * width + 2), zeros(2 * width + 2)]; 2 * rows],
            own: vec![MIXED; width.div_ceil(BLOCK_CELLS)],
            places: vec![MIXED; 2 * width],
            blocks: vec![MIXED; width.div_ceil(BLOCK_CELLS) * 2 * rows],
        }
    }

    /// Line `y`, of which there are two a row: two places a cell, and one more at both ends.
    pub(super) fn line(&self, y: usize) -> LineRows<'_> {
        let [slopes, offsets] = &self.lines[y];
        LineRows { slopes, offsets }
    }

    /// The factors of the cells of row `y` of the thumbnail, everywhere.
    pub(super) fn cells(&self, y: usize) -> FactorRows<'_> {
        let row = |index: usize| &self.means[(4 * y + index) * self.width..][..self.width];
        FactorRows { by_y: row(0), by_u: row(1), by_v: row(2), constant: row(3) }
    }

    /// What alpha comes to in each block of each line, one line behind the other, whatever luma there
    /// is. The first place beside a block counts as its own, for columns lie between two.
    pub(super) fn blocks(&self) -> &[Class] {
        &self.blocks
    }

    /// Finds them for a thumbnail.
    pub(super) fn find(&mut self, isa: Isa, thumbnail: &Thumbnail, certain: &CertainBlocks) {
        // The columns that windows reach into, and the rows that are worked out.
        let [columns, rows] = certain.extent();
        let reach = columns.start.saturating_sub(RADIUS)..(columns.end + RADIUS).min(self.width);
        for y in 0..self.rows {
            if rows.contains(&y) {
                self.slide_inputs(isa, thumbnail, (y, y == rows.start), reach.clone());
            }
            self.solve_row(isa, y, certain.windows(y));
        }
        for y in 0..self.rows {
            if rows.contains(&y) {
                self.slide_windows(isa, (y, y == rows.start), reach.clone());
            }
            self.blend_row(isa, y, certain.cells(y));
        }
        for y in 0..2 * self.rows {
            self.draw_line(isa, thumbnail, y, certain);
        }
    }

    /// Sums of each moment over the rows around `y`, from those around the row before unless it is
    /// the first.
    fn slide_inputs(
        &mut self,
        isa: Isa,
        thumbnail: &Thumbnail,
        (y, is_first): (usize, bool),
        reach: Range<usize>,
    ) {
        let row = |index: usize, y: usize| &thumbnail.row(index, y)[reach.clone()];
        for (index, columns) in self.columns.iter_mut().enumerate() {
            let sums = &mut columns[RADIUS + reach.start..RADIUS + reach.end];
            let factors = index.checked_sub(4).map(|product| PRODUCTS[product]);
            let pair = |(a, b), y: usize| Product { a: row(a, y), b: row(b, y) };
            match (is_first, factors) {
                (true, None) => {
                    sums.fill(0.0);
                    around(y, self.rows).for_each(|y| add_row(isa, sums, row(index, y)));
                }
                (true, Some(factors)) => {
                    sums.fill(0.0);
                    around(y, self.rows).for_each(|y| add_product(isa, sums, pair(factors, y)));
                }
                (_, None) => {
                    let [new, old] = moves(y, self.rows).map(|y| row(index, y));
                    slide(isa, sums, new, old);
                }
                (_, Some(factors)) => {
                    let [new, old] = moves(y, self.rows).map(|y| pair(factors, y));
                    slide_product(isa, sums, new, old);
                }
            }
            pad(columns);
        }
    }

    /// The factors of the windows around the cells of row `y`.
    fn solve_row(&mut self, isa: Isa, y: usize, classes: &[Class]) {
        let width = self.width;
        let rows = &mut self.windows[4 * width * y..][..4 * width];
        for cells in stretches(classes, width) {
            let len = cells.len();
            let moments = self.moments[..MOMENTS * len].chunks_exact_mut(len);
            for (moment, columns) in moments.zip(&self.columns) {
                spread_columns(isa, moment, columns, cells.start);
            }
            let found = &mut self.found[..4 * len];
            solve(isa, found, &self.moments[..MOMENTS * len], EPSILON);
            for (row, found) in rows.chunks_exact_mut(width).zip(found.chunks_exact(len)) {
                row[cells.clone()].copy_from_slice(found);
            }
        }
        fill_sure(rows, &mut self.filled[0][y * classes.len()..], classes);
    }

    /// Sums of each factor over the rows around `y`.
    fn slide_windows(&mut self, isa: Isa, (y, is_first): (usize, bool), reach: Range<usize>) {
        let (width, windows) = (self.width, &self.windows);
        for (index, columns) in self.columns.iter_mut().take(4).enumerate() {
            let row = |y: usize| &windows[(4 * y + index) * width..][reach.clone()];
            let sums = &mut columns[RADIUS + reach.start..RADIUS + reach.end];
            if is_first {
                sums.fill(0.0);
                around(y, self.rows).for_each(|y| add_row(isa, sums, row(y)));
            } else {
                let [new, old] = moves(y, self.rows).map(row);
                slide(isa, sums, new, old);
            }
            pad(columns);
        }
    }

    /// Each cell takes the mean of the windows it lies in.
    fn blend_row(&mut self, isa: Isa, y: usize, classes: &[Class]) {
        let width = self.width;
        let rows = &mut self.means[4 * width * y..][..4 * width];
        for cells in stretches(classes, width) {
            for (row, columns) in rows.chunks_exact_mut(width).zip(&self.columns) {
                spread_columns(isa, &mut row[cells.clone()], columns, cells.start);
            }
        }
        fill_sure(rows, &mut self.filled[1][y * classes.len()..], classes);
    }

    /// Line `y`, from the rows of cells next to it; the ramp and the share of chroma are folded in.
    fn draw_line(&mut self, isa: Isa, thumbnail: &Thumbnail, y: usize, certain: &CertainBlocks) {
        let width = self.width;
        let near = y / 2;
        let far = if y.is_multiple_of(2) {
            near.saturating_sub(1)
        } else {
            (near + 1).min(self.rows - 1)
        };
        let both = certain.cells(near).iter().zip(certain.cells(far));
        self.own.iter_mut().zip(both).for_each(|(own, (near, far))| *own = near | far);
        let [slopes, offsets] = self.lines[y].each_mut().map(|line| &mut line[1..=2 * width]);
        for cells in stretches(&self.own, width) {
            let len = cells.len();
            let fine = &mut self.found[..8 * len];
            for (index, fine) in fine.chunks_exact_mut(2 * len).enumerate() {
                let row = |y: usize| &self.means[(4 * y + index) * width..][..width];
                // One more on each side.
                let mixed = &mut self.moments[..len + 2];
                let [start, end] = [cells.start.saturating_sub(1), (cells.end + 1).min(width)];
                let inner = start + 1 - cells.start..end + 1 - cells.start;
                mix(isa, &mut mixed[inner], &row(near)[start..end], &row(far)[start..end]);
                if cells.start == 0 {
                    mixed[0] = mixed[1];
                }
                if cells.end == width {
                    mixed[len + 1] = mixed[len];
                }
                double(isa, fine, mixed);
            }
            let places = 2 * cells.start..2 * cells.end;
            let chroma = thumbnail.fine_chroma(y).columns(places.clone());
            let (slopes, offsets) = (&mut slopes[places.clone()], &mut offsets[places.clone()]);
            fold(isa, LineRowsMut { slopes, offsets }, fine, chroma, RAMP);
            classify(isa, &mut self.places[places], slopes, offsets);
        }
        // The places next to a stretch are drawn with, too.
        let filled = &mut self.filled[2][y * self.own.len()..];
        for (cells, class) in newly_sure(filled, &self.own, width) {
            let places = 2 * cells.start..2 * cells.end;
            slopes[places.clone()].fill(0.0);
            offsets[places].fill((level(class) - RAMP.room) / (RAMP.person - RAMP.room) * 255.0);
        }
        for line in &mut self.lines[y] {
            (line[0], line[2 * width + 1]) = (line[1], line[2 * width]);
        }
        self.sum_up_blocks(y);
    }

    /// What alpha comes to in the blocks of line `y`.
    fn sum_up_blocks(&mut self, y: usize) {
        let blocks = self.width.div_ceil(BLOCK_CELLS);
        let out = &mut self.blocks[y * blocks..][..blocks];
        let places = self.places.chunks(2 * BLOCK_CELLS);
        // From the right, for each takes the first place of the one beside it.
        let mut beside = 0;
        for (block, (out, places)) in out.iter_mut().zip(places).enumerate().rev() {
            let (all, first) = match self.own[block] {
                MIXED => (places.iter().fold(0, |sum, class| sum | class), places[0]),
                certain => (certain, certain),
            };
            *out = all | beside;
            beside = first;
        }
    }
}

/// The alpha of a sure class.
fn level(class: Class) -> f32 {
    if class == PERSON { 1.0 } else { 0.0 }
}

/// The cells of the sure blocks of a row that are not filled with their class yet; remembers that they
/// are.
fn newly_sure(
    filled: &mut [Class],
    classes: &[Class],
    width: usize,
) -> impl Iterator<Item = (Range<usize>, Class)> {
    filled.iter_mut().zip(classes).enumerate().filter_map(move |(block, (filled, &class))| {
        let start = block * BLOCK_CELLS;
        let is_new = std::mem::replace(filled, class) != class && class != MIXED;
        is_new.then(|| (start..(start + BLOCK_CELLS).min(width), class))
    })
}

/// Fills the sure blocks of four rows of factors.
fn fill_sure(rows: &mut [f32], filled: &mut [Class], classes: &[Class]) {
    let width = rows.len() / 4;
    for (cells, class) in newly_sure(filled, classes, width) {
        for (row, value) in rows.chunks_exact_mut(width).zip([0.0, 0.0, 0.0, level(class)]) {
            row[cells.clone()].fill(value);
        }
    }
}

/// The row that comes into the window around row `y`, and the one that goes; at the picture's edges
/// the outermost counts again and again.
fn moves(y: usize, rows: usize) -> [usize; 2] {
    [(y + RADIUS).min(rows - 1), (y - 1).saturating_sub(RADIUS)]
}

/// The rows of the window around row `y`.
fn around(y: usize, rows: usize) -> impl Iterator<Item = usize> {
    (y..y + SIDE).map(move |row| row.saturating_sub(RADIUS).min(rows - 1))
}

/// Ends of `columns` are their outermost ones again and again.
fn pad(columns: &mut [f32]) {
    let end = columns.len() - RADIUS;
    let (first, last) = (columns[RADIUS], columns[end - 1]);
    columns[..RADIUS].fill(first);
    columns[end..].fill(last);
}

/// The means of the windows around the cells from `start` on.
fn spread_columns(isa: Isa, out: &mut [f32], columns: &[f32], start: usize) {
    let scale = 1.0 / (SIDE * SIDE) as f32;
    let len = out.len();
    spread(isa, out, &columns[start..start + len + 2 * RADIUS], scale);
}
