//! What moves between two pictures, and the mask that follows it.

use super::super::operands::{Shift, SureRoom, WeightRamp};

#[inline(always)]
pub(in super::super) fn add_difference(sums: &mut [u16], a: &[u8], b: &[u8]) {
    sums.iter_mut()
        .zip(a.iter().zip(b))
        .for_each(|(sum, (a, b))| *sum += u16::from(a.abs_diff(*b)));
}

#[inline(always)]
pub(in super::super) fn sum_difference(sum: &mut u32, a: &[u8], b: &[u8]) {
    *sum += a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
}

#[inline(always)]
fn between_rows<T: Copy + Into<u32>>(
    out: &mut [T],
    above: &[T],
    below: &[T],
    shift: Shift,
    narrow: impl Fn(u32) -> T,
) {
    let len = out.len();
    let [a, c] = [above, below].map(|row| &row[..len]);
    let [b, d] = [above, below].map(|row| &row[1..][..len]);
    let (across, down) = (u32::from(shift.across), u32::from(shift.down));
    for x in 0..len {
        let upper = a[x].into() * (256 - across) + b[x].into() * across;
        let lower = c[x].into() * (256 - across) + d[x].into() * across;
        // Below 2^15 * 2^16.
        out[x] = narrow((upper * (256 - down) + lower * down + (1 << 15)) >> 16);
    }
}

#[inline(always)]
pub(in super::super) fn between(out: &mut [u8], above: &[u8], below: &[u8], shift: Shift) {
    between_rows(out, above, below, shift, |value| value as u8);
}

#[inline(always)]
pub(in super::super) fn between_states(
    out: &mut [u16],
    above: &[u16],
    below: &[u16],
    shift: Shift,
) {
    between_rows(out, above, below, shift, |value| value as u16);
}

#[inline(always)]
pub(in super::super) fn weights(weights: &mut [u8], change: &[u16], ramp: WeightRamp) {
    let WeightRamp { low, high, .. } = ramp;
    let (least, most) = (f32::from(ramp.least), f32::from(ramp.most));
    let slope = (most - least) / f32::from(high - low);
    for (out, &change) in weights.iter_mut().zip(change) {
        let moved = f32::from(change.clamp(low, high) - low);
        *out = (least + slope * moved + 8_388_608.0).to_bits() as u8;
    }
}

#[inline(always)]
pub(in super::super) fn most_around(most: &mut [u16], columns: &mut [u16], changes: [&[u16]; 3]) {
    let len = columns.len();
    let [a, b, c] = changes.map(|row| &row[..len]);
    for x in 0..len {
        columns[x] = a[x].max(b[x]).max(c[x]);
    }
    let len = most.len();
    let [a, b, c] = [0, 1, 2].map(|shift| &columns[shift..][..len]);
    for x in 0..len {
        most[x] = a[x].max(b[x]).max(c[x]);
    }
}

#[inline(always)]
pub(in super::super) fn follow(state: &mut [u16], new: &mut [u8], weights: &[u8], room: SureRoom) {
    const CHUNK: usize = 64;
    let chunks = state.chunks_mut(CHUNK).zip(new.chunks_mut(CHUNK)).zip(weights.chunks(CHUNK));
    for ((state, new), weights) in chunks {
        // Most of a mask is where it was.
        let both = state.iter().zip(&*new);
        if both.fold(0, |differs, (&state, &new)| differs | (state ^ u16::from(new) << 7)) == 0 {
            continue;
        }
        for ((state, new), &weight) in state.iter_mut().zip(new).zip(weights) {
            let (old, target) = (i32::from(*state), i32::from(*new) << 7);
            let weight = if *new <= room.level { weight.max(room.least) } else { weight };
            // 0..=256 of 256.
            let weight = i32::from(weight) + i32::from(weight >> 7);
            let moved = old + (((target - old) * weight + 128) >> 8);
            *state = moved as u16;
            *new = ((moved + 64) >> 7) as u8;
        }
    }
}
