use super::WIDEN_LANES;

#[inline(always)]
pub(super) fn add_row(sums: &mut [f32], row: &[f32]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
}

#[inline(always)]
pub(super) fn add_product(sums: &mut [f32], rows: [&[f32]; 2]) {
    let [a, b] = rows;
    sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
}

#[inline(always)]
pub(super) fn slide(sums: &mut [f32], rows: [&[f32]; 2]) {
    let [new, old] = rows;
    sums.iter_mut().zip(new.iter().zip(old)).for_each(|(sum, (new, old))| *sum += new - old);
}

#[inline(always)]
pub(super) fn slide_product(sums: &mut [f32], new: [&[f32]; 2], old: [&[f32]; 2]) {
    let len = sums.len();
    let ([a, b], [c, d]) = (new.map(|row| &row[..len]), old.map(|row| &row[..len]));
    for x in 0..len {
        sums[x] += a[x] * b[x] - c[x] * d[x];
    }
}

#[inline(always)]
pub(super) fn spread(out: &mut [f32], padded: &[f32], scale: f32) {
    // As many as stay in registers.
    const LANES: usize = 16;
    let (len, reach) = (out.len(), padded.len() - out.len());
    let sums_from = |start: usize| {
        let mut sums = [0.0; LANES];
        for values in padded[start..].windows(LANES).take(reach + 1) {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        sums.map(|sum| sum * scale)
    };
    if len < LANES {
        for (out, values) in out.iter_mut().zip(padded.windows(reach + 1)) {
            *out = values.iter().fold(0.0, |sum, value| sum + value) * scale;
        }
        return;
    }
    let chunks = out.as_chunks_mut::<LANES>().0.iter_mut().enumerate();
    chunks.for_each(|(index, out)| *out = sums_from(index * LANES));
    // The last ones reach back; what was there comes out the same.
    out[len - LANES..].copy_from_slice(&sums_from(len - LANES));
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
pub(super) fn to_floats(values: &mut [f32], bytes: &[u8]) {
    let samples = values.iter_mut().zip(bytes);
    samples.for_each(|(value, &byte)| *value = f32::from(byte) * (1.0 / 255.0));
}

#[inline(always)]
pub(super) fn quarter(values: &mut [f32], above: &[u8], below: &[u8], scale: f32) {
    let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    for (value, (above, below)) in values.iter_mut().zip(pairs) {
        let sum = [above[0], above[1], below[0], below[1]].map(i32::from).iter().sum::<i32>();
        *value = sum as f32 * scale;
    }
}

#[inline(always)]
pub(super) fn mix(out: &mut [f32], rows: [&[f32]; 2]) {
    let [near, far] = rows;
    let values = out.iter_mut().zip(near.iter().zip(far));
    values.for_each(|(out, (near, far))| *out = near + (far - near) * 0.25);
}

#[inline(always)]
pub(super) fn double(out: &mut [f32], values: &[f32]) {
    let len = out.len() / 2;
    let [lefts, middles, rights] = [0, 1, 2].map(|shift| &values[shift..][..len]);
    for (x, out) in out.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let (left, middle, right) = (lefts[x], middles[x], rights[x]);
        *out = [middle + (left - middle) * 0.25, middle + (right - middle) * 0.25];
    }
}

#[inline(always)]
pub(super) fn fold(line: [&mut [f32]; 2], factors: &[f32], chroma: [&[u8]; 2], ramp: [f32; 2]) {
    let [slopes, offsets] = line;
    let len = slopes.len();
    let offsets = &mut offsets[..len];
    let [us, vs] = chroma.map(|row| &row[..len]);
    let [by_y, by_u, by_v, constant] = [0, 1, 2, 3].map(|index| &factors[index * len..][..len]);
    let gain = 1.0 / (ramp[1] - ramp[0]);
    for x in 0..len {
        slopes[x] = by_y[x] * gain;
        let chroma = by_u[x] * f32::from(us[x]) + by_v[x] * f32::from(vs[x]);
        offsets[x] = (chroma + (constant[x] - ramp[0]) * 255.0) * gain;
    }
}

#[inline(always)]
pub(super) fn classify(classes: &mut [u8], slopes: &[f32], offsets: &[f32]) {
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
pub(super) fn weigh(sums: &mut [f32], colours: [&[f32]; 3], factors: [&[f32]; 4], ramp: [f32; 2]) {
    let len = colours[0].len();
    let [by_ys, by_us, by_vs, constants] = factors.map(|row| &row[..len]);
    let gain = 1.0 / (ramp[1] - ramp[0]);
    let (persons, rooms) = sums.split_at_mut(4 * len);
    let [ys, us, vs] = colours.map(|colour| &colour[..len]);
    for (sums, of_room) in [(persons, false), (rooms, true)] {
        let (weights, rest) = sums.split_at_mut(len);
        let (by_y, rest) = rest.split_at_mut(len);
        let (by_u, by_v) = rest.split_at_mut(len);
        let by_v = &mut by_v[..len];
        for x in 0..len {
            let alpha = by_ys[x] * ys[x] + by_us[x] * us[x] + by_vs[x] * vs[x] + constants[x];
            let alpha = ((alpha - ramp[0]) * gain).clamp(0.0, 1.0);
            let share = if of_room { 1.0 - alpha } else { alpha };
            let weight = (share * share) * (share * share);
            weights[x] += weight;
            by_y[x] += weight * ys[x];
            by_u[x] += weight * us[x];
            by_v[x] += weight * vs[x];
        }
    }
}

#[inline(always)]
pub(super) fn shares(shares: [&mut [f32]; 3], cell: [&[f32]; 2], around: [&[f32]; 2], own: f32) {
    let [mixed, persons, rooms] = shares;
    let len = mixed.len();
    let (persons, rooms) = (&mut persons[..len], &mut rooms[..len]);
    let ([a, b], [p, r]) = (cell.map(|row| &row[..len]), around.map(|row| &row[..len]));
    for x in 0..len {
        mixed[x] = own / (a[x] + b[x]);
        persons[x] = 255.0 / (p[x] + own);
        rooms[x] = 255.0 / (r[x] + own);
    }
}

#[inline(always)]
pub(super) fn colours(
    out: [&mut [f32]; 2],
    cell: [&[f32]; 2],
    around: [&[f32]; 2],
    shares: [&[f32]; 3],
) {
    let [person, less] = out;
    let len = person.len();
    let less = &mut less[..len];
    let ([a, b], [p, r]) = (cell.map(|row| &row[..len]), around.map(|row| &row[..len]));
    let [mixed, persons, rooms] = shares.map(|row| &row[..len]);
    for x in 0..len {
        let own = (a[x] + b[x]) * mixed[x];
        person[x] = (p[x] + own) * persons[x];
        less[x] = person[x] - (r[x] + own) * rooms[x];
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
pub(super) fn sum_difference(sum: &mut u32, a: &[u8], b: &[u8]) {
    *sum += a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
}

#[inline(always)]
fn between_rows<T: Copy + Into<u32>>(
    out: &mut [T],
    rows: [&[T]; 2],
    shares: [u16; 2],
    narrow: impl Fn(u32) -> T,
) {
    let len = out.len();
    let [above, below] = rows;
    let [a, c] = [above, below].map(|row| &row[..len]);
    let [b, d] = [above, below].map(|row| &row[1..][..len]);
    let [across, down] = shares.map(u32::from);
    for x in 0..len {
        let upper = a[x].into() * (256 - across) + b[x].into() * across;
        let lower = c[x].into() * (256 - across) + d[x].into() * across;
        // Below 2^15 * 2^16.
        out[x] = narrow((upper * (256 - down) + lower * down + (1 << 15)) >> 16);
    }
}

#[inline(always)]
pub(super) fn between(out: &mut [u8], rows: [&[u8]; 2], shares: [u16; 2]) {
    between_rows(out, rows, shares, |value| value as u8);
}

#[inline(always)]
pub(super) fn between_states(out: &mut [u16], rows: [&[u16]; 2], shares: [u16; 2]) {
    between_rows(out, rows, shares, |value| value as u16);
}

#[inline(always)]
pub(super) fn weights(weights: &mut [u8], change: &[u16], changes: [u16; 2], weights_of: [u8; 2]) {
    let [low, high] = changes;
    let [least, most] = weights_of.map(f32::from);
    let slope = (most - least) / f32::from(high - low);
    for (out, &change) in weights.iter_mut().zip(change) {
        let moved = f32::from(change.clamp(low, high) - low);
        *out = (least + slope * moved + 8_388_608.0).to_bits() as u8;
    }
}

#[inline(always)]
pub(super) fn most_around(most: &mut [u16], columns: &mut [u16], changes: [&[u16]; 3]) {
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
pub(super) fn follow(state: &mut [u16], new: &mut [u8], weights: &[u8], [room, least]: [u8; 2]) {
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
            let weight = if *new <= room { weight.max(least) } else { weight };
            // 0..=256 of 256.
            let weight = i32::from(weight) + i32::from(weight >> 7);
            let moved = old + (((target - old) * weight + 128) >> 8);
            *state = moved as u16;
            *new = ((moved + 64) >> 7) as u8;
        }
    }
}

#[inline(always)]
pub(super) fn widen(wide: &mut [f32], line: &[f32], places: &[(u32, f32)], growth: (f32, usize)) {
    const LANES: [f32; WIDEN_LANES] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let (growth, reach) = growth;
    for (ends, &(start, share)) in line.windows(2).zip(places) {
        let difference = ends[1] - ends[0];
        let (mut first, step) = (ends[0] + difference * share, difference * growth);
        let columns = &mut wide[start as usize..][..reach];
        for columns in columns.as_chunks_mut::<WIDEN_LANES>().0 {
            *columns = LANES.map(|lane| first + step * lane);
            first += step * WIDEN_LANES as f32;
        }
    }
}

#[inline(always)]
pub(super) fn screen_distance(
    [distance, alpha]: [&mut [u8]; 2],
    [u, v]: [&[u8]; 2],
    [screen_u, screen_v, room, person]: [&[u8]; 4],
    network: &[u8],
    [neutral, screen, across, sure]: [f32; 4],
) {
    let len = distance.len();
    let (alpha, u, v) = (&mut alpha[..len], &u[..len], &v[..len]);
    let (screen_u, screen_v) = (&screen_u[..len], &screen_v[..len]);
    let (room, person, network) = (&room[..len], &person[..len], &network[..len]);
    for x in 0..len {
        let chroma = |code: u8| f32::from(code) - 128.0;
        let (u, v, su, sv) = (chroma(u[x]), chroma(v[x]), chroma(screen_u[x]), chroma(screen_v[x]));
        let (dot, cross) = (u * su + v * sv, u * sv - v * su);
        let share = (dot - across * cross.abs()) / (su * su + sv * sv).max(1.0);
        let code = (neutral + share * (screen - neutral)).clamp(0.0, 255.0);
        let (room, person) = (f32::from(room[x]), f32::from(person[x]));
        let sureness = ((f32::from(network[x]) - 160.0) / 90.0).clamp(0.0, 1.0);
        let person = person + sureness * (sure - person).max(0.0);
        let share = (room - code) / (room - person).max(1.0);
        // To the nearest, as above.
        let round = |level: f32| (level + 8_388_608.0).to_bits() as u8;
        distance[x] = round(code);
        alpha[x] = round(share.clamp(0.0, 1.0) * 255.0);
    }
}

#[inline(always)]
pub(super) fn tally(
    [near, solid, clear, us, vs, distances]: [&mut [u16]; 6],
    squares: &mut [u32],
    [u, v, distance, alpha]: [&[u8]; 4],
    levels: [u8; 3],
) {
    let len = squares.len();
    let add = |sums: &mut [u16], row: &[u8]| {
        let sums = sums[..len].iter_mut().zip(&row[..len]);
        sums.for_each(|(sum, &code)| *sum += u16::from(code));
    };
    let count = |sums: &mut [u16], row: &[u8], least: u8, most: u8| {
        let sums = sums[..len].iter_mut().zip(&row[..len]);
        sums.for_each(|(sum, &code)| *sum += u16::from((code >= least) & (code <= most)));
    };
    count(near, distance, levels[0], 255);
    count(solid, alpha, levels[1], 255);
    count(clear, alpha, 0, levels[2]);
    add(us, u);
    add(vs, v);
    add(distances, distance);
    for (sum, &code) in squares.iter_mut().zip(&distance[..len]) {
        *sum += u32::from(code) * u32::from(code);
    }
}

#[inline(always)]
pub(super) fn fit_luma(
    [slopes, offsets]: [&mut [f32]; 2],
    luma: [&[f32]; 5],
    alpha: [&[f32]; 5],
    sums: &mut [f32],
    gain: f32,
) {
    let (len, wide) = (slopes.len(), slopes.len() + 4);
    let offsets = &mut offsets[..len];
    let (l_sums, rest) = sums.split_at_mut(wide);
    let (p_sums, rest) = rest.split_at_mut(wide);
    let (ll_sums, rest) = rest.split_at_mut(wide);
    let (lp_sums, rest) = rest.split_at_mut(wide);
    let pp_sums = &mut rest[..wide];
    let (luma, alpha) = (luma.map(|row| &row[..wide]), alpha.map(|row| &row[..wide]));
    let middle = &alpha[2][2..][..len];
    for x in 0..wide {
        let (mut l, mut p, mut ll, mut lp, mut pp) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for row in 0..5 {
            let (luma, alpha) = (luma[row][x], alpha[row][x]);
            l += luma;
            p += alpha;
            ll += luma * luma;
            lp += luma * alpha;
            pp += alpha * alpha;
        }
        (l_sums[x], p_sums[x], ll_sums[x], lp_sums[x], pp_sums[x]) = (l, p, ll, lp, pp);
    }
    for x in 0..len {
        let mean =
            |sums: &[f32]| (sums[x] + sums[x + 1] + sums[x + 2] + sums[x + 3] + sums[x + 4]) / 25.0;
        let (l, p) = (mean(l_sums), mean(p_sums));
        let [ll, lp, pp] = [mean(ll_sums) - l * l, mean(lp_sums) - l * p, mean(pp_sums) - p * p];
        // Noise of luma that explains nothing: a deviation of 5 codes; of alpha: 2.
        let slope = lp / (ll.max(0.0) + 25.0);
        let explained = (lp * slope / (pp.max(0.0) + 4.0)).clamp(0.0, 1.0);
        let offset = explained * (p - slope * l) + (1.0 - explained) * middle[x];
        slopes[x] = gain * explained * slope;
        offsets[x] = gain * (offset - 127.5) + 127.5;
    }
}
