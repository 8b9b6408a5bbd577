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

/// The channels of a picture: of each, `out[x] = clamp(channel.y * y[x] + channel.u * u[x] + channel.v * v[x] +
/// channel.constant, 0, 1) * channel.scale + channel.offset`.
///
/// # Panics
/// If the samples and one of `out` differ in length.
pub(crate) fn convert(
    isa: Isa,
    channels: &[Channel; 3],
    samples: Samples<'_>,
    out: [&mut [f32]; 3],
) {
    let Samples { y, u, v } = samples;
    assert!([y, u, v].iter().all(|plane| plane.len() == y.len()));
    assert!(out.iter().all(|out| out.len() == y.len()));
    dispatch!(isa, unsafe convert(channels, samples, out));
}

#[cfg(test)]
mod tests {
    use greenroom_frame::Colour;

    use super::*;
    use crate::{ChannelOrder, Normalisation};

    #[test]
    fn every_isa_is_the_reference_at_every_width() {
        let normalisation = Normalisation { scale: [1.0, 2.0, 0.5], offset: [0.0, -1.0, 0.25] };
        let channels = channels(Colour::WEBCAM, ChannelOrder::Rgb, normalisation);
        for len in 0..=130usize {
            let plane = |seed: usize| -> Vec<u8> {
                (0..len).map(|x| ((x * 37 + seed * 101 + len * 7) % 256) as u8).collect()
            };
            let [y, u, v] = [plane(1), plane(2), plane(3)];
            let run = |isa| {
                let mut out = [(); 3].map(|()| vec![9.0; len]);
                let samples = Samples { y: &y, u: &u, v: &v };
                convert(isa, &channels, samples, out.each_mut().map(Vec::as_mut_slice));
                out
            };
            let want = run(Isa::SCALAR);
            for isa in Isa::available() {
                for (have, want) in run(isa).iter().flatten().zip(want.iter().flatten()) {
                    assert!((have - want).abs() < 1e-6, "{isa} {len}: {have} instead of {want}");
                }
            }
        }
    }
}
