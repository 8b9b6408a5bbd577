#[inline(always)]
pub(super) fn add_row(sums: &mut [f32], row: &[f32]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
}

#[inline(always)]
pub(super) fn add_product(sums: &mut [f32], a: &[f32], b: &[f32]) {
    sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
}

#[inline(always)]
pub(super) fn spread(out: &mut [f32], padded: &[f32], scale: f32) {
    let reach = padded.len() - out.len();
    let len = out.len();
    out.copy_from_slice(&padded[..len]);
    for shift in 1..=reach {
        out.iter_mut().zip(&padded[shift..][..len]).for_each(|(sum, value)| *sum += value);
    }
    out.iter_mut().for_each(|sum| *sum *= scale);
}

#[inline(always)]
pub(super) fn solve(out: &mut [f32], moments: &[f32], epsilon: f32) {
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

#[inline(always)]
pub(super) fn apply(
    out: &mut [u8],
    luma: &[u8],
    slopes: [&[f32]; 2],
    offsets: [&[f32]; 2],
    share: f32,
) {
    let len = out.len();
    let luma = &luma[..len];
    let [s0, s1] = slopes.map(|row| &row[..len]);
    let [o0, o1] = offsets.map(|row| &row[..len]);
    for x in 0..len {
        let slope = s0[x] + (s1[x] - s0[x]) * share;
        let offset = o0[x] + (o1[x] - o0[x]) * share;
        let alpha = slope * f32::from(luma[x]) + offset;
        // To the nearest: of floats from 2^23 on, the lowest bits are the whole part. `as u8` here is
        // not made into vectors, and takes six times as long.
        out[x] = (alpha.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8;
    }
}

#[inline(always)]
pub(super) fn halve(out: &mut [u8], above: &[u8], below: &[u8]) {
    let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    for (out, (above, below)) in out.iter_mut().zip(pairs) {
        let sum = [above[0], above[1], below[0], below[1]].map(u16::from).iter().sum::<u16>();
        *out = ((sum + 2) >> 2) as u8;
    }
}

#[inline(always)]
pub(super) fn add_difference(sums: &mut [u16], a: &[u8], b: &[u8]) {
    sums.iter_mut()
        .zip(a.iter().zip(b))
        .for_each(|(sum, (a, b))| *sum += u16::from(a.abs_diff(*b)));
}

#[inline(always)]
pub(super) fn follow(state: &mut [u16], new: &mut [u8], weights: &[u8]) {
    for ((state, new), &weight) in state.iter_mut().zip(new).zip(weights) {
        let (old, target) = (i32::from(*state), i32::from(*new) << 7);
        // 0..=256 of 256.
        let weight = i32::from(weight) + i32::from(weight >> 7);
        let moved = old + (((target - old) * weight + 128) >> 8);
        *state = moved as u16;
        *new = ((moved + 64) >> 7) as u8;
    }
}

#[inline(always)]
pub(super) fn widen(wide: &mut [f32], line: &[f32], columns: &[(u32, f32)]) {
    for (out, &(index, share)) in wide.iter_mut().zip(columns) {
        let (left, right) = (line[index as usize], line[index as usize + 1]);
        *out = left + (right - left) * share;
    }
}
