use super::{BETWEEN_BITS, TapTable, Taps, WEIGHT_BITS};

pub(super) fn to_between(sum: i32) -> i16 {
    // Weights of one output are all positive and sum to exactly 1: at most 255 << 7, fits.
    ((sum + (1 << (WEIGHT_BITS - BETWEEN_BITS - 1))) >> (WEIGHT_BITS - BETWEEN_BITS)) as i16
}

pub(super) fn to_byte(sum: i32) -> u8 {
    const SHIFT: u32 = WEIGHT_BITS + BETWEEN_BITS;
    ((sum + (1 << (SHIFT - 1))) >> SHIFT).clamp(0, 255) as u8
}

/// Columns that are summed at a time, over all rows, so that the sums stay near.
const BLOCK: usize = 256;

/// The weighted sums of rows of samples. Row `k` begins at `k * stride` of `rows`.
#[inline(always)]
fn sum_rows<T: Copy + Into<i32>, O>(
    out: &mut [O],
    rows: &[T],
    stride: usize,
    weights: &[i16],
    finish: impl Fn(i32) -> O,
) {
    for (block, out) in out.chunks_mut(BLOCK).enumerate() {
        let row = |k: usize| &rows[k * stride + block * BLOCK..][..out.len()];
        let mut sums = [0; BLOCK];
        let sums = &mut sums[..out.len()];
        // Two rows at a time: `a * x + b * y` over 16-bit values is one `pmaddwd`.
        let (pairs, last) = weights.as_chunks::<2>();
        for (k, &[one, other]) in pairs.iter().enumerate() {
            let (one, other) = (i32::from(one), i32::from(other));
            let samples = row(2 * k).iter().zip(row(2 * k + 1));
            for (sum, (&above, &below)) in sums.iter_mut().zip(samples) {
                *sum += one * above.into() + other * below.into();
            }
        }
        if let &[weight] = last {
            for (sum, &sample) in sums.iter_mut().zip(row(weights.len() - 1)) {
                *sum += i32::from(weight) * sample.into();
            }
        }
        for (out, &sum) in out.iter_mut().zip(&*sums) {
            *out = finish(sum);
        }
    }
}

pub(super) fn rows_to_between(out: &mut [i16], plane: &[u8], stride_bytes: usize, taps: Taps<'_>) {
    let rows = &plane[taps.start * stride_bytes..];
    sum_rows(out, rows, stride_bytes, taps.weights, to_between);
}

pub(super) fn rows_to_bytes(out: &mut [u8], between: &[i16], stride: usize, taps: Taps<'_>) {
    let rows = &between[taps.start * stride..];
    sum_rows(out, rows, stride, taps.weights, to_byte);
}

/// Every output from `first` on. Lists of two (any enlargement) and longer ones are
/// apart, so that the common short one has no inner loop.
#[inline(always)]
fn sum_along<T: Copy + Into<i32>, O>(
    out: &mut [O],
    row: &[T],
    table: &TapTable,
    finish: impl Fn(i32) -> O,
    first: usize,
) {
    let outputs = out[first..].iter_mut().zip(table.lists(first));
    if table.width() == 2 {
        for (out, taps) in outputs {
            let (samples, weights) = (&row[taps.start..][..2], &taps.weights[..2]);
            let one = i32::from(weights[0]) * samples[0].into();
            *out = finish(one + i32::from(weights[1]) * samples[1].into());
        }
    } else {
        for (out, taps) in outputs {
            let samples = &row[taps.start..][..taps.weights.len()];
            let products = samples.iter().zip(taps.weights).map(|(&s, &w)| s.into() * i32::from(w));
            *out = finish(products.sum());
        }
    }
}

pub(super) fn row_to_between(out: &mut [i16], row: &[u8], table: &TapTable) {
    row_to_between_from(0, out, row, table);
}

/// The outputs from `first` on.
pub(super) fn row_to_between_from(first: usize, out: &mut [i16], row: &[u8], table: &TapTable) {
    sum_along(out, row, table, to_between, first);
}

pub(super) fn row_to_bytes(out: &mut [u8], row: &[i16], table: &TapTable) {
    row_to_bytes_from(0, out, row, table);
}

/// The outputs from `first` on.
pub(super) fn row_to_bytes_from(first: usize, out: &mut [u8], row: &[i16], table: &TapTable) {
    sum_along(out, row, table, to_byte, first);
}
