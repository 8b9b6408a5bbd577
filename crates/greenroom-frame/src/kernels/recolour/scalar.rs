use super::{BITS, Mix};

#[inline(always)]
fn mixed(mix: Mix, own: u8, first: u8, second: u8) -> u8 {
    let (own, first, second) = (i32::from(own), i32::from(first) - 128, i32::from(second) - 128);
    let sum = mix.own * own + mix.first * first + mix.second * second + mix.offset;
    (sum >> BITS).clamp(0, 255) as u8
}

#[inline(always)]
pub(super) fn rerange_row(row: &mut [u8], mix: Mix) {
    for sample in row {
        *sample = mixed(mix, *sample, 128, 128);
    }
}

#[inline(always)]
pub(super) fn remix_luma(row: &mut [u8], u: &[u8], v: &[u8], mix: Mix) {
    for (pair, (&u, &v)) in row.chunks_mut(2).zip(u.iter().zip(v)) {
        for sample in pair {
            *sample = mixed(mix, *sample, u, v);
        }
    }
}

#[inline(always)]
pub(super) fn remix_chroma(u: &mut [u8], v: &mut [u8], to_u: Mix, to_v: Mix) {
    for (u, v) in u.iter_mut().zip(v) {
        (*u, *v) = (mixed(to_u, *u, *v, 128), mixed(to_v, *v, *u, 128));
    }
}
