//! One row: planar samples to packed ones and back.

mod scalar;

use crate::dispatch_vectorised;

dispatch_vectorised! {
    /// `Y0 U Y1 V …` from rows of Y, U, V. `packed` has 4 bytes for each sample of U; an odd last
    /// Y is doubled.
    pub(crate) fn pack_yuyv(packed: &mut [u8], y: &[u8], u: &[u8], v: &[u8]);
    /// `U Y0 V Y1 …` from rows of Y, U, V, as [`pack_yuyv`].
    pub(crate) fn pack_uyvy(packed: &mut [u8], y: &[u8], u: &[u8], v: &[u8]);
    /// `U V U V …` from rows of U and V.
    pub(crate) fn pack_pairs(packed: &mut [u8], u: &[u8], v: &[u8]);
    /// The rows of Y, U, V that are in `Y0 U Y1 V …`; Y may be one short of twice U.
    pub(crate) fn unpack_yuyv(packed: &[u8], y: &mut [u8], u: &mut [u8], v: &mut [u8]);
    /// The rows of Y, U, V that are in `U Y0 V Y1 …`; Y may be one short of twice U.
    pub(crate) fn unpack_uyvy(packed: &[u8], y: &mut [u8], u: &mut [u8], v: &mut [u8]);
    /// The rows of U and V that are in `U V U V …`.
    pub(crate) fn unpack_pairs(packed: &[u8], u: &mut [u8], v: &mut [u8]);
    /// The mean of two rows, halves rounded up: 4:2:2 chroma to 4:2:0.
    pub(crate) fn average_rows(out: &mut [u8], above: &[u8], below: &[u8]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn packing_puts_samples_where_the_fourcc_says() {
        let (y, u, v) = ([1, 2, 3, 4], [10, 20], [100, 200]);
        for isa in Isa::available() {
            let mut packed = [0; 8];
            pack_yuyv(isa, &mut packed, &y, &u, &v);
            assert_eq!(packed, [1, 10, 2, 100, 3, 20, 4, 200]);
            pack_uyvy(isa, &mut packed, &y, &u, &v);
            assert_eq!(packed, [10, 1, 100, 2, 20, 3, 200, 4]);
            pack_pairs(isa, &mut packed[..4], &u, &v);
            assert_eq!(packed[..4], [10, 100, 20, 200]);
        }
    }

    #[test]
    fn unpacking_undoes_packing_at_every_width() {
        for isa in Isa::available() {
            for width in 1..=130usize {
                let half = width.div_ceil(2);
                let samples = |n: usize, k: usize| -> Vec<u8> {
                    (0..n).map(|x| ((x * 31 + k * 83 + width) % 256) as u8).collect()
                };
                let (y, u, v) = (samples(width, 1), samples(half, 2), samples(half, 3));
                for (pack, unpack) in [
                    (
                        pack_yuyv as fn(_, &mut [u8], &[u8], &[u8], &[u8]),
                        unpack_yuyv as fn(_, &[u8], &mut [u8], &mut [u8], &mut [u8]),
                    ),
                    (pack_uyvy, unpack_uyvy),
                ] {
                    let mut packed = vec![0; half * 4];
                    pack(isa, &mut packed, &y, &u, &v);
                    let mut back = (vec![0; width], vec![0; half], vec![0; half]);
                    unpack(isa, &packed, &mut back.0, &mut back.1, &mut back.2);
                    assert_eq!(back, (y.clone(), u.clone(), v.clone()), "{isa:?} {width}");
                }
                let mut pairs = vec![0; half * 2];
                pack_pairs(isa, &mut pairs, &u, &v);
                let mut back = (vec![0; half], vec![0; half]);
                unpack_pairs(isa, &pairs, &mut back.0, &mut back.1);
                assert_eq!(back, (u.clone(), v.clone()));
                let mut mean = vec![0; half];
                average_rows(isa, &mut mean, &u, &v);
                for x in 0..half {
                    let exact = (u32::from(u[x]) + u32::from(v[x])).div_ceil(2);
                    assert_eq!(u32::from(mean[x]), exact);
                }
            }
        }
    }
}
