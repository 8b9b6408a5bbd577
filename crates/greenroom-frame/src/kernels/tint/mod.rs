//! One row of one plane, towards one value, each sample by a weight of its own.

mod scalar;

use crate::dispatch_vectorised;

dispatch_vectorised! {
    /// `row = (value * weight + row * (255 - weight)) / 255`, rounded to the nearest. Both rows have
    /// the same length.
    pub(crate) fn tint_row(row: &mut [u8], weights: &[u8], value: u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_is_exact_at_every_width() {
        for isa in Isa::available() {
            for width in 0..=130usize {
                let value = (width * 31 % 256) as u8;
                let row: Vec<u8> = (0..width).map(|x| (x * 37 + width * 7) as u8).collect();
                let weights: Vec<u8> = (0..width).map(|x| (x * 101 + 5) as u8).collect();
                let mut out = row.clone();
                tint_row(isa, &mut out, &weights, value);
                for x in 0..width {
                    let [row, value, weight] = [row[x], value, weights[x]].map(u32::from);
                    let exact = (2 * (value * weight + row * (255 - weight)) + 255) / 510;
                    assert_eq!(u32::from(out[x]), exact, "{isa:?} width {width} x {x}");
                }
            }
        }
    }
}
