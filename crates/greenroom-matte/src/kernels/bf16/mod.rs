//! AVX512_BF16: layers whose inputs and weights are rounded to bf16, two products a lane at a time, summed in 32-bit
//! floats. Layers [in pairs](Pointwise::in_pairs) have a kernel here, all others are those of AVX-512.
//!
//! What is said of [`avx2`](super::avx2) holds here, too.

mod accumulate;
mod depthwise;
mod stem;
mod tile;

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

pub use self::accumulate::accumulate_pairs;
pub use self::depthwise::depthwise_to_pairs;
pub use self::stem::stem;
use self::tile::{Inputs, PIXELS, run};
use super::avx512;
use super::layers::{Bordered, Pointwise};
use super::pairs::{Pair, Values, ValuesMut};

/// Floats in a vector, which are as many pairs; and in half of one.
const LANES: usize = 16;
const HALF: usize = 8;

/// Memory for the rounded inputs of a block of pixels. It has room for 16 pixels of the layer with the most inputs (1536).
type Memory = [MaybeUninit<Pair>; 16 * 768];

/// Pairs that a block has at most, if that is 16 pixels or more: half of the nearest cache.
const BLOCK_PAIRS: usize = 4096;

#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
pub fn pointwise(layer: &Pointwise, input: &[f32], addend: Option<&[f32]>, out: &mut [f32]) {
    if !layer.is_in_pairs() {
        return avx512::pointwise(layer, input, addend, out);
    }
    pointwise_of(layer, Values::Floats(input), addend, ValuesMut::Floats(out));
}

/// # Panics
/// If the layer is not in pairs.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
pub fn pointwise_of(
    layer: &Pointwise,
    input: Values<'_>,
    addend: Option<&[f32]>,
    mut out: ValuesMut<'_>,
) {
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let pixels = out.len() / outputs;
    let mut memory: Memory = [MaybeUninit::uninit(); _];
    let block = block_pixels(inputs / 2, memory.len());
    for first in (0..pixels).step_by(block) {
        let count = block.min(pixels - first);
        let place = match input {
            Values::Floats(input) => round(&input[first * inputs..][..count * inputs], &mut memory),
            Values::Pairs(input) => input[first * inputs / 2..][..count * inputs / 2].as_ptr(),
        };
        let addend = addend.map(|addend| &addend[first * outputs..][..count * outputs]);
        let inputs = Inputs { places: [place], count: inputs / 2, stride: inputs / 2 };
        // SAFETY: input, addend and out are of as many pixels.
        unsafe { run(layer, inputs, addend, out.part(first * outputs, count * outputs)) };
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
pub fn convolve(layer: &Pointwise, input: Bordered<'_>, out: &mut [f32]) {
    if !layer.is_in_pairs() {
        return avx512::convolve(layer, input, out);
    }
    let Bordered { width, channels, .. } = input;
    let mut memory: Memory = [MaybeUninit::uninit(); _];
    let part = memory.len() / 3;
    let block = block_pixels(channels / 2, part - channels);
    for (y, out) in out.chunks_exact_mut(width * layer.outputs()).enumerate() {
        let rows = input.window_rows(y);
        for (index, out) in out.chunks_mut(block * layer.outputs()).enumerate() {
            // A window reaches two pixels further.
            let values = (out.len() / layer.outputs() + 2) * channels;
            let mut parts = memory.chunks_exact_mut(part);
            let places = rows.map(|row| {
                let memory = parts.next().expect("there are three thirds");
                round(&row[index * block * channels..][..values], memory)
            });
            let inputs = Inputs { places, count: 3 * channels / 2, stride: channels / 2 };
            // SAFETY: the rounded parts of the three rows have two pixels more than `out`, so all windows are in
            // them, and the layer has as many inputs as a window has values.
            unsafe { run(layer, inputs, None, ValuesMut::Floats(out)) };
        }
    }
}

/// How many pixels of `pairs` pairs are rounded at a time, in memory that has `room` for so many pairs: whole tiles, if that is
/// possible.
fn block_pixels(pairs: usize, room: usize) -> usize {
    let most = room / pairs;
    assert!(most > 0, "no layer has so many inputs");
    let tiles = (BLOCK_PAIRS / pairs / PIXELS[0]).max(1).min(most / PIXELS[0]);
    if tiles > 0 { tiles * PIXELS[0] } else { most }
}

/// Rounds `values` to the nearest bf16, ties to even, in `memory`: the first of a pair in its lower half.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
fn round(values: &[f32], memory: &mut [MaybeUninit<Pair>]) -> *const Pair {
    let pairs = values.len() / 2;
    assert!(values.len() == 2 * pairs && memory.len() >= pairs);
    let (from, to) = (values.as_ptr(), memory.as_mut_ptr().cast::<i32>());
    let whole = pairs / LANES * LANES;
    for pair in (0..whole).step_by(LANES) {
        // SAFETY: both vectors of values and the one of pairs end at or before `whole`.
        unsafe {
            let low = _mm512_loadu_ps(from.add(2 * pair));
            let high = _mm512_loadu_ps(from.add(2 * pair + LANES));
            let both = to_integers(_mm512_cvtne2ps_pbh(high, low));
            _mm512_storeu_si512(to.add(pair).cast(), both);
        }
    }
    if whole < pairs {
        let mask = (1_u32 << (2 * (pairs - whole))) - 1;
        // SAFETY: the masks leave out what is behind the last value and pair.
        unsafe {
            let from = from.add(2 * whole);
            let low = _mm512_maskz_loadu_ps(mask as u16, from);
            let high = _mm512_maskz_loadu_ps((mask >> LANES) as u16, from.wrapping_add(LANES));
            let both = to_integers(_mm512_cvtne2ps_pbh(high, low));
            let mask = (1_u16 << (pairs - whole)) - 1;
            _mm512_mask_storeu_epi32(to.add(whole), mask, both);
        }
    }
    memory.as_ptr().cast()
}

#[inline]
#[target_feature(enable = "avx512f")]
fn to_integers(pairs: __m512bh) -> __m512i {
    // SAFETY: both are 64 bytes that may be anything.
    unsafe { std::mem::transmute(pairs) }
}

/// Rounds a vector of values to pairs.
///
/// # Safety
/// There are eight pairs from `to` on.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
unsafe fn store(to: *mut Pair, values: __m512) {
    // SAFETY: the caller's promise.
    unsafe { to.cast::<__m256bh>().write_unaligned(_mm512_cvtneps_pbh(values)) };
}

/// Rounds half a vector.
///
/// # Safety
/// There are four pairs from `to` on.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
unsafe fn store_half(to: *mut Pair, values: __m256) {
    // SAFETY: the caller's promise.
    unsafe { to.cast::<__m128bh>().write_unaligned(_mm256_cvtneps_pbh(values)) };
}
