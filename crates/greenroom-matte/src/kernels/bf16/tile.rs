//! Blocks of pixels, panel by panel, tile by tile.

use std::arch::x86_64::*;

use super::{LANES, store, store_half};
use crate::kernels::layers::{Activation, NARROW_PANEL, PANEL, Panel, Pointwise, WIDE_PANEL};
use crate::kernels::pairs::{Pair, ValuesMut};
use crate::kernels::{avx2, avx512};

/// Pixels that are summed at a time, the most first. Sixteen are not taken by a wide panel, nor where a block is whole tens and not
/// whole sixteens.
pub(super) const PIXELS: [usize; 4] = [16, 10, 4, 1];

/// Where the inputs of the pixels of a block are: in `N` places, at each `count` pairs of a pixel side by side; those of
/// the next pixel are `stride` further.
#[derive(Clone, Copy)]
pub(super) struct Inputs<const N: usize> {
    pub places: [*const Pair; N],
    pub count: usize,
    pub stride: usize,
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

/// All panels of a block.
///
/// # Safety
/// `inputs` and `addend` are of the pixels of `out`, and of the layer, which is in pairs.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
pub(super) unsafe fn run<const N: usize>(
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
        // In a function of their own, the stores make the compiler keep sums in memory: an inference takes 1.14 of the time.
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
                        store(out.add(at / 2), avx512::activate(activation, sum));
                    }
                    if HAS_HALF {
                        store_half(out.add((at + half) / 2), avx2::activate(activation, more));
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
