//! What lays the edge by the picture, and what draws it.

use super::super::operands::{ChromaRows, Growth, LineRows, LineRowsMut, Place, Ramp, WIDEN_LANES};

#[inline(always)]
pub(in super::super) fn to_floats(values: &mut [f32], bytes: &[u8]) {
    let samples = values.iter_mut().zip(bytes);
    samples.for_each(|(value, &byte)| *value = f32::from(byte) * (1.0 / 255.0));
}

#[inline(always)]
pub(in super::super) fn quarter(values: &mut [f32], above: &[u8], below: &[u8], scale: f32) {
    let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    for (value, (above, below)) in values.iter_mut().zip(pairs) {
        let sum = [above[0], above[1], below[0], below[1]].map(i32::from).iter().sum::<i32>();
        *value = sum as f32 * scale;
    }
}

#[inline(always)]
pub(in super::super) fn mix(out: &mut [f32], near: &[f32], far: &[f32]) {
    let values = out.iter_mut().zip(near.iter().zip(far));
    values.for_each(|(out, (near, far))| *out = near + (far - near) * 0.25);
}

#[inline(always)]
pub(in super::super) fn double(out: &mut [f32], values: &[f32]) {
    let len = out.len() / 2;
    let [lefts, middles, rights] = [0, 1, 2].map(|shift| &values[shift..][..len]);
    for (x, out) in out.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let (left, middle, right) = (lefts[x], middles[x], rights[x]);
        *out = [middle + (left - middle) * 0.25, middle + (right - middle) * 0.25];
    }
}

#[inline(always)]
pub(in super::super) fn fold(
    line: LineRowsMut<'_>,
    factors: &[f32],
    chroma: ChromaRows<'_>,
    ramp: Ramp,
) {
    let LineRowsMut { slopes, offsets } = line;
    let len = slopes.len();
    let offsets = &mut offsets[..len];
    let (u, v) = (&chroma.u[..len], &chroma.v[..len]);
    let [by_y, by_u, by_v, constant] = [0, 1, 2, 3].map(|index| &factors[index * len..][..len]);
    let gain = 1.0 / (ramp.person - ramp.room);
    for x in 0..len {
        slopes[x] = by_y[x] * gain;
        let chroma = by_u[x] * f32::from(u[x]) + by_v[x] * f32::from(v[x]);
        offsets[x] = (chroma + (constant[x] - ramp.room) * 255.0) * gain;
    }
}

#[inline(always)]
pub(in super::super) fn classify(classes: &mut [u8], slopes: &[f32], offsets: &[f32]) {
    let cells = classes.iter_mut().zip(slopes.iter().zip(offsets));
    for (class, (&slope, &offset)) in cells {
        // Linear in luma, so its ends tell.
        let other = slope * 255.0 + offset;
        let room = u8::from(offset.max(other) <= 0.0);
        let person = u8::from(offset.min(other) >= 255.0);
        *class = 3 - 2 * room - person;
    }
}

#[inline(always)]
pub(in super::super) fn apply(
    out: &mut [u8],
    luma: &[u8],
    above: LineRows<'_>,
    below: LineRows<'_>,
    share: f32,
) {
    let len = out.len();
    let luma = &luma[..len];
    let (upper_slopes, upper_offsets) = (&above.slopes[..len], &above.offsets[..len]);
    let (lower_slopes, lower_offsets) = (&below.slopes[..len], &below.offsets[..len]);
    for x in 0..len {
        let slope = upper_slopes[x] + (lower_slopes[x] - upper_slopes[x]) * share;
        let offset = upper_offsets[x] + (lower_offsets[x] - upper_offsets[x]) * share;
        let alpha = slope * f32::from(luma[x]) + offset;
        // To the nearest: of floats from 2^23 on, the lowest bits are the whole part. `as u8` here is
        // not made into vectors, and takes six times as long.
        out[x] = (alpha.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8;
    }
}

#[inline(always)]
pub(in super::super) fn halve(out: &mut [u8], above: &[u8], below: &[u8]) {
    let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    for (out, (above, below)) in out.iter_mut().zip(pairs) {
        let sum = [above[0], above[1], below[0], below[1]].map(u16::from).iter().sum::<u16>();
        *out = ((sum + 2) >> 2) as u8;
    }
}

#[inline(always)]
pub(in super::super) fn widen(wide: &mut [f32], line: &[f32], places: &[Place], growth: Growth) {
    const LANES: [f32; WIDEN_LANES] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let runs = line.windows(2).zip(places).map(|(ends, place)| {
        let difference = ends[1] - ends[0];
        let first = ends[0] + difference * place.share;
        (place.column as usize, first, difference * growth.step)
    });
    if growth.columns == WIDEN_LANES {
        for (column, first, step) in runs {
            let columns = &mut wide[column..][..WIDEN_LANES];
            columns.copy_from_slice(&LANES.map(|lane| first + step * lane));
        }
        return;
    }
    for (column, mut first, step) in runs {
        let columns = &mut wide[column..][..growth.columns];
        for columns in columns.as_chunks_mut::<WIDEN_LANES>().0 {
            *columns = LANES.map(|lane| first + step * lane);
            first += step * WIDEN_LANES as f32;
        }
    }
}
