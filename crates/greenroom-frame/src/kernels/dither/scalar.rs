use super::BITS;

/// Samples that are worked on at a time: the dither's eight, twice, fill an AVX2 register.
const BLOCK: usize = 16;

#[inline(always)]
fn mix(above: i16, below: i16, weight: i16, dither: i16) -> u8 {
    // The high half of a 16-bit product, which every instruction set has: Q15 times twice the
    // difference. At most 2 * 255 * 64 = 32640, so nothing overflows.
    let step = (i32::from((below - above) * 2) * i32::from(weight)) >> 16;
    ((above + step as i16 + dither) >> BITS) as u8
}

#[inline(always)]
pub(super) fn dither_row(
    out: &mut [u8],
    above: &[i16],
    below: &[i16],
    weight: i16,
    dither: &[i16; BLOCK],
) {
    let (out, out_rest) = out.as_chunks_mut::<BLOCK>();
    let ((above, above_rest), (below, below_rest)) =
        (above.as_chunks::<BLOCK>(), below.as_chunks::<BLOCK>());
    for ((out, above), below) in out.iter_mut().zip(above).zip(below) {
        for index in 0..BLOCK {
            out[index] = mix(above[index], below[index], weight, dither[index]);
        }
    }
    for (index, out) in out_rest.iter_mut().enumerate() {
        *out = mix(above_rest[index], below_rest[index], weight, dither[index]);
    }
}
