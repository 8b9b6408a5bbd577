//! Loops of the refinement. `scalar` is the reference and the only place where the arithmetic
//! stands; on machines with AVX2 the same bodies run compiled for it. No fused multiply-add is
//! asked for, and sums are kept in the order of the source, so every machine gives the same bits.
//!
//! In the formulas `x` is every column of the row that is written. [`operands`] says what the
//! operands are that have fields.

mod operands;
mod scalar;

use greenroom_frame::dispatch_vectorised;

pub(super) use self::operands::*;

dispatch_vectorised! {
    /// `sums[x] += row[x]`.
    pub(super) fn add_row(sums: &mut [f32], row: &[f32]);
    /// `sums[x] += rows.a[x] * rows.b[x]`.
    pub(super) fn add_product(sums: &mut [f32], rows: Product<'_>);
    /// `sums[x] += new[x] - old[x]`.
    pub(super) fn slide(sums: &mut [f32], new: &[f32], old: &[f32]);
    /// `sums[x] += new.a[x] * new.b[x] - old.a[x] * old.b[x]`.
    pub(super) fn slide_product(sums: &mut [f32], new: Product<'_>, old: Product<'_>);
    /// `out[x] = scale * (padded[x] + ... + padded[x + reach])` with `padded.len() - out.len() = reach`.
    pub(super) fn spread(out: &mut [f32], padded: &[f32], scale: f32);
    /// The best affine map from a window's colours to its alphas: `moments` are the rows of window
    /// means y, u, v, p, yy, yu, yv, uu, uv, vv, yp, up, vp, one behind the other, each as long as a
    /// row of `out`; `out` becomes rows of the factors `by_y`, `by_u`, `by_v` and `constant`, for which
    /// `(cov(colour) + epsilon) * by = cov(colour, p)`, with `cov` of the means, and
    /// `constant = p - by_y * y - by_u * u - by_v * v`.
    pub(super) fn solve(out: &mut [f32], moments: &[f32], epsilon: f32);
    /// `values[x] = bytes[x] / 255`.
    pub(super) fn to_floats(values: &mut [f32], bytes: &[u8]);
    /// `values[x] = (above[2x] + above[2x + 1] + below[2x] + below[2x + 1]) * scale`.
    pub(super) fn quarter(values: &mut [f32], above: &[u8], below: &[u8], scale: f32);
    /// `out[x] = 0.75 * near[x] + 0.25 * far[x]`.
    pub(super) fn mix(out: &mut [f32], near: &[f32], far: &[f32]);
    /// Twice as many values, half-pixel centres: `out[2x] = 0.25 * values[x] + 0.75 * values[x + 1]` and
    /// `out[2x + 1] = 0.75 * values[x + 1] + 0.25 * values[x + 2]`; `values` has one more at both ends.
    pub(super) fn double(out: &mut [f32], values: &[f32]);
    /// The line of alpha over luma from the four rows of factors that [`solve`] gives, and chroma:
    /// `line.slopes[x] = by_y[x] * gain` and `line.offsets[x] = (by_u[x] * chroma.u[x] + by_v[x] *
    /// chroma.v[x] + 255 * (constant[x] - ramp.room)) * gain` with
    /// `gain = 1 / (ramp.person - ramp.room)`.
    pub(super) fn fold(line: LineRowsMut<'_>, factors: &[f32], chroma: ChromaRows<'_>, ramp: Ramp);
    /// `classes[x]` is what `slopes[x] * luma + offsets[x]` comes to, whatever luma there is: 1 if it is
    /// 0, 2 if it is 255, else 3.
    pub(super) fn classify(classes: &mut [u8], slopes: &[f32], offsets: &[f32]);
    /// What lies between the values of a narrow row: `wide[places[i].column + k] = line[i] +
    /// (line[i + 1] - line[i]) * (places[i].share + k * growth.step)` for each `k` below
    /// `growth.columns`. The places are in order. It may write past the end of a run; the next run
    /// overwrites the excess.
    pub(super) fn widen(wide: &mut [f32], line: &[f32], places: &[Place], growth: Growth);
    /// `out[x] = clamp(slope * luma[x] + offset, 0, 255)` to the nearest, where both lie between two
    /// lines: `slope = above.slopes[x] + (below.slopes[x] - above.slopes[x]) * share`, and the offset
    /// likewise.
    pub(super) fn apply(
        out: &mut [u8],
        luma: &[u8],
        above: LineRows<'_>,
        below: LineRows<'_>,
        share: f32,
    );
    /// Adds up what cells are as person and as room. `sums` are eight rows, one behind the other: of the
    /// person `weight`, `weight * y`, `weight * u` and `weight * v`, then the same of the room. The
    /// person's weight is `alpha^4`, the room's `(1 - alpha)^4`, with `alpha = clamp((by_y * y + by_u *
    /// u + by_v * v + constant - ramp.room) / (ramp.person - ramp.room), 0, 1)` of `colours` and
    /// `factors`.
    pub(super) fn weigh(
        sums: &mut [f32],
        colours: ColourRows<'_>,
        factors: FactorRows<'_>,
        ramp: Ramp,
    );
    /// What [`colours`] multiplies by, from the weights of person and room in the `cell` and `around`
    /// it: `shares.mixed[x] = own / (cell.person[x] + cell.room[x])`,
    /// `shares.person[x] = 255 / (around.person[x] + own)`, and the room's likewise.
    pub(super) fn shares(
        shares: ShareRowsMut<'_>,
        cell: SideRows<'_>,
        around: SideRows<'_>,
        own: f32,
    );
    /// The person's colour and the room's, 0..=255, from the weighted colours in the `cell` and `around`
    /// it, and what [`shares`] gave: `person[x] = (around.person[x] + own) * shares.person[x]` and
    /// `room[x] = (around.room[x] + own) * shares.room[x]` with
    /// `own = (cell.person[x] + cell.room[x]) * shares.mixed[x]`.
    pub(super) fn colours(
        person: &mut [f32],
        room: &mut [f32],
        cell: SideRows<'_>,
        around: SideRows<'_>,
        shares: ShareRows<'_>,
    );
    /// The mean of two rows' neighbours: `out[x] = (above[2x] + above[2x + 1] + below[2x] +
    /// below[2x + 1]) / 4` to the nearest, halves up; the rows are as long as twice `out`.
    pub(super) fn halve(out: &mut [u8], above: &[u8], below: &[u8]);
    /// `sums[x] += |a[x] - b[x]|`.
    pub(super) fn add_difference(sums: &mut [u16], a: &[u8], b: &[u8]);
    /// `sum += |a[x] - b[x]|` over all `x`.
    pub(super) fn sum_difference(sum: &mut u32, a: &[u8], b: &[u8]);
    /// What lies between four samples: `out[x] = upper + (lower - upper) * shift.down / 256` to the
    /// nearest, with `upper = above[x] + (above[x + 1] - above[x]) * shift.across / 256` and `lower`
    /// likewise from `below`; these rows are longer by one.
    pub(super) fn between(out: &mut [u8], above: &[u8], below: &[u8], shift: Shift);
    /// The same of a state, which is below 2^15.
    pub(super) fn between_states(out: &mut [u16], above: &[u16], below: &[u16], shift: Shift);
    /// `weights[x] = ramp.least + (ramp.most - ramp.least) * (change[x] - ramp.low) / (ramp.high -
    /// ramp.low)` to the nearest, of changes clamped to `ramp.low..=ramp.high`.
    pub(super) fn weights(weights: &mut [u8], change: &[u16], ramp: WeightRamp);
    /// The most of 3x3: `columns[x]` is the most of `changes[0..3][x]`, and `most[x]` that of
    /// `columns[x..x + 3]`. `columns` is as long as the three rows of `changes`, longer by one than `most`
    /// at both ends.
    pub(super) fn most_around(most: &mut [u16], columns: &mut [u16], changes: [&[u16]; 3]);
    /// `state[x] += (128 * new[x] - state[x]) * weight / 255`, and then `new[x] = state[x] / 128`, with
    /// `weight = weights[x]`, or at least `room.least` where `new[x]` is `room.level` or less.
    pub(super) fn follow(state: &mut [u16], new: &mut [u8], weights: &[u8], room: SureRoom);
    /// How near `chroma` comes to the screen's, both as vectors from 128: `key.distance = scale.neutral +
    /// (dot - scale.across * |cross|) / length^2 * (scale.screen - scale.neutral)`, with the products of
    /// `chroma` and (`screen.u`, `screen.v`), and the length of the latter; and what alpha that makes:
    /// `key.alpha = 255 * clamp((screen.room - distance) / (screen.room - person), 0, 1)`. There, `person`
    /// is `screen.person`, which comes the nearer to `scale.certain`, if that is more, the surer the
    /// `network`'s mask is of the person, from 160 to 250.
    pub(super) fn screen_distance(
        key: KeyRowsMut<'_>,
        chroma: ChromaRows<'_>,
        screen: ScreenRows<'_>,
        network: &[u8],
        scale: DistanceScale,
    );
    /// Adds a row to the sums of its columns: `sums.near[x]` counts `rows.distance[x] >= levels.near`,
    /// `sums.solid[x]` counts `rows.alpha[x] >= levels.solid` and `sums.clear[x]` counts
    /// `rows.alpha[x] <= levels.clear`; `sums.u`, `sums.v` and `sums.distance` grow by the codes in `rows`,
    /// `sums.squares` by those of distance squared.
    pub(super) fn tally(sums: TallyMut<'_>, rows: TallyRows<'_>, levels: TallyLevels);
    /// The best line of `alpha` over `luma` in windows of 5x5, as far as luma explains alpha: with
    /// `slope = cov(luma, alpha) / (var(luma) + 25)` and `explained = cov(luma, alpha) * slope /
    /// (var(alpha) + 4)`, within 0..=1, it is `line.slopes[x] = gain * explained * slope` and
    /// `line.offsets[x] = gain * (offset - 127.5) + 127.5` with `offset = explained * (mean(alpha) - slope *
    /// mean(luma)) + (1 - explained) * alpha[2][x + 2]`. So the alpha that they give is `gain` times as far
    /// from half. The five rows of each are longer by two at both ends than those of `line`; `sums` is as
    /// long as five of them.
    pub(super) fn fit_luma(
        line: LineRowsMut<'_>,
        luma: [&[f32]; 5],
        alpha: [&[f32]; 5],
        sums: &mut [f32],
        gain: f32,
    );
}

#[cfg(test)]
mod tests;
