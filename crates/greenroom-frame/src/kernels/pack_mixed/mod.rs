//! One row: planar samples to packed ones of another colour encoding, at once.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
mod scalar;

use crate::kernels::recolour::Mix;
use crate::{Isa, dispatch};

/// Which samples of a group of four come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// `Y0 U Y1 V`
    Yuyv,
    /// `U Y0 V Y1`
    Uyvy,
}

/// A packed row from rows of Y, U and V, each sample mixed on its way: by the first of `mixes` Y from itself, U and V, by the
/// others U and V from themselves and their partner. An odd last Y is doubled.
///
/// (Two rows of Y that have the same chroma at a time are mixed faster by a quarter, but only where they are in the cache:
/// where they are not, and so it is in a call, they take longer by half.)
///
/// # Panics
/// If `packed` has not 4 bytes for each sample of U, Y not one or two samples for it, or V not as many.
pub(crate) fn pack_mixed(
    isa: Isa,
    packed: &mut [u8],
    y: &[u8],
    chroma: [&[u8]; 2],
    mixes: [Mix; 3],
    order: Order,
) {
    let pairs = chroma[0].len();
    assert_eq!((packed.len(), y.len().div_ceil(2), chroma[1].len()), (4 * pairs, pairs, pairs));
    dispatch!(isa, unsafe pack_mixed(packed, y, chroma, mixes, order));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::pack::{pack_uyvy, pack_yuyv};
    use crate::kernels::recolour::{remix_chroma, remix_luma};

    #[test]
    fn it_is_mixing_and_then_packing_at_every_width() {
        let mixes = [
            Mix::new(0.85, [-0.1, 0.31], 16.0),
            Mix::new(1.1, [0.12, 0.0], -13.0),
            Mix::new(0.9, [-0.07, 0.0], 12.0),
        ];
        for width in 1..=130usize {
            let half = width.div_ceil(2);
            let samples = |len: usize, seed: usize| -> Vec<u8> {
                (0..len).map(|x| ((x * 71 + seed * 90) * 37 % 256) as u8).collect()
            };
            let (y, u, v) = (samples(width, 1), samples(half, 3), samples(half, 4));
            let (mut mixed_u, mut mixed_v) = (u.clone(), v.clone());
            remix_chroma(Isa::SCALAR, &mut mixed_u, &v, mixes[1]);
            remix_chroma(Isa::SCALAR, &mut mixed_v, &u, mixes[2]);
            for (order, pack) in [
                (Order::Yuyv, pack_yuyv as fn(_, &mut [u8], &[u8], &[u8], &[u8])),
                (Order::Uyvy, pack_uyvy),
            ] {
                let (mut luma, mut expected) = (y.clone(), vec![0; 4 * half]);
                remix_luma(Isa::SCALAR, &mut luma, &y, &u, &v, mixes[0]);
                pack(Isa::SCALAR, &mut expected, &luma, &mixed_u, &mixed_v);
                for isa in Isa::available() {
                    let mut packed = vec![0; 4 * half];
                    pack_mixed(isa, &mut packed, &y, [&u, &v], mixes, order);
                    assert!(packed == expected, "{isa:?} {width} {order:?}");
                }
            }
        }
    }
}
