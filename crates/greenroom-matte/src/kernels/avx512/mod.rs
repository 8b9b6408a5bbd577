//! AVX-512: vectors of sixteen channels, and twice as many registers for sums as AVX2 has. Layers for which that is no gain
//! have no kernel here.
//!
//! What is said of [`avx2`](super::avx2) holds here, too.

mod depthwise;
mod maps;
mod pointwise;
mod quadruple;

use std::arch::x86_64::*;

pub use self::depthwise::depthwise;
pub use self::maps::{accumulate, double};
pub use self::pointwise::{convolve, pointwise, stem};
pub use self::quadruple::quadruple;
use crate::kernels::Activation;

/// Floats in a vector, and in half of one.
const LANES: usize = 16;
const HALF: usize = 8;

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn activate(activation: Activation, value: __m512) -> __m512 {
    let zero = _mm512_setzero_ps();
    match activation {
        Activation::None => value,
        Activation::Relu => _mm512_max_ps(value, zero),
        Activation::HardSwish => {
            let sixth = _mm512_set1_ps(1.0 / 6.0);
            let gate = _mm512_fmadd_ps(value, sixth, _mm512_set1_ps(0.5));
            let gate = _mm512_min_ps(_mm512_max_ps(gate, zero), _mm512_set1_ps(1.0));
            _mm512_mul_ps(value, gate)
        }
    }
}
