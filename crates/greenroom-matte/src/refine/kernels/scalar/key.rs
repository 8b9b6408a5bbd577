//! A green screen.

use super::super::operands::{
    ChromaRows, DistanceScale, KeyRowsMut, LineRowsMut, ScreenRows, TallyLevels, TallyMut,
    TallyRows,
};

#[inline(always)]
pub(in super::super) fn screen_distance(
    key: KeyRowsMut<'_>,
    chroma: ChromaRows<'_>,
    screen: ScreenRows<'_>,
    network: &[u8],
    scale: DistanceScale,
) {
    let KeyRowsMut { distance, alpha } = key;
    let len = distance.len();
    let (alpha, u, v) = (&mut alpha[..len], &chroma.u[..len], &chroma.v[..len]);
    let (screen_u, screen_v) = (&screen.u[..len], &screen.v[..len]);
    let (room, person, network) = (&screen.room[..len], &screen.person[..len], &network[..len]);
    for x in 0..len {
        let chroma = |code: u8| f32::from(code) - 128.0;
        let (u, v, su, sv) = (chroma(u[x]), chroma(v[x]), chroma(screen_u[x]), chroma(screen_v[x]));
        let (dot, cross) = (u * su + v * sv, u * sv - v * su);
        let share = (dot - scale.across * cross.abs()) / (su * su + sv * sv).max(1.0);
        let code = (scale.neutral + share * (scale.screen - scale.neutral)).clamp(0.0, 255.0);
        let (room, person) = (f32::from(room[x]), f32::from(person[x]));
        let sureness = ((f32::from(network[x]) - 160.0) / 90.0).clamp(0.0, 1.0);
        let person = person + sureness * (scale.certain - person).max(0.0);
        let share = (room - code) / (room - person).max(1.0);
        // To the nearest, as above.
        let round = |level: f32| (level + 8_388_608.0).to_bits() as u8;
        distance[x] = round(code);
        alpha[x] = round(share.clamp(0.0, 1.0) * 255.0);
    }
}

#[inline(always)]
pub(in super::super) fn tally(sums: TallyMut<'_>, rows: TallyRows<'_>, levels: TallyLevels) {
    let len = sums.squares.len();
    let add = |sums: &mut [u16], row: &[u8]| {
        let sums = sums[..len].iter_mut().zip(&row[..len]);
        sums.for_each(|(sum, &code)| *sum += u16::from(code));
    };
    let count = |sums: &mut [u16], row: &[u8], least: u8, most: u8| {
        let sums = sums[..len].iter_mut().zip(&row[..len]);
        sums.for_each(|(sum, &code)| *sum += u16::from((code >= least) & (code <= most)));
    };
    count(sums.near, rows.distance, levels.near, 255);
    count(sums.solid, rows.alpha, levels.solid, 255);
    count(sums.clear, rows.alpha, 0, levels.clear);
    add(sums.u, rows.u);
    add(sums.v, rows.v);
    add(sums.distance, rows.distance);
    for (sum, &code) in sums.squares.iter_mut().zip(&rows.distance[..len]) {
        *sum += u32::from(code) * u32::from(code);
    }
}

#[inline(always)]
pub(in super::super) fn fit_luma(
    line: LineRowsMut<'_>,
    luma: [&[f32]; 5],
    alpha: [&[f32]; 5],
    sums: &mut [f32],
    gain: f32,
) {
    let LineRowsMut { slopes, offsets } = line;
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
