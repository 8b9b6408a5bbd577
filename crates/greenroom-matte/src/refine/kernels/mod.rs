//! Loops of the refinement. `scalar.rs` is the reference and the only place where the arithmetic
//! stands; on machines with AVX2 the same bodies run compiled for it. No fused multiply-add is
//! asked for, and sums are kept in the order of the source, so every machine gives the same bits.

mod scalar;

use crate::Isa;
use crate::isa::Kind;

/// Writes the AVX2 twins of scalar kernels and the functions that choose.
macro_rules! dispatch {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?);)*) => {
        #[cfg(target_arch = "x86_64")]
        mod avx2 {
            $(
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                pub(super) fn $name($($arg: $type),*) {
                    super::scalar::$name($($arg),*);
                }
            )*
        }
        $(
            $(#[$meta])*
            #[allow(clippy::too_many_arguments)]
            pub(super) fn $name(isa: Isa, $($arg: $type),*) {
                match isa.kind() {
                    Kind::Scalar => scalar::$name($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    // SAFETY: an `Isa` of this kind is only made on a machine that has AVX2.
                    Kind::Avx2 => unsafe { avx2::$name($($arg),*) },
                }
            }
        )*
    };
}

/// Columns that `widen` writes at a time.
pub(super) const WIDEN_LANES: usize = 8;

dispatch! {
    /// `sums[x] += row[x]`.
    fn add_row(sums: &mut [f32], row: &[f32]);
    /// `sums[x] += a[x] * b[x]`.
    fn add_product(sums: &mut [f32], rows: [&[f32]; 2]);
    /// `sums[x] += new[x] - old[x]`, of rows new and old.
    fn slide(sums: &mut [f32], rows: [&[f32]; 2]);
    /// `sums[x] += a[x] * b[x]` for the new rows `a` and `b`, and less the same for the old ones.
    fn slide_product(sums: &mut [f32], new: [&[f32]; 2], old: [&[f32]; 2]);
    /// `out[x] = scale * (padded[x] + ... + padded[x + reach])` with `padded.len() - out.len() = reach`.
    fn spread(out: &mut [f32], padded: &[f32], scale: f32);
    /// The best affine map from a window's colours to its alphas: `moments` are the rows of window
    /// means y, u, v, p, yy, yu, yv, uu, uv, vv, yp, up, vp, one behind the other, each as long as a
    /// row of `out`; `out` becomes rows of the factors of y, u and v and of the constant.
    fn solve(out: &mut [f32], moments: &[f32], epsilon: f32);
    /// `values = bytes / 255`.
    fn to_floats(values: &mut [f32], bytes: &[u8]);
    /// `values[x]` becomes the sum of the two neighbours in each of two rows, times `scale`.
    fn quarter(values: &mut [f32], above: &[u8], below: &[u8], scale: f32);
    /// `out = 0.75 * near + 0.25 * far`.
    fn mix(out: &mut [f32], rows: [&[f32]; 2]);
    /// Twice as many values, half-pixel centres; `values` has one more at both ends.
    fn double(out: &mut [f32], values: &[f32]);
    /// The slopes and offsets of alpha over luma, both 0..=255, from the four rows of factors that
    /// `solve` gives, and chroma; alphas of `ramp` become 0 and 1.
    fn fold(line: [&mut [f32]; 2], factors: &[f32], chroma: [&[u8]; 2], ramp: [f32; 2]);
    /// What alpha comes to in a cell, whatever luma there is: 1 if it is 0, 2 if it is 255, else 3.
    fn classify(classes: &mut [u8], slopes: &[f32], offsets: &[f32]);
    /// From column `places[i].0` of `wide` on, what lies between `line[i]` and the next: at first
    /// `places[i].1` of the next, and with every column `growth.0` more, for `growth.1` columns
    /// (whole [`WIDEN_LANES`]). The places are in order. It may write past the end of a
    /// run; the next run overwrites the excess.
    fn widen(wide: &mut [f32], line: &[f32], places: &[(u32, f32)], growth: (f32, usize));
    /// `out = clamp(slope * luma + offset)`, both between two rows: `share` of the second.
    fn apply(
        out: &mut [u8],
        luma: &[u8],
        slopes: [&[f32]; 2],
        offsets: [&[f32]; 2],
        share: f32,
    );
    /// Adds to `sums`, eight rows one behind the other, the weights of cells as person and their
    /// colours so weighted, then the same as room: the fourth powers of alpha and of what is left.
    /// Alpha comes of the factors of y, u and v and the constant; alphas of `ramp` become 0 and 1.
    fn weigh(sums: &mut [f32], colours: [&[f32]; 3], factors: [&[f32]; 4], ramp: [f32; 2]);
    /// What is added to all sums, and what sums of person and room are multiplied with, from their
    /// weights in the cell and around: `own / (sum of the cell)`, and `255 / (weight + own)`.
    fn shares(shares: [&mut [f32]; 3], cell: [&[f32]; 2], around: [&[f32]; 2], own: f32);
    /// The person's colour, 0..=255, and how much it is more than the room's, from sums in the cell and
    /// around, and what [`shares`] gave.
    fn colours(out: [&mut [f32]; 2], cell: [&[f32]; 2], around: [&[f32]; 2], shares: [&[f32]; 3]);
    /// The mean of two rows' neighbours: `out[x] = (above[2x] + above[2x+1] + below[2x] + ...) / 4`;
    /// the rows are as long as twice `out`.
    fn halve(out: &mut [u8], above: &[u8], below: &[u8]);
    /// `sums += |a - b|`.
    fn add_difference(sums: &mut [u16], a: &[u8], b: &[u8]);
    /// `sum += |a - b|` over all.
    fn sum_difference(sum: &mut u32, a: &[u8], b: &[u8]);
    /// `out[x]` becomes what lies `shares` (256ths, across and down) between `above[x]`, the next, and
    /// those in `below`; the rows are longer by one.
    fn between(out: &mut [u8], rows: [&[u8]; 2], shares: [u16; 2]);
    /// The same of a state, which is below 2^15.
    fn between_states(out: &mut [u16], rows: [&[u16]; 2], shares: [u16; 2]);
    /// `weights` become those of `change`: from `weights_of[0]` at `changes[0]` and below to
    /// `weights_of[1]` at `changes[1]` and above.
    fn weights(weights: &mut [u8], change: &[u16], changes: [u16; 2], weights_of: [u8; 2]);
    /// The most of 3x3 `changes` around each of `most`, of three rows that are longer by one at both
    /// ends; `columns` is as long as these.
    fn most_around(most: &mut [u16], columns: &mut [u16], changes: [&[u16]; 3]);
    /// `state += (new * 128 - state) * weight / 255`, and `new` becomes a 128th of what it is then. Where
    /// `new` is `room[0]` or less, the weight is `room[1]` or more.
    fn follow(state: &mut [u16], new: &mut [u8], weights: &[u8], room: [u8; 2]);
    /// How near each of `chroma` (U and V) comes to the screen's: `out[0]` is `neutral + (dot - across * |cross|) /
    /// length^2 * (screen - neutral)` of the two as vectors from 128, with the codes `scale = [neutral, screen, across,
    /// sure]`. `maps` are the screen's U and V, and the codes that are all screen and all person; `out[1]` is the alpha
    /// between these. The surer the `network`'s mask is of the person, from 160 to 250, the nearer the code that is all
    /// person comes to `certain`.
    fn screen_distance(
        out: [&mut [u8]; 2],
        chroma: [&[u8]; 2],
        maps: [&[u8]; 4],
        network: &[u8],
        scale: [f32; 4],
    );
    /// Counts samples of U, V, distance and alpha in each column: `sums` are those of distances of `levels[0]` and more, of
    /// alphas of `levels[1]` and more and of `levels[2]` and less, and of U, V and distances; `squares` those of distances.
    fn tally(
        sums: [&mut [u16]; 6],
        squares: &mut [u32],
        rows: [&[u8]; 4],
        levels: [u8; 3],
    );
    /// The best slope and offset of `alpha` over `luma` in windows of 5x5, as far as luma explains alpha: with the share
    /// of its variance that it does, and of the alpha itself the rest. The alpha that they give is `gain` times as far
    /// from half. The five rows of each are longer by two at both ends than those of `out`; `sums` is as long as five of
    /// them.
    fn fit_luma(
        out: [&mut [f32]; 2],
        luma: [&[f32]; 5],
        alpha: [&[f32]; 5],
        sums: &mut [f32],
        gain: f32,
    );
}

#[cfg(test)]
mod tests;
