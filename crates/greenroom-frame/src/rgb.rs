//! Pictures of red, green and blue, as screens have them, become planar.

use std::time::Instant;

use crate::{Colour, Frame, FrameError, PixelFormat, SizePx};

/// The bytes of a pixel of four, in their order; the fourth is not looked at: where it is a share of opacity, the others
/// are over black already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RgbOrder {
    /// Blue, green, red: what PipeWire calls BGRx and BGRA.
    Bgrx,
    /// Red, green, blue: RGBx and RGBA.
    Rgbx,
}

/// A borrowed picture of red, green and blue: four bytes a pixel. Only an edge of the program has one.
#[derive(Debug, Clone, Copy)]
pub struct RgbView<'a> {
    order: RgbOrder,
    size: SizePx,
    stride_bytes: usize,
    data: &'a [u8],
}

const PIXEL_BYTES: usize = 4;

impl<'a> RgbView<'a> {
    /// The picture of `size` in `data`, whose rows begin every `stride_bytes` bytes.
    ///
    /// # Errors
    /// [`FrameError::BadSize`], or [`FrameError::BadRgb`] if rows or data are too short.
    pub fn new(
        order: RgbOrder,
        size: SizePx,
        stride_bytes: usize,
        data: &'a [u8],
    ) -> Result<Self, FrameError> {
        size.checked()?;
        let (row_bytes, rows) = (PIXEL_BYTES * size.width_px as usize, size.height_px as usize);
        let need_bytes =
            stride_bytes.checked_mul(rows - 1).and_then(|it| it.checked_add(row_bytes));
        match need_bytes.and_then(|need_bytes| data.get(..need_bytes)) {
            Some(data) if stride_bytes >= row_bytes => Ok(Self { order, size, stride_bytes, data }),
            _ => Err(FrameError::BadRgb { size, stride_bytes, have_bytes: data.len() }),
        }
    }

    /// Width and height.
    pub fn size(&self) -> SizePx {
        self.size
    }

    /// The part of it that begins at `left_px`, `top_px` and is as large as `size`, or as much of that as there is; the whole
    /// if that is nothing.
    #[must_use]
    pub fn part(self, left_px: u32, top_px: u32, size: SizePx) -> Self {
        let Some(part) = size.within((left_px, top_px), self.size) else { return self };
        let start = top_px as usize * self.stride_bytes + PIXEL_BYTES * left_px as usize;
        Self { size: part, data: &self.data[start..], ..self }
    }

    /// Makes `into` this picture in 4:2:0 ([`PixelFormat::I420`]) and `colour`, taken at `captured_at`. Each colour sample
    /// is the mean of the pixels that it covers; a last column or row that is alone counts twice.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn to_planar(
        &self,
        colour: Colour,
        captured_at: Instant,
        into: &mut Frame,
    ) -> Result<(), FrameError> {
        into.reshape(PixelFormat::I420, self.size, colour)?;
        into.set_captured_at(captured_at);
        let weights = Weights::new(colour, self.order);
        let (width, rows) = (self.size.width_px as usize, self.size.height_px as usize);
        let row = |y: usize| &self.data[y * self.stride_bytes..][..PIXEL_BYTES * width];
        let mut view = into.view_mut();
        let [mut luma, mut u, mut v] = view.yuv_mut();
        // Two rows at a time, which are in the cache for both.
        for (y, (u, v)) in u.iter_rows_mut().zip(v.iter_rows_mut()).enumerate() {
            let (upper_y, lower_y) = (2 * y, (2 * y + 1).min(rows - 1));
            for y in upper_y..=lower_y {
                let (pixels, _) = row(y).as_chunks::<PIXEL_BYTES>();
                for (out, pixel) in luma.row_mut(y).iter_mut().zip(pixels) {
                    *out = weights.luma(*pixel);
                }
            }
            let (upper, lower) = (Pairs::of(row(upper_y)), Pairs::of(row(lower_y)));
            for (x, (u, v)) in u.iter_mut().zip(v).enumerate() {
                let (upper, lower) = (upper.sum(x), lower.sum(x));
                let sum = std::array::from_fn(|at| upper[at] + lower[at]);
                (*u, *v) = weights.chroma_of_four(sum);
            }
        }
        Ok(())
    }
}

/// A row, two pixels at a time.
struct Pairs<'a> {
    pairs: &'a [[u8; 2 * PIXEL_BYTES]],
    /// The last pixel, if it is alone.
    alone: &'a [u8],
}

impl<'a> Pairs<'a> {
    fn of(row: &'a [u8]) -> Self {
        let (pairs, alone) = row.as_chunks();
        Self { pairs, alone }
    }

    /// The first three bytes of both pixels of pair `x`, added.
    fn sum(&self, x: usize) -> [i32; 3] {
        match self.pairs.get(x) {
            Some(pair) => {
                std::array::from_fn(|at| i32::from(pair[at]) + i32::from(pair[PIXEL_BYTES + at]))
            }
            None => std::array::from_fn(|at| 2 * i32::from(self.alone[at])),
        }
    }
}

/// What the bytes of a pixel count, in their order, times [`ONE`].
struct Weights {
    y: [i32; 3],
    u: [i32; 3],
    v: [i32; 3],
    /// Luma of black, and a half to round.
    floor: i32,
}

const SHIFT: u32 = 16;
const ONE: f32 = (1 << SHIFT) as f32;
/// 128, and a half to round, of a sum of four pixels.
const MIDDLE_OF_FOUR: i32 = ((4 * 128) << SHIFT) + (2 << SHIFT);

impl Weights {
    fn new(colour: Colour, order: RgbOrder) -> Self {
        let (kr, kb) = colour.kr_kb();
        let (floor, luma, chroma) = colour.scales();
        let kg = 1.0 - kr - kb;
        let (of_u, of_v) = (chroma / (2.0 * (1.0 - kb)), chroma / (2.0 * (1.0 - kr)));
        let weights = |[r, g, b]: [f32; 3], scale: f32| {
            let fixed = |share: f32| (share * scale / 255.0 * ONE).round() as i32;
            match order {
                RgbOrder::Bgrx => [fixed(b), fixed(g), fixed(r)],
                RgbOrder::Rgbx => [fixed(r), fixed(g), fixed(b)],
            }
        };
        Self {
            y: weights([kr, kg, kb], luma),
            u: weights([-kr, -kg, 1.0 - kb], of_u),
            v: weights([1.0 - kr, -kg, -kb], of_v),
            floor: (floor * ONE) as i32 + (1 << (SHIFT - 1)),
        }
    }

    fn luma(&self, [a, b, c, _]: [u8; 4]) -> u8 {
        let [wa, wb, wc] = self.y;
        let sum = wa * i32::from(a) + wb * i32::from(b) + wc * i32::from(c) + self.floor;
        (sum >> SHIFT).clamp(0, 255) as u8
    }

    /// U and V of the sum of four pixels.
    fn chroma_of_four(&self, [a, b, c]: [i32; 3]) -> (u8, u8) {
        let code = |[wa, wb, wc]: [i32; 3]| {
            let sum = wa * a + wb * b + wc * c + MIDDLE_OF_FOUR;
            (sum >> (SHIFT + 2)).clamp(0, 255) as u8
        };
        (code(self.u), code(self.v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rgb8;

    #[test]
    fn every_colour_is_as_it_is_encoded_elsewhere() {
        let mut frame = Frame::new(PixelFormat::I420, SizePx::new(2, 2), Colour::HD).unwrap();
        for colour in [Colour::WEBCAM, Colour::JPEG, Colour::HD] {
            for step in 0..512u32 {
                let level = |bit: u32| ((step >> (3 * bit) & 7) * 36) as u8;
                let rgb = Rgb8 { r: level(0), g: level(1), b: level(2) };
                let wanted = colour.encode(rgb);
                for (order, pixel) in [
                    (RgbOrder::Bgrx, [rgb.b, rgb.g, rgb.r, 77]),
                    (RgbOrder::Rgbx, [rgb.r, rgb.g, rgb.b, 0]),
                ] {
                    // Three by three, with rows of four pixels.
                    let data = pixel.repeat(11);
                    let view = RgbView::new(order, SizePx::new(3, 3), 16, &data).unwrap();
                    view.to_planar(colour, Instant::now(), &mut frame).unwrap();
                    assert_eq!((frame.size(), frame.colour()), (SizePx::new(3, 3), colour));
                    for (plane, wanted) in [wanted.y, wanted.u, wanted.v].into_iter().enumerate() {
                        for sample in frame.view().plane(plane).iter_rows().flatten() {
                            assert!(sample.abs_diff(wanted) <= 1, "{rgb:?} {sample} {wanted}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_part_is_what_lies_there() {
        // Pixel x, y is (x, y, 0).
        let data: Vec<u8> = (0..6).flat_map(|y| (0..8).flat_map(move |x| [x, y, 0, 0])).collect();
        let view = RgbView::new(RgbOrder::Rgbx, SizePx::new(8, 6), 32, &data).unwrap();
        let part = view.part(2, 3, SizePx::new(4, 2));
        assert_eq!((part.size(), &part.data[..4]), (SizePx::new(4, 2), &[2, 3, 0, 0][..]));
        assert_eq!(view.part(5, 5, SizePx::new(100, 100)).size(), SizePx::new(3, 1));
        assert_eq!(view.part(8, 0, SizePx::new(1, 1)).size(), view.size());
        assert_eq!(view.part(0, 0, SizePx::new(0, 4)).size(), view.size());
        let mut frame = Frame::new(PixelFormat::I420, SizePx::new(2, 2), Colour::JPEG).unwrap();
        for part in [part, view.part(7, 5, SizePx::new(1, 1))] {
            part.to_planar(Colour::JPEG, Instant::now(), &mut frame).unwrap();
            assert_eq!(frame.size(), part.size());
        }
    }

    #[test]
    fn data_that_is_too_short_is_refused() {
        let (size, data) = (SizePx::new(2, 2), [0; 16]);
        let view = |stride, len: usize| RgbView::new(RgbOrder::Bgrx, size, stride, &data[..len]);
        assert!(view(8, 16).is_ok());
        for (stride, len) in [(8, 15), (7, 16), (9, 16), (usize::MAX, 16), (0, 0)] {
            assert!(view(stride, len).is_err(), "{stride} {len}");
        }
        assert!(RgbView::new(RgbOrder::Bgrx, SizePx::new(0, 2), 8, &data).is_err());
    }
}
