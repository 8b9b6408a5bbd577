//! Weights and maps as pairs of bf16: floats that are cut to 8 significant bits, half as wide.

/// Two bf16 in the halves of 32 bits, the first in the lower half.
pub type Pair = u32;

/// Pixels side by side, the channels of a pixel side by side.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    Floats(&'a [f32]),
    /// Rounded, for layers [in pairs](super::Pointwise::in_pairs): two channels each, which are even in number.
    Pairs(&'a [Pair]),
}

impl Values<'_> {
    /// How many values these are.
    pub fn len(self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Pairs(pairs) => 2 * pairs.len(),
        }
    }
}

/// [`Values`] to be written. Who writes pairs rounds to the nearest, ties to even.
#[derive(Debug)]
pub enum ValuesMut<'a> {
    Floats(&'a mut [f32]),
    Pairs(&'a mut [Pair]),
}

impl ValuesMut<'_> {
    /// How many values these are.
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Pairs(pairs) => 2 * pairs.len(),
        }
    }

    /// `len` values from the one at `first` on; both are even.
    #[cfg(target_arch = "x86_64")]
    pub fn part(&mut self, first: usize, len: usize) -> ValuesMut<'_> {
        debug_assert!(first.is_multiple_of(2) && len.is_multiple_of(2));
        match self {
            Self::Floats(values) => ValuesMut::Floats(&mut values[first..][..len]),
            Self::Pairs(pairs) => ValuesMut::Pairs(&mut pairs[first / 2..][..len / 2]),
        }
    }
}

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
