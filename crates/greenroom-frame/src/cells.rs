use std::ops::Range;

use crate::kernels::edge::{BLOCK, Line, between};
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
    /// For each row the cell above its middle and the share of the one below.
    lines: Vec<(usize, f32)>,
    /// For each column the share of the cell to the right.
    shares: Vec<f32>,
    /// The stretches of columns between the same two cells, block by block: how many columns, and the
    /// left cell; and where those of each block begin.
    stretches: Vec<(u32, u32)>,
    starts: Vec<usize>,
    rows: [usize; 2],
    share: f32,
    /// Both maps between these rows, in the cells that were asked for last.
    between: [Vec<f32>; 2],
    /// Blocks in which the values are not the usual ones.
    unusual: Vec<bool>,
}

/// What the tables are made for: width and height of the plane, columns of cells, and where these lie.
type Aim = ([usize; 2], usize, [f64; 5]);

impl Sampler {
    /// Starts with a plane of this width and height.
    pub(crate) fn aim(&mut self, view: CellsView<'_>, [width, height]: [usize; 2]) {
        let CellsView { cells, left, top, zoom } = view;
        let place = [left, top, zoom, cells.across, cells.down];
        let wanted = ([width, height], cells.columns, place);
        if self.made_for.replace(wanted) != Some(wanted) {
            let line = |y: usize| CellsView::between(top, zoom, y, height, cells.down);
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
            self.between.iter_mut().for_each(|line| line.resize(cells.columns + 1, 0.0));
        }
        let blocks = width.div_ceil(BLOCK);
        self.unusual.clear();
        self.unusual.resize(blocks, true);
        self.rows = [usize::MAX; 2];
    }

    /// Goes to row `y`; `true` if that lies between other rows of cells than the last.
    pub(crate) fn go_to(&mut self, view: CellsView<'_>, y: usize) -> bool {
        let (first, share) = self.lines[y];
        let rows = [first, (first + 1).min(view.cells.rows - 1)];
        self.share = share;
        std::mem::replace(&mut self.rows, rows) != rows
    }

    /// Finds out which blocks have other values than `usual` between these rows of cells.
    pub(crate) fn compare(&mut self, view: CellsView<'_>, plane: usize, usual: [f32; 2]) {
        let stride = view.cells.columns + 1;
        for (unusual, starts) in self.unusual.iter_mut().zip(self.starts.windows(2)) {
            let [first, last] = [starts[0], starts[1] - 1].map(|it| self.stretches[it].1 as usize);
            *unusual = view.cells.maps[plane].iter().zip(usual).any(|(map, usual)| {
                let row = |row: usize| &map[row * stride + first..=row * stride + last + 1];
                self.rows.iter().any(|&at| row(at).iter().any(|&value| value != usual))
            });
        }
    }

    pub(crate) fn is_unusual(&self, block: usize) -> bool {
        self.unusual[block]
    }

    /// The values of some columns of the row, from the first one of a block on.
    #[inline]
    pub(crate) fn line(
        &mut self,
        isa: Isa,
        view: CellsView<'_>,
        plane: usize,
        columns: Range<usize>,
    ) -> Line<'_> {
        let blocks = columns.start / BLOCK..columns.end.div_ceil(BLOCK);
        let stretches = &self.stretches[self.starts[blocks.start]..self.starts[blocks.end]];
        // Only the cells that these columns lie between.
        if let [(_, first), .., (_, last)] | [(_, first @ last)] = stretches {
            let (stride, cells) = (view.cells.columns + 1, *first as usize..*last as usize + 2);
            for (line, map) in self.between.iter_mut().zip(&view.cells.maps[plane]) {
                let [above, below] = self.rows.map(|row| &map[row * stride..][cells.clone()]);
                between(isa, &mut line[cells.clone()], above, below, self.share);
            }
        }
        let [first, second] = &self.between;
        Line { first, second, shares: &self.shares[columns], stretches }
    }
}
