//! Weights as pairs of bf16: floats that are cut to 8 significant bits, half as wide.

/// Two bf16 in the halves of 32 bits, the first in the lower half.
pub type Pair = u32;

/// Multiplies the rows of `from`, `[inputs][width]`, by their factors, and pairs them in `to`.
pub fn pair<'a>(
    from: &[f32],
    width: usize,
    factors: impl Iterator<Item = &'a [f32; 2]>,
    to: &mut [Pair],
) {
    let rows = from.chunks_exact(2 * width).zip(to.chunks_exact_mut(width));
    for ((from, to), [first_factor, second_factor]) in rows.zip(factors) {
        let (first, second) = from.split_at(width);
        for ((to, first), second) in to.iter_mut().zip(first).zip(second) {
            let (first, second) = (first * first_factor, second * second_factor);
            *to = bf16(first) >> 16 | bf16(second);
        }
    }
}

/// The bits of the nearest bf16, ties to even, as those of a float.
fn bf16(value: f32) -> u32 {
    let bits = value.to_bits();
    // Half of the last place that is kept, or a little less where that is even.
    let rounded = bits.wrapping_add(0x7FFF + (bits >> 16 & 1));
    (if value.is_nan() { f32::NAN.to_bits() } else { rounded }) & 0xFFFF_0000
}
