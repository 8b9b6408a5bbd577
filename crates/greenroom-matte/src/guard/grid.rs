use greenroom_frame::{Frame, SizePx};

use super::comparison::Comparison;

/// A cell is room for sure if neither it nor any cell within [`MARGIN_CELLS`] has an alpha above this.
const SURE_ROOM: u8 = 25;
/// A cell is a person for sure from this alpha on.
const SURE_PERSON: u8 = 230;
/// How far around whatever may be a person a mask is left as it is, in cells of the network's output: edges that two
/// networks see differently, and what moves until the next look.
const MARGIN_CELLS: usize = 4;

/// From this alpha on a pixel of a mask is shown.
const SHOWN: u8 = 128;

/// What the built-in network saw, a byte for each cell of its output, and the same for the pixels of one row of a mask.
#[derive(Debug)]
pub(super) struct Grid {
    size: SizePx,
    /// The network's alpha.
    alpha: Vec<u8>,
    /// 255 where there may be a person, 0 where there is surely room.
    keep: Vec<u8>,
    spread: Vec<u8>,
    row: Row,
}

/// The cells that the pixels of a mask's row lie in.
#[derive(Debug, Default)]
struct Row {
    /// Size of the mask for which `columns` was made.
    mask_size: Option<SizePx>,
    columns: Vec<u32>,
    alpha: Vec<u8>,
    keep: Vec<u8>,
}

impl Row {
    fn fit(&mut self, grid: SizePx, mask: SizePx) {
        if self.mask_size == Some(mask) {
            return;
        }
        let width = mask.width_px;
        self.columns.clear();
        self.columns.extend((0..width).map(|x| cell_of(x, width, grid.width_px)));
        self.alpha.resize(width as usize, 0);
        self.keep.resize(width as usize, 0);
        self.mask_size = Some(mask);
    }

    fn fill(&mut self, alpha: &[u8], keep: &[u8]) {
        let places = self.alpha.iter_mut().zip(&mut self.keep).zip(&self.columns);
        for ((to_alpha, to_keep), &column) in places {
            *to_alpha = alpha[column as usize];
            *to_keep = keep[column as usize];
        }
    }
}

/// The cell, of `cells`, that the centre of pixel `at`, of `pixels`, lies in.
fn cell_of(at: u32, pixels: u32, cells: u32) -> u32 {
    ((2 * u64::from(at) + 1) * u64::from(cells) / (2 * u64::from(pixels))) as u32
}

impl Grid {
    /// All is room until something was learnt.
    pub(super) fn new(size: SizePx) -> Self {
        let cells = || vec![0; size.area_px() as usize];
        Self { size, alpha: cells(), keep: cells(), spread: cells(), row: Row::default() }
    }

    /// Takes over the network's alpha.
    pub(super) fn learn(&mut self, alpha: &Frame) {
        if alpha.size() != self.size {
            *self = Self::new(alpha.size());
        }
        let alpha = alpha.bytes();
        self.alpha.copy_from_slice(alpha);
        let width = self.size.width_px as usize;
        // A square around each cell that may be a person: first along the rows, then along the columns.
        for (row, spread) in alpha.chunks_exact(width).zip(self.spread.chunks_exact_mut(width)) {
            spread_row(row, spread);
        }
        let height = self.size.height_px as usize;
        for (y, keep) in self.keep.chunks_exact_mut(width).enumerate() {
            keep.fill(0);
            let rows = y.saturating_sub(MARGIN_CELLS)..(y + MARGIN_CELLS + 1).min(height);
            for row in self.spread[rows.start * width..rows.end * width].chunks_exact(width) {
                keep.iter_mut().zip(row).for_each(|(keep, row)| *keep |= row);
            }
        }
    }

    /// Calls `work` with each row of a mask of `size`, and what of this grid lies behind it.
    fn rows(&mut self, size: SizePx, mut work: impl FnMut(usize, &Row)) {
        let Self { size: grid, alpha, keep, row, .. } = self;
        row.fit(*grid, size);
        let width = grid.width_px as usize;
        let mut filled_with = None;
        for y in 0..size.height_px {
            let cell_y = cell_of(y, size.height_px, grid.height_px) as usize;
            if filled_with.replace(cell_y) != Some(cell_y) {
                let cells = cell_y * width..(cell_y + 1) * width;
                row.fill(&alpha[cells.clone()], &keep[cells]);
            }
            work(y as usize, row);
        }
    }

    pub(super) fn compare(&mut self, mask: &Frame) -> Comparison {
        let (mut room, mut doubt, mut person, mut found) = (0u64, 0u64, 0u64, 0u64);
        let view = mask.view();
        let plane = view.plane(0);
        self.rows(mask.size(), |y, row| {
            // Sums of a row fit 32 bits; without branches, so that they are made into vectors.
            let (mut row_room, mut row_doubt, mut row_person, mut row_found) = (0u32, 0, 0, 0u32);
            for ((&mask, &alpha), &keep) in plane.row(y).iter().zip(&row.alpha).zip(&row.keep) {
                let shown = u32::from(mask >= SHOWN);
                let sure = u32::from(alpha >= SURE_PERSON);
                row_room += shown & u32::from(keep == 0);
                row_doubt += shown * u32::from(255 - alpha);
                row_person += sure;
                row_found += sure & shown;
            }
            room += u64::from(row_room);
            doubt += u64::from(row_doubt);
            person += u64::from(row_person);
            found += u64::from(row_found);
        });
        let share = |pixels: u64| pixels as f32 / mask.size().area_px() as f32;
        Comparison {
            room: share(room),
            doubtful: share(doubt) / 255.0,
            person: share(person),
            found: share(found),
        }
    }

    /// Makes room what surely is room.
    pub(super) fn cut(&mut self, mask: &mut Frame) {
        let size = mask.size();
        let mut view = mask.view_mut();
        let mut plane = view.plane_mut(0);
        self.rows(size, |y, row| {
            plane.row_mut(y).iter_mut().zip(&row.keep).for_each(|(mask, keep)| *mask &= keep);
        });
    }
}

/// 255 wherever a cell of `row` within [`MARGIN_CELLS`] may be a person.
fn spread_row(row: &[u8], spread: &mut [u8]) {
    spread.fill(0);
    let mut next = 0;
    for (x, &alpha) in row.iter().enumerate() {
        if alpha > SURE_ROOM {
            // What is filled already need not be filled again.
            let from = x.saturating_sub(MARGIN_CELLS).max(next);
            next = (x + MARGIN_CELLS + 1).min(row.len());
            spread[from..next].fill(255);
        }
    }
}
