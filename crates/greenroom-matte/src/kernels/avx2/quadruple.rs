use std::arch::x86_64::*;

use super::LANES;
use crate::kernels::layers::Quadruple;
use crate::kernels::scalar;

#[target_feature(enable = "avx2,fma")]
pub fn quadruple(layer: &Quadruple, row: &[f32], top: &mut [f32], bottom: &mut [f32]) {
    let channels = layer.channels();
    let whole = row.len() / channels / LANES * LANES;
    for pixel in (0..whole).step_by(LANES) {
        // SAFETY: eight pixels from here on are in the row, which is whole pixels, and twice as
        // many values in `top` and `bottom`.
        unsafe {
            let outputs = eight_pixels(layer, row.as_ptr().add(pixel * channels));
            let [top_left, top_right, bottom_left, bottom_right] = outputs.map(|v| logistic_of(v));
            store_alternating(top_left, top_right, top.as_mut_ptr().add(2 * pixel));
            store_alternating(bottom_left, bottom_right, bottom.as_mut_ptr().add(2 * pixel));
        }
    }
    let (top, bottom) = (&mut top[2 * whole..], &mut bottom[2 * whole..]);
    scalar::quadruple(layer, &row[whole * channels..], top, bottom);
}

/// The four outputs of eight pixels, a vector for each output.
///
/// # Safety
/// There are eight pixels from `pixels` on.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn eight_pixels(layer: &Quadruple, pixels: *const f32) -> [__m256; 4] {
    let channels = layer.channels();
    let weights = layer.weights().as_ptr();
    let mut sums = [_mm256_set1_ps(layer.bias()); 4];
    for first in (0..channels).step_by(LANES) {
        // SAFETY: the channels are a multiple of eight and there are eight pixels of them; the
        // layer's constructor asserts that there are 4 * channels weights.
        unsafe {
            let rows =
                std::array::from_fn(|pixel| _mm256_loadu_ps(pixels.add(pixel * channels + first)));
            for (channel, values) in transpose(rows).into_iter().enumerate() {
                for (output, sum) in sums.iter_mut().enumerate() {
                    let weight = &*weights.add(output * channels + first + channel);
                    *sum = _mm256_fmadd_ps(values, _mm256_broadcast_ss(weight), *sum);
                }
            }
        }
    }
    sums
}

/// Row i, column j becomes row j, column i.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn transpose(rows: [__m256; 8]) -> [__m256; 8] {
    // Pairs of columns of two rows, then quadruples of four, then all eight.
    let pair = |a: usize| {
        let (a, b) = (rows[a], rows[a + 1]);
        (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b))
    };
    let four = |a: usize| {
        let ((low_a, high_a), (low_b, high_b)) = (pair(a), pair(a + 2));
        [
            _mm256_shuffle_ps::<0x44>(low_a, low_b),
            _mm256_shuffle_ps::<0xee>(low_a, low_b),
            _mm256_shuffle_ps::<0x44>(high_a, high_b),
            _mm256_shuffle_ps::<0xee>(high_a, high_b),
        ]
    };
    let (upper, lower) = (four(0), four(4));
    std::array::from_fn(|column| {
        let (upper, lower) = (upper[column % 4], lower[column % 4]);
        if column < 4 {
            _mm256_permute2f128_ps::<0x20>(upper, lower)
        } else {
            _mm256_permute2f128_ps::<0x31>(upper, lower)
        }
    })
}

/// Writes left 0, right 0, left 1, right 1, ... to `out`.
///
/// # Safety
/// There are sixteen values from `out` on.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn store_alternating(left: __m256, right: __m256, out: *mut f32) {
    let low = _mm256_unpacklo_ps(left, right);
    let high = _mm256_unpackhi_ps(left, right);
    // SAFETY: the caller's promise.
    unsafe {
        _mm256_storeu_ps(out, _mm256_permute2f128_ps::<0x20>(low, high));
        _mm256_storeu_ps(out.add(LANES), _mm256_permute2f128_ps::<0x31>(low, high));
    }
}

#[target_feature(enable = "avx2,fma")]
pub fn logistic(values: &mut [f32]) {
    let (eights, rest) = values.as_chunks_mut::<LANES>();
    for eight in eights {
        // SAFETY: the chunk is eight values.
        unsafe {
            let value = _mm256_loadu_ps(eight.as_ptr());
            _mm256_storeu_ps(eight.as_mut_ptr(), logistic_of(value));
        }
    }
    scalar::logistic(rest);
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn logistic_of(value: __m256) -> __m256 {
    let one = _mm256_set1_ps(1.0);
    let exponential = exp(_mm256_sub_ps(_mm256_setzero_ps(), value));
    _mm256_div_ps(one, _mm256_add_ps(one, exponential))
}

/// e to the power of `value` for -80 to 80, clamped outside; relative error 2e-7. The clamp keeps
/// the logistic function's results out of the subnormal numbers, which take 100 times as long.
///
/// value = n ln 2 + r with |r| <= ln 2 / 2; a polynomial gives exp(r), and n goes into the
/// exponent's bits. Polynomial and split of ln 2 are those of the Cephes library's `expf`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn exp(value: __m256) -> __m256 {
    let set = |value: f32| _mm256_set1_ps(value);
    let value = _mm256_min_ps(_mm256_max_ps(value, set(-80.0)), set(80.0));
    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    let n = _mm256_round_ps::<NEAREST>(_mm256_mul_ps(value, set(std::f32::consts::LOG2_E)));
    let r = _mm256_fnmadd_ps(n, set(0.693_359_4), value);
    let r = _mm256_fnmadd_ps(n, set(-2.121_944_4e-4), r);
    let mut poly = set(1.987_569_1e-4);
    for factor in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        poly = _mm256_fmadd_ps(poly, r, set(factor));
    }
    let near_one = _mm256_fmadd_ps(_mm256_mul_ps(r, r), poly, _mm256_add_ps(r, set(1.0)));
    let power = _mm256_slli_epi32::<23>(_mm256_cvtps_epi32(n));
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(near_one), power))
}
