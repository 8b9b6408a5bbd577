//! Means of whole cells of a plane, in three steps: sums of columns, sums of neighbours, and the mean.
//!
//! Where a ratio is a whole number this takes less than half the time of [`scale`](super::scale), which
//! multiplies each sample by a weight.

mod scalar;

use crate::dispatch_vectorised;

dispatch_vectorised! {
    /// `sums[x] = above[x] + below[x]`.
    pub(crate) fn first_rows(sums: &mut [u16], above: &[u8], below: &[u8]);
    /// `sums[x] += above[x] + below[x]`.
    pub(crate) fn add_rows(sums: &mut [u16], above: &[u8], below: &[u8]);
    /// `sums[x] += row[x]`.
    pub(crate) fn add_row(sums: &mut [u16], row: &[u8]);
    /// `halves[x] = sums[2x] + sums[2x + 1]`.
    pub(crate) fn add_pairs(halves: &mut [u16], sums: &[u16]);
    /// The sums of `sums.len() / out.len()` neighbours, times `scale`, to the nearest.
    pub(crate) fn mean(out: &mut [u8], sums: &[u16], scale: f32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_is_exact_at_every_width() {
        for isa in Isa::available() {
            for width in 0..=130usize {
                let row = |seed: usize| -> Vec<u8> {
                    (0..width * 6)
                        .map(|x| ((x * 37 + seed * 101 + width * 7) % 256) as u8)
                        .collect()
                };
                let rows: [Vec<u8>; 5] = std::array::from_fn(row);
                let mut sums = vec![9; width * 6];
                first_rows(isa, &mut sums, &rows[0], &rows[1]);
                add_rows(isa, &mut sums, &rows[2], &rows[3]);
                add_row(isa, &mut sums, &rows[4]);
                let mut halves = vec![9; width * 3];
                add_pairs(isa, &mut halves, &sums);
                let mut out = vec![9; width];
                mean(isa, &mut out, &halves, 1.0 / 30.0);
                for (x, &out) in out.iter().enumerate() {
                    let cells = rows.iter().flat_map(|row| &row[6 * x..][..6]);
                    let sum: u32 = cells.map(|&sample| u32::from(sample)).sum();
                    let exact = f64::from(sum) / 30.0;
                    assert!((f64::from(out) - exact).abs() <= 0.5001, "{isa:?} {width} at {x}");
                }
            }
        }
    }
}
