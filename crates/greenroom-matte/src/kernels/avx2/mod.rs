//! AVX2 with FMA: vectors of eight channels, as many sums at a time as there are registers.
//!
//! Every function here may only be called on a machine with both, and asks of its caller what the
//! function of the same name in [`kernels`](super) asserts. `SAFETY` notes refer to those
//! asserts. Pointers stay within the slices they were made from.

mod depthwise;
mod pointwise;
mod quadruple;

use std::arch::x86_64::*;

pub use self::depthwise::{depthwise, depthwise_from};
pub use self::pointwise::{convolve, pointwise, stem};
pub use self::quadruple::{logistic, quadruple};
use crate::kernels::Activation;

/// Floats in a vector.
const LANES: usize = 8;

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn activate(activation: Activation, value: __m256) -> __m256 {
    let zero = _mm256_setzero_ps();
    match activation {
        Activation::None => value,
        Activation::Relu => _mm256_max_ps(value, zero),
        Activation::HardSwish => {
            let sixth = _mm256_set1_ps(1.0 / 6.0);
            let gate = _mm256_fmadd_ps(value, sixth, _mm256_set1_ps(0.5));
            let gate = _mm256_min_ps(_mm256_max_ps(gate, zero), _mm256_set1_ps(1.0));
            _mm256_mul_ps(value, gate)
        }
    }
}

#[target_feature(enable = "avx2,fma")]
pub fn accumulate(row: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    let pixels = row.len() / channels;
    for channel in (0..channels).step_by(LANES) {
        let load = |pixel: usize| {
            // SAFETY: pixel < pixels, the row has pixels * channels values, and `channels` is a
            // multiple of eight, so channel + 8 <= channels.
            unsafe { _mm256_loadu_ps(row.as_ptr().add(pixel * channels + channel)) }
        };
        // Four sums side by side, because each addition waits for the one before it.
        let mut parts = [_mm256_setzero_ps(); 4];
        let whole = pixels / parts.len() * parts.len();
        for pixel in (0..whole).step_by(parts.len()) {
            for (index, part) in parts.iter_mut().enumerate() {
                *part = _mm256_add_ps(*part, load(pixel + index));
            }
        }
        for pixel in whole..pixels {
            parts[0] = _mm256_add_ps(parts[0], load(pixel));
        }
        let [a, b, c, d] = parts;
        let total = _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d));
        // SAFETY: channel + 8 <= channels.
        unsafe {
            let sum = sums.as_mut_ptr().add(channel);
            _mm256_storeu_ps(sum, _mm256_add_ps(_mm256_loadu_ps(sum), total));
        }
    }
}

#[target_feature(enable = "avx2,fma")]
pub fn double(channels: usize, near: &[f32], far: &[f32], out: &mut [f32]) {
    let quarter = _mm256_set1_ps(0.25);
    let three_quarters = _mm256_set1_ps(0.75);
    let pixels = near.len() / channels;
    for channel in (0..channels).step_by(LANES) {
        let blend = |pixel: usize| {
            let at = pixel * channels + channel;
            // SAFETY: pixel < pixels and `channels` is a multiple of eight, so at + 8 <=
            // near.len(), which is far.len().
            let (near, far) = unsafe {
                (_mm256_loadu_ps(near.as_ptr().add(at)), _mm256_loadu_ps(far.as_ptr().add(at)))
            };
            _mm256_fmadd_ps(near, three_quarters, _mm256_mul_ps(far, quarter))
        };
        let mut middle = blend(0);
        let mut before = middle;
        for pixel in 0..pixels {
            let after = if pixel + 1 < pixels { blend(pixel + 1) } else { middle };
            let most = _mm256_mul_ps(middle, three_quarters);
            let at = 2 * pixel * channels + channel;
            // SAFETY: pixel < pixels and out.len() is 2 * pixels * channels, so at + channels + 8
            // <= out.len().
            unsafe {
                let out = out.as_mut_ptr().add(at);
                _mm256_storeu_ps(out, _mm256_fmadd_ps(before, quarter, most));
                _mm256_storeu_ps(out.add(channels), _mm256_fmadd_ps(after, quarter, most));
            }
            (before, middle) = (middle, after);
        }
    }
}
