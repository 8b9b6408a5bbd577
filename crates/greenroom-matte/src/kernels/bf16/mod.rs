//! AVX512_BF16: layers whose inputs and weights are rounded to bf16, two products a lane at a time, summed in 32-bit
//! floats. Layers [in pairs](Pointwise::in_pairs) have a kernel here, all others are those of AVX-512.
//!
//! What is said of [`avx2`](super::avx2) holds here, too.

mod accumulate;
mod stem;

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

pub use self::accumulate::accumulate_pairs;
pub use self::stem::stem;
use super::layers::{Activation, Bordered, NARROW_PANEL, PANEL, Panel, Pointwise, WIDE_PANEL};
use super::pairs::{Pair, Values, ValuesMut};
use super::{avx2, avx512};

/// Floats in a vector, which are as many pairs.
const LANES: usize = 16;

/// Pixels that are summed at a time: the first of these if a block is whole tiles of it, else the second; then what is
/// left.
const PIXELS: [usize; 4] = [16, 10, 4, 1];

/// Memory for the rounded inputs of a block of pixels. It has room for 16 pixels of the layer with the most inputs (1536).
type Memory = [MaybeUninit<Pair>; 16 * 768];

/// Pairs that a block has at most, if that is 16 pixels or more: half of the nearest cache.
const BLOCK_PAIRS: usize = 4096;

/// Where the inputs of the pixels of a block are: in `N` places, at each `count` pairs of a pixel side by side; those of
/// the next pixel are `stride` further.
#[derive(Clone, Copy)]
struct Inputs<const N: usize> {
    places: [*const Pair; N],
    count: usize,
    stride: usize,
}

/// A block of a panel. `addend` and `out` are of its first output in the first pixel; there are `outputs` values a pixel.
#[derive(Clone, Copy)]
struct Block {
    weights: *const Pair,
    bias: *const f32,
    addend: Option<*const f32>,
    out: Out,
    outputs: usize,
    activation: Activation,
}

/// Where values go: as they are, or rounded.
#[derive(Clone, Copy)]
enum Out {
    Floats(*mut f32),
    Pairs(*mut Pair),
}

impl Out {
    /// Where the values from output `first` on go.
    fn new(out: &mut ValuesMut<'_>, first: usize) -> Self {
        match out {
            ValuesMut::Floats(values) => Self::Floats(values[first..].as_mut_ptr()),
            ValuesMut::Pairs(pairs) => Self::Pairs(pairs[first / 2..].as_mut_ptr()),
        }
    }
}

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

/// All panels of a block.
///
/// # Safety
/// `inputs` and `addend` are of the pixels of `out`, and of the layer, which is in pairs.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
unsafe fn run<const N: usize>(
    layer: &Pointwise,
    inputs: Inputs<N>,
    addend: Option<&[f32]>,
    mut out: ValuesMut<'_>,
) {
    let pixels = out.len() / layer.outputs();
    for panel in layer.panels() {
        let block = Block {
            weights: layer.panel_pairs(panel).as_ptr(),
            bias: layer.bias()[panel.first..].as_ptr(),
            addend: addend.map(|addend| addend[panel.first..].as_ptr()),
            out: Out::new(&mut out, panel.first),
            outputs: layer.outputs(),
            activation: layer.activation(),
        };
        // SAFETY: the caller's promise, and each panel is as wide as is said here.
        unsafe {
            match panel {
                Panel { width: WIDE_PANEL, .. } => {
                    run_panel::<N, true, true>(inputs, block, pixels)
                }
                Panel { width: PANEL, .. } => run_panel::<N, true, false>(inputs, block, pixels),
                Panel { width: NARROW_PANEL, .. } => {
                    run_panel::<N, false, true>(inputs, block, pixels);
                }
                panel => unreachable!("no panel is {} wide", panel.width),
            }
        }
    }
}

/// # Safety
/// As for [`run`]; the panel has a vector if it `HAS_WHOLE`, and half of one more if it `HAS_HALF`.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
unsafe fn run_panel<const N: usize, const HAS_WHOLE: bool, const HAS_HALF: bool>(
    inputs: Inputs<N>,
    block: Block,
    pixels: usize,
) {
    const { assert!(PIXELS[0] == 16 && PIXELS[1] == 10 && PIXELS[2] == 4 && PIXELS[3] == 1) };
    let mut pixel = 0;
    // Twenty-four sums and more do not leave enough registers for a wide panel's.
    let is_wide = HAS_WHOLE && HAS_HALF;
    let takes_most =
        !is_wide && (pixels.is_multiple_of(PIXELS[0]) || !pixels.is_multiple_of(PIXELS[1]));
    // SAFETY: each tile ends at or before `pixels`.
    unsafe {
        while takes_most && pixel + PIXELS[0] <= pixels {
            tile::<N, HAS_WHOLE, HAS_HALF, 16>(inputs, block, pixel);
            pixel += PIXELS[0];
        }
        while pixel + PIXELS[1] <= pixels {
            tile::<N, HAS_WHOLE, HAS_HALF, 10>(inputs, block, pixel);
            pixel += PIXELS[1];
        }
        while pixel + PIXELS[2] <= pixels {
            tile::<N, HAS_WHOLE, HAS_HALF, 4>(inputs, block, pixel);
            pixel += PIXELS[2];
        }
        while pixel < pixels {
            tile::<N, HAS_WHOLE, HAS_HALF, 1>(inputs, block, pixel);
            pixel += 1;
        }
    }
}

/// Pixels `pixel..pixel + COUNT` of a panel. Never inlined, as that of AVX2.
///
/// # Safety
/// As for [`run_panel`], and these pixels are there.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
unsafe fn tile<const N: usize, const HAS_WHOLE: bool, const HAS_HALF: bool, const COUNT: usize>(
    inputs: Inputs<N>,
    block: Block,
    pixel: usize,
) {
    let Block { mut weights, bias, addend, out, outputs, activation } = block;
    // Where the half is, behind the whole vector if there is one.
    let half = if HAS_WHOLE { LANES } else { 0 };
    let width = if HAS_HALF { half + LANES / 2 } else { half };
    // SAFETY: the pixels are there, and have `outputs` values each in `addend` and `out`, and `count` pairs at each of the
    // places; for each of these there is a row of the panel's width of pairs of weights. The bias has the panel's width.
    unsafe {
        let mut sums = [_mm512_setzero_ps(); COUNT];
        let mut more = [_mm256_setzero_ps(); COUNT];
        if HAS_WHOLE {
            sums = [_mm512_loadu_ps(bias); COUNT];
        }
        if HAS_HALF {
            more = [_mm256_loadu_ps(bias.add(half)); COUNT];
        }
        if let Some(addend) = addend {
            for (index, (sum, more)) in sums.iter_mut().zip(&mut more).enumerate() {
                let addend = addend.add((pixel + index) * outputs);
                if HAS_WHOLE {
                    *sum = _mm512_add_ps(*sum, _mm512_loadu_ps(addend));
                }
                if HAS_HALF {
                    *more = _mm256_add_ps(*more, _mm256_loadu_ps(addend.add(half)));
                }
            }
        }
        for place in inputs.places {
            let values = place.add(pixel * inputs.stride);
            for input in 0..inputs.count {
                if HAS_WHOLE {
                    let weight = pairs(_mm512_loadu_si512(weights.cast()));
                    for (index, sum) in sums.iter_mut().enumerate() {
                        let value = *values.add(index * inputs.stride + input);
                        *sum =
                            _mm512_dpbf16_ps(*sum, weight, pairs(_mm512_set1_epi32(value as i32)));
                    }
                }
                if HAS_HALF {
                    let weight = half_pairs(_mm256_loadu_si256(weights.add(half).cast()));
                    for (index, sum) in more.iter_mut().enumerate() {
                        let value = *values.add(index * inputs.stride + input);
                        let value = half_pairs(_mm256_set1_epi32(value as i32));
                        *sum = _mm256_dpbf16_ps(*sum, weight, value);
                    }
                }
                weights = weights.add(width);
            }
        }
        for (index, (sum, more)) in sums.into_iter().zip(more).enumerate() {
            let at = (pixel + index) * outputs;
            match out {
                Out::Floats(out) => {
                    if HAS_WHOLE {
                        _mm512_storeu_ps(out.add(at), avx512::activate(activation, sum));
                    }
                    if HAS_HALF {
                        _mm256_storeu_ps(out.add(at + half), avx2::activate(activation, more));
                    }
                }
                Out::Pairs(out) => {
                    if HAS_WHOLE {
                        let pairs = _mm512_cvtneps_pbh(avx512::activate(activation, sum));
                        out.add(at / 2).cast::<__m256bh>().write_unaligned(pairs);
                    }
                    if HAS_HALF {
                        let pairs = _mm256_cvtneps_pbh(avx2::activate(activation, more));
                        out.add((at + half) / 2).cast::<__m128bh>().write_unaligned(pairs);
                    }
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn pairs(integers: __m512i) -> __m512bh {
    // SAFETY: both are 64 bytes that may be anything.
    unsafe { std::mem::transmute(integers) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn half_pairs(integers: __m256i) -> __m256bh {
    // SAFETY: both are 32 bytes that may be anything.
    unsafe { std::mem::transmute(integers) }
}
