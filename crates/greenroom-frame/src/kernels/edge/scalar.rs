use super::line::Line;

/// Values of a line that are worked out at once.
const LANES: usize = 8;

#[inline(always)]
pub(super) fn classify(kinds: &mut [u8], alpha: &[u8]) {
    let (blocks, rest) = alpha.as_chunks::<{ super::BLOCK }>();
    for (kind, block) in kinds.iter_mut().zip(blocks) {
        // Whole arrays, which are one comparison of vectors.
        *kind = match block {
            _ if *block == [0; super::BLOCK] => super::ROOM,
            _ if *block == [255; super::BLOCK] => super::PERSON,
            _ => super::MIXED,
        };
    }
    if let (Some(kind), Some(&first)) = (kinds.get_mut(blocks.len()), rest.first()) {
        *kind = match first {
            _ if rest.iter().any(|&alpha| alpha != first) => super::MIXED,
            0 => super::ROOM,
            255 => super::PERSON,
            _ => super::MIXED,
        };
    }
}

#[inline(always)]
pub(super) fn between(out: &mut [f32], above: &[f32], below: &[f32], share: f32) {
    let cells = out.iter_mut().zip(above.iter().zip(below));
    cells.for_each(|(out, (above, below))| *out = above + (below - above) * share);
}

/// To the nearest: of floats from 2^23 on, the lowest bits are the whole part. `as u8` alone is not
/// made into vectors.
#[inline(always)]
fn code(value: f32) -> u8 {
    (value.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8
}

/// `out[x] = one(row[x], alpha[x], first, second)` with both values of the line.
#[inline(always)]
fn along(
    out: &mut [u8],
    row: &[u8],
    alpha: &[u8],
    line: Line<'_>,
    one: impl Fn(u8, u8, f32, f32) -> u8,
) {
    let len = out.len();
    let (row, alpha, shares) = (&row[..len], &alpha[..len], &line.shares[..len]);
    let mut start = 0;
    for &(count, left) in line.stretches {
        let [left, right] = [left as usize, left as usize + 1];
        let (first, first_more) = (line.first[left], line.first[right] - line.first[left]);
        let (second, second_more) = (line.second[left], line.second[right] - line.second[left]);
        let value = |row: u8, alpha: u8, share: f32| {
            one(row, alpha, first + first_more * share, second + second_more * share)
        };
        let end = start + count as usize;
        // What is too much is written once more, by the next stretch.
        let whole = start..start + (count as usize).next_multiple_of(LANES);
        if whole.end <= len {
            let [row, alpha] =
                [row, alpha].map(|samples| samples[whole.clone()].as_chunks::<LANES>().0.iter());
            let shares = shares[whole.clone()].as_chunks::<LANES>().0.iter();
            let out = out[whole].as_chunks_mut::<LANES>().0.iter_mut();
            for (((out, row), alpha), shares) in out.zip(row).zip(alpha).zip(shares) {
                for x in 0..LANES {
                    out[x] = value(row[x], alpha[x], shares[x]);
                }
            }
        } else {
            for x in start..end {
                out[x] = value(row[x], alpha[x], shares[x]);
            }
        }
        start = end;
    }
}

#[inline(always)]
pub(super) fn unmix(out: &mut [u8], row: &[u8], alpha: &[u8], colours: Line<'_>) {
    along(out, row, alpha, colours, |sample, alpha, person, less| {
        let alpha = f32::from(alpha) * (1.0 / 255.0);
        let part = alpha * (0.5 + 0.5 * alpha);
        code(person + part * (f32::from(sample) - person + less - part * less))
    });
}

#[inline(always)]
pub(super) fn relight(out: &mut [u8], row: &[u8], light: Line<'_>) {
    along(out, row, row, light, |sample, _, gain, offset| code(gain * f32::from(sample) + offset));
}

#[inline(always)]
pub(super) fn grade(out: &mut [u8], row: &[u8], gain: u16, offset: i16) {
    for (out, sample) in out.iter_mut().zip(row) {
        // The upper half of a product of 16 bits is one instruction for sixteen lanes: with floats
        // this takes three times as long.
        let lit = (u32::from(u16::from(*sample) << 8) * u32::from(gain)) >> 16;
        *out = ((lit as i16).saturating_add(offset).saturating_add(32) >> 6).clamp(0, 255) as u8;
    }
}
