use std::arch::x86_64::*;

use super::{LANES, activate};
use crate::kernels::depthwise::depthwise_rows;
use crate::kernels::layers::Depthwise;

depthwise_rows!(
    "avx2,fma",
    __m256 of LANES,
    4 pixels,
    _mm256_loadu_ps,
    _mm256_add_ps,
    _mm256_fmadd_ps,
    activate,
    _mm256_storeu_ps,
    f32 of 1
);

#[target_feature(enable = "avx2,fma")]
pub fn depthwise(layer: &Depthwise, rows: &[&[f32]], out: &mut [f32]) {
    depthwise_from(layer, rows, out, 0);
}

/// The channels from `first` on, a multiple of eight.
#[target_feature(enable = "avx2,fma")]
pub fn depthwise_from(layer: &Depthwise, rows: &[&[f32]], out: &mut [f32], first: usize) {
    row(layer, rows, out, first..layer.channels());
}
