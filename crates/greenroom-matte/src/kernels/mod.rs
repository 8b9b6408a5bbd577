//! The arithmetic of the networks, one row of a map (or one whole map) a call. Here are the checks and the choice
//! of the instruction set; `scalar` is the reference, the others give the same within rounding.
//!
//! A row is pixels side by side, the channels of a pixel side by side.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
mod layers;
mod scalar;
#[cfg(test)]
mod tests;

pub use layers::{Activation, Bordered, Depthwise, Pointwise, Quadruple};

use crate::Isa;
use crate::isa::Kind;

/// Calls the kernel of the instruction set. The `unsafe` is that of calling a function compiled for
/// AVX2 and FMA; what the kernel itself needs was checked by its caller here.
macro_rules! dispatch {
    ($isa:expr, $kernel:ident($($argument:expr),*)) => {
        match $isa.kind() {
            Kind::Scalar => scalar::$kernel($($argument),*),
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            // SAFETY: an `Isa` of this kind is only made on a machine that has AVX2 and FMA, and
            // the lengths that the kernel asks for were asserted just above.
            Kind::Avx2 => unsafe { avx2::$kernel($($argument),*) },
        }
    };
}

/// out = activation(layer · input + addend), pixel by pixel.
///
/// # Panics
/// If `input`, `addend` and `out` are not of the same number of pixels.
pub fn pointwise(
    isa: Isa,
    layer: &Pointwise,
    input: &[f32],
    addend: Option<&[f32]>,
    out: &mut [f32],
) {
    let pixels = out.len() / layer.outputs();
    assert_eq!(out.len(), pixels * layer.outputs());
    assert_eq!(input.len(), pixels * layer.inputs());
    assert!(addend.is_none_or(|addend| addend.len() == out.len()));
    dispatch!(isa, pointwise(layer, input, addend, out));
}

/// A whole map by a 3x3 convolution with stride 1. The layer's inputs are `[row][column][channel]` of the window.
///
/// # Panics
/// If the layer's inputs are not those of a window of `input`, or `out` has not its pixels.
pub fn convolve(isa: Isa, layer: &Pointwise, input: Bordered<'_>, out: &mut [f32]) {
    let Bordered { values, width, channels } = input;
    let row_len = (width + 2) * channels;
    assert!(width > 0 && channels > 0 && layer.inputs() == 9 * channels);
    assert!(values.len().is_multiple_of(row_len) && values.len() >= 3 * row_len);
    let height = values.len() / row_len - 2;
    assert_eq!(out.len(), height * width * layer.outputs());
    dispatch!(isa, convolve(layer, input, out));
}

/// The rows of three planes, one behind the other, that make up row `y` of a [`stem`]'s map; `zeros` is as long as a
/// row, and lies below the picture.
pub fn stem_rows<'a>(
    picture: &'a [f32],
    (height, width): (usize, usize),
    zeros: &'a [f32],
    y: usize,
) -> [[&'a [f32]; 3]; 3] {
    std::array::from_fn(|plane| {
        std::array::from_fn(|row| match 2 * y + row {
            row if row < height => &picture[(plane * height + row) * width..][..width],
            _ => zeros,
        })
    })
}

/// One row of the 3x3 convolution with stride 2 from three planes. `rows[c][y]` is row `y` of the
/// window in plane `c`; the column right of the picture counts as 0. The layer's 27 inputs are
/// `[plane][row][column]`.
///
/// # Panics
/// If a row is not two values for each pixel of `out`, or the layer has not 27 inputs.
pub fn stem(isa: Isa, layer: &Pointwise, rows: &[[&[f32]; 3]; 3], out: &mut [f32]) {
    let pixels = out.len() / layer.outputs();
    assert_eq!((layer.inputs(), out.len()), (27, pixels * layer.outputs()));
    assert!(pixels > 0 && rows.iter().flatten().all(|row| row.len() == 2 * pixels));
    let (inner, last) = out.split_at_mut((pixels - 1) * layer.outputs());
    dispatch!(isa, stem(layer, rows, inner));
    let at = 2 * (pixels - 1);
    let mut patch = [0.0; 27];
    for (taps, row) in patch.chunks_exact_mut(3).zip(rows.iter().flatten()) {
        taps[..2].copy_from_slice(&row[at..]);
    }
    pointwise(isa, layer, &patch, None, last);
}

/// One row of a depthwise convolution. `rows` are the rows of the window, each with the padding
/// columns that the window needs at both ends.
///
/// # Panics
/// If there are not `window` rows, or one of them is too short for `out`.
pub fn depthwise(isa: Isa, layer: &Depthwise, rows: &[&[f32]], out: &mut [f32]) {
    let pixels = out.len() / layer.channels();
    assert_eq!((rows.len(), out.len()), (layer.window(), pixels * layer.channels()));
    let columns = pixels.saturating_sub(1) * layer.stride() + layer.window();
    assert!(rows.iter().all(|row| row.len() >= columns * layer.channels()));
    dispatch!(isa, depthwise(layer, rows, out));
}

/// Adds each pixel of `row` to `sums`, channel by channel.
///
/// # Panics
/// If the channels are no multiple of 8 or `row` is not whole pixels.
pub fn accumulate(isa: Isa, row: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    assert!(channels.is_multiple_of(8) && row.len().is_multiple_of(channels));
    dispatch!(isa, accumulate(row, sums));
}

/// One row of the bilinear doubling with half-pixel centres: 3/4 `near` + 1/4 `far`, then the
/// same along the row. At the map's edge `far` is `near` again.
///
/// # Panics
/// If the channels are no multiple of 8, or the rows do not fit together.
pub fn double(isa: Isa, channels: usize, near: &[f32], far: &[f32], out: &mut [f32]) {
    assert!(channels.is_multiple_of(8) && near.len() >= channels);
    assert!(near.len().is_multiple_of(channels));
    assert_eq!((far.len(), out.len()), (near.len(), 2 * near.len()));
    dispatch!(isa, double(channels, near, far, out));
}

/// Two rows of probabilities from one row of pixels.
///
/// # Panics
/// If the rows do not fit together.
pub fn quadruple(isa: Isa, layer: &Quadruple, row: &[f32], top: &mut [f32], bottom: &mut [f32]) {
    let pixels = row.len() / layer.channels();
    assert_eq!(row.len(), pixels * layer.channels());
    assert_eq!((top.len(), bottom.len()), (2 * pixels, 2 * pixels));
    dispatch!(isa, quadruple(layer, row, top, bottom));
}

/// 1 / (1 + exp(-x)) in place.
pub fn logistic(isa: Isa, values: &mut [f32]) {
    dispatch!(isa, logistic(values));
}
