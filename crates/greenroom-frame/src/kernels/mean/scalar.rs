#[inline(always)]
pub(super) fn first_rows(sums: &mut [u16], above: &[u8], below: &[u8]) {
    let rows = above.iter().zip(below);
    sums.iter_mut().zip(rows).for_each(|(sum, (&a, &b))| *sum = u16::from(a) + u16::from(b));
}

#[inline(always)]
pub(super) fn add_rows(sums: &mut [u16], above: &[u8], below: &[u8]) {
    let rows = above.iter().zip(below);
    sums.iter_mut().zip(rows).for_each(|(sum, (&a, &b))| *sum += u16::from(a) + u16::from(b));
}

#[inline(always)]
pub(super) fn add_row(sums: &mut [u16], row: &[u8]) {
    sums.iter_mut().zip(row).for_each(|(sum, &sample)| *sum += u16::from(sample));
}

#[inline(always)]
pub(super) fn add_pairs(halves: &mut [u16], sums: &[u16]) {
    let pairs = sums.as_chunks::<2>().0;
    halves.iter_mut().zip(pairs).for_each(|(half, &[a, b])| *half = a + b);
}

#[inline(always)]
pub(super) fn mean(out: &mut [u8], sums: &[u16], scale: f32) {
    // Of floats from 2^23 on, the lowest bits are the whole part: `as u8` is not made into vectors.
    let to_byte = |sum: u16| (f32::from(sum) * scale + 8_388_608.0).to_bits() as u8;
    if sums.len() == out.len() {
        out.iter_mut().zip(sums).for_each(|(out, &sum)| *out = to_byte(sum));
        return;
    }
    let count = sums.len() / out.len().max(1);
    for (out, sums) in out.iter_mut().zip(sums.chunks_exact(count.max(1))) {
        *out = to_byte(sums.iter().sum());
    }
}
