use std::ops::Range;

use greenroom_frame::{Chroma, Frame, FrameView, Known, MatteBlocks, Plane, SizePx, fetch_below};

use super::super::kernels::{Growth, LineRows, Place, WIDEN_LANES, apply, halve, widen};
use super::cells::{BLOCK_CELLS, Sizes};
use super::certain::{Class, MIXED, PERSON, ROOM, mixed};
use super::factors::Factors;
use super::runs::{Run, Runs};
use crate::Isa;

/// Alpha at full size, from the factors of a thumbnail.
#[derive(Debug)]
pub(super) struct Drawing {
    /// For each row of the picture the two lines of factors that it lies between, and the share of the
    /// second.
    rows: Vec<([usize; 2], f32)>,
    /// Number of lines.
    lines: usize,
    /// For each place of a line, and one before the first, the first column that lies between it and
    /// the next, and the share of the next there.
    places: Vec<Place>,
    /// What becomes of that share, for all columns that lie between two places.
    growth: Growth,
    /// The column each block starts at, and the end.
    block_starts: Vec<usize>,
    runs: Runs,
    /// Those of the picture before; and for each line whether its runs are still the same, so that those that are all room or all person
    /// are drawn already.
    drawn: Runs,
    is_drawn: Vec<bool>,
    /// The kinds of the blocks of luma's plane and of chroma's: each line is a group.
    blocks: [MatteBlocks; 2],
    /// What the blocks of a line and of those beside it come to.
    near: Vec<Class>,
    /// Two lines at the picture's width and a little more, an even one and an odd one; only where
    /// something is mixed.
    wide: [[Vec<f32>; 2]; 2],
}

/// Where sample `x` of `wide` lies among `narrow` ones: the one before it, and the share of the one
/// after. Half-pixel centres.
fn between(x: u32, wide: u32, narrow: u32) -> (usize, f32) {
    let place = (f64::from(x) + 0.5) * f64::from(narrow) / f64::from(wide) - 0.5;
    let place = place.clamp(0.0, f64::from(narrow - 1));
    (place as usize, place.fract() as f32)
}

/// Rows of luma that a row of chroma has.
fn rows_of_chroma(chroma: Chroma) -> usize {
    if chroma == Chroma::Half2x2 { 2 } else { 1 }
}

/// The places from which on columns of a block lie, of `places` in all; the first is before the line.
fn block_places(block: usize, blocks: usize, places: usize) -> Range<usize> {
    let first = |block: usize| 2 * block * BLOCK_CELLS + 1;
    let end = if block + 1 == blocks { places } else { first(block + 1) };
    (if block == 0 { 0 } else { first(block) })..end
}

impl Drawing {
    pub(super) fn new(thumbnail: SizePx, Sizes { picture, format, .. }: Sizes) -> Self {
        let lines = 2 * thumbnail.height_px as usize;
        let row = |y: u32| {
            let (first, share) = between(y, picture.height_px, lines as u32);
            ([first, (first + 1).min(lines - 1)], share)
        };
        let (narrow, wide) = (2 * thumbnail.width_px, picture.width_px);
        let step = f64::from(narrow) / f64::from(wide);
        // Of the first column: half-pixel centres.
        let first = 0.5 * step - 0.5;
        let place = |place: u32| {
            let left = f64::from(place) - 1.0;
            let start = ((left - first) / step).ceil().clamp(0.0, f64::from(wide));
            Place { column: start as u32, share: (first + start * step - left) as f32 }
        };
        let places: Vec<Place> = (0..=narrow).map(place).collect();
        let longest =
            places.windows(2).map(|pair| (pair[1].column - pair[0].column) as usize).max();
        let reach = longest.unwrap_or(1).next_multiple_of(WIDEN_LANES);
        let blocks = (thumbnail.width_px as usize).div_ceil(BLOCK_CELLS);
        let start =
            |block: usize| places[block_places(block, blocks, places.len()).start].column as usize;
        let block_starts = (0..blocks).map(start).chain([wide as usize]).collect();
        let zeros = || vec![0.0; wide as usize + reach];
        let rows: Vec<_> = (0..picture.height_px).map(row).collect();
        let group = |line: usize| MatteBlocks::NOTHING_KNOWN + 1 + line;
        let mut plane_blocks = [picture, format.chroma().plane_size(picture)].map(MatteBlocks::new);
        plane_blocks[0].set_groups(rows.iter().map(|(lines, _)| group(lines[0])));
        plane_blocks[1].set_groups(rows.chunks(rows_of_chroma(format.chroma())).map(|rows| {
            let is_between_the_same = rows.iter().all(|(lines, _)| *lines == rows[0].0);
            if is_between_the_same { group(rows[0].0[0]) } else { MatteBlocks::NOTHING_KNOWN }
        }));
        Self {
            rows,
            lines,
            blocks: plane_blocks,
            growth: Growth { step: step as f32, columns: reach },
            block_starts,
            runs: Runs::new(lines, blocks),
            drawn: Runs::new(lines, blocks),
            is_drawn: vec![false; lines],
            near: vec![MIXED; blocks],
            wide: std::array::from_fn(|_| std::array::from_fn(|_| zeros())),
            places,
        }
    }

    /// The planes may hold anything by now: the next call of `draw` draws everything.
    pub(super) fn forget(&mut self) {
        self.runs.clear();
    }

    /// Draws alpha for luma and, as the mean of the pixels that a sample covers, for chroma.
    pub(super) fn draw(
        &mut self,
        isa: Isa,
        frame: &FrameView<'_>,
        factors: &Factors,
        (luma, chroma): (&mut Frame, &mut Frame),
    ) {
        self.find_runs(factors.blocks());
        let (plane, mut held) = (frame.plane(0), [usize::MAX; 2]);
        let mut view = luma.view_mut();
        let mut alpha = view.plane_mut(0);
        for y in 0..self.rows.len() {
            for row in self.rows[y].0 {
                if held[row % 2] != row {
                    held[row % 2] = row;
                    self.widen_line(isa, row, factors);
                }
            }
            let stride_bytes = alpha.stride_bytes();
            self.draw_row(isa, (alpha.row_mut(y), stride_bytes), plane, y);
            // While the row is in the cache.
            self.blocks[0].draw_row(isa, y, alpha.row_mut(y));
        }
        self.draw_chroma(isa, frame.format().chroma(), luma.view(), chroma);
        for (y, alpha) in chroma.view().plane(0).iter_rows().enumerate() {
            self.blocks[1].draw_row(isa, y, alpha);
        }
    }

    /// Draws a row of alpha, but for what is there already; the next row is so many bytes away.
    fn draw_row(
        &self,
        isa: Isa,
        (out, stride_bytes): (&mut [u8], usize),
        plane: Plane<'_>,
        y: usize,
    ) {
        let (lines, share) = self.rows[y];
        let luma = plane.row(y);
        let is_drawn = self.is_drawn[lines[0]];
        for (columns, kind) in self.runs(lines) {
            let out = &mut out[columns.clone()];
            match *kind {
                ROOM | PERSON if is_drawn => {}
                ROOM => out.fill(0),
                PERSON => out.fill(255),
                _ => {
                    let [above, below] = lines.map(|line| {
                        let [slopes, offsets] = &self.wide[line % 2];
                        let (slopes, offsets) =
                            (&slopes[columns.clone()], &offsets[columns.clone()]);
                        LineRows { slopes, offsets }
                    });
                    fetch_below(&luma[columns.clone()], plane.stride_bytes());
                    fetch_below(out, stride_bytes);
                    apply(isa, out, &luma[columns.clone()], above, below, share);
                }
            }
        }
    }

    /// See [`Guide::blocks`](super::Guide::blocks).
    pub(super) fn blocks(&self) -> [&MatteBlocks; 2] {
        self.blocks.each_ref()
    }

    /// Finds what is to be drawn, by the `classes` of all lines' blocks.
    fn find_runs(&mut self, classes: &[Class]) {
        std::mem::swap(&mut self.runs, &mut self.drawn);
        self.runs.find(classes, &self.block_starts);
        let [luma, chroma] = &mut self.blocks;
        luma.clear();
        chroma.clear();
        let width = luma.size().width_px as usize;
        for (line, is_drawn) in self.is_drawn.iter_mut().enumerate() {
            let runs = self.runs.of_line(line);
            *is_drawn = self.drawn.of_line(line) == runs;
            let known = runs.iter().map(|(columns, class)| match *class {
                ROOM => (columns.clone(), Known::Room),
                PERSON => (columns.clone(), Known::Person),
                _ => (columns.clone(), Known::Nothing),
            });
            luma.add_group(known.clone());
            // A sample of chroma between two runs is in neither.
            chroma.add_group(known.map(|(Range { start, end }, known)| {
                let end = if end == width { end.div_ceil(2) } else { end / 2 };
                (start.div_ceil(2)..end, known)
            }));
        }
    }

    /// The runs between two lines.
    fn runs(&self, lines: [usize; 2]) -> &[Run] {
        self.runs.of_line(lines[0])
    }

    /// Line `row` at the picture's width, where something is mixed between it and those beside it.
    fn widen_line(&mut self, isa: Isa, row: usize, factors: &Factors) {
        let blocks = self.block_starts.len() - 1;
        let of_line = |line: usize| &factors.blocks()[line * blocks..][..blocks];
        let (above, below) = (row.saturating_sub(1), (row + 1).min(self.lines - 1));
        // No class is empty, so that all three are mixed only if two beside each other are.
        let three = of_line(above).iter().zip(of_line(row)).zip(of_line(below));
        self.near.iter_mut().zip(three).for_each(|(near, ((a, b), c))| *near = a | b | c);
        for mixed in mixed(&self.near) {
            let places = block_places(mixed.start, blocks, self.places.len()).start
                ..block_places(mixed.end - 1, blocks, self.places.len()).end;
            let LineRows { slopes, offsets } = factors.line(row);
            for (wide, line) in self.wide[row % 2].iter_mut().zip([slopes, offsets]) {
                let line = &line[places.start..=places.end];
                widen(isa, wide, line, &self.places[places.clone()], self.growth);
            }
        }
    }

    fn draw_chroma(&self, isa: Isa, kind: Chroma, luma: FrameView<'_>, into: &mut Frame) {
        let luma = luma.plane(0);
        let step = rows_of_chroma(kind);
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
                        ROOM | PERSON if self.is_drawn[lines[0]] => continue,
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
