use greenroom_frame::{
    Chroma, Colour, Frame, FrameView, FrameViewMut, PixelFormat, PlaneScaler, SizePx,
};

use super::kernels::{add_product, add_row, apply, halve, solve, spread, widen};
use super::sketch;
use crate::planes::SmallPlanes;
use crate::{Isa, MatteError};

/// Brings a mask to a picture's size and lays its edge where the picture has one: the fast guided
/// filter (He & Sun, "Fast Guided Filter", 2015), with the picture's colours as the guide.
///
/// In each window of a small sketch of the picture the mask is explained as an affine map of colour,
/// `y * Y + u * U + v * V + c`. At full size only luma has its detail; chroma's share is summed up
/// in the sketch, so that a pixel costs one multiply-add with two interpolated factors. Taking all
/// three colours at full size gains another 1 to 2 % of MAD, and costs three multiply-adds.
///
/// What comes out is spread a little (a filter blurs what it cannot explain): alphas of 0.25..0.75
/// become 0..1. The middle stays where it is.
#[derive(Debug)]
pub struct Guide {
    isa: Isa,
    sizes: Option<Sizes>,
    tables: Option<Tables>,
}

/// What the tables are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    mask: SizePx,
    picture: SizePx,
}

/// Reach of a window in cells of the sketch: 7x7 cells are 56 pixels at 1280x720. With 4, MAD
/// is 1 % higher.
const RADIUS: usize = 3;
/// Variance of colour (of 1) that counts as flat. With a third of it MAD is 1 to 2 % lower and dtSSD
/// 2 % higher, with three times as much MAD 4 % higher.
const EPSILON: f32 = 3e-4;
/// The alpha that becomes 0; 1 less it becomes 1.
const FLOOR: f32 = 0.25;
/// Row of means and products that [`solve`] takes.
const MOMENTS: usize = 13;
/// Which rows are multiplied for each product: of y, u, v, p.
const PRODUCTS: [(usize, usize); 9] =
    [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2), (0, 3), (1, 3), (2, 3)];

#[derive(Debug)]
struct Tables {
    sketch: SmallPlanes,
    mask_scaler: PlaneScaler,
    mask: Frame,
    /// Y, U, V and mask of the sketch, 0..=1.
    inputs: [Vec<f32>; 4],
    /// A window sum, with [`RADIUS`] more at both ends.
    padded: Vec<f32>,
    /// A row of each moment.
    moments: Vec<f32>,
    /// For each row of the sketch a row of each of the four factors.
    factors: Vec<f32>,
    /// Rows of slopes and of offsets of the sketch, each one longer than the sketch is wide.
    lines: Vec<[Vec<f32>; 2]>,
    /// For each column of the picture the left one of the two it lies between, and the share of
    /// the right one.
    columns: Vec<(u32, f32)>,
    /// Two lines at the picture's width, an even one and an odd one; only where something is mixed.
    wide: [[Vec<f32>; 2]; 2],
    /// What each block of each line comes to.
    blocks: Vec<Block>,
    /// The column each block starts at, and the end.
    block_starts: Vec<usize>,
}

/// Cells that are looked at together: most of a picture is room or person for sure, and is not
/// worked on at full size.
const BLOCK_CELLS: usize = 8;

/// What alpha comes to in a block, whatever luma there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Room,
    Person,
    Mixed,
}

impl Block {
    /// Of a part of a line.
    fn of(slopes: &[f32], offsets: &[f32]) -> Self {
        let cells = || slopes.iter().zip(offsets);
        // Linear in luma, so its ends tell.
        if cells().all(|(slope, offset)| offset.max(slope * 255.0 + offset) <= 0.0) {
            Block::Room
        } else if cells().all(|(slope, offset)| offset.min(slope * 255.0 + offset) >= 255.0) {
            Block::Person
        } else {
            Block::Mixed
        }
    }
}

impl Tables {
    fn new(sizes: Sizes) -> Result<Self, MatteError> {
        let sketch = sketch(sizes.picture)?;
        let size = sketch.size();
        let (width, height) = (size.width_px as usize, size.height_px as usize);
        let zeros = |len: usize| vec![0.0; len];
        let wide = sizes.picture.width_px;
        let column = |x: u32| {
            let (index, share) = between(x, wide, size.width_px);
            (index as u32, share)
        };
        let columns: Vec<(u32, f32)> = (0..wide).map(column).collect();
        let blocks = width.div_ceil(BLOCK_CELLS);
        let start = |block: usize| {
            columns.partition_point(|&(index, _)| (index as usize) < block * BLOCK_CELLS)
        };
        let block_starts = (0..=blocks).map(start).collect();
        Ok(Self {
            sketch,
            mask_scaler: PlaneScaler::new(sizes.mask, size)?,
            mask: Frame::new(PixelFormat::Grey, size, Colour::JPEG)?,
            inputs: std::array::from_fn(|_| zeros(width * height)),
            padded: zeros(width + 2 * RADIUS),
            moments: zeros(MOMENTS * width),
            factors: zeros(4 * width * height),
            lines: vec![[zeros(width + 1), zeros(width + 1)]; height],
            columns,
            blocks: vec![Block::Mixed; blocks * height],
            block_starts,
            wide: std::array::from_fn(|_| std::array::from_fn(|_| zeros(wide as usize))),
        })
    }
}

/// Where sample `x` of `wide` lies among `narrow` ones: the one before it, and the share of the one
/// after. Half-pixel centres.
fn between(x: u32, wide: u32, narrow: u32) -> (usize, f32) {
    let place = (f64::from(x) + 0.5) * f64::from(narrow) / f64::from(wide) - 0.5;
    let place = place.clamp(0.0, f64::from(narrow - 1));
    (place as usize, place.fract() as f32)
}

impl Default for Guide {
    fn default() -> Self {
        Self::new()
    }
}

impl Guide {
    /// A guide without tables; they are made by the first picture.
    pub fn new() -> Self {
        Self { isa: Isa::best(), sizes: None, tables: None }
    }

    /// Makes `luma` and `chroma` the alpha (grey pictures) of `frame`'s planes, from its `alpha` at any size. Asks
    /// for memory only when a size is another than last time.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedAlpha`] if `alpha` is not [`PixelFormat::Grey`],
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar, [`MatteError::Frame`] if it has no
    /// chroma.
    pub fn fit(
        &mut self,
        alpha: &FrameView<'_>,
        frame: &FrameView<'_>,
        luma: &mut Frame,
        chroma: &mut Frame,
    ) -> Result<(), MatteError> {
        if alpha.format() != PixelFormat::Grey {
            return Err(MatteError::UnsupportedAlpha { format: alpha.format() });
        }
        if !frame.format().is_planar() {
            return Err(MatteError::UnsupportedFrame { format: frame.format() });
        }
        let kind = frame.format().chroma();
        luma.reshape(PixelFormat::Grey, frame.size(), Colour::JPEG)?;
        chroma.reshape(PixelFormat::Grey, kind.plane_size(frame.size()), Colour::JPEG)?;
        let sizes = Sizes { mask: alpha.size(), picture: frame.size() };
        if self.sizes.replace(sizes) != Some(sizes) {
            self.tables = None;
        }
        let tables = match &mut self.tables {
            Some(tables) => tables,
            none => none.insert(Tables::new(sizes)?),
        };
        tables.sketch.fill(frame)?;
        tables.mask_scaler.scale(alpha.plane(0), &mut tables.mask.view_mut().plane_mut(0));
        tables.read_sketch();
        tables.find_factors(self.isa);
        tables.blend_factors(self.isa);
        tables.draw(self.isa, frame, &mut luma.view_mut());
        draw_chroma(self.isa, kind, luma.view(), &mut chroma.view_mut());
        Ok(())
    }
}

impl Tables {
    fn width(&self) -> usize {
        self.sketch.size().width_px as usize
    }

    fn read_sketch(&mut self) {
        let [y, u, v] = self.sketch.bytes();
        for (input, plane) in self.inputs.iter_mut().zip([y, u, v, self.mask.bytes()]) {
            let samples = input.iter_mut().zip(plane);
            samples.for_each(|(value, &byte)| *value = f32::from(byte) * (1.0 / 255.0));
        }
    }

    /// The factors of the window around each cell.
    fn find_factors(&mut self, isa: Isa) {
        let width = self.width();
        for (y, factors) in self.factors.chunks_exact_mut(4 * width).enumerate() {
            let rows = self.inputs[0].len() / width;
            for (index, moment) in self.moments.chunks_exact_mut(width).enumerate() {
                let sum = &mut self.padded[RADIUS..][..width];
                sum.fill(0.0);
                for row in window(y, rows) {
                    let input = |index: usize| &self.inputs[index][row * width..][..width];
                    match index.checked_sub(4) {
                        None => add_row(isa, sum, input(index)),
                        Some(product) => {
                            let (a, b) = PRODUCTS[product];
                            add_product(isa, sum, input(a), input(b));
                        }
                    }
                }
                spread_window(isa, moment, &mut self.padded);
            }
            solve(isa, factors, &self.moments, EPSILON);
        }
    }

    /// Each cell takes the mean of the windows it lies in; then the ramp and the share of chroma
    /// are folded in.
    fn blend_factors(&mut self, isa: Isa) {
        let width = self.width();
        let gain = 1.0 / (1.0 - 2.0 * FLOOR);
        for (y, line) in self.lines.iter_mut().enumerate() {
            let rows = self.inputs[0].len() / width;
            for (index, mean) in self.moments.chunks_exact_mut(width).take(4).enumerate() {
                let sum = &mut self.padded[RADIUS..][..width];
                sum.fill(0.0);
                for row in window(y, rows) {
                    add_row(isa, sum, &self.factors[(row * 4 + index) * width..][..width]);
                }
                spread_window(isa, mean, &mut self.padded);
            }
            let [slopes, offsets] = &mut *line;
            let input = |index: usize| &self.inputs[index][y * width..][..width];
            let (us, vs) = (input(1), input(2));
            let (by_y, rest) = self.moments.split_at(width);
            let (by_u, rest) = rest.split_at(width);
            let (by_v, constant) = rest.split_at(width);
            for x in 0..width {
                slopes[x] = by_y[x] * gain;
                let rest = by_u[x] * us[x] + by_v[x] * vs[x] + constant[x];
                offsets[x] = (rest - FLOOR) * gain * 255.0;
            }
            for values in line.iter_mut() {
                values[width] = values[width - 1];
            }
            let blocks = self.block_starts.len() - 1;
            for (block, kind) in self.blocks[y * blocks..][..blocks].iter_mut().enumerate() {
                // One more: columns lie between two cells.
                let start = block * BLOCK_CELLS;
                let cells = start..(start + BLOCK_CELLS).min(width) + 1;
                *kind = Block::of(&line[0][cells.clone()], &line[1][cells]);
            }
        }
    }

    /// Alpha at full size.
    fn draw(&mut self, isa: Isa, frame: &FrameView<'_>, into: &mut FrameViewMut<'_>) {
        let (height, rows) = (frame.size().height_px, self.lines.len());
        let mut held = [usize::MAX; 2];
        let plane = frame.plane(0);
        for (y, out) in into.plane_mut(0).iter_rows_mut().enumerate() {
            let (first, share) = between(y as u32, height, rows as u32);
            let second = (first + 1).min(rows - 1);
            for row in [first, second] {
                if held[row % 2] != row {
                    held[row % 2] = row;
                    self.widen_line(isa, row);
                }
            }
            let [a, b] = [first, second].map(|row| &self.wide[row % 2]);
            let luma = plane.row(y);
            for (block, ends) in self.block_starts.windows(2).enumerate() {
                let columns = ends[0]..ends[1];
                match self.block(first, second, block) {
                    Block::Room => out[columns].fill(0),
                    Block::Person => out[columns].fill(255),
                    Block::Mixed => {
                        let part = |line: usize, kind: usize| &[a, b][line][kind][columns.clone()];
                        let slopes = [part(0, 0), part(1, 0)];
                        let offsets = [part(0, 1), part(1, 1)];
                        let luma = &luma[columns.clone()];
                        apply(isa, &mut out[columns], luma, slopes, offsets, share);
                    }
                }
            }
        }
    }

    /// What a block comes to between two lines.
    fn block(&self, first: usize, second: usize, block: usize) -> Block {
        let per_line = self.block_starts.len() - 1;
        let [a, b] = [first, second].map(|row| self.blocks[row * per_line + block]);
        if a == b { a } else { Block::Mixed }
    }

    fn widen_line(&mut self, isa: Isa, row: usize) {
        let (above, below) = (row.saturating_sub(1), (row + 1).min(self.lines.len() - 1));
        for block in 0..self.block_starts.len() - 1 {
            if [above, below].map(|other| self.block(row, other, block)).contains(&Block::Mixed) {
                let columns = self.block_starts[block]..self.block_starts[block + 1];
                for (wide, line) in self.wide[row % 2].iter_mut().zip(&self.lines[row]) {
                    widen(isa, &mut wide[columns.clone()], line, &self.columns[columns.clone()]);
                }
            }
        }
    }
}

/// The rows of a window around `y`; at the picture's edges the outermost again and again.
fn window(y: usize, rows: usize) -> impl Iterator<Item = usize> {
    (0..=2 * RADIUS).map(move |row| (y + row).saturating_sub(RADIUS).min(rows - 1))
}

/// The mean of windows from the sums of their columns, which lie in the middle of `padded`.
fn spread_window(isa: Isa, out: &mut [f32], padded: &mut [f32]) {
    let len = out.len();
    let (first, last) = (padded[RADIUS], padded[RADIUS + len - 1]);
    padded[..RADIUS].fill(first);
    padded[RADIUS + len..].fill(last);
    let side = (2 * RADIUS + 1) as f32;
    spread(isa, out, padded, 1.0 / (side * side));
}

/// The alpha of chroma's samples: the mean of the pixels they cover.
fn draw_chroma(isa: Isa, chroma: Chroma, luma: FrameView<'_>, into: &mut FrameViewMut<'_>) {
    let luma = luma.plane(0);
    let step = if chroma == Chroma::Half2x2 { 2 } else { 1 };
    for (y, out) in into.plane_mut(0).iter_rows_mut().enumerate() {
        let above = luma.row((y * step).min(luma.rows() - 1));
        let below = luma.row((y * step + step - 1).min(luma.rows() - 1));
        let pairs = above.len() / 2;
        halve(isa, &mut out[..pairs], above, below);
        if let (Some(last), true) = (out.get_mut(pairs), above.len() % 2 == 1) {
            *last = above[above.len() - 1].midpoint(below[above.len() - 1]);
        }
    }
}

#[cfg(test)]
mod tests;
