use std::ops::Range;

use crate::kernels::blocks::{BLOCK, widen};
use crate::kernels::edge::Line;
use crate::{Isa, PartPx, SizePx};

/// Two values for each of a picture's three planes, in a few large cells: what changes slowly over
/// a picture. Between the cells' middles they are interpolated.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    columns: usize,
    rows: usize,
    /// How many cells lie across and down the picture: the last ones may be in it in part.
    across: f64,
    down: f64,
    /// For Y, U and V two maps, row by row; each row is one longer than there are columns.
    maps: [[Vec<f32>; 2]; 3],
}

impl Cells {
    /// Takes so many cells. Asks for memory only when they are more than ever before; the values
    /// are then to be [written](Self::edit_row).
    pub fn resize(&mut self, across: f64, down: f64) {
        (self.across, self.down) = (across, down);
        self.columns = (across.ceil() as usize).max(1);
        self.rows = (down.ceil() as usize).max(1);
        let len = (self.columns + 1) * self.rows;
        self.maps.iter_mut().flatten().for_each(|map| map.resize(len, 0.0));
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Has `edit` write both values of a plane in a row of cells.
    ///
    /// # Panics
    /// If there is no such plane or row.
    pub fn edit_row(&mut self, plane: usize, row: usize, edit: impl FnOnce([&mut [f32]; 2])) {
        let stride = self.columns + 1;
        let mut rows =
            self.maps[plane].each_mut().map(|map| &mut map[row * stride..(row + 1) * stride]);
        edit(rows.each_mut().map(|row| &mut row[..stride - 1]));
        for row in rows {
            row[stride - 1] = row[stride - 2];
        }
    }

    /// These cells over all of a picture.
    pub fn view(&self) -> CellsView<'_> {
        CellsView { cells: self, left: 0.0, top: 0.0, zoom: 1.0 }
    }
}

/// [`Cells`] over a picture, or over a part of it.
#[derive(Debug, Clone, Copy)]
pub struct CellsView<'a> {
    cells: &'a Cells,
    /// Of the picture's width and height.
    left: f64,
    top: f64,
    zoom: f64,
}

impl<'a> CellsView<'a> {
    /// What lies over `part` of the picture, which is `size` large.
    #[must_use]
    pub fn of_part(self, part: PartPx, size: SizePx) -> Self {
        Self {
            left: self.left + part.left_px / f64::from(size.width_px) / self.zoom,
            top: self.top + part.top_px / f64::from(size.height_px) / self.zoom,
            zoom: self.zoom * part.zoom.max(1.0),
            ..self
        }
    }

    /// The cell before a place (of `len` places), and the share of the next one.
    fn between(start: f64, zoom: f64, place: usize, len: usize, count: f64) -> (usize, f32) {
        let share = start + (place as f64 + 0.5) / len as f64 / zoom;
        let cell = (share * count - 0.5).clamp(0.0, count.ceil() - 1.0);
        (cell as usize, cell.fract() as f32)
    }
}

/// Reads the cells of one plane at the plane's size, in blocks of [`BLOCK`] samples, row by row.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    made_for: Option<Aim>,
    /// Of cells.
    columns: usize,
    /// For each row the cell above its middle and the share of the one below, in 32768ths.
    lines: Vec<(usize, i16)>,
    /// For each column the share of the cell to the right.
    shares: Vec<f32>,
    /// The stretches of columns between the same two cells, block by block: how many columns, and the
    /// left cell; and where those of each block begin.
    stretches: Vec<(u32, u32)>,
    starts: Vec<usize>,
    /// The rows of cells that the row lies between, and the share of the second, in 32768ths.
    rows: [usize; 2],
    share: i16,
    /// Two rows of cells on end, an even one and an odd one.
    wide: [WideRow; 2],
    /// The blocks that both of these rows have.
    has_block: Vec<bool>,
    /// The cells and the blocks in which the values are not the usual ones: [`UNUSUAL`].
    unusual_cells: Vec<u8>,
    unusual: Vec<u8>,
}

/// A row of cells at the plane's width, in 16 bits: the blocks of it that were asked for.
#[derive(Debug, Default)]
struct WideRow {
    row: usize,
    maps: [Vec<i16>; 2],
    has_block: Vec<bool>,
}

/// In [`Sampler::unusual`] a block in which the values are not the usual ones; 0 is another.
pub(crate) const UNUSUAL: u8 = 4;

/// What the tables are made for: width and height of the plane, columns of cells, and where these lie.
type Aim = ([usize; 2], usize, [f64; 5]);

impl Sampler {
    /// Starts with a plane of this width and height.
    pub(crate) fn aim(&mut self, view: CellsView<'_>, [width, height]: [usize; 2]) {
        let CellsView { cells, left, top, zoom } = view;
        let place = [left, top, zoom, cells.across, cells.down];
        let wanted = ([width, height], cells.columns, place);
        if self.made_for.replace(wanted) != Some(wanted) {
            self.columns = cells.columns;
            let line = |y: usize| {
                let (row, share) = CellsView::between(top, zoom, y, height, cells.down);
                (row, (share * 32_768.0) as i16)
            };
            let column = |x: usize| CellsView::between(left, zoom, x, width, cells.across);
            self.lines.clear();
            self.lines.extend((0..height).map(line));
            self.shares.clear();
            self.shares.extend((0..width).map(|x| column(x).1));
            self.stretches.clear();
            self.starts.clear();
            // As many as there ever are, so that another part of the picture asks for no memory.
            self.stretches.reserve(width.div_ceil(BLOCK) + cells.columns);
            for x in 0..width {
                let cell = column(x).0 as u32;
                if x.is_multiple_of(BLOCK) {
                    self.starts.push(self.stretches.len());
                }
                match self.stretches.last_mut() {
                    Some((count, same)) if *same == cell && !x.is_multiple_of(BLOCK) => *count += 1,
                    _ => self.stretches.push((1, cell)),
                }
            }
            self.starts.push(self.stretches.len());
            for wide in &mut self.wide {
                wide.maps.iter_mut().for_each(|map| map.resize(width, 0));
                wide.has_block.resize(width.div_ceil(BLOCK), false);
            }
        }
        self.wide.iter_mut().for_each(|wide| wide.row = usize::MAX);
        let blocks = width.div_ceil(BLOCK);
        self.has_block.resize(blocks, false);
        self.unusual_cells.resize(cells.columns + 1, 0);
        self.unusual.clear();
        self.unusual.resize(blocks, UNUSUAL);
        self.rows = [usize::MAX; 2];
    }

    /// Goes to row `y`; `true` if that lies between other rows of cells than the last.
    pub(crate) fn go_to(&mut self, view: CellsView<'_>, y: usize) -> bool {
        let (first, share) = self.lines[y];
        let rows = [first, (first + 1).min(view.cells.rows - 1)];
        self.share = share;
        if std::mem::replace(&mut self.rows, rows) == rows {
            return false;
        }
        self.has_block.fill(false);
        for row in rows {
            let wide = &mut self.wide[row % 2];
            if std::mem::replace(&mut wide.row, row) != row {
                wide.has_block.fill(false);
            }
        }
        true
    }

    /// Finds out which blocks have other values than `usual` between these rows of cells.
    pub(crate) fn compare(&mut self, view: CellsView<'_>, plane: usize, usual: [f32; 2]) {
        let stride = view.cells.columns + 1;
        self.unusual_cells.fill(0);
        for (map, usual) in view.cells.maps[plane].iter().zip(usual) {
            for row in self.rows.map(|row| &map[row * stride..][..stride]) {
                let cells = self.unusual_cells.iter_mut().zip(row);
                cells.for_each(|(cell, value)| *cell |= if *value == usual { 0 } else { UNUSUAL });
            }
        }
        for (unusual, starts) in self.unusual.iter_mut().zip(self.starts.windows(2)) {
            let [first, last] = [starts[0], starts[1] - 1].map(|it| self.stretches[it].1 as usize);
            let cells = &self.unusual_cells[first..=last + 1];
            *unusual = cells.iter().fold(0, |unusual, cell| unusual | cell);
        }
    }

    /// For each block [`UNUSUAL`] or 0.
    pub(crate) fn unusual(&self) -> &[u8] {
        &self.unusual
    }

    /// The values of some columns of the row, from the first one of a block on, of which each map is multiplied by `times`:
    /// always the same from one [`aim`](Self::aim) to the next.
    #[inline]
    pub(crate) fn line(
        &mut self,
        isa: Isa,
        view: CellsView<'_>,
        plane: usize,
        columns: Range<usize>,
        times: [f32; 2],
    ) -> Line<'_> {
        let blocks = columns.start / BLOCK..columns.end.div_ceil(BLOCK);
        if self.has_block[blocks.clone()].contains(&false) {
            self.widen_blocks(isa, &view.cells.maps[plane], blocks, times);
        }
        let [above, below] = self.rows.map(|row| {
            let [first, second] = &self.wide[row % 2].maps;
            [&first[columns.clone()], &second[columns.clone()]]
        });
        Line { above, below, share: self.share }
    }

    fn widen_blocks(
        &mut self,
        isa: Isa,
        maps: &[Vec<f32>; 2],
        blocks: Range<usize>,
        times: [f32; 2],
    ) {
        let stride = self.columns + 1;
        for block in blocks {
            self.has_block[block] = true;
            let columns = block * BLOCK..self.shares.len().min((block + 1) * BLOCK);
            let stretches = &self.stretches[self.starts[block]..self.starts[block + 1]];
            let shares = &self.shares[columns.clone()];
            for row in self.rows {
                let wide = &mut self.wide[row % 2];
                if std::mem::replace(&mut wide.has_block[block], true) {
                    continue;
                }
                for ((wide, map), times) in wide.maps.iter_mut().zip(maps).zip(times) {
                    let cells = &map[row * stride..][..stride];
                    widen(isa, &mut wide[columns.clone()], cells, shares, stretches, times);
                }
            }
        }
    }
}
