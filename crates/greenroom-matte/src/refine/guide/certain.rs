use std::ops::Range;

use greenroom_frame::SizePx;

use super::super::around::join_around;
use super::cells::{BLOCK_CELLS, RADIUS};

/// Where the mask is sure: a class for each block, which is a row of [`BLOCK_CELLS`].
#[derive(Debug)]
pub(super) struct CertainBlocks {
    /// Cells in a row.
    width: usize,
    /// Blocks in a row.
    blocks: usize,
    /// Of each cell: what the mask has there; in the window around it; in all windows that it lies in.
    maps: [Vec<Class>; 3],
    /// A row of cells, with [`RADIUS`] more at both ends.
    row: Vec<Class>,
    /// What there is in the windows around a block's cells; in all windows that these lie in.
    windows: Vec<Class>,
    cells: Vec<Class>,
    /// The columns and rows of cells from the first that is not sure to the last.
    extent: [Range<usize>; 2],
    #[cfg(test)]
    nothing_is_certain: bool,
}

/// What there is, as bits.
pub(super) type Class = u8;
pub(super) const ROOM: Class = 1;
pub(super) const PERSON: Class = 2;
/// Both, or something between.
pub(super) const MIXED: Class = ROOM | PERSON;

/// Levels of a mask up to which it is room, and from which on it is person, whatever the picture
/// looks like. Far outside of the ramp, for a window's map may stretch what there is.
const ROOM_LEVEL: u8 = 16;
const PERSON_LEVEL: u8 = 239;

impl CertainBlocks {
    pub(super) fn new(thumbnail: SizePx) -> Self {
        let (width, rows) = (thumbnail.width_px as usize, thumbnail.height_px as usize);
        let blocks = width.div_ceil(BLOCK_CELLS);
        Self {
            width,
            blocks,
            maps: std::array::from_fn(|_| vec![MIXED; width * rows]),
            row: vec![0; width + 2 * RADIUS],
            windows: vec![MIXED; blocks * rows],
            cells: vec![MIXED; blocks * rows],
            extent: [0..0, 0..0],
            #[cfg(test)]
            nothing_is_certain: false,
        }
    }

    /// Looks at a mask of the thumbnail's size.
    pub(super) fn look(&mut self, mask: &[u8]) {
        let [own, near, twice_near] = &mut self.maps;
        for (own, &level) in own.iter_mut().zip(mask) {
            let may_be_room = if level < PERSON_LEVEL { ROOM } else { 0 };
            let may_be_person = if level > ROOM_LEVEL { PERSON } else { 0 };
            *own = may_be_room | may_be_person;
        }
        #[cfg(test)]
        if self.nothing_is_certain {
            own.fill(MIXED);
        }
        join_around(own, near, &mut self.row, RADIUS, 0);
        join_around(near, twice_near, &mut self.row, RADIUS, 0);
        join_cells(near, &mut self.windows, [self.width, self.blocks]);
        join_cells(twice_near, &mut self.cells, [self.width, self.blocks]);
        self.extent = self.find_extent();
    }

    /// For tests: everything is worked out, or not.
    #[cfg(test)]
    pub(super) fn nothing_is_certain(&mut self, nothing: bool) {
        self.nothing_is_certain = nothing;
    }

    /// For each block of a row, what is in the windows around its cells.
    pub(super) fn windows(&self, y: usize) -> &[Class] {
        &self.windows[y * self.blocks..][..self.blocks]
    }

    /// For each block of a row, what is in the windows that its cells lie in.
    pub(super) fn cells(&self, y: usize) -> &[Class] {
        &self.cells[y * self.blocks..][..self.blocks]
    }

    /// Where cells are not sure: the columns and the rows from the first such to the last.
    pub(super) fn extent(&self) -> [Range<usize>; 2] {
        self.extent.clone()
    }

    fn find_extent(&self) -> [Range<usize>; 2] {
        let is_mixed = |class: &Class| *class == MIXED;
        let (mut columns, mut rows) = (self.blocks..0, 0..0);
        for (y, row) in self.cells.chunks_exact(self.blocks).enumerate() {
            if let Some(first) = row.iter().position(is_mixed) {
                let last = row.iter().rposition(is_mixed).unwrap_or(first);
                columns = columns.start.min(first)..columns.end.max(last + 1);
                rows = if rows.is_empty() { y } else { rows.start }..y + 1;
            }
        }
        if rows.is_empty() {
            return [0..0, 0..0];
        }
        [columns.start * BLOCK_CELLS..(columns.end * BLOCK_CELLS).min(self.width), rows]
    }
}

/// Each block of `width` cells in a row gets what its cells have.
fn join_cells(cells: &[Class], into: &mut [Class], [width, blocks]: [usize; 2]) {
    for (row, out) in cells.chunks_exact(width).zip(into.chunks_exact_mut(blocks)) {
        for (cells, out) in row.chunks(BLOCK_CELLS).zip(out) {
            *out = cells.iter().fold(0, |sum, class| sum | class);
        }
    }
}

/// Each stretch of [`MIXED`] blocks in a row.
pub(super) fn mixed(classes: &[Class]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + classes[at..].iter().position(|&class| class == MIXED)?;
        let is_sure = |&class: &Class| class != MIXED;
        at = classes[start..].iter().position(is_sure).map_or(classes.len(), |len| start + len);
        Some(start..at)
    })
}

/// The same in cells, of which there are `width`.
pub(super) fn stretches(classes: &[Class], width: usize) -> impl Iterator<Item = Range<usize>> {
    mixed(classes)
        .map(move |blocks| blocks.start * BLOCK_CELLS..(blocks.end * BLOCK_CELLS).min(width))
}
