//! Weighted sums of rows and of neighbours in a row, the two halves of scaling a plane.
//!
//! Weights are Q14 (16384 = 1). Between the two halves samples are Q7 (`u8 << 7`), so that only
//! the last half rounds to 8 bits. Sums are exact integers, so every instruction set gives the same
//! bits.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod gathered;
mod scalar;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use table::{TapTable, Taps};

use crate::{Isa, dispatch};

/// Bits behind the point of a weight.
pub(crate) const WEIGHT_BITS: u32 = 14;
/// Bits behind the point of a sample between the two halves.
pub(crate) const BETWEEN_BITS: u32 = 7;

/// One output row from the input rows that `taps` names: 8-bit in, Q7 out. Row `k` of the sum
/// starts at `(taps.start + k) * stride_bytes` of `plane`.
///
/// # Panics
/// If `plane` ends before the last of these rows does.
pub(crate) fn rows_to_between(
    isa: Isa,
    out: &mut [i16],
    plane: &[u8],
    stride_bytes: usize,
    taps: Taps<'_>,
) {
    assert!(taps.rows_fit(out.len(), stride_bytes, plane.len()));
    dispatch!(isa, unsafe rows_to_between(out, plane, stride_bytes, taps));
}

/// The same with Q7 rows in, `stride` samples apart, and 8 bits out.
///
/// # Panics
/// If `between` ends before the last of the rows does.
pub(crate) fn rows_to_bytes(
    isa: Isa,
    out: &mut [u8],
    between: &[i16],
    stride: usize,
    taps: Taps<'_>,
) {
    assert!(taps.rows_fit(out.len(), stride, between.len()));
    dispatch!(isa, unsafe rows_to_bytes(out, between, stride, taps));
}

/// One row scaled along itself: 8-bit in, Q7 out.
///
/// # Panics
/// If the rows have other lengths than the table was made for.
pub(crate) fn row_to_between(isa: Isa, out: &mut [i16], row: &[u8], table: &TapTable) {
    assert_eq!((row.len(), out.len()), (table.from(), table.to()));
    dispatch!(isa, unsafe row_to_between(out, row, table));
}

/// One row scaled along itself: Q7 in, 8 bits out.
///
/// # Panics
/// If the rows have other lengths than the table was made for.
pub(crate) fn row_to_bytes(isa: Isa, out: &mut [u8], row: &[i16], table: &TapTable) {
    assert_eq!((row.len(), out.len()), (table.from(), table.to()));
    dispatch!(isa, unsafe row_to_bytes(out, row, table), avx512);
}
