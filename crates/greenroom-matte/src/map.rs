use crate::buffer::Buffer;
use crate::kernels::Bordered;
use crate::tflite::MapShape;

/// A feature map, with a border of zeros if 3x3 windows look at it.
#[derive(Debug)]
pub(crate) struct Map {
    pub shape: MapShape,
    /// Pixels of border on each side: 0 or 1.
    border: usize,
    values: Buffer,
}

impl Map {
    fn with_border(shape: MapShape, border: usize) -> Self {
        let MapShape { height, width, channels } = shape;
        let len = (height + 2 * border) * (width + 2 * border) * channels;
        Self { shape, border, values: Buffer::zeros(len) }
    }

    /// A map of zeros without a border.
    pub fn plain(shape: MapShape) -> Self {
        Self::with_border(shape, 0)
    }

    /// A map of zeros with a border of one pixel.
    pub fn bordered(shape: MapShape) -> Self {
        Self::with_border(shape, 1)
    }

    fn row_start(&self, y: usize) -> usize {
        let row = (y + self.border) * (self.shape.width + 2 * self.border);
        (row + self.border) * self.shape.channels
    }

    /// Row `y` without the border.
    pub fn row(&self, y: usize) -> &[f32] {
        &self.values[self.row_start(y)..][..self.shape.width * self.shape.channels]
    }

    /// Row `y` without the border, to be written.
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let (start, len) = (self.row_start(y), self.shape.width * self.shape.channels);
        &mut self.values[start..][..len]
    }

    /// All pixels of a map without a border.
    pub fn pixels(&self) -> &[f32] {
        assert_eq!(self.border, 0);
        &self.values
    }

    /// All pixels of a map without a border, to be written.
    pub fn pixels_mut(&mut self) -> &mut [f32] {
        assert_eq!(self.border, 0);
        &mut self.values
    }

    /// A map with a border, as the kernels take it.
    pub fn windows(&self) -> Bordered<'_> {
        assert_eq!(self.border, 1);
        let MapShape { width, channels, .. } = self.shape;
        Bordered { values: &self.values, width, channels }
    }
}
