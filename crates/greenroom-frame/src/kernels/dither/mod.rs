//! One row of one plane, between two rows of finer samples, dithered to 8 bits.

mod scalar;

use crate::dispatch_vectorised;

/// Bits behind the point of a finer sample: 64 = one code.
pub(crate) const BITS: u32 = 6;

dispatch_vectorised! {
    /// `out = floor(above + (below - above) * weight + dither)`. Samples are Q6, 0 to 255 * 64;
    /// `weight` is Q15, 0 to 32767; `dither` is Q6, 0 to 63. All rows have the same length.
    pub(crate) fn dither_row(out: &mut [u8], above: &[i16], below: &[i16], weight: i16, dither: &[i16]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_follows_the_definition_at_every_width() {
        for isa in Isa::available() {
            for width in 0..=130usize {
                let sample =
                    |x: usize, k: usize| ((x * 3701 + k * 977 + width * 71) % 16_321) as i16;
                let [above, below]: [Vec<i16>; 2] =
                    std::array::from_fn(|k| (0..width).map(|x| sample(x, k)).collect());
                let dither: Vec<i16> = (0..width).map(|x| (x * 23 % 64) as i16).collect();
                for weight in [0, 1, 9000, 32_767] {
                    let mut out = vec![7; width];
                    dither_row(isa, &mut out, &above, &below, weight, &dither);
                    for x in 0..width {
                        let (a, b) = (f64::from(above[x]), f64::from(below[x]));
                        let between = a + ((b - a) * f64::from(weight) / 32_768.0).floor();
                        let exact = ((between + f64::from(dither[x])) / 64.0).floor();
                        assert_eq!(f64::from(out[x]), exact, "{isa:?} width {width} x {x}");
                    }
                }
            }
        }
    }
}
