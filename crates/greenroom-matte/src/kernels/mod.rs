//! The arithmetic of the networks, one row of a map (or one whole map) a call. Here are the checks and the choice
//! of the instruction set; `scalar` is the reference, the others give the same within rounding. Layers
//! [in pairs](Pointwise::in_pairs) multiply bf16, where that is quick.
//!
//! A row is pixels side by side, the channels of a pixel side by side: in the formulas `row[x][c]` is channel `c` of
//! pixel `x`, and `sum` goes over all indices that are not on the left.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx512;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod bf16;
#[cfg(target_arch = "x86_64")]
mod depthwise;
mod layers;
mod pairs;
mod scalar;
mod stem;
#[cfg(test)]
mod tests;

pub use layers::{Activation, Bordered, Depthwise, Pointwise, Quadruple};
pub use pairs::{Pair, Values, ValuesMut};
pub use stem::{Stem, stem, stem_rows};

use greenroom_frame::dispatch;

use crate::Isa;

/// Calls a kernel that there is for pairs alone: `bf16::name`. Like [`dispatch!`], below the asserts of what it asks for.
///
/// Panics if `isa` has no products of bf16.
macro_rules! dispatch_pairs {
    ($isa:ident, unsafe $kernel:ident($($argument:ident),* $(,)?)) => {
        match $isa.kind() {
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            // SAFETY: an `Isa` of this kind is only made on a machine that has AVX512_BF16, and the caller has asserted
            // just above what else the kernel asks for.
            greenroom_frame::IsaKind::Avx512Bf16 => unsafe { bf16::$kernel($($argument),*) },
            _ => {
                let _ = ($(&$argument),*);
                panic!("pairs are for products of bf16, not for {}", $isa)
            }
        }
    };
}
use dispatch_pairs;

/// `out[x][o] = activation(bias[o] + sum(weights[o][i] * input[x][i]) + addend[x][o])`, with the `layer`'s
/// activation, bias and weights. Without an `addend` it is 0.
///
/// # Panics
/// If `input`, `addend` and `out` are not of the same number of pixels, or the layer is in pairs for another `isa`.
pub fn pointwise(
    isa: Isa,
    layer: &Pointwise,
    input: &[f32],
    addend: Option<&[f32]>,
    out: &mut [f32],
) {
    pointwise_of(isa, layer, Values::Floats(input), addend, ValuesMut::Floats(out));
}

/// The same of floats or pairs.
///
/// # Panics
/// As [`pointwise`], or if `input` or `out` are in pairs and the layer is not.
pub fn pointwise_of(
    isa: Isa,
    layer: &Pointwise,
    input: Values<'_>,
    addend: Option<&[f32]>,
    out: ValuesMut<'_>,
) {
    let pixels = out.len() / layer.outputs();
    assert_eq!(out.len(), pixels * layer.outputs());
    assert_eq!(input.len(), pixels * layer.inputs());
    assert!(addend.is_none_or(|addend| addend.len() == out.len()));
    match (input, out) {
        (Values::Floats(input), ValuesMut::Floats(out)) => {
            dispatch!(isa, unsafe pointwise(layer, input, addend, out), avx512, bf16);
        }
        (input, out) => dispatch_pairs!(isa, unsafe pointwise_of(layer, input, addend, out)),
    }
}

/// A whole map by a 3x3 convolution with stride 1: `out[y][x][o] = activation(bias[o] + sum(weights[o][row][column][c] *
/// input[y + row][x + column][c]))`, with `row` and `column` 0..3. The border of `input` is its first row and column, and
/// its last.
///
/// # Panics
/// If the layer's inputs are not those of a window of `input`, `out` has not its pixels, or the layer is in pairs for
/// another `isa`.
pub fn convolve(isa: Isa, layer: &Pointwise, input: Bordered<'_>, out: &mut [f32]) {
    let Bordered { values, width, channels } = input;
    let row_len = (width + 2) * channels;
    assert!(width > 0 && channels > 0 && layer.inputs() == 9 * channels);
    assert!(values.len().is_multiple_of(row_len) && values.len() >= 3 * row_len);
    let height = values.len() / row_len - 2;
    assert_eq!(out.len(), height * width * layer.outputs());
    dispatch!(isa, unsafe convolve(layer, input, out), avx512, bf16);
}

/// One row of a depthwise convolution: `out[x][c] = activation(bias[c] + sum(weights[row][column][c] *
/// rows[row][stride * x + column][c]))`, with `row` and `column` below `window`. A layer that adds its input adds the
/// pixel in the middle of the window to that. `rows` are the rows of the window, each with the padding columns that the
/// window needs at both ends.
///
/// # Panics
/// If there are not `window` rows, one of them is too short for `out`, or that is in pairs and `isa` has no products of bf16.
pub fn depthwise(isa: Isa, layer: &Depthwise, rows: &[&[f32]], out: ValuesMut<'_>) {
    let pixels = out.len() / layer.channels();
    assert_eq!((rows.len(), out.len()), (layer.window(), pixels * layer.channels()));
    let columns = pixels.saturating_sub(1) * layer.stride() + layer.window();
    assert!(rows.iter().all(|row| row.len() >= columns * layer.channels()));
    match out {
        ValuesMut::Floats(out) => dispatch!(isa, unsafe depthwise(layer, rows, out), avx512),
        ValuesMut::Pairs(out) => dispatch_pairs!(isa, unsafe depthwise_to_pairs(layer, rows, out)),
    }
}

/// `sums[c] += sum(row[x][c])`.
///
/// # Panics
/// If the channels are no multiple of 8, `row` is not whole pixels, or in pairs and `isa` has no products of bf16.
pub fn accumulate(isa: Isa, row: Values<'_>, sums: &mut [f32]) {
    let channels = sums.len();
    assert!(channels.is_multiple_of(8) && row.len().is_multiple_of(channels));
    match row {
        Values::Floats(row) => dispatch!(isa, unsafe accumulate(row, sums), avx512),
        Values::Pairs(row) => dispatch_pairs!(isa, unsafe accumulate_pairs(row, sums)),
    }
}

/// One row of the bilinear doubling with half-pixel centres: with `mixed = 0.75 * near + 0.25 * far` it is
/// `out[2x] = 0.75 * mixed[x] + 0.25 * mixed[x - 1]` and `out[2x + 1] = 0.75 * mixed[x] + 0.25 * mixed[x + 1]`. Beyond
/// the ends of the row the outermost pixel counts again; at the map's edge `far` is to be `near` again.
///
/// # Panics
/// If the channels are no multiple of 8, or the rows do not fit together.
pub fn double(isa: Isa, channels: usize, near: &[f32], far: &[f32], out: &mut [f32]) {
    assert!(channels.is_multiple_of(8) && near.len() >= channels);
    assert!(near.len().is_multiple_of(channels));
    assert_eq!((far.len(), out.len()), (near.len(), 2 * near.len()));
    dispatch!(isa, unsafe double(channels, near, far, out), avx512);
}

/// Two rows of probabilities from one row of pixels: `top[2x]`, `top[2x + 1]`, `bottom[2x]` and `bottom[2x + 1]` become
/// `1 / (1 + exp(-(bias + sum(weights[place][c] * row[x][c]))))`, in this order of the `layer`'s four places.
///
/// # Panics
/// If the rows do not fit together.
pub fn quadruple(isa: Isa, layer: &Quadruple, row: &[f32], top: &mut [f32], bottom: &mut [f32]) {
    let pixels = row.len() / layer.channels();
    assert_eq!(row.len(), pixels * layer.channels());
    assert_eq!((top.len(), bottom.len()), (2 * pixels, 2 * pixels));
    dispatch!(isa, unsafe quadruple(layer, row, top, bottom), avx512);
}

/// `values[x] = 1 / (1 + exp(-values[x]))`.
pub fn logistic(isa: Isa, values: &mut [f32]) {
    dispatch!(isa, unsafe logistic(values));
}
