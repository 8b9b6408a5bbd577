use std::ops::Range;

use greenroom_frame::{Frame, FrameView, SizePx};

use super::super::kernels::{LineRows, LineRowsMut, apply, double, fit_luma, mix, quarter};
use super::grid::Grid;
use super::regions::Rule;
use crate::Isa;

/// Brings the key's alpha from the size of chroma to that of luma.
///
/// Where luma explains alpha in a window of 5x5 samples, as it does along most edges, alpha follows luma and is as sharp
/// (a guided filter: He, Sun & Tang, "Guided Image Filtering", 2010), as far as it does (the coefficient of
/// determination). The rest is bilinear.
#[derive(Debug)]
pub(super) struct Drawing {
    grid: Grid,
    /// Of the planes below, and of a row of luma.
    chroma: SizePx,
    luma_width: usize,
    /// Rows of luma for each of chroma.
    row_step: usize,
    /// Luma at chroma's size and alpha, both 0..=255, and the slope and offset of alpha over luma.
    luma: Vec<f32>,
    alpha: Vec<f32>,
    slopes: Vec<f32>,
    offsets: Vec<f32>,
    /// Cells that an edge is drawn in, those that its windows reach, and in a row those that it is fitted in.
    is_edge: Vec<bool>,
    is_reached: Vec<bool>,
    is_fitted: Vec<bool>,
    /// Moments of the columns of a window.
    sums: Vec<f32>,
    /// A row of slopes or offsets between two, with one more at both ends; and twice as wide.
    mixed: Vec<f32>,
    fine: [Vec<f32>; 2],
}

/// How far a window reaches.
const REACH: usize = 2;
/// Chroma is smeared by its size and by JPEG, and alpha with it: 0.15..0.85 becomes 0..1. Without it, MAD of hard edges is
/// 58 to 68 % higher and that of soft ones (an alpha enlarged to 1280x720) 12 % lower; with 0.2..0.8, soft ones are 10 % worse.
const GAIN: f32 = 1.0 / 0.7;

impl Drawing {
    pub(super) fn new(picture: SizePx, chroma: SizePx, grid: Grid) -> Self {
        let (area, width) = (chroma.area_px() as usize, chroma.width_px as usize);
        let zeros = |len: usize| vec![0.0; len];
        Self {
            grid,
            chroma,
            luma_width: picture.width_px as usize,
            row_step: (grid.cell_px / grid.samples[1]) as usize,
            luma: zeros(area),
            alpha: zeros(area),
            slopes: zeros(area),
            offsets: zeros(area),
            is_edge: Vec::with_capacity(grid.cells()),
            is_reached: vec![false; grid.cells()],
            is_fitted: vec![false; grid.columns()],
            sums: zeros(5 * width),
            mixed: zeros(width + 2),
            fine: [zeros(2 * width), zeros(2 * width)],
        }
    }

    /// Writes `mask`, which has the size of chroma, into both planes in the cells that the network does not decide about.
    pub(super) fn draw(
        &mut self,
        isa: Isa,
        frame: &FrameView<'_>,
        mask: &Frame,
        rules: &[Rule],
        [luma, chroma]: [&mut Frame; 2],
    ) {
        self.copy(rules, mask, chroma);
        self.find_windows(rules);
        let (columns, down) = (self.grid.columns(), self.grid.samples[1] as usize);
        let height = self.chroma.height_px as usize;
        let rows_of = |row: usize| row * down..((row + 1) * down).min(height);
        for row in 0..rules.len() / columns {
            self.load(isa, frame, mask, row * columns, rows_of(row));
        }
        for row in 0..rules.len() / columns {
            self.fit(isa, row * columns, rows_of(row));
        }
        for (row, rules) in rules.chunks_exact(columns).enumerate() {
            for (cells, drawn) in runs(rules, drawn_as) {
                let columns = self.samples(&cells);
                match drawn {
                    Drawn::Not => {}
                    Drawn::Level(level) => self.fill(luma, &columns, &rows_of(row), level),
                    Drawn::Edge => self.draw_part(isa, frame, luma, &columns, &rows_of(row)),
                }
            }
        }
    }

    /// The columns of chroma that cells of a row cover.
    fn samples(&self, cells: &Range<usize>) -> Range<usize> {
        let (across, width) = (self.grid.samples[0] as usize, self.chroma.width_px as usize);
        cells.start * across..(cells.end * across).min(width)
    }

    /// Finds the cells that an edge is drawn in, and those that its windows reach.
    fn find_windows(&mut self, rules: &[Rule]) {
        let columns = self.grid.columns();
        let [across, down] = self.grid.samples.map(|count| (REACH + 1).div_ceil(count as usize));
        self.is_edge.clear();
        self.is_edge.extend(rules.iter().map(|rule| drawn_as(rule) == Drawn::Edge));
        self.is_reached.fill(false);
        let rows = rules.len() / columns;
        for (at, _) in self.is_edge.iter().enumerate().filter(|(_, is_edge)| **is_edge) {
            let (x, y) = (at % columns, at / columns);
            for y in y.saturating_sub(down)..(y + down + 1).min(rows) {
                let reached = x.saturating_sub(across)..(x + across + 1).min(columns);
                self.is_reached[y * columns..][reached].fill(true);
            }
        }
    }

    /// The columns and rows of luma that samples of chroma cover.
    fn covered(
        &self,
        columns: &Range<usize>,
        rows: &Range<usize>,
        height: usize,
    ) -> [Range<usize>; 2] {
        let columns =
            (2 * columns.start).min(self.luma_width)..(2 * columns.end).min(self.luma_width);
        let step = self.row_step;
        [columns, (step * rows.start).min(height)..(step * rows.end).min(height)]
    }

    fn fill(&self, luma: &mut Frame, columns: &Range<usize>, rows: &Range<usize>, level: u8) {
        let [columns, rows] = self.covered(columns, rows, luma.size().height_px as usize);
        let mut view = luma.view_mut();
        let mut plane = view.plane_mut(0);
        rows.for_each(|y| plane.row_mut(y)[columns.clone()].fill(level));
    }

    /// Luma and alpha of the samples that windows reach, in the row of cells that begins with `first`: `rows` of chroma.
    fn load(
        &mut self,
        isa: Isa,
        frame: &FrameView<'_>,
        mask: &Frame,
        first: usize,
        rows: Range<usize>,
    ) {
        let (width, plane) = (self.chroma.width_px as usize, frame.plane(0));
        let last = plane.rows() - 1;
        for (cells, is_reached) in runs(&self.is_reached[first..][..self.grid.columns()], |&it| it)
        {
            let columns = self.samples(&cells);
            // The last column of an odd width is as wide as half a sample.
            let whole = columns.start..columns.end.min(self.luma_width / 2);
            for y in if is_reached { rows.clone() } else { 0..0 } {
                let part = y * width + columns.start..y * width + columns.end;
                let levels = mask.bytes()[part.clone()].iter();
                let alpha = self.alpha[part.clone()].iter_mut();
                alpha.zip(levels).for_each(|(out, &level)| *out = f32::from(level));
                let [above, below] = [y * self.row_step, (y + 1) * self.row_step - 1]
                    .map(|row| plane.row(row.min(last)));
                let pairs = 2 * whole.start..2 * whole.end;
                let (out, rest) = self.luma[part].split_at_mut(whole.len());
                quarter(isa, out, &above[pairs.clone()], &below[pairs], 0.25);
                let half = [above, below].map(|row| f32::from(row[self.luma_width - 1]));
                rest.fill(0.5 * (half[0] + half[1]));
            }
        }
    }

    /// Slopes and offsets of samples that edges are drawn in, and of those beside them, in a row of cells.
    fn fit(&mut self, isa: Isa, first: usize, rows: Range<usize>) {
        let (width, height) = (self.chroma.width_px as usize, self.chroma.height_px as usize);
        let count = self.grid.columns();
        let cells = |first: usize| self.is_edge.get(first..first + count);
        let (above, below) = (first.checked_sub(count).and_then(cells), cells(first + count));
        for y in rows.clone() {
            // The first and the last row are beside other cells, too.
            let beside = match y {
                y if y == rows.start => above,
                y if y + 1 == rows.end => below,
                _ => None,
            };
            self.is_fitted.copy_from_slice(&self.is_edge[first..][..count]);
            for (is_fitted, beside) in self.is_fitted.iter_mut().zip(beside.into_iter().flatten()) {
                *is_fitted |= beside;
            }
            for (cells, _) in runs(&self.is_fitted, |&it| it).filter(|(_, is_fitted)| *is_fitted) {
                let columns = self.samples(&cells);
                let all = columns.start.saturating_sub(1)..(columns.end + 1).min(width);
                // Where a whole window is in the picture.
                let inner = all.start.max(REACH)..all.end.min(width.saturating_sub(REACH));
                let all = y * width + all.start..y * width + all.end;
                self.slopes[all.clone()].fill(0.0);
                let alphas = self.alpha[all.clone()].iter();
                for (offset, alpha) in self.offsets[all].iter_mut().zip(alphas) {
                    *offset = GAIN * (alpha - 127.5) + 127.5;
                }
                if inner.is_empty() {
                    continue;
                }
                let window = inner.start - REACH..inner.end + REACH;
                let five = |plane| -> [&[f32]; 2 * REACH + 1] {
                    let plane: &Vec<f32> = plane;
                    std::array::from_fn(|near| {
                        let y = (y + near).saturating_sub(REACH).min(height - 1);
                        &plane[y * width + window.start..y * width + window.end]
                    })
                };
                let (luma, alpha) = (five(&self.luma), five(&self.alpha));
                let at = y * width + inner.start..y * width + inner.end;
                let line = LineRowsMut {
                    slopes: &mut self.slopes[at.clone()],
                    offsets: &mut self.offsets[at],
                };
                fit_luma(isa, line, luma, alpha, &mut self.sums[..5 * window.len()], GAIN);
            }
        }
    }

    /// Writes alpha of luma's samples.
    fn draw_part(
        &mut self,
        isa: Isa,
        frame: &FrameView<'_>,
        out: &mut Frame,
        columns: &Range<usize>,
        rows: &Range<usize>,
    ) {
        let (width, height) = (self.chroma.width_px as usize, self.chroma.height_px as usize);
        let [places, lines] = self.covered(columns, rows, frame.size().height_px as usize);
        let mut view = out.view_mut();
        let mut plane = view.plane_mut(0);
        let beside = [columns.start.saturating_sub(1), (columns.end + 1).min(width)];
        for y in lines {
            let near = (y / self.row_step).min(height - 1);
            let far = match (self.row_step, y % self.row_step) {
                (1, _) => near,
                (_, 0) => near.saturating_sub(1),
                _ => (near + 1).min(height - 1),
            };
            let mixed = &mut self.mixed[..columns.len() + 2];
            for (values, fine) in [&self.slopes, &self.offsets].into_iter().zip(&mut self.fine) {
                let row = |y: usize| &values[y * width + beside[0]..y * width + beside[1]];
                let start = beside[0] + 1 - columns.start;
                let between = &mut mixed[start..start + beside[1] - beside[0]];
                mix(isa, between, row(near), row(far));
                if columns.start == 0 {
                    mixed[0] = mixed[1];
                }
                if columns.end == width {
                    mixed[columns.len() + 1] = mixed[columns.len()];
                }
                double(isa, &mut fine[..2 * columns.len()], mixed);
            }
            let [slopes, offsets] = &self.fine;
            let (slopes, offsets) = (&slopes[..places.len()], &offsets[..places.len()]);
            let line = LineRows { slopes, offsets };
            let luma = &frame.plane(0).row(y)[places.clone()];
            apply(isa, &mut plane.row_mut(y)[places.clone()], luma, line, line, 0.0);
        }
    }

    /// Chroma's alpha is the mask.
    fn copy(&self, rules: &[Rule], mask: &Frame, chroma: &mut Frame) {
        let width = self.chroma.width_px as usize;
        let rows = mask.bytes().chunks_exact(width).zip(chroma.bytes_mut().chunks_exact_mut(width));
        for (y, (from, into)) in rows.enumerate() {
            let row = self.grid.row_of(y) * self.grid.columns();
            let is_drawn = |rule: &Rule| *rule != Rule::Network;
            for (cells, is_drawn) in runs(&rules[row..][..self.grid.columns()], is_drawn) {
                if is_drawn {
                    let columns = self.samples(&cells);
                    into[columns.clone()].copy_from_slice(&from[columns]);
                }
            }
        }
    }
}

/// What is drawn into a cell of luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drawn {
    Not,
    Level(u8),
    Edge,
}

fn drawn_as(rule: &Rule) -> Drawn {
    match rule {
        Rule::Network => Drawn::Not,
        Rule::Room => Drawn::Level(0),
        Rule::Person => Drawn::Level(255),
        Rule::Key | Rule::Within => Drawn::Edge,
    }
}

/// Stretches of cells of which `kind` says the same.
fn runs<T, K: PartialEq>(
    cells: &[T],
    kind: impl Fn(&T) -> K + Copy,
) -> impl Iterator<Item = (Range<usize>, K)> {
    let mut at = 0;
    cells.chunk_by(move |a, b| kind(a) == kind(b)).map(move |run| {
        let start = at;
        at += run.len();
        (start..at, kind(&run[0]))
    })
}
