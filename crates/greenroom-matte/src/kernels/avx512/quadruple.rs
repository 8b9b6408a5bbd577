use std::arch::x86_64::*;

use super::LANES;
use crate::kernels::layers::Quadruple;
use crate::kernels::{avx2, scalar};

/// Pixels whose outputs are two vectors.
const PIXELS: usize = 8;
/// Outputs of a pixel, which are as many floats as a quarter of a vector has.
const OUTPUTS: usize = 4;

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub fn quadruple(layer: &Quadruple, row: &[f32], top: &mut [f32], bottom: &mut [f32]) {
    let channels = layer.channels();
    if channels != LANES {
        return avx2::quadruple(layer, row, top, bottom);
    }
    let weights = weights(layer);
    let bias = _mm512_set1_ps(layer.bias());
    let whole = row.len() / channels / PIXELS * PIXELS;
    // Of two vectors of four pixels each, the first halves of the pixels' outputs, and the second.
    let firsts = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    let seconds = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    for pixel in (0..whole).step_by(PIXELS) {
        // SAFETY: eight pixels from here on are in the row, which is whole pixels of sixteen channels, and twice as many
        // values in `top` and `bottom`.
        unsafe {
            let pixels = row.as_ptr().add(pixel * LANES);
            let [left, right] = [pixels, pixels.add(PIXELS / 2 * LANES)].map(|pixels| {
                let logits = _mm512_add_ps(four_pixels(&weights, pixels), bias);
                _mm512_castps_pd(logistic_of(logits))
            });
            let upper = _mm512_permutex2var_pd(left, firsts, right);
            let lower = _mm512_permutex2var_pd(left, seconds, right);
            _mm512_storeu_ps(top.as_mut_ptr().add(2 * pixel), _mm512_castpd_ps(upper));
            _mm512_storeu_ps(bottom.as_mut_ptr().add(2 * pixel), _mm512_castpd_ps(lower));
        }
    }
    let (top, bottom) = (&mut top[2 * whole..], &mut bottom[2 * whole..]);
    scalar::quadruple(layer, &row[whole * channels..], top, bottom);
}

/// For each of four neighbouring channels: the weights of the four outputs, in each quarter of the vector for the channel
/// four further.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn weights(layer: &Quadruple) -> [__m512; OUTPUTS] {
    std::array::from_fn(|channel| {
        let lanes: [f32; LANES] = std::array::from_fn(|lane| {
            let (quarter, output) = (lane / OUTPUTS, lane % OUTPUTS);
            layer.weights()[output * LANES + OUTPUTS * quarter + channel]
        });
        // SAFETY: these are sixteen floats.
        unsafe { _mm512_loadu_ps(lanes.as_ptr()) }
    })
}

/// The sums of the four outputs of four pixels, those of a pixel side by side.
///
/// # Safety
/// There are four pixels of sixteen channels from `pixels` on.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn four_pixels(weights: &[__m512; OUTPUTS], pixels: *const f32) -> __m512 {
    // In each quarter the sums over its four channels.
    let parts: [__m512; 4] = std::array::from_fn(|pixel| {
        // SAFETY: the pixel is there.
        let values = unsafe { _mm512_loadu_ps(pixels.add(pixel * LANES)) };
        let first = _mm512_mul_ps(_mm512_permute_ps::<0x00>(values), weights[0]);
        let third = _mm512_mul_ps(_mm512_permute_ps::<0xAA>(values), weights[2]);
        let first = _mm512_fmadd_ps(_mm512_permute_ps::<0x55>(values), weights[1], first);
        let third = _mm512_fmadd_ps(_mm512_permute_ps::<0xFF>(values), weights[3], third);
        _mm512_add_ps(first, third)
    });
    // Two of them together, half a sum each: then all four, a quarter each.
    let halves = |a: __m512, b: __m512| {
        let lower = _mm512_shuffle_f32x4::<0b01_00_01_00>(a, b);
        _mm512_add_ps(lower, _mm512_shuffle_f32x4::<0b11_10_11_10>(a, b))
    };
    let (a, b) = (halves(parts[0], parts[1]), halves(parts[2], parts[3]));
    let even = _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b);
    _mm512_add_ps(even, _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b))
}

/// 1 / (1 + exp(-value)), within 1e-6. A division takes twice as long as an estimate of 14 bits that is mended by a step of Newton's.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn logistic_of(value: __m512) -> __m512 {
    let one = _mm512_set1_ps(1.0);
    let below = _mm512_add_ps(one, exp(_mm512_sub_ps(_mm512_setzero_ps(), value)));
    let estimate = _mm512_rcp14_ps(below);
    _mm512_fmadd_ps(estimate, _mm512_fnmadd_ps(estimate, below, one), estimate)
}

/// As that of AVX2.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn exp(value: __m512) -> __m512 {
    let set = |value: f32| _mm512_set1_ps(value);
    let value = _mm512_min_ps(_mm512_max_ps(value, set(-80.0)), set(80.0));
    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    let n = _mm512_roundscale_ps::<NEAREST>(_mm512_mul_ps(value, set(std::f32::consts::LOG2_E)));
    let r = _mm512_fnmadd_ps(n, set(0.693_359_4), value);
    let r = _mm512_fnmadd_ps(n, set(-2.121_944_4e-4), r);
    let mut poly = set(1.987_569_1e-4);
    for factor in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        poly = _mm512_fmadd_ps(poly, r, set(factor));
    }
    let near_one = _mm512_fmadd_ps(_mm512_mul_ps(r, r), poly, _mm512_add_ps(r, set(1.0)));
    let power = _mm512_slli_epi32::<23>(_mm512_cvtps_epi32(n));
    _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(near_one), power))
}
