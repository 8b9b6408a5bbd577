use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::MaybeUninit;

use super::tile::{Inputs, run};
use super::{LANES, round};
use crate::kernels::layers::Pointwise;
use crate::kernels::pairs::{Pair, ValuesMut};
use crate::kernels::stem::{LINES, PAIRS};

/// Pixels whose inputs are rounded at a time, and the pairs of a line that these take: one more, since a pixel's third value
/// is in the pair behind its first two.
const PIXELS: usize = 192;
const LINE_PAIRS: usize = PIXELS + 1;

/// A line's values, rounded: a pair has the first two of a pixel's window.
type Line = [MaybeUninit<Pair>; LINE_PAIRS];

/// # Panics
/// If the layer is not in pairs.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
pub fn stem(layer: &Pointwise, rows: &[[&[f32]; 3]; 3], mut out: ValuesMut<'_>) {
    let outputs = layer.outputs();
    let all = out.len() / outputs;
    let mut lines: [Line; LINES] = [[MaybeUninit::uninit(); _]; _];
    let mut thirds: [[MaybeUninit<Pair>; PIXELS]; PAIRS - LINES] = [[MaybeUninit::uninit(); _]; _];
    for first in (0..all).step_by(PIXELS) {
        let pixels = PIXELS.min(all - first);
        for (line, row) in lines.iter_mut().zip(rows.iter().flatten()) {
            // Right of the picture are zeros.
            let behind = row.get(2 * (first + pixels)).copied().unwrap_or_default();
            round(&row[2 * first..][..2 * pixels], line);
            round(&[behind, 0.0], &mut line[pixels..]);
        }
        for (to, lines) in thirds.iter_mut().zip(lines.chunks(2)) {
            // SAFETY: the lines were set up to one pair behind the pixels.
            unsafe { third_values(&lines[0], lines.get(1), pixels, to) };
        }
        let places: [*const Pair; PAIRS] = from_fn(|place| match place.checked_sub(LINES) {
            None => lines[place].as_ptr().cast(),
            Some(place) => thirds[place].as_ptr().cast(),
        });
        let inputs = Inputs { places, count: 1, stride: 1 };
        // SAFETY: at each place is a pair for each of the pixels, in the order of the layer's inputs.
        unsafe { run(layer, inputs, None, out.part(first * outputs, pixels * outputs)) };
    }
}

/// Pairs the third values of the windows of `pixels` pixels on two lines, or on one line with zeros: the first value of the
/// pair behind a pixel's first two.
///
/// # Safety
/// Both lines are set, up to one pair behind the pixels.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
unsafe fn third_values(
    first: &Line,
    second: Option<&Line>,
    pixels: usize,
    to: &mut [MaybeUninit<Pair>; PIXELS],
) {
    let lower_halves = _mm512_set1_epi32(0xFFFF);
    for pixel in (0..pixels).step_by(LANES) {
        let left = (pixels - pixel).min(LANES);
        let mask = ((1_u32 << left) - 1) as u16;
        // SAFETY: the mask leaves out what is behind the last pixel; each pixel has a pair behind its own.
        let behind = |line: &Line| unsafe {
            _mm512_maskz_loadu_epi32(mask, line.as_ptr().add(pixel + 1).cast())
        };
        let lower = _mm512_and_si512(behind(first), lower_halves);
        let upper = second.map(|second| _mm512_slli_epi32::<16>(behind(second)));
        let both = _mm512_or_si512(lower, upper.unwrap_or(_mm512_setzero_si512()));
        // SAFETY: as above.
        unsafe { _mm512_mask_storeu_epi32(to.as_mut_ptr().add(pixel).cast(), mask, both) };
    }
}
