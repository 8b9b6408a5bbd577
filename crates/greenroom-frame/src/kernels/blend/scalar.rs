#[inline(always)]
fn blended(over: u8, under: u8, alpha: u8) -> u8 {
    // 255 * 255 + 128 and the fold below stay under 2^16: sixteen lanes a register.
    let [over, under, alpha] = [over, under, alpha].map(u16::from);
    let sum = over * alpha + under * (255 - alpha) + 128;
    // (t + t/256) / 256 is t/255, exact for these sums.
    ((sum + (sum >> 8)) >> 8) as u8
}

#[inline(always)]
pub(super) fn blend_row(out: &mut [u8], over: &[u8], under: &[u8], alpha: &[u8]) {
    let rows = over.iter().zip(under).zip(alpha);
    for (out, ((&over, &under), &alpha)) in out.iter_mut().zip(rows) {
        *out = blended(over, under, alpha);
    }
}

#[inline(always)]
pub(super) fn lay_row(under: &mut [u8], over: &[u8], alpha: &[u8]) {
    for (under, (&over, &alpha)) in under.iter_mut().zip(over.iter().zip(alpha)) {
        *under = blended(over, *under, alpha);
    }
}
