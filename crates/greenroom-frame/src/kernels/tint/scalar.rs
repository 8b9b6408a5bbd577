#[inline(always)]
pub(super) fn tint_row(row: &mut [u8], weights: &[u8], value: u8) {
    let value = u16::from(value);
    for (sample, &weight) in row.iter_mut().zip(weights) {
        // As in `blend_row`: sixteen lanes a register, and exact.
        let weight = u16::from(weight);
        let sum = value * weight + u16::from(*sample) * (255 - weight) + 128;
        *sample = ((sum + (sum >> 8)) >> 8) as u8;
    }
}
