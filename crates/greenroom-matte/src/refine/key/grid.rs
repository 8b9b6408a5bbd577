use greenroom_frame::SizePx;

/// Square cells that a picture is looked at in: 16 pixels wide at 1280x720. Planes of chroma have their share of samples
/// in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    /// In cells.
    pub size: SizePx,
    /// Of the picture.
    pub cell_px: u32,
    /// Samples of a chroma plane in a cell, across and down.
    pub samples: [u32; 2],
}

/// Cells of a picture, about.
const CELLS: f64 = 3600.0;

impl Grid {
    /// For a picture whose chroma planes have that size.
    pub(super) fn new(picture: SizePx, chroma: SizePx) -> Self {
        let halves = (picture.area_px() as f64 / CELLS).sqrt() / 2.0;
        let cell_px = 2 * (halves.round() as u32).max(2);
        let size =
            SizePx::new(picture.width_px.div_ceil(cell_px), picture.height_px.div_ceil(cell_px));
        let share = |chroma: u32, picture: u32| {
            if 2 * chroma > picture + 1 { cell_px } else { cell_px / 2 }
        };
        let samples =
            [share(chroma.width_px, picture.width_px), share(chroma.height_px, picture.height_px)];
        Self { size, cell_px, samples }
    }

    pub(super) fn columns(&self) -> usize {
        self.size.width_px as usize
    }

    pub(super) fn cells(&self) -> usize {
        self.size.area_px() as usize
    }

    /// The number of the row of cells that row `y` of chroma lies in, and of the cell's columns.
    pub(super) fn row_of(&self, y: usize) -> usize {
        y / self.samples[1] as usize
    }
}
