//! The first layer of a network: from a picture of three planes to a map of half its size.

use greenroom_frame::dispatch;

use super::{Activation, Pointwise, ValuesMut, dispatch_pairs, pointwise, scalar};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512, bf16};
use crate::Isa;

/// Rows of the planes that a window lies on.
pub(super) const LINES: usize = 9;
/// Values in a window.
const TAPS: usize = 3 * LINES;
/// Pairs that these make up, the last of them of one value.
#[cfg(target_arch = "x86_64")]
pub(super) const PAIRS: usize = TAPS.div_ceil(2);

/// A 3x3 convolution with stride 2 from three planes to vectors of channels.
///
/// Its inputs are in the order `[plane][row][column]`. In pairs, they are the first two of each line's, then the third ones of
/// two neighbouring lines, and a zero behind the last.
#[derive(Debug)]
pub struct Stem(Pointwise);

impl Stem {
    /// From weights `[outputs][3 rows][3 columns][3 planes]`, to be run with `isa`: if that is the [one](Isa::avx512_bf16) for
    /// products of bf16, weights and picture are rounded to bf16.
    ///
    /// # Panics
    /// If the lengths do not fit, or `outputs` is no multiple of 8.
    pub fn new(
        outputs: usize,
        weights: &[f32],
        bias: &[f32],
        activation: Activation,
        isa: Isa,
    ) -> Self {
        assert_eq!(weights.len(), TAPS * outputs);
        let is_in_pairs = Isa::avx512_bf16() == Some(isa);
        let order = if is_in_pairs { order_in_pairs() } else { (0..TAPS).map(Some).collect() };
        // From `[row][column][plane]`.
        let of_file = |tap: usize| tap % LINES * 3 + tap / LINES;
        let ordered = weights
            .chunks_exact(TAPS)
            .flat_map(|taps| order.iter().map(|tap| tap.map_or(0.0, |tap| taps[of_file(tap)])));
        let ordered: Vec<f32> = ordered.collect();
        let layer = Pointwise::new((order.len(), outputs), &ordered, bias, activation);
        Self(layer.in_pairs(isa))
    }
}

/// The taps in the order of the inputs of a layer in pairs; `None` for a zero.
fn order_in_pairs() -> Vec<Option<usize>> {
    let tap = |line: usize, column: usize| Some(3 * line + column);
    let pairs = (0..LINES).flat_map(|line| [tap(line, 0), tap(line, 1)]);
    let thirds = (0..LINES).map(|line| tap(line, 2));
    pairs.chain(thirds).chain([None]).collect()
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

/// One row of the 3x3 convolution with stride 2 from three planes: `out[x][o] = activation(bias[o] +
/// sum(weights[o][plane][row][column] * rows[plane][row][2 * x + column]))`, with `row` and `column` 0..3. The column
/// right of the picture counts as 0.
///
/// # Panics
/// If a row is not two values for each pixel of `out`, `stem` is in pairs and `isa` has no products of bf16, or `out` is in pairs and
/// `stem` is not.
pub fn stem(isa: Isa, stem: &Stem, rows: &[[&[f32]; 3]; 3], out: ValuesMut<'_>) {
    let layer = &stem.0;
    let pixels = out.len() / layer.outputs();
    assert_eq!(out.len(), pixels * layer.outputs());
    assert!(pixels > 0 && rows.iter().flatten().all(|row| row.len() == 2 * pixels));
    let out = match out {
        ValuesMut::Floats(out) if !layer.is_in_pairs() => out,
        out => return dispatch_pairs!(isa, unsafe stem(layer, rows, out)),
    };
    let (inner, last) = out.split_at_mut((pixels - 1) * layer.outputs());
    dispatch!(isa, unsafe stem(layer, rows, inner), avx512);
    let at = 2 * (pixels - 1);
    let mut window = [0.0; TAPS];
    for (taps, row) in window.chunks_exact_mut(3).zip(rows.iter().flatten()) {
        taps[..2].copy_from_slice(&row[at..]);
    }
    pointwise(isa, layer, &window, None, last);
}
