use super::Line;

/// The product of two numbers of which one is in 32768ths, to the nearest.
#[inline(always)]
fn product(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b) + (1 << 14)) >> 15) as i16
}

/// Both values of the line at sample `x`.
#[inline(always)]
fn values(line: Line<'_>, x: usize) -> [i16; 2] {
    [0, 1].map(|map| {
        let (above, below) = (line.above[map][x], line.below[map][x]);
        above.wrapping_add(product(below.wrapping_sub(above), line.share))
    })
}

/// 64ths of a code, rounded.
#[inline(always)]
fn code(value: i16) -> u8 {
    (value.saturating_add(32) >> 6).clamp(0, 255) as u8
}

pub(super) fn unmix(out: &mut [u8], row: &[u8], alpha: &[u8], colours: Line<'_>) {
    for (x, (out, (&sample, &alpha))) in out.iter_mut().zip(row.iter().zip(alpha)).enumerate() {
        let [person, room] = values(colours, x);
        let alpha = i16::from(alpha) << 7 | i16::from(alpha) >> 1;
        let part = product(alpha, (alpha >> 1) + (1 << 14));
        let mixed = room.wrapping_add(product(person.wrapping_sub(room), part));
        let more = (i16::from(sample) << 6).wrapping_sub(mixed);
        *out = code(person.wrapping_add(product(more, part)));
    }
}

pub(super) fn relight(out: &mut [u8], row: &[u8], light: Line<'_>) {
    for (x, (out, &sample)) in out.iter_mut().zip(row).enumerate() {
        let [gain, offset] = values(light, x);
        *out = code(product(i16::from(sample) << 7, gain).saturating_add(offset));
    }
}
