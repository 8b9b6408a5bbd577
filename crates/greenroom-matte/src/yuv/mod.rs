//! YUV samples to the `f32` channels of a model's input.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
mod channel;
mod samples;
mod scalar;

use greenroom_frame::dispatch;

pub(crate) use self::channel::{Channel, channels};
pub(crate) use self::samples::Samples;
use crate::Isa;

/// One channel of a picture: `out[x] = clamp(channel.y * y[x] + channel.u * u[x] + channel.v * v[x] +
/// channel.constant, 0, 1) * channel.scale + channel.offset`.
///
/// # Panics
/// If the samples and `out` differ in length.
pub(crate) fn convert(isa: Isa, channel: &Channel, samples: Samples<'_>, out: &mut [f32]) {
    let Samples { y, u, v } = samples;
    assert!([y, u, v].iter().all(|plane| plane.len() == out.len()));
    dispatch!(isa, unsafe convert(channel, samples, out));
}
