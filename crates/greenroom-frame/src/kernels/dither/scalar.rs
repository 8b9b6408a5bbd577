use super::BITS;

#[inline(always)]
pub(super) fn dither_row(
    out: &mut [u8],
    above: &[i16],
    below: &[i16],
    weight: i16,
    dither: &[i16],
) {
    let rows = above.iter().zip(below).zip(dither);
    for (out, ((&above, &below), &dither)) in out.iter_mut().zip(rows) {
        // The high half of a 16-bit product, which every instruction set has: Q15 times twice the
        // difference. At most 2 * 255 * 64 = 32640, so nothing overflows.
        let step = (i32::from((below - above) * 2) * i32::from(weight)) >> 16;
        *out = ((above + step as i16 + dither) >> BITS) as u8;
    }
}
