/// Sums that stay in registers.
const LANES: usize = 32;

#[inline(always)]
fn means<const N: usize>(from: &[f32], stride: usize, count: usize, scale: f32) -> [f32; N] {
    let mut sums = [0.0; N];
    for step in 0..count {
        let values = &from[step * stride..][..N];
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    sums.map(|sum| sum * scale)
}

#[inline(always)]
pub(super) fn mean_of_steps(out: &mut [f32], from: &[f32], stride: usize, count: usize) {
    let scale = 1.0 / count as f32;
    let (chunks, rest) = out.as_chunks_mut::<LANES>();
    let whole = chunks.len() * LANES;
    for (index, out) in chunks.iter_mut().enumerate() {
        *out = means(&from[index * LANES..], stride, count, scale);
    }
    for (x, out) in rest.iter_mut().enumerate() {
        [*out] = means(&from[whole + x..], stride, count, scale);
    }
}
