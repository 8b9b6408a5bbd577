//! One row of one plane into another, one weight for all.

mod scalar;

use crate::dispatch_vectorised;

dispatch_vectorised! {
    /// `row = (over * weight + row * (255 - weight)) / 255`, rounded to the nearest. Both have the
    /// same length.
    pub(crate) fn fade_row(row: &mut [u8], over: &[u8], weight: u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_is_exact_at_every_width() {
        for isa in Isa::available() {
            for width in 0..=130usize {
                let weight = (width * 31 % 256) as u8;
                let row: Vec<u8> = (0..width).map(|x| (x * 37 + width * 7) as u8).collect();
                let over: Vec<u8> = (0..width).map(|x| (x * 101 + 5) as u8).collect();
                let mut out = row.clone();
                fade_row(isa, &mut out, &over, weight);
                for x in 0..width {
                    let [row, over, weight] = [row[x], over[x], weight].map(u32::from);
                    let exact = (2 * (over * weight + row * (255 - weight)) + 255) / 510;
                    assert_eq!(u32::from(out[x]), exact, "{isa:?} width {width} x {x}");
                }
            }
        }
    }
}
