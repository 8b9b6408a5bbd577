use std::ops::Range;

use greenroom_frame::SizePx;

use super::cells::{BLOCK_CELLS, RADIUS};

/// Where the mask is sure: a class for each block, which is a row of [`BLOCK_CELLS`].
#[derive(Debug)]
pub(super) struct CertainBlocks {
    /// Cells in a row.
    width: usize,
    blocks: usize,
    /// What the mask has in a block; in all windows around its cells; in all windows that these
    /// cells lie in.
    own: Vec<Class>,
    windows: Vec<Class>,
    cells: Vec<Class>,
    row: Vec<Class>,
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
        let map = || vec![MIXED; blocks * rows];
        Self {
            width,
            blocks,
            own: map(),
            windows: map(),
            cells: map(),
            row: vec![0; blocks],
            extent: [0..0, 0..0],
            #[cfg(test)]
            nothing_is_certain: false,
        }
    }

    /// Looks at a mask of the thumbnail's size.
    pub(super) fn look(&mut self, mask: &[u8]) {
        let rows = mask.chunks_exact(self.width);
        for (row, out) in rows.zip(self.own.chunks_exact_mut(self.blocks)) {
            for (cells, out) in row.chunks(BLOCK_CELLS).zip(out) {
                let (least, most) =
                    cells.iter().fold((255, 0), |(least, most), &c| (c.min(least), c.max(most)));
                *out = match (least, most) {
                    (_, ..=ROOM_LEVEL) => ROOM,
                    (PERSON_LEVEL.., _) => PERSON,
                    _ => MIXED,
                };
            }
        }
        #[cfg(test)]
        if self.nothing_is_certain {
            self.own.fill(MIXED);
        }
        dilate(&self.own, &mut self.windows, &mut self.row);
        dilate(&self.windows, &mut self.cells, &mut self.row);
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

/// Each block gets what is within a window's reach: [`RADIUS`] rows, and the next blocks, which are
/// no narrower.
fn dilate(from: &[Class], into: &mut [Class], row: &mut [Class]) {
    const { assert!(BLOCK_CELLS >= RADIUS) };
    let blocks = row.len();
    let rows = from.len() / blocks;
    for (y, out) in into.chunks_exact_mut(blocks).enumerate() {
        row.fill(0);
        for near in y.saturating_sub(RADIUS)..(y + RADIUS + 1).min(rows) {
            row.iter_mut().zip(&from[near * blocks..]).for_each(|(sum, class)| *sum |= class);
        }
        for (block, out) in out.iter_mut().enumerate() {
            let near = block.saturating_sub(1)..(block + 2).min(blocks);
            *out = row[near].iter().fold(0, |sum, class| sum | class);
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
