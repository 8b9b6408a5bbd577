use std::ops::Range;

use greenroom_frame::{Chroma, Frame, FrameView, SizePx};

use super::super::kernels::{apply, halve, widen};
use super::BLOCK_CELLS;
use super::factors::Factors;
use super::sure::{Class, MIXED, PERSON, ROOM};
use crate::Isa;

/// Alpha at full size, from the factors of a sketch.
#[derive(Debug)]
pub(super) struct Drawing {
    /// For each row of the picture the two lines of factors that it lies between, and the share of the
    /// second.
    rows: Vec<([usize; 2], f32)>,
    /// Number of lines.
    lines: usize,
    /// For each column of the picture the left one of the two it lies between, and the share of
    /// the right one.
    columns: Vec<(u32, f32)>,
    /// The column each block starts at, and the end.
    block_starts: Vec<usize>,
    /// What each block of each line comes to.
    blocks: Vec<Class>,
    /// The columns between each line and the next, by what they come to; one behind the other, and
    /// where those of each line begin.
    runs: Vec<(Range<usize>, Class)>,
    run_starts: Vec<usize>,
    /// Two lines at the picture's width, an even one and an odd one; only where something is mixed.
    wide: [[Vec<f32>; 2]; 2],
}

/// Where sample `x` of `wide` lies among `narrow` ones: the one before it, and the share of the one
/// after. Half-pixel centres.
fn between(x: u32, wide: u32, narrow: u32) -> (usize, f32) {
    let place = (f64::from(x) + 0.5) * f64::from(narrow) / f64::from(wide) - 0.5;
    let place = place.clamp(0.0, f64::from(narrow - 1));
    (place as usize, place.fract() as f32)
}

impl Drawing {
    pub(super) fn new(sketch: SizePx, picture: SizePx) -> Self {
        let column = |x: u32| {
            let (index, share) = between(x, picture.width_px, 2 * sketch.width_px);
            (index as u32, share)
        };
        let lines = 2 * sketch.height_px as usize;
        let row = |y: u32| {
            let (first, share) = between(y, picture.height_px, lines as u32);
            ([first, (first + 1).min(lines - 1)], share)
        };
        let columns: Vec<(u32, f32)> = (0..picture.width_px).map(column).collect();
        let blocks = (sketch.width_px as usize).div_ceil(BLOCK_CELLS);
        let start = |block: usize| {
            columns.partition_point(|&(index, _)| (index as usize) < 2 * block * BLOCK_CELLS)
        };
        let block_starts = (0..=blocks).map(start).collect();
        let zeros = || vec![0.0; columns.len()];
        Self {
            rows: (0..picture.height_px).map(row).collect(),
            lines,
            block_starts,
            blocks: vec![MIXED; blocks * 2 * sketch.height_px as usize],
            runs: Vec::with_capacity(blocks * 2 * sketch.height_px as usize),
            run_starts: Vec::with_capacity(2 * sketch.height_px as usize + 1),
            wide: std::array::from_fn(|_| std::array::from_fn(|_| zeros())),
            columns,
        }
    }

    /// Draws alpha for luma and, as the mean of the pixels that a sample covers, for chroma.
    pub(super) fn draw(
        &mut self,
        isa: Isa,
        frame: &FrameView<'_>,
        factors: &Factors,
        (luma, chroma): (&mut Frame, &mut Frame),
    ) {
        let per_line = self.block_starts.len() - 1;
        for (at, kind) in self.blocks.iter_mut().enumerate() {
            *kind = factors.block(at / per_line, at % per_line);
        }
        self.find_runs();
        let (plane, mut held) = (frame.plane(0), [usize::MAX; 2]);
        let mut view = luma.view_mut();
        let mut alpha = view.plane_mut(0);
        for y in 0..self.rows.len() {
            let (lines, share) = self.rows[y];
            for row in lines {
                if held[row % 2] != row {
                    held[row % 2] = row;
                    self.widen_line(isa, row, factors.line(row));
                }
            }
            self.draw_row(isa, alpha.row_mut(y), plane.row(y), lines, share);
        }
        self.draw_chroma(isa, frame.format().chroma(), luma.view(), chroma);
    }

    fn draw_row(&self, isa: Isa, out: &mut [u8], luma: &[u8], lines: [usize; 2], share: f32) {
        for (columns, kind) in self.runs(lines) {
            let out = &mut out[columns.clone()];
            match *kind {
                ROOM => out.fill(0),
                PERSON => out.fill(255),
                _ => {
                    let part =
                        |kind: usize| lines.map(|line| &self.wide[line % 2][kind][columns.clone()]);
                    apply(isa, out, &luma[columns.clone()], part(0), part(1), share);
                }
            }
        }
    }

    fn find_runs(&mut self) {
        self.runs.clear();
        self.run_starts.clear();
        let last = self.lines - 1;
        let blocks = self.block_starts.len() - 1;
        for line in 0..=last {
            self.run_starts.push(self.runs.len());
            let mut start = 0;
            while start < blocks {
                let kind = |block: usize| self.block([line, (line + 1).min(last)], block);
                let class = kind(start);
                let end = (start..blocks).find(|&block| kind(block) != class).unwrap_or(blocks);
                self.runs.push((self.block_starts[start]..self.block_starts[end], class));
                start = end;
            }
        }
        self.run_starts.push(self.runs.len());
    }

    /// The columns between two lines, by what they come to.
    fn runs(&self, lines: [usize; 2]) -> &[(Range<usize>, Class)] {
        &self.runs[self.run_starts[lines[0]]..self.run_starts[lines[0] + 1]]
    }

    /// What a block comes to between two lines.
    fn block(&self, lines: [usize; 2], block: usize) -> Class {
        let per_line = self.block_starts.len() - 1;
        let [a, b] = lines.map(|row| self.blocks[row * per_line + block]);
        a | b
    }

    fn widen_line(&mut self, isa: Isa, row: usize, line: [&[f32]; 2]) {
        let (above, below) = (row.saturating_sub(1), (row + 1).min(self.lines - 1));
        for block in 0..self.block_starts.len() - 1 {
            if [above, below].map(|other| self.block([row, other], block)).contains(&MIXED) {
                let columns = self.block_starts[block]..self.block_starts[block + 1];
                for (wide, line) in self.wide[row % 2].iter_mut().zip(line) {
                    widen(isa, &mut wide[columns.clone()], line, &self.columns[columns.clone()]);
                }
            }
        }
    }

    fn draw_chroma(&self, isa: Isa, kind: Chroma, luma: FrameView<'_>, into: &mut Frame) {
        let luma = luma.plane(0);
        let step = if kind == Chroma::Half2x2 { 2 } else { 1 };
        for (y, out) in into.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
            let rows = [y * step, y * step + step - 1].map(|row| row.min(luma.rows() - 1));
            let [above, below] = rows.map(|row| luma.row(row));
            let pairs = above.len() / 2;
            let halve = |out: &mut [u8], samples: Range<usize>| {
                let pixels = 2 * samples.start..2 * samples.end;
                halve(isa, &mut out[samples], &above[pixels.clone()], &below[pixels]);
            };
            let [lines, others] = rows.map(|row| self.rows[row].0);
            if lines != others {
                halve(out, 0..pairs);
            } else {
                for &(Range { start, end }, kind) in self.runs(lines) {
                    let level = match kind {
                        ROOM => 0,
                        PERSON => 255,
                        _ => {
                            halve(out, start / 2..end.div_ceil(2).min(pairs));
                            continue;
                        }
                    };
                    out[start.div_ceil(2)..end / 2].fill(level);
                    // A sample of two stretches.
                    halve(out, end / 2..end.div_ceil(2).min(pairs));
                }
            }
            if let (Some(last), true) = (out.get_mut(pairs), above.len() % 2 == 1) {
                *last = above[above.len() - 1].midpoint(below[above.len() - 1]);
            }
        }
    }
}
