//! One row: samples of one colour encoding to another's.
//!
//! Weights are Q13 and at most 2 in size; offsets are Q13 as well and carry the rounding half.

mod scalar;

use crate::dispatch_vectorised;

/// Bits behind the point.
pub(crate) const BITS: u32 = 13;

/// `own * x + first * (p - 128) + second * (q - 128) + offset`, clamped: one output sample from
/// the sample in its place and two others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mix {
    pub(crate) own: i32,
    pub(crate) first: i32,
    pub(crate) second: i32,
    pub(crate) offset: i32,
}

dispatch_vectorised! {
    /// A row of luma in place, from itself alone (a change of range).
    pub(crate) fn rerange_row(row: &mut [u8], mix: Mix);
    /// A row of luma in place, from itself and the chroma rows of half its length.
    pub(crate) fn remix_luma(row: &mut [u8], u: &[u8], v: &[u8], mix: Mix);
    /// A row of U and one of V in place, each from both.
    pub(crate) fn remix_chroma(u: &mut [u8], v: &mut [u8], to_u: Mix, to_v: Mix);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_gives_the_same_bits_at_every_width() {
        let mix = Mix { own: 7000, first: -800, second: 900, offset: 131_072 };
        for width in 1..=130usize {
            let row: Vec<u8> = (0..width).map(|x| (x * 71 % 256) as u8).collect();
            let half = |k: usize| -> Vec<u8> {
                (0..width.div_ceil(2)).map(|x| (x * 53 + k * 90) as u8).collect()
            };
            let runs: Vec<_> = Isa::available()
                .map(|isa| {
                    let (mut y, mut z, mut u, mut v) = (row.clone(), row.clone(), half(1), half(2));
                    rerange_row(isa, &mut y, mix);
                    remix_luma(isa, &mut z, &u, &v, mix);
                    remix_chroma(isa, &mut u, &mut v, mix, mix);
                    (y, z, u, v)
                })
                .collect();
            assert!(runs.windows(2).all(|pair| pair[0] == pair[1]), "width {width}");
        }
    }
}
