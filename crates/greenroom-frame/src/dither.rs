use crate::kernels::dither::{BITS, dither_row};
use crate::{FrameError, Isa, PlaneMut, SizePx};

/// Enlarges small planes of samples finer than 8 bits (bilinear, half-pixel centres) and dithers
/// them to 8 bits, so that the slowest slope shows no bands. The dither is ordered and stands
/// still (8x8, Bayer 1973): what does not move does not flicker.
#[derive(Debug)]
pub struct DitherScaler {
    from: SizePx,
    to: SizePx,
    /// For each output column the first of its two input columns and the second one's weight, Q15.
    columns: Vec<(u32, i16)>,
    /// The input, wide: as many rows as it has.
    wide: Vec<i16>,
    /// The dither's eight rows, as wide as the output.
    thresholds: [Vec<i16>; 8],
    isa: Isa,
}

impl DitherScaler {
    /// What a sample of one 8-bit code is.
    pub const ONE: f32 = (1 << BITS) as f32;

    /// A scaler for planes of `from` samples to planes of `to` samples. It is made for enlarging;
    /// reducing it leaves samples out.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn new(from: SizePx, to: SizePx) -> Result<Self, FrameError> {
        from.checked()?;
        to.checked()?;
        let columns = (0..to.width_px).map(|x| between(from.width_px, to.width_px, x)).collect();
        let wide = vec![0; to.width_px as usize * from.height_px as usize];
        let thresholds =
            std::array::from_fn(|y| (0..to.width_px as usize).map(|x| threshold(x, y)).collect());
        Ok(Self { from, to, columns, wide, thresholds, isa: Isa::best() })
    }

    /// A value in 8-bit codes as a finer sample; what lies outside 0 to 255 is cut off.
    pub fn sample(code: f32) -> i16 {
        (code.clamp(0.0, 255.0) * Self::ONE + 0.5) as i16
    }

    /// Scales one plane; `small` has its samples row by row, each 0 to 255 * 64.
    ///
    /// # Panics
    /// If the planes are not of the scaler's sizes: that is the caller's mistake.
    pub fn scale(&mut self, small: &[i16], into: &mut PlaneMut<'_>) {
        assert_eq!(small.len() as u64, self.from.area_px());
        assert_eq!(into.row_bytes() as u32, self.to.width_px);
        assert_eq!(into.rows() as u32, self.to.height_px);
        let (from_width, width) = (self.from.width_px as usize, self.to.width_px as usize);
        let rows = small.chunks_exact(from_width).zip(self.wide.chunks_exact_mut(width));
        for (row, wide) in rows {
            for (out, &(start, weight)) in wide.iter_mut().zip(&self.columns) {
                let one = i32::from(row[start as usize]);
                let other = i32::from(row[(start as usize + 1).min(from_width - 1)]);
                *out = (one + (((other - one) * i32::from(weight)) >> 15)) as i16;
            }
        }
        let last = self.from.height_px as usize - 1;
        for (y, out) in into.iter_rows_mut().enumerate() {
            let (start, weight) = between(self.from.height_px, self.to.height_px, y as u32);
            let row = |y: usize| &self.wide[y.min(last) * width..][..width];
            let start = start as usize;
            let dither = &self.thresholds[y % 8];
            dither_row(self.isa, out, row(start), row(start + 1), weight, dither);
        }
    }
}

/// The first of the two inputs of output `index`, and the second one's weight, Q15.
fn between(from: u32, to: u32, index: u32) -> (u32, i16) {
    let centre = (f64::from(index) + 0.5) * f64::from(from) / f64::from(to) - 0.5;
    let centre = centre.clamp(0.0, f64::from(from - 1));
    let start = centre.floor();
    (start as u32, ((centre - start) * 32_767.0) as i16)
}

/// The dither at a place: 0 to 63, each once in eight by eight.
fn threshold(x: usize, y: usize) -> i16 {
    // The bits of x ^ y and y, interleaved, lowest first to the highest place.
    (0..3).fold(0, |threshold, bit| {
        let (mixed, own) = (((x ^ y) >> bit) & 1, (y >> bit) & 1);
        threshold << 2 | (mixed << 1 | own) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, Frame, PixelFormat};

    fn scaled(small: &[i16], from: SizePx, to: SizePx) -> Frame {
        let mut out = Frame::new(PixelFormat::Grey, to, Colour::JPEG).unwrap();
        let mut scaler = DitherScaler::new(from, to).unwrap();
        scaler.scale(small, &mut out.view_mut().plane_mut(0));
        out
    }

    #[test]
    fn thresholds_are_each_there_once() {
        let mut seen: Vec<_> = (0..64).map(|index| threshold(index % 8, index / 8)).collect();
        assert_eq!(threshold(3, 5), threshold(11, 13));
        seen.sort_unstable();
        assert_eq!(seen, (0..64).collect::<Vec<i16>>());
    }

    #[test]
    fn whole_codes_stay_and_parts_are_dithered_to_their_mean() {
        let (from, to) = (SizePx::new(3, 2), SizePx::new(80, 64));
        for code in [0.0, 17.0, 255.0] {
            let out = scaled(&[DitherScaler::sample(code); 6], from, to);
            assert!(out.bytes().iter().all(|&sample| f32::from(sample) == code), "{code}");
        }
        for code in [100.25, 100.5, 100.75] {
            let out = scaled(&[DitherScaler::sample(code); 6], from, to);
            let mean = out.bytes().iter().map(|&b| f32::from(b)).sum::<f32>() / (80.0 * 64.0);
            assert!((mean - code).abs() < 0.02, "{mean} {code}");
            assert!(out.bytes().iter().all(|&sample| (100..=101).contains(&sample)));
        }
    }

    #[test]
    fn slopes_go_from_end_to_end() {
        let from = SizePx::new(2, 1);
        let small = [10.0, 20.0].map(DitherScaler::sample);
        let out = scaled(&small, from, SizePx::new(640, 8));
        let column = |x: usize| {
            let rows = out.view().plane(0).iter_rows().map(|row| row[x..][..8].to_vec());
            let block: Vec<u8> = rows.flatten().collect();
            block.iter().map(|&b| f32::from(b)).sum::<f32>() / 64.0
        };
        // Half-pixel centres: the ends are flat for a quarter of the width.
        for (x, code) in [(0, 10.0), (100, 10.0), (316, 15.0), (240, 12.63), (632, 20.0)] {
            assert!((column(x) - code).abs() < 0.15, "{x}: {}", column(x));
        }
        assert_eq!(scaled(&[640; 2], from, SizePx::new(1, 1)).bytes(), [10]);
    }
}
