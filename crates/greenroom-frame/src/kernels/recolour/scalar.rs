use super::Mix;

/// What chroma, or a partner, adds, in 64ths of a code.
#[inline(always)]
pub(super) fn share(sample: u8, weight: i16) -> i16 {
    let centred = (i16::from(sample) - 128) << 8;
    ((i32::from(centred) * i32::from(weight)) >> 16) as i16
}

/// The sample `own` of a row and what is added to it.
#[inline(always)]
pub(super) fn mixed(own: u16, weight: u16, added: i16) -> u16 {
    // The upper half of a product of 16 bits is one instruction for sixteen lanes.
    let own = ((u32::from(own << 8) * u32::from(weight)) >> 16) as i16;
    (own.saturating_add(added) >> 6).clamp(0, 255) as u16
}

#[inline(always)]
pub(super) fn rerange_row(row: &mut [u8], mix: Mix) {
    for sample in row {
        *sample = mixed(u16::from(*sample), mix.own, mix.offset) as u8;
    }
}

#[inline(always)]
pub(super) fn remix_luma(out: &mut [u8], y: &[u8], u: &[u8], v: &[u8], mix: Mix) {
    let added = |u: u8, v: u8| {
        let shares = share(u, mix.first).saturating_add(share(v, mix.second));
        shares.saturating_add(mix.offset)
    };
    let ((outs, last_out), (ys, last_y)) = (out.as_chunks_mut::<2>(), y.as_chunks::<2>());
    for ((out, y), (&u, &v)) in outs.iter_mut().zip(ys).zip(u.iter().zip(v)) {
        // A pair is one lane, as its chroma is.
        let pair = u16::from_le_bytes(*y);
        let added = added(u, v);
        let [left, right] = [pair & 0xff, pair >> 8].map(|own| mixed(own, mix.own, added));
        *out = (left | right << 8).to_le_bytes();
    }
    if let ([out], [y], Some(&u), Some(&v)) = (last_out, last_y, u.last(), v.last()) {
        *out = mixed(u16::from(*y), mix.own, added(u, v)) as u8;
    }
}

#[inline(always)]
pub(super) fn remix_chroma(row: &mut [u8], partner: &[u8], mix: Mix) {
    for (sample, &partner) in row.iter_mut().zip(partner) {
        let added = share(partner, mix.first).saturating_add(mix.offset);
        *sample = mixed(u16::from(*sample), mix.own, added) as u8;
    }
}
