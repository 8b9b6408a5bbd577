#[inline(always)]
pub(super) fn fade_row(row: &mut [u8], over: &[u8], weight: u8) {
    let weight = u16::from(weight);
    for (sample, &over) in row.iter_mut().zip(over) {
        // As in `blend_row`: sixteen lanes a register, and exact.
        let sum = u16::from(over) * weight + u16::from(*sample) * (255 - weight) + 128;
        *sample = ((sum + (sum >> 8)) >> 8) as u8;
    }
}
