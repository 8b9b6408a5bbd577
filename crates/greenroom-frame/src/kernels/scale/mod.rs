//! Weighted sums of rows and of neighbours in a row, the two halves of scaling a plane.
//!
//! Weights are Q14 (16384 = 1). Between the two halves samples are Q7 (`u8 << 7`), so that only
//! the last half rounds to 8 bits.

mod scalar;

use crate::kernels::dispatch;

/// Bits behind the point of a weight.
pub(crate) const WEIGHT_BITS: u32 = 14;
/// Bits behind the point of a sample between the two halves.
pub(crate) const BETWEEN_BITS: u32 = 7;

/// One tap list: the output sample is the sum of `weights[k] * input[start + k]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taps<'a> {
    pub(crate) start: usize,
    pub(crate) weights: &'a [i16],
}

/// The tap lists of all output samples of one direction, each `width` long.
#[derive(Debug, Clone)]
pub(crate) struct TapTable {
    pub(crate) starts: Vec<u32>,
    pub(crate) weights: Vec<i16>,
    pub(crate) width: usize,
}

impl TapTable {
    pub(crate) fn taps(&self, index: usize) -> Taps<'_> {
        Taps {
            start: self.starts[index] as usize,
            weights: &self.weights[index * self.width..][..self.width],
        }
    }
}

dispatch! {
    /// One output row from the input rows `taps` names: 8-bit in, Q7 out. Row `k` of the sum starts
    /// at `(taps.start + k) * stride_bytes` of `plane`. `sums` is scratch of `out`'s length.
    fn rows_to_between(out: &mut [i16], plane: &[u8], stride_bytes: usize, taps: Taps<'_>, sums: &mut [i32]);
    /// The same with Q7 rows, tightly one behind the other, in, and 8 bits out.
    fn rows_to_bytes(out: &mut [u8], between: &[i16], taps: Taps<'_>, sums: &mut [i32]);
    /// One row scaled along itself: 8-bit in, Q7 out.
    fn row_to_between(out: &mut [i16], row: &[u8], table: &TapTable);
    /// One row scaled along itself: Q7 in, 8 bits out.
    fn row_to_bytes(out: &mut [u8], row: &[i16], table: &TapTable);
}
