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

    pub(super) fn fill(&mut self, isa: Isa, mask: &FrameView<'_>, frame: &FrameView<'_>) {
        let (scaler, small) = &mut self.luma;
        scaler.scale(frame.plane(0).every_row(self.row_step), &mut small.view_mut().plane_mut(0));
        let (scaler, small) = &mut self.mask;
        scaler.scale(mask.plane(0), &mut small.view_mut().plane_mut(0));
        if let Some(scaler) = &mut self.chroma {
            for (index, fine) in self.fine.iter_mut().enumerate() {
                scaler.scale(frame.plane(index + 1), &mut fine.view_mut().plane_mut(0));
            }
        }
        let [y, u, v, p] = &mut self.inputs;
        to_floats(isa, y, self.luma.1.bytes());
        to_floats(isa, p, self.mask.1.bytes());
        let width = self.size.width_px as usize;
        for (plane, fine) in [u, v].into_iter().zip(&self.fine) {
            let pairs = fine.bytes().chunks_exact(4 * width);
            for (row, pair) in plane.chunks_exact_mut(width).zip(pairs) {
                let (above, below) = pair.split_at(2 * width);
                quarter(isa, row, above, below, 0.25 / 255.0);
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
