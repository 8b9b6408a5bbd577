//! YUV samples to the `f32` channels of a model's input.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
mod channel;
mod scalar;

pub(crate) use self::channel::{Channel, channels};
use crate::Isa;
use crate::isa::Kind;

/// One channel of a picture whose planes all have `out`'s size.
///
/// # Panics
/// If the planes and `out` differ in length.
pub(crate) fn convert(isa: Isa, channel: &Channel, planes: [&[u8]; 3], out: &mut [f32]) {
    assert!(planes.iter().all(|plane| plane.len() == out.len()));
    match isa.kind() {
        Kind::Scalar => scalar::convert(channel, planes, out),
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        // SAFETY: an `Isa` of this kind is only made on a machine that has AVX2 and FMA; the
        // lengths were asserted above.
        Kind::Avx2 => unsafe { avx2::convert(channel, planes, out) },
    }
}
