use std::ops::Range;

use greenroom_frame::{Frame, FrameView, SizePx};

use super::super::kernels::{apply, double, fit_luma, mix};
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
        let [across, down] = self.grid.samples.map(|count| count as usize);
        let (width, height) = (self.chroma.width_px as usize, self.chroma.height_px as usize);
        for (row, rules) in rules.chunks_exact(self.grid.columns()).enumerate() {
            let rows = row * down..((row + 1) * down).min(height);
            for (cells, rule) in runs(rules) {
                let columns = cells.start * across..(cells.end * across).min(width);
                match rule {
                    Rule::Network => {}
                    Rule::Room => self.fill(luma, &columns, &rows, 0),
                    Rule::Person => self.fill(luma, &columns, &rows, 255),
                    Rule::Key | Rule::Within => {
                        self.load(frame, mask, &columns, &rows);
                        self.fit(isa, &columns, &rows);
                        self.draw_part(isa, frame, luma, &columns, &rows);
                    }
                }
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

    /// Luma and alpha of samples, and of those around that windows reach.
    fn load(
        &mut self,
        frame: &FrameView<'_>,
        mask: &Frame,
        columns: &Range<usize>,
        rows: &Range<usize>,
    ) {
        let (width, height) = (self.chroma.width_px as usize, self.chroma.height_px as usize);
        let more = REACH + 1;
        let columns = columns.start.saturating_sub(more)..(columns.end + more).min(width);
        let plane = frame.plane(0);
        for y in rows.start.saturating_sub(more)..(rows.end + more).min(height) {
            let part = y * width + columns.start..y * width + columns.end;
            let levels = mask.bytes()[part.clone()].iter();
            self.alpha[part.clone()]
                .iter_mut()
                .zip(levels)
                .for_each(|(out, &level)| *out = f32::from(level));
            let last = plane.rows() - 1;
            let [above, below] = [y * self.row_step, (y + 1) * self.row_step - 1]
                .map(|row| plane.row(row.min(last)));
            for (out, x) in self.luma[part].iter_mut().zip(columns.clone()) {
                let (one, other) = (2 * x, (2 * x + 1).min(self.luma_width - 1));
                let sum = [above[one], above[other], below[one], below[other]]
                    .map(u16::from)
                    .iter()
                    .sum::<u16>();
                *out = f32::from(sum) / 4.0;
            }
        }
    }

    /// Slopes and offsets of samples, and of those beside them.
    fn fit(&mut self, isa: Isa, columns: &Range<usize>, rows: &Range<usize>) {
        let (width, height) = (self.chroma.width_px as usize, self.chroma.height_px as usize);
        let all = columns.start.saturating_sub(1)..(columns.end + 1).min(width);
        // Where a whole window is in the picture.
        let inner = all.start.max(REACH)..all.end.min(width.saturating_sub(REACH));
        for y in rows.start.saturating_sub(1)..(rows.end + 1).min(height) {
            let at = |columns: Range<usize>| y * width + columns.start..y * width + columns.end;
            self.slopes[at(all.clone())].fill(0.0);
            self.offsets[at(all.clone())].copy_from_slice(&self.alpha[at(all.clone())]);
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
            let out = [&mut self.slopes[at(inner.clone())], &mut self.offsets[at(inner.clone())]];
            fit_luma(isa, out, luma, alpha, &mut self.sums[..5 * window.len()]);
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
                mix(isa, &mut mixed[start..start + beside[1] - beside[0]], [row(near), row(far)]);
                if columns.start == 0 {
                    mixed[0] = mixed[1];
                }
                if columns.end == width {
                    mixed[columns.len() + 1] = mixed[columns.len()];
                }
                double(isa, &mut fine[..2 * columns.len()], mixed);
            }
            let [slopes, offsets] = &mut self.fine;
            slopes.iter_mut().for_each(|slope| *slope *= GAIN);
            offsets.iter_mut().for_each(|offset| *offset = (*offset - 127.5) * GAIN + 127.5);
            let [slopes, offsets] = self.fine.each_ref().map(|fine| &fine[..places.len()]);
            let luma = &frame.plane(0).row(y)[places.clone()];
            apply(isa, &mut plane.row_mut(y)[places.clone()], luma, [slopes; 2], [offsets; 2], 0.0);
        }
    }

    /// Chroma's alpha is the mask.
    fn copy(&self, rules: &[Rule], mask: &Frame, chroma: &mut Frame) {
        let (across, width) = (self.grid.samples[0] as usize, self.chroma.width_px as usize);
        let rows = mask.bytes().chunks_exact(width).zip(chroma.bytes_mut().chunks_exact_mut(width));
        for (y, (from, into)) in rows.enumerate() {
            let row = self.grid.row_of(y) * self.grid.columns();
            for (cells, rule) in runs(&rules[row..][..self.grid.columns()]) {
                let columns = cells.start * across..(cells.end * across).min(width);
                if rule != Rule::Network {
                    into[columns.clone()].copy_from_slice(&from[columns]);
                }
            }
        }
    }
}

/// Stretches of cells with one rule.
fn runs(rules: &[Rule]) -> impl Iterator<Item = (Range<usize>, Rule)> {
    let mut at = 0;
    rules.chunk_by(|a, b| a == b).map(move |run| {
        let start = at;
        at += run.len();
        (start..at, run[0])
    })
}
