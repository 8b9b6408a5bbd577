//! A green screen.

#[inline(always)]
pub(in super::super) fn screen_distance(
    [distance, alpha]: [&mut [u8]; 2],
    [u, v]: [&[u8]; 2],
    [screen_u, screen_v, room, person]: [&[u8]; 4],
    network: &[u8],
    [neutral, screen, across, certain]: [f32; 4],
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
        let person = person + sureness * (certain - person).max(0.0);
        let share = (room - code) / (room - person).max(1.0);
        // To the nearest, as above.
        let round = |level: f32| (level + 8_388_608.0).to_bits() as u8;
        distance[x] = round(code);
        alpha[x] = round(share.clamp(0.0, 1.0) * 255.0);
    }
}

#[inline(always)]
pub(in super::super) fn tally(
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
pub(in super::super) fn fit_luma(
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
