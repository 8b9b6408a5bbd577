use super::rows::RowPair;

#[inline(always)]
pub(super) fn widen(wide: &mut [f32], cells: &[f32], shares: &[f32], stretches: &[(u32, u32)]) {
    let mut start = 0;
    for &(count, left) in stretches {
        let (left, right) = (cells[left as usize], cells[left as usize + 1]);
        let columns = start..start + count as usize;
        start = columns.end;
        let shares = shares[columns.clone()].iter();
        wide[columns]
            .iter_mut()
            .zip(shares)
            .for_each(|(out, share)| *out = left + (right - left) * share);
    }
}

/// To the nearest: of floats from 2^23 on, the lowest bits are the whole part. `as u8` alone is not
/// made into vectors.
#[inline(always)]
fn code(value: f32) -> u8 {
    (value.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8
}

#[inline(always)]
pub(super) fn unmix(
    row: &mut [u8],
    alpha: &[u8],
    person: RowPair<'_>,
    less: RowPair<'_>,
    share: f32,
) {
    let len = row.len();
    let alpha = &alpha[..len];
    let (upper_person, lower_person) = (&person.above[..len], &person.below[..len]);
    let (upper_less, lower_less) = (&less.above[..len], &less.below[..len]);
    for x in 0..len {
        let person = upper_person[x] + (lower_person[x] - upper_person[x]) * share;
        let less = upper_less[x] + (lower_less[x] - upper_less[x]) * share;
        let alpha = f32::from(alpha[x]) * (1.0 / 255.0);
        let part = alpha * (0.5 + 0.5 * alpha);
        row[x] = code(person + part * (f32::from(row[x]) - person + less - part * less));
    }
}

#[inline(always)]
pub(super) fn relight(row: &mut [u8], gains: RowPair<'_>, offsets: RowPair<'_>, share: f32) {
    let len = row.len();
    let (upper_gains, lower_gains) = (&gains.above[..len], &gains.below[..len]);
    let (upper_offsets, lower_offsets) = (&offsets.above[..len], &offsets.below[..len]);
    for x in 0..len {
        let gain = upper_gains[x] + (lower_gains[x] - upper_gains[x]) * share;
        let offset = upper_offsets[x] + (lower_offsets[x] - upper_offsets[x]) * share;
        row[x] = code(gain * f32::from(row[x]) + offset);
    }
}

#[inline(always)]
pub(super) fn grade(row: &mut [u8], gain: u16, offset: i16) {
    for sample in row {
        // The upper half of a product of 16 bits is one instruction for sixteen lanes: with floats
        // this takes three times as long.
        let lit = (u32::from(u16::from(*sample) << 8) * u32::from(gain)) >> 16;
        *sample = ((lit as i16).saturating_add(offset).saturating_add(32) >> 6).clamp(0, 255) as u8;
    }
}
