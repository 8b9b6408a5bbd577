//! One row: samples of one colour encoding to another's.

mod scalar;

use crate::dispatch_vectorised;

/// `own * x + first * (p - 128) + second * (q - 128) + offset`, rounded and clamped: one output sample from the sample in
/// its place and two others. In integers of 16 bits, which are twice as many in a vector as those of 32; what is rounded
/// off is less than a twentieth of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mix {
    /// 0.0..2.0, in 16384ths; even.
    pub(crate) own: u16,
    /// -2.0..2.0, in 16384ths.
    pub(crate) first: i16,
    pub(crate) second: i16,
    /// -255.0..=255.0 codes, in 64ths, and the half that rounds.
    pub(crate) offset: i16,
}

impl Mix {
    /// Weights out of their range are the nearest in it.
    pub(crate) fn new(own: f32, [first, second]: [f32; 2], offset: f32) -> Self {
        let weight = |weight: f32| (weight * 16_384.0).round();
        // Each of the three products is cut off, by half a 64th in the mean.
        let half = 32.0 + 1.5;
        Self {
            own: 2 * (weight(own / 2.0) as i16).max(0) as u16,
            first: weight(first) as i16,
            second: weight(second) as i16,
            offset: (offset * 64.0 + half).round() as i16,
        }
    }

    /// What becomes of a sample with these others.
    #[inline(always)]
    pub(crate) fn of(self, sample: u8, [first, second]: [u8; 2]) -> u8 {
        let shares = scalar::share(first, self.first);
        let shares = shares.saturating_add(scalar::share(second, self.second));
        scalar::mixed(u16::from(sample), self.own, shares.saturating_add(self.offset)) as u8
    }
}

dispatch_vectorised! {
    /// A row in place, each sample from itself alone (a change of range).
    pub(crate) fn rerange_row(row: &mut [u8], mix: Mix);
    /// A row of luma from itself and the chroma rows of half its length, rounded up.
    pub(crate) fn remix_luma(out: &mut [u8], y: &[u8], u: &[u8], v: &[u8], mix: Mix);
    /// A row of U or V in place, each sample from itself and its partner.
    pub(crate) fn remix_chroma(row: &mut [u8], partner: &[u8], mix: Mix);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_gives_the_same_bits_at_every_width() {
        let mix = Mix::new(0.85, [-0.1, 0.11], 16.0);
        for width in 1..=130usize {
            let row: Vec<u8> = (0..width).map(|x| (x * 71 % 256) as u8).collect();
            let half = |k: usize| -> Vec<u8> {
                (0..width.div_ceil(2)).map(|x| (x * 53 + k * 90) as u8).collect()
            };
            let runs: Vec<_> = Isa::available()
                .map(|isa| {
                    let (mut y, mut z, mut u) = (row.clone(), row.clone(), half(1));
                    rerange_row(isa, &mut y, mix);
                    remix_luma(isa, &mut z, &row, &half(1), &half(2), mix);
                    remix_chroma(isa, &mut u, &half(2), mix);
                    (y, z, u)
                })
                .collect();
            assert!(runs.windows(2).all(|pair| pair[0] == pair[1]), "width {width}");
        }
    }

    #[test]
    fn samples_are_the_nearest_to_the_formula() {
        for (own, weights, offset) in
            [(0.859, [-0.1, 0.17], 16.0), (1.164, [0.2, 0.1], -18.6), (1.0, [-0.12, -0.21], 0.0)]
        {
            let mix = Mix::new(own, weights, offset);
            for (u, v) in [(0, 0), (16, 240), (128, 128), (255, 3), (77, 200)] {
                let y: Vec<u8> = (0..=255).collect();
                let mut out = vec![0; 256];
                remix_luma(Isa::SCALAR, &mut out, &y, &[u; 128], &[v; 128], mix);
                for (y, out) in y.into_iter().zip(out) {
                    let [first, second] = [u, v].map(|sample| f32::from(sample) - 128.0);
                    let exact = own * f32::from(y) + weights[0] * first + weights[1] * second;
                    let exact = (exact + offset).clamp(0.0, 255.0);
                    assert!((f32::from(out) - exact).abs() < 0.55, "{y} {u} {v}: {out} {exact}");
                }
            }
        }
    }
}
