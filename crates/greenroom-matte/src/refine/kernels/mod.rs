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

dispatch! {
    /// `sums[x] += row[x]`.
    fn add_row(sums: &mut [f32], row: &[f32]);
    /// `sums[x] += a[x] * b[x]`.
    fn add_product(sums: &mut [f32], a: &[f32], b: &[f32]);
    /// `out[x] = scale * (padded[x] + ... + padded[x + reach])` with `padded.len() - out.len() = reach`.
    fn spread(out: &mut [f32], padded: &[f32], scale: f32);
    /// The best affine map from a window's colours to its alphas: `moments` are the rows of window
    /// means y, u, v, p, yy, yu, yv, uu, uv, vv, yp, up, vp, one behind the other, each as long as a
    /// row of `out`; `out` becomes rows of the factors of y, u and v and of the constant.
    fn solve(out: &mut [f32], moments: &[f32], epsilon: f32);
    /// `wide[x]` becomes the value of `line` between `columns[x].0` and the next: `columns[x].1` of
    /// the next.
    fn widen(wide: &mut [f32], line: &[f32], columns: &[(u32, f32)]);
    /// `out = clamp(slope * luma + offset)`, both between two rows: `share` of the second.
    fn apply(
        out: &mut [u8],
        luma: &[u8],
        slopes: [&[f32]; 2],
        offsets: [&[f32]; 2],
        share: f32,
    );
    /// The mean of two rows' neighbours: `out[x] = (above[2x] + above[2x+1] + below[2x] + ...) / 4`;
    /// the rows are as long as twice `out`.
    fn halve(out: &mut [u8], above: &[u8], below: &[u8]);
    /// `sums += |a - b|`.
    fn add_difference(sums: &mut [u16], a: &[u8], b: &[u8]);
    /// `state += (new * 128 - state) * weight / 255`, and `new` becomes a 128th of what it is then.
    fn follow(state: &mut [u16], new: &mut [u8], weights: &[u8]);
}

#[cfg(test)]
mod tests;
