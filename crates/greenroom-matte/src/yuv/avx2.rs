use std::arch::x86_64::*;

use super::channel::Channel;
use super::samples::Samples;
use super::scalar;

/// The samples are as many as each of `out` is long.
#[target_feature(enable = "avx2,fma")]
pub(super) fn convert(channels: &[Channel; 3], samples: Samples<'_>, out: [&mut [f32]; 3]) {
    let Samples { y, u, v } = samples;
    let set = |value| _mm256_set1_ps(value);
    let (zero, one) = (_mm256_setzero_ps(), set(1.0));
    let eights = y.len() / 8 * 8;
    let [first, second, third] = out;
    for at in (0..eights).step_by(8) {
        let planes = [y, u, v].map(|plane| {
            // SAFETY: at + 8 <= eights <= y.len(), and there are as many samples of each.
            let samples = unsafe { _mm_loadl_epi64(plane.as_ptr().add(at).cast()) };
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(samples))
        });
        for (channel, out) in channels.iter().zip([&mut *first, &mut *second, &mut *third]) {
            let factors = [channel.y, channel.u, channel.v].map(set);
            let mut value = set(channel.constant);
            for (samples, factor) in planes.into_iter().zip(factors) {
                value = _mm256_fmadd_ps(samples, factor, value);
            }
            value = _mm256_min_ps(_mm256_max_ps(value, zero), one);
            value = _mm256_fmadd_ps(value, set(channel.scale), set(channel.offset));
            // SAFETY: at + 8 <= eights <= out.len().
            unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(at), value) };
        }
    }
    let rest = Samples { y: &y[eights..], u: &u[eights..], v: &v[eights..] };
    let out = [first, second, third].map(|out| &mut out[eights..]);
    scalar::convert(channels, rest, out);
}
