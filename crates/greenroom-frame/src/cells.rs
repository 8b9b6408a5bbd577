use crate::kernels::Isa;
use crate::kernels::edge::widen;
use crate::{PartPx, SizePx};

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

/// Samples of a row that are worked on at once: about as many as an edge is wide. With 64, what is
/// done to the edge takes half as long again.
pub(crate) const BLOCK: usize = 32;

/// Reads the cells of one plane at the plane's size, in blocks of [`BLOCK`] samples, row by row.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    columns: Vec<(u32, f32)>,
    made_for: Option<(usize, usize, [f64; 3])>,
    /// Of an even and an odd row of cells, both maps at the plane's width.
    wide: [[Vec<f32>; 2]; 2],
    /// Which row of cells each block of `wide` is of.
    held: Vec<[usize; 2]>,
    rows: [usize; 2],
    share: f32,
    /// Blocks in which the values are not the usual ones.
    unusual: Vec<bool>,
}

/// What [`Sampler::block`] found: both maps in two rows, and the share of the second row.
pub(crate) struct Sampled<'a> {
    pub(crate) first: [&'a [f32]; 2],
    pub(crate) second: [&'a [f32]; 2],
    pub(crate) share: f32,
}

impl Sampler {
    /// Starts with a plane of this width.
    pub(crate) fn aim(&mut self, view: CellsView<'_>, width: usize) {
        let cells = view.cells;
        let wanted = (width, cells.columns, [view.left, view.zoom, cells.across]);
        if self.made_for.replace(wanted) != Some(wanted) {
            let column = |x: usize| {
                let found = CellsView::between(view.left, view.zoom, x, width, cells.across);
                (found.0 as u32, found.1)
            };
            self.columns.clear();
            self.columns.extend((0..width).map(column));
            self.wide.iter_mut().flatten().for_each(|wide| wide.resize(width, 0.0));
        }
        let blocks = width.div_ceil(BLOCK);
        self.held.clear();
        self.held.resize(blocks, [usize::MAX; 2]);
        self.unusual.clear();
        self.unusual.resize(blocks, true);
        self.rows = [usize::MAX; 2];
    }

    /// Goes to row `y` of `height`; `true` if that lies between other rows of cells than the last.
    pub(crate) fn go_to(&mut self, view: CellsView<'_>, y: usize, height: usize) -> bool {
        let (first, share) = CellsView::between(view.top, view.zoom, y, height, view.cells.down);
        let rows = [first, (first + 1).min(view.cells.rows - 1)];
        self.share = share;
        std::mem::replace(&mut self.rows, rows) != rows
    }

    /// Finds out which blocks have other values than `usual` between these rows of cells.
    pub(crate) fn compare(&mut self, view: CellsView<'_>, plane: usize, usual: [f32; 2]) {
        let stride = view.cells.columns + 1;
        let pieces = self.columns.chunks(BLOCK);
        for (unusual, piece) in self.unusual.iter_mut().zip(pieces) {
            let (first, last) = (piece[0].0 as usize, piece[piece.len() - 1].0 as usize + 1);
            *unusual = view.cells.maps[plane].iter().zip(usual).any(|(map, usual)| {
                let row = |row: usize| &map[row * stride + first..=row * stride + last];
                self.rows.iter().any(|&at| row(at).iter().any(|&value| value != usual))
            });
        }
    }

    pub(crate) fn is_unusual(&self, block: usize) -> bool {
        self.unusual[block]
    }

    /// The values of a block of the row.
    pub(crate) fn block(
        &mut self,
        isa: Isa,
        view: CellsView<'_>,
        plane: usize,
        block: usize,
    ) -> Sampled<'_> {
        let columns = block * BLOCK..((block + 1) * BLOCK).min(self.columns.len());
        let stride = view.cells.columns + 1;
        for row in self.rows {
            let held = &mut self.held[block][row % 2];
            if *held != row {
                *held = row;
                for (wide, map) in self.wide[row % 2].iter_mut().zip(&view.cells.maps[plane]) {
                    let cells = &map[row * stride..][..stride];
                    widen(isa, &mut wide[columns.clone()], cells, &self.columns[columns.clone()]);
                }
            }
        }
        let rows = self.rows.map(|row| &self.wide[row % 2]);
        let [first, second] = rows.map(|row| row.each_ref().map(|map| &map[columns.clone()]));
        Sampled { first, second, share: self.share }
    }
}
