//! The colour of the old room, taken out of the edge.

#[inline(always)]
pub(in super::super) fn weigh(
    sums: &mut [f32],
    colours: [&[f32]; 3],
    factors: [&[f32]; 4],
    ramp: [f32; 2],
) {
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
pub(in super::super) fn shares(
    shares: [&mut [f32]; 3],
    cell: [&[f32]; 2],
    around: [&[f32]; 2],
    own: f32,
) {
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
pub(in super::super) fn colours(
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
