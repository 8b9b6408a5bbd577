use crate::kernels::scale::{TapTable, Taps, row_to_between, rows_to_bytes};
use crate::{Chroma, Frame, FrameError, FrameView, Isa, Plane, PlaneMut, SizePx};

/// A part of a picture with the picture's own shape (aspect ratio), placed more finely than by
/// whole pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartPx {
    /// Its left edge, in pixels from the picture's.
    pub left_px: f64,
    /// Its top edge, in pixels from the picture's.
    pub top_px: f64,
    /// How many times it must be enlarged to be as large as the picture: at least 1.
    pub zoom: f64,
}

impl PartPx {
    /// All of a picture.
    pub const WHOLE: Self = Self { left_px: 0.0, top_px: 0.0, zoom: 1.0 };

    /// The same part in samples of a chroma plane, whose samples lie in the middle of the pixels
    /// that they cover: where all of greenroom takes them to be.
    pub fn of_chroma(self, chroma: Chroma) -> Self {
        match chroma {
            Chroma::Half2x2 => {
                Self { left_px: self.left_px / 2.0, top_px: self.top_px / 2.0, ..self }
            }
            Chroma::Half2x1 => Self { left_px: self.left_px / 2.0, ..self },
            Chroma::None => self,
        }
    }
}

/// Enlarges parts of planar pictures to the pictures' own size: bilinear, at fractions of a pixel,
/// so that a part that moves slowly glides. No memory is asked for while the size stays.
#[derive(Debug, Default)]
pub struct FrameCropper {
    planes: Vec<PlaneCropper>,
}

impl FrameCropper {
    /// Makes `into` a picture of the format, size, colour and time of `from` that shows `part` of
    /// it. What of `part` lies outside repeats the picture's edge.
    ///
    /// # Errors
    /// [`FrameError::BadSize`]; [`FrameError::NoConversion`] for a packed picture.
    pub fn crop(
        &mut self,
        from: FrameView<'_>,
        part: PartPx,
        into: &mut Frame,
    ) -> Result<(), FrameError> {
        let (format, size) = (from.format(), from.size());
        if !format.is_planar() {
            let (from, to) = (format, format);
            return Err(FrameError::NoConversion { from, from_size: size, to, to_size: size });
        }
        into.reshape(format, size, from.colour())?;
        into.set_captured_at(from.captured_at());
        for (index, mut plane) in into.view_mut().planes_mut().enumerate() {
            let (size, part) = if index == 0 {
                (size, part)
            } else {
                (format.chroma().plane_size(size), part.of_chroma(format.chroma()))
            };
            match self.planes.get_mut(index) {
                Some(cropper) if cropper.size == size => {}
                Some(cropper) => *cropper = PlaneCropper::new(size),
                None => self.planes.push(PlaneCropper::new(size)),
            }
            self.planes[index].crop(from.plane(index), part, &mut plane);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct PlaneCropper {
    size: SizePx,
    /// What the tables were last made for.
    part: PartPx,
    columns: TapTable,
    rows: TapTable,
    /// Two input rows, scaled along themselves: those that the output row lies between.
    between: Vec<i16>,
    isa: Isa,
}

impl PlaneCropper {
    fn new(size: SizePx) -> Self {
        Self {
            size,
            part: PartPx::WHOLE,
            columns: TapTable::of_part(size.width_px),
            rows: TapTable::of_part(size.height_px),
            between: vec![0; 2 * size.width_px as usize],
            isa: Isa::best(),
        }
    }

    fn crop(&mut self, from: Plane<'_>, part: PartPx, into: &mut PlaneMut<'_>) {
        if part != self.part {
            let ratio = 1.0 / part.zoom.max(1.0);
            self.columns.set_part(part.left_px, ratio);
            self.rows.set_part(part.top_px, ratio);
            self.part = part;
        }
        let width = self.size.width_px as usize;
        // Which input row lies in either half of `between`. Rows are only ever gone down, so each
        // is scaled once.
        let mut held = [usize::MAX; 2];
        for (y, out) in into.iter_rows_mut().enumerate() {
            let Taps { start, weights } = self.rows.taps(y);
            // Odd rows have one half, even rows the other.
            let mut ordered = [0; 2];
            for (row, &weight) in (start..).zip(weights) {
                let half = row % 2;
                if held[half] != row {
                    let between = &mut self.between[half * width..][..width];
                    row_to_between(self.isa, between, from.row(row), &self.columns);
                    held[half] = row;
                }
                ordered[half] = weight;
            }
            let taps = Taps { start: 0, weights: &ordered };
            rows_to_bytes(self.isa, out, &self.between, width, taps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, PixelFormat};

    fn noise(format: PixelFormat, size: SizePx) -> Frame {
        let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
        for (i, byte) in frame.bytes_mut().iter_mut().enumerate() {
            *byte = (i * 7919 % 251) as u8;
        }
        frame
    }

    /// The definition, in floating point.
    fn reference(plane: Plane<'_>, left: f64, top: f64, zoom: f64) -> Vec<f64> {
        let (width, height) = (plane.row_bytes(), plane.rows());
        let at = |x: f64, y: f64| {
            let (x, y) = (x.clamp(0.0, (width - 1) as f64), y.clamp(0.0, (height - 1) as f64));
            f64::from(plane.row(y as usize)[x as usize])
        };
        let mix = |a: f64, b: f64, share: f64| a + (b - a) * share;
        let mut out = Vec::new();
        for y in 0..height {
            let v = top + (y as f64 + 0.5) / zoom - 0.5;
            for x in 0..width {
                let u = left + (x as f64 + 0.5) / zoom - 0.5;
                let (x, y) = (u.floor(), v.floor());
                let above = mix(at(x, y), at(x + 1.0, y), u - x);
                let below = mix(at(x, y + 1.0), at(x + 1.0, y + 1.0), u - x);
                out.push(mix(above, below, v - y));
            }
        }
        out
    }

    #[test]
    fn parts_follow_the_definition_on_every_isa() {
        for format in [PixelFormat::I420, PixelFormat::I422, PixelFormat::Grey] {
            for (width, height) in [(64, 36), (37, 23), (16, 9), (5, 1), (1, 7), (130, 6)] {
                let picture = noise(format, SizePx::new(width, height));
                let mut cropper = FrameCropper::default();
                let mut out = noise(PixelFormat::Grey, SizePx::new(1, 1));
                for isa in Isa::available() {
                    for zoom in [1.0, 1.001, 1.37, 2.0, 3.99] {
                        let room = |side: u32| f64::from(side) * (1.0 - 1.0 / zoom);
                        for share in [0.0, 0.31, 1.0] {
                            let (left_px, top_px) = (share * room(width), share * room(height));
                            let part = PartPx { left_px, top_px, zoom };
                            cropper.planes.iter_mut().for_each(|plane| plane.isa = isa);
                            cropper.crop(picture.view(), part, &mut out).unwrap();
                            for index in 0..format.plane_count() {
                                let half = |plane: bool| if index > 0 && plane { 2.0 } else { 1.0 };
                                let (x, y) = (half(true), half(format == PixelFormat::I420));
                                let plane = picture.view().plane(index);
                                let expected = reference(plane, left_px / x, top_px / y, zoom);
                                let seen = out.view().plane(index);
                                for (&seen, expected) in seen.iter_rows().flatten().zip(expected) {
                                    let error = (f64::from(seen) - expected).abs();
                                    assert!(error <= 0.6, "{isa:?} {format} {part:?} {error}");
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_whole_is_a_copy_and_packed_pictures_are_refused() {
        let picture = noise(PixelFormat::I420, SizePx::new(67, 41));
        let mut out = noise(PixelFormat::Grey, SizePx::new(1, 1));
        FrameCropper::default().crop(picture.view(), PartPx::WHOLE, &mut out).unwrap();
        assert_eq!(out.bytes(), picture.bytes());
        let packed = noise(PixelFormat::Yuyv, SizePx::new(8, 6));
        assert!(FrameCropper::default().crop(packed.view(), PartPx::WHOLE, &mut out).is_err());
    }
}
