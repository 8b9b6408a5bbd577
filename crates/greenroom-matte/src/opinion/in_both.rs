use greenroom_frame::{Frame, PlaneScaler, SizePx};

use super::cells::grey;
use crate::MatteError;

/// A grey picture in cells of thumbnails, and the same in a mask's samples.
#[derive(Debug)]
pub(super) struct InBoth {
    cells: Frame,
    of_mask: Frame,
    to_mask: PlaneScaler,
    /// Both are zeros.
    is_clear: bool,
}

impl InBoth {
    /// Zeros.
    pub(super) fn new(cells: SizePx, mask: SizePx) -> Result<Self, MatteError> {
        let to_mask = PlaneScaler::new(cells, mask)?;
        Ok(Self { cells: grey(cells)?, of_mask: grey(mask)?, to_mask, is_clear: true })
    }

    pub(super) fn cells(&self) -> &[u8] {
        self.cells.bytes()
    }

    /// The cells, to be drawn; [`scale`](Self::scale) then brings them to the mask's samples.
    pub(super) fn cells_mut(&mut self) -> &mut [u8] {
        self.is_clear = false;
        self.cells.bytes_mut()
    }

    /// The same with their size.
    pub(super) fn frame_of_cells_mut(&mut self) -> &mut Frame {
        self.is_clear = false;
        &mut self.cells
    }

    pub(super) fn of_mask(&self) -> &[u8] {
        self.of_mask.bytes()
    }

    pub(super) fn scale(&mut self) {
        let (cells, mut of_mask) = (self.cells.view(), self.of_mask.view_mut());
        self.to_mask.scale(cells.plane(0), &mut of_mask.plane_mut(0));
    }

    /// Makes all of it zero.
    pub(super) fn clear(&mut self) {
        if !std::mem::replace(&mut self.is_clear, true) {
            self.cells.bytes_mut().fill(0);
            self.of_mask.bytes_mut().fill(0);
        }
    }
}
