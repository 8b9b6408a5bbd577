use std::time::Instant;

use crate::view::view_getters;
use crate::{
    Colour, FrameError, FrameLayout, FrameShape, FrameView, FrameViewMut, PixelFormat, SizePx, Yuv8,
};

/// A picture that owns its bytes.
#[derive(Debug, Clone)]
pub struct Frame {
    layout: FrameLayout,
    colour: Colour,
    captured_at: Instant,
    data: Vec<u8>,
}

impl Frame {
    view_getters!();

    /// A picture of zero bytes with a [tight](FrameLayout::tight) layout.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn new(format: PixelFormat, size: SizePx, colour: Colour) -> Result<Self, FrameError> {
        let layout = FrameLayout::tight(format, size)?;
        let data = vec![0; layout.len_bytes()];
        Ok(Self { layout, colour, captured_at: Instant::now(), data })
    }

    /// Makes this a picture of another format, size and colour. Its bytes are whatever they were;
    /// memory is asked for only when the new picture is larger than any before it.
    ///
    /// # Errors
    /// [`FrameError::BadSize`]; the frame is then as it was.
    pub fn reshape(
        &mut self,
        format: PixelFormat,
        size: SizePx,
        colour: Colour,
    ) -> Result<(), FrameError> {
        if (self.layout.format(), self.layout.size()) != (format, size) {
            self.layout = FrameLayout::tight(format, size)?;
            self.data.resize(self.layout.len_bytes(), 0);
        }
        self.colour = colour;
        Ok(())
    }

    /// Says how the samples read as colour, without changing one. To change them, see
    /// [`recolour`](crate::recolour).
    pub fn set_colour(&mut self, colour: Colour) {
        self.colour = colour;
    }

    /// When the camera took the picture.
    pub fn captured_at(&self) -> Instant {
        self.captured_at
    }

    /// Sets when the camera took the picture.
    pub fn set_captured_at(&mut self, captured_at: Instant) {
        self.captured_at = captured_at;
    }

    /// The picture, borrowed.
    pub fn view(&self) -> FrameView<'_> {
        FrameView::new(self.layout, self.colour, self.captured_at, &self.data)
            .expect("the buffer was sized from the layout")
    }

    /// The picture, to be written.
    pub fn view_mut(&mut self) -> FrameViewMut<'_> {
        FrameViewMut::new(self.layout, self.colour, &mut self.data)
            .expect("the buffer was sized from the layout")
    }

    /// The picture's bytes, planes one behind the other without padding.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The picture's bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// One colour everywhere. A planar format only; for [`PixelFormat::Grey`] only Y counts.
    pub fn fill(&mut self, yuv: Yuv8) {
        debug_assert!(self.format().is_planar(), "packed pictures are packed from planar ones");
        for (mut plane, value) in self.view_mut().planes_mut().zip([yuv.y, yuv.u, yuv.v]) {
            plane.fill(value);
        }
    }
}
