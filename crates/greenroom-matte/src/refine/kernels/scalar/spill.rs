//! The colour of the old room, taken out of the edge.

use super::super::operands::{ColourRows, FactorRows, Ramp, ShareRows, ShareRowsMut, SideRows};

#[inline(always)]
pub(in super::super) fn weigh(
    sums: &mut [f32],
    colours: ColourRows<'_>,
    factors: FactorRows<'_>,
    ramp: Ramp,
) {
    let len = colours.y.len();
    let FactorRows { by_y, by_u, by_v, constant } = factors.columns(0..len);
    let gain = 1.0 / (ramp.person - ramp.room);
    let (persons, rooms) = sums.split_at_mut(4 * len);
    let ColourRows { y, u, v } = colours.columns(0..len);
    for (sums, of_room) in [(persons, false), (rooms, true)] {
        let (weights, rest) = sums.split_at_mut(len);
        let (ys, rest) = rest.split_at_mut(len);
        let (us, vs) = rest.split_at_mut(len);
        let vs = &mut vs[..len];
        for x in 0..len {
            let alpha = by_y[x] * y[x] + by_u[x] * u[x] + by_v[x] * v[x] + constant[x];
            let alpha = ((alpha - ramp.room) * gain).clamp(0.0, 1.0);
            let share = if of_room { 1.0 - alpha } else { alpha };
            let weight = (share * share) * (share * share);
            weights[x] += weight;
            ys[x] += weight * y[x];
            us[x] += weight * u[x];
            vs[x] += weight * v[x];
        }
    }
}

#[inline(always)]
pub(in super::super) fn shares(
    shares: ShareRowsMut<'_>,
    cell: SideRows<'_>,
    around: SideRows<'_>,
    own: f32,
) {
    let ShareRowsMut { mixed, person, room } = shares;
    let len = mixed.len();
    let (person, room) = (&mut person[..len], &mut room[..len]);
    let (cell, around) = (cell.columns(0..len), around.columns(0..len));
    for x in 0..len {
        mixed[x] = own / (cell.person[x] + cell.room[x]);
        person[x] = 255.0 / (around.person[x] + own);
        room[x] = 255.0 / (around.room[x] + own);
    }
}

#[inline(always)]
pub(in super::super) fn colours(
    person: &mut [f32],
    room: &mut [f32],
    cell: SideRows<'_>,
    around: SideRows<'_>,
    shares: ShareRows<'_>,
) {
    let len = person.len();
    let room = &mut room[..len];
    let (cell, around) = (cell.columns(0..len), around.columns(0..len));
    let shares = shares.columns(0..len);
    for x in 0..len {
        let own = (cell.person[x] + cell.room[x]) * shares.mixed[x];
        person[x] = (around.person[x] + own) * shares.person[x];
        room[x] = (around.room[x] + own) * shares.room[x];
    }
}
