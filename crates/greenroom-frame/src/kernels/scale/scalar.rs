use super::{BETWEEN_BITS, TapTable, Taps, WEIGHT_BITS};

/// Adds the weighted rows into `sums`, two at a time: `a * x + b * y` over 16-bit values is one
/// `pmaddwd` for the compiler.
#[inline(always)]
fn sum_rows<'a, T: Copy + Into<i32> + 'a>(
    sums: &mut [i32],
    row: impl Fn(usize) -> &'a [T],
    weights: &[i16],
) {
    sums.fill(0);
    let (pairs, last) = weights.as_chunks::<2>();
    for (k, &[first, second]) in pairs.iter().enumerate() {
        let (first, second) = (i32::from(first), i32::from(second));
        let rows = row(2 * k).iter().zip(row(2 * k + 1));
        for (sum, (&above, &below)) in sums.iter_mut().zip(rows) {
            *sum += first * above.into() + second * below.into();
        }
    }
    if let &[weight] = last {
        for (sum, &sample) in sums.iter_mut().zip(row(weights.len() - 1)) {
            *sum += i32::from(weight) * sample.into();
        }
    }
}

#[inline(always)]
fn to_between(sum: i32) -> i16 {
    // Weights of one output are all positive and sum to exactly 1: at most 255 << 7, fits.
    ((sum + (1 << (WEIGHT_BITS - BETWEEN_BITS - 1))) >> (WEIGHT_BITS - BETWEEN_BITS)) as i16
}

#[inline(always)]
fn to_byte(sum: i32) -> u8 {
    const SHIFT: u32 = WEIGHT_BITS + BETWEEN_BITS;
    ((sum + (1 << (SHIFT - 1))) >> SHIFT).clamp(0, 255) as u8
}

#[inline(always)]
pub(super) fn rows_to_between(
    out: &mut [i16],
    plane: &[u8],
    stride_bytes: usize,
    taps: Taps<'_>,
    sums: &mut [i32],
) {
    let width = out.len();
    sum_rows(sums, |k| &plane[(taps.start + k) * stride_bytes..][..width], taps.weights);
    for (out, &sum) in out.iter_mut().zip(&*sums) {
        *out = to_between(sum);
    }
}

#[inline(always)]
pub(super) fn rows_to_bytes(out: &mut [u8], between: &[i16], taps: Taps<'_>, sums: &mut [i32]) {
    let width = out.len();
    sum_rows(sums, |k| &between[(taps.start + k) * width..][..width], taps.weights);
    for (out, &sum) in out.iter_mut().zip(&*sums) {
        *out = to_byte(sum);
    }
}

/// Calls `put` with every output's index and weighted sum. Two taps (any enlargement) and the
/// rest are apart, so that the common short loop has no inner loop.
#[inline(always)]
fn sum_along<T: Copy + Into<i32>, O>(
    out: &mut [O],
    row: &[T],
    table: &TapTable,
    finish: impl Fn(i32) -> O,
) {
    if table.width == 2 {
        let weights = table.weights.as_chunks::<2>().0;
        for ((out, &start), &[first, second]) in out.iter_mut().zip(&table.starts).zip(weights) {
            let pair = &row[start as usize..][..2];
            let sum = i32::from(first) * pair[0].into() + i32::from(second) * pair[1].into();
            *out = finish(sum);
        }
        return;
    }
    let weights = table.weights.chunks_exact(table.width);
    for ((out, &start), weights) in out.iter_mut().zip(&table.starts).zip(weights) {
        let samples = &row[start as usize..][..table.width];
        let products = samples.iter().zip(weights).map(|(&s, &w)| s.into() * i32::from(w));
        *out = finish(products.sum());
    }
}

#[inline(always)]
pub(super) fn row_to_between(out: &mut [i16], row: &[u8], table: &TapTable) {
    sum_along(out, row, table, to_between);
}

#[inline(always)]
pub(super) fn row_to_bytes(out: &mut [u8], row: &[i16], table: &TapTable) {
    sum_along(out, row, table, to_byte);
}
