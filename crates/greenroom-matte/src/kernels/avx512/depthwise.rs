use std::arch::x86_64::*;

use super::{LANES, activate};
use crate::kernels::avx2;
use crate::kernels::depthwise::depthwise_rows;
use crate::kernels::layers::Depthwise;

depthwise_rows!(
    "avx512f,avx512vl,avx2,fma",
    __m512 of LANES,
    8 pixels,
    _mm512_loadu_ps,
    _mm512_add_ps,
    _mm512_fmadd_ps,
    activate,
    _mm512_storeu_ps,
    f32 of 1
);

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub fn depthwise(layer: &Depthwise, rows: &[&[f32]], out: &mut [f32]) {
    let whole = layer.channels() / LANES * LANES;
    row(layer, rows, out, 0..whole);
    if whole < layer.channels() {
        avx2::depthwise_from(layer, rows, out, whole);
    }
}
