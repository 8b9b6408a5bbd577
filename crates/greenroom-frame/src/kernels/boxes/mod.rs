//! Means of values that lie at even distances: a box blur along rows, or along columns.

mod scalar;

use crate::dispatch_vectorised;

dispatch_vectorised! {
    /// `out[x] = (from[x] + from[x + stride] + ... + from[x + (count - 1) * stride]) / count`, summed in
    /// that order. `from` ends with the last value that is needed.
    pub(crate) fn mean_of_steps(out: &mut [f32], from: &[f32], stride: usize, count: usize);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_gives_the_same_bits_at_every_width() {
        for (len, stride, count) in
            (0..=129usize).flat_map(|len| [(len, 4, 7), (len, 1, 1), (len, len + 3, 5)])
        {
            let from: Vec<f32> =
                (0..len + (count - 1) * stride).map(|x| ((x * 7919) % 65_026) as f32).collect();
            for isa in Isa::available() {
                let mut out = vec![-1.0; len];
                mean_of_steps(isa, &mut out, &from, stride, count);
                for (x, out) in out.into_iter().enumerate() {
                    let sum = (0..count).fold(0.0, |sum, step| sum + from[x + step * stride]);
                    assert_eq!(out, sum * (1.0 / count as f32), "{isa:?} {len} {stride} {count}");
                }
            }
        }
    }
}
