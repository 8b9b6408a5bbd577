use greenroom_frame::SizePx;

use crate::{Layout, MatteError, ModelDescription};

/// A model's input: one picture of three `f32` channels.
#[derive(Debug, Clone)]
pub struct InputTensor {
    size: SizePx,
    layout: Layout,
    values: Vec<f32>,
}

impl InputTensor {
    /// A tensor of zeros as `model` wants it.
    pub fn new(model: &ModelDescription) -> Self {
        Self::of_size(model.input_size, model.layout)
    }

    /// A tensor of zeros for a picture of `size`.
    pub fn of_size(size: SizePx, layout: Layout) -> Self {
        let len = 3 * size.area_px() as usize;
        Self { size, layout, values: vec![0.0; len] }
    }

    /// Columns and rows.
    pub fn size(&self) -> SizePx {
        self.size
    }

    /// Order of the axes.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// All values in the order of [`layout`](Self::layout), no padding.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be written.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

/// A model's output: one `f32` a pixel, 0 = room, 1 = person, rows top to bottom.
#[derive(Debug, Clone)]
pub struct AlphaMap {
    size: SizePx,
    values: Vec<f32>,
}

impl AlphaMap {
    /// A map of zeros as `model` gives it.
    pub fn new(model: &ModelDescription) -> Self {
        Self::of_size(model.output_size)
    }

    /// A map of zeros of `size`.
    pub fn of_size(size: SizePx) -> Self {
        Self { size, values: vec![0.0; size.area_px() as usize] }
    }

    /// Columns and rows.
    pub fn size(&self) -> SizePx {
        self.size
    }

    /// All values, row by row, no padding.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be written.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

impl ModelDescription {
    /// Whether `input` and `alpha` are made for this model.
    pub(crate) fn check(&self, input: &InputTensor, alpha: &AlphaMap) -> Result<(), MatteError> {
        let Self { input_size, output_size, layout, .. } = self;
        if (input.size(), input.layout()) != (*input_size, *layout) {
            return Err(MatteError::WrongShape {
                what: "the input tensor",
                have: format!("{} {:?}", input.size(), input.layout()),
                want: format!("{input_size} {layout:?}"),
            });
        }
        if alpha.size() != *output_size {
            return Err(MatteError::WrongShape {
                what: "the alpha map",
                have: alpha.size().to_string(),
                want: output_size.to_string(),
            });
        }
        Ok(())
    }
}
