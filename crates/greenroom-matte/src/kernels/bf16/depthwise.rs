//! Depthwise convolutions multiply floats here, too; what they give is rounded, for layers in pairs.

use super::LANES;
use crate::kernels::layers::Depthwise;
use crate::kernels::pairs::Pair;

/// Asks of its caller what [`depthwise`](crate::kernels::depthwise) asserts.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
pub fn depthwise_to_pairs(layer: &Depthwise, rows: &[&[f32]], out: &mut [Pair]) {
    let whole = layer.channels() / LANES * LANES;
    whole::row(layer, rows, out, 0..whole);
    if whole < layer.channels() {
        half::row(layer, rows, out, whole..layer.channels());
    }
}

mod whole {
    use std::arch::x86_64::*;

    use super::{Depthwise, Pair};
    use crate::kernels::avx512::activate;
    use crate::kernels::bf16::{LANES, store};
    use crate::kernels::depthwise::depthwise_rows;

    depthwise_rows!(
        "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma",
        __m512 of LANES,
        8 pixels,
        _mm512_loadu_ps,
        _mm512_add_ps,
        _mm512_fmadd_ps,
        activate,
        store,
        Pair of 2
    );
}

mod half {
    use std::arch::x86_64::*;

    use super::{Depthwise, Pair};
    use crate::kernels::avx2::activate;
    use crate::kernels::bf16::{HALF, store_half};
    use crate::kernels::depthwise::depthwise_rows;

    depthwise_rows!(
        "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma",
        __m256 of HALF,
        8 pixels,
        _mm256_loadu_ps,
        _mm256_add_ps,
        _mm256_fmadd_ps,
        activate,
        store_half,
        Pair of 2
    );
}
