//! One row of one plane: person over background, weighted by alpha.

mod scalar;

use crate::dispatch_vectorised;

dispatch_vectorised! {
    /// `out = (over * alpha + under * (255 - alpha)) / 255`, rounded to the nearest. All rows have
    /// the same length; samples are 0..=255, alpha 0 = `under`, 255 = `over`.
    pub(crate) fn blend_row(out: &mut [u8], over: &[u8], under: &[u8], alpha: &[u8]);
    /// The same in place: `under` becomes what is seen.
    pub(crate) fn lay_row(under: &mut [u8], over: &[u8], alpha: &[u8]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_is_exact_at_every_width() {
        for isa in Isa::available() {
            for width in 0..=130usize {
                let sample = |x: usize, k: usize| ((x * 37 + k * 101 + width * 7) % 256) as u8;
                let [over, under, alpha]: [Vec<u8>; 3] =
                    std::array::from_fn(|k| (0..width).map(|x| sample(x, k)).collect());
                let mut out = vec![7; width];
                blend_row(isa, &mut out, &over, &under, &alpha);
                for x in 0..width {
                    let [o, u, a] = [over[x], under[x], alpha[x]].map(u32::from);
                    let exact = (2 * (o * a + u * (255 - a)) + 255) / 510;
                    assert_eq!(u32::from(out[x]), exact, "{isa:?} width {width} x {x}");
                }
                let mut laid = under.clone();
                lay_row(isa, &mut laid, &over, &alpha);
                assert_eq!(laid, out);
            }
        }
    }

    #[test]
    fn opaque_and_clear_are_copies() {
        let every: Vec<u8> = (0..=255).collect();
        let other: Vec<u8> = every.iter().rev().copied().collect();
        let mut out = vec![0; 256];
        for isa in Isa::available() {
            blend_row(isa, &mut out, &every, &other, &[255; 256]);
            assert_eq!(out, every);
            blend_row(isa, &mut out, &every, &other, &[0; 256]);
            assert_eq!(out, other);
        }
    }
}
