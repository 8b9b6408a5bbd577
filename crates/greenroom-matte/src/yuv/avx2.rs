use std::arch::x86_64::*;

use super::channel::Channel;
use super::samples::Samples;
use super::scalar;

/// The samples are as many as `out` is long.
#[target_feature(enable = "avx2,fma")]
pub(super) fn convert(channel: &Channel, samples: Samples<'_>, out: &mut [f32]) {
    let Samples { y, u, v } = samples;
    let set = |value| _mm256_set1_ps(value);
    let (zero, one) = (_mm256_setzero_ps(), set(1.0));
    let (scale, offset, constant) =
        (set(channel.scale), set(channel.offset), set(channel.constant));
    let factors = [channel.y, channel.u, channel.v].map(set);
    let eights = out.len() / 8 * 8;
    for at in (0..eights).step_by(8) {
        let mut value = constant;
        for (plane, factor) in [y, u, v].into_iter().zip(factors) {
            // SAFETY: at + 8 <= eights <= out.len(), and there are as many samples of each.
            let samples = unsafe { _mm_loadl_epi64(plane.as_ptr().add(at).cast()) };
            let samples = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(samples));
            value = _mm256_fmadd_ps(samples, factor, value);
        }
        value = _mm256_min_ps(_mm256_max_ps(value, zero), one);
        // SAFETY: as above.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr().add(at), _mm256_fmadd_ps(value, scale, offset));
        }
    }
    let rest = Samples { y: &y[eights..], u: &u[eights..], v: &v[eights..] };
    scalar::convert(channel, rest, &mut out[eights..]);
}
