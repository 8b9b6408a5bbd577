//! Sums over boxes, and what the guide makes of them.

use super::super::operands::Product;

#[inline(always)]
pub(in super::super) fn add_row(sums: &mut [f32], row: &[f32]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
}

#[inline(always)]
pub(in super::super) fn add_product(sums: &mut [f32], rows: Product<'_>) {
    let Product { a, b } = rows;
    sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
}

#[inline(always)]
pub(in super::super) fn slide(sums: &mut [f32], new: &[f32], old: &[f32]) {
    sums.iter_mut().zip(new.iter().zip(old)).for_each(|(sum, (new, old))| *sum += new - old);
}

#[inline(always)]
pub(in super::super) fn slide_product(sums: &mut [f32], new: Product<'_>, old: Product<'_>) {
    let len = sums.len();
    let (new_a, new_b) = (&new.a[..len], &new.b[..len]);
    let (old_a, old_b) = (&old.a[..len], &old.b[..len]);
    for x in 0..len {
        sums[x] += new_a[x] * new_b[x] - old_a[x] * old_b[x];
    }
}

#[inline(always)]
pub(in super::super) fn spread(out: &mut [f32], padded: &[f32], scale: f32) {
    // The guide's windows and those of the edge's colours: loops of a known length are none.
    match padded.len() - out.len() {
        6 => spread_by(out, padded, scale, 6),
        2 => spread_by(out, padded, scale, 2),
        reach => spread_by(out, padded, scale, reach),
    }
}

/// The sums of windows, so many values on end each, from the first value on.
#[inline(always)]
fn window_sums<const N: usize>(padded: &[f32], scale: f32, reach: usize) -> [f32; N] {
    let mut sums = [0.0; N];
    for step in 0..=reach {
        let values = &padded[step..][..N];
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    sums.map(|sum| sum * scale)
}

#[inline(always)]
fn spread_by(out: &mut [f32], padded: &[f32], scale: f32, reach: usize) {
    // As many as stay in registers.
    const LANES: usize = 16;
    let len = out.len();
    if len < LANES {
        for (x, out) in out.iter_mut().enumerate() {
            [*out] = window_sums(&padded[x..], scale, reach);
        }
        return;
    }
    for (index, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        *out = window_sums(&padded[index * LANES..], scale, reach);
    }
    // The last ones reach back; what was there comes out the same.
    let last: [f32; LANES] = window_sums(&padded[len - LANES..], scale, reach);
    out[len - LANES..].copy_from_slice(&last);
}

#[inline(always)]
pub(in super::super) fn solve(out: &mut [f32], moments: &[f32], epsilon: f32) {
    let len = out.len() / 4;
    let row = |index: usize| &moments[index * len..][..len];
    let (y, u, v, p) = (row(0), row(1), row(2), row(3));
    let [yy, yu, yv, uu, uv, vv] = [4, 5, 6, 7, 8, 9].map(row);
    let [yp, up, vp] = [10, 11, 12].map(row);
    let (slopes, rest) = out.split_at_mut(len);
    let (us, rest) = rest.split_at_mut(len);
    let (vs, constants) = rest.split_at_mut(len);
    let constants = &mut constants[..len];
    for x in 0..len {
        let (my, mu, mv, mp) = (y[x], u[x], v[x], p[x]);
        // The symmetric covariance matrix a b c / b e f / c f i, and its right side.
        let (a, b, c) = (yy[x] - my * my + epsilon, yu[x] - my * mu, yv[x] - my * mv);
        let (e, f, i) = (uu[x] - mu * mu + epsilon, uv[x] - mu * mv, vv[x] - mv * mv + epsilon);
        let (r, s, t) = (yp[x] - my * mp, up[x] - mu * mp, vp[x] - mv * mp);
        let (ei_ff, cf_bi, bf_ce) = (e * i - f * f, c * f - b * i, b * f - c * e);
        // The matrix is positive definite by epsilon; rounding is kept from dividing by nothing.
        let over = 1.0 / (a * ei_ff + b * cf_bi + c * bf_ce).max(1e-16);
        let by_y = (ei_ff * r + cf_bi * s + bf_ce * t) * over;
        let by_u = (cf_bi * r + (a * i - c * c) * s + (b * c - a * f) * t) * over;
        let by_v = (bf_ce * r + (b * c - a * f) * s + (a * e - b * b) * t) * over;
        slopes[x] = by_y;
        us[x] = by_u;
        vs[x] = by_v;
        constants[x] = mp - by_y * my - by_u * mu - by_v * mv;
    }
}
