use std::ops::Range;

use greenroom_frame::{Chroma, Colour, Frame, FrameView, PixelFormat, PlaneScaler, SizePx};

use super::super::kernels::{ChromaRows, ColourRows, quarter, to_floats};
use super::super::thumbnail_grid;
use super::cells::Sizes;
use crate::{Isa, MatteError};

/// The chroma of a grey picture.
const NO_COLOUR: u8 = 128;

/// A picture and its mask, small: luma and mask in cells, chroma twice as fine.
#[derive(Debug)]
pub(super) struct Thumbnail {
    size: SizePx,
    /// Of so many rows of luma one is read: two for a cell will do.
    row_step: usize,
    luma: (PlaneScaler, Frame),
    mask: (PlaneScaler, Frame),
    chroma: Option<PlaneScaler>,
    fine: [Frame; 2],
    /// Y, U, V and mask of the cells, 0..=1.
    inputs: [Vec<f32>; 4],
}

impl Thumbnail {
    pub(super) fn new(sizes: Sizes) -> Result<Self, MatteError> {
        let SizePx { width_px, height_px } = sizes.picture;
        let (size, row_step) = thumbnail_grid(sizes.picture);
        let double = SizePx::new(2 * size.width_px, 2 * size.height_px);
        let read = SizePx::new(width_px, height_px.div_ceil(row_step));
        let grey = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG);
        let mut fine = [grey(double)?, grey(double)?];
        fine.iter_mut().for_each(|plane| plane.bytes_mut().fill(NO_COLOUR));
        let chroma = match sizes.format.chroma() {
            Chroma::None => None,
            chroma => Some(PlaneScaler::of_means(chroma.plane_size(sizes.picture), double)?),
        };
        Ok(Self {
            size,
            row_step: row_step as usize,
            luma: (PlaneScaler::of_means(read, size)?, grey(size)?),
            mask: (PlaneScaler::of_means(sizes.mask, size)?, grey(size)?),
            chroma,
            fine,
            inputs: std::array::from_fn(|_| vec![0.0; size.area_px() as usize]),
        })
    }

    /// Takes over a mask. The pictures before are gone.
    pub(super) fn set_mask(&mut self, isa: Isa, mask: &FrameView<'_>) {
        let (scaler, small) = &mut self.mask;
        scaler.scale(mask.plane(0), &mut small.view_mut().plane_mut(0));
        to_floats(isa, &mut self.inputs[3], small.bytes());
    }

    /// Takes over these columns and rows of a picture; what others have is not of it.
    pub(super) fn set_picture(
        &mut self,
        isa: Isa,
        frame: &FrameView<'_>,
        [columns, rows]: [Range<usize>; 2],
    ) {
        let width = self.size.width_px as usize;
        let (scaler, small) = &mut self.luma;
        let mut view = small.view_mut();
        let part = [columns.clone(), rows.clone()];
        scaler.scale_part(frame.plane(0).every_row(self.row_step), &mut view.plane_mut(0), part);
        let fine = [2 * columns.start..2 * columns.end, 2 * rows.start..2 * rows.end];
        if let Some(scaler) = &mut self.chroma {
            for (index, plane) in self.fine.iter_mut().enumerate() {
                let mut view = plane.view_mut();
                scaler.scale_part(frame.plane(index + 1), &mut view.plane_mut(0), fine.clone());
            }
        }
        let [y, u, v, _] = &mut self.inputs;
        for row in rows {
            let cells = row * width + columns.start..row * width + columns.end;
            to_floats(isa, &mut y[cells.clone()], &small.bytes()[cells.clone()]);
            for (plane, fine_plane) in [&mut *u, &mut *v].into_iter().zip(&self.fine) {
                let (above, below) = fine_plane.bytes()[4 * width * row..].split_at(2 * width);
                let [above, below] = [above, below].map(|fine_row| &fine_row[fine[0].clone()]);
                quarter(isa, &mut plane[cells.clone()], above, below, 0.25 / 255.0);
            }
        }
    }

    /// In cells.
    pub(super) fn size(&self) -> SizePx {
        self.size
    }

    /// Levels of the mask in cells.
    pub(super) fn mask(&self) -> &[u8] {
        self.mask.1.bytes()
    }

    /// Row `y` of Y, U, V or the mask, 0..=1.
    pub(super) fn row(&self, input: usize, y: usize) -> &[f32] {
        let width = self.size.width_px as usize;
        &self.inputs[input][y * width..][..width]
    }

    /// The colours of row `y`.
    pub(super) fn colours(&self, y: usize) -> ColourRows<'_> {
        ColourRows { y: self.row(0, y), u: self.row(1, y), v: self.row(2, y) }
    }

    /// Row `y` of chroma twice as fine.
    pub(super) fn fine_chroma(&self, y: usize) -> ChromaRows<'_> {
        let width = 2 * self.size.width_px as usize;
        let [u, v] = self.fine.each_ref().map(|plane| &plane.bytes()[y * width..][..width]);
        ChromaRows { u, v }
    }
}
