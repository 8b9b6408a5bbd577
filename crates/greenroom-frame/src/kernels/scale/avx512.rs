//! By hand, where the permutations of AVX-512 fetch the samples of sixteen outputs at a time.
//!
//! `SAFETY` notes refer to the asserts of the functions in [`scale`](super) and to what [`TapTable`] promises.

use std::arch::x86_64::*;

use super::gathered::{Gathered, OUTPUTS};
use super::{BETWEEN_BITS, TapTable, WEIGHT_BITS, avx2, scalar};

const TO_BYTE: u32 = WEIGHT_BITS + BETWEEN_BITS;

#[target_feature(enable = "avx512f,avx512bw,avx2")]
pub(super) fn row_to_bytes(out: &mut [u8], row: &[i16], table: &TapTable) {
    let Some(Gathered { bases, places, weights, pairs }) = table.gathered() else {
        return avx2::row_to_bytes(out, row, table);
    };
    let groups = bases.iter().zip(places).zip(weights.chunks_exact(*pairs));
    for (out, ((&base, places), weights)) in out.as_chunks_mut::<OUTPUTS>().0.iter_mut().zip(groups)
    {
        // SAFETY: 64 samples follow each base in an input of the table's length; `places` has 64 bytes.
        let (low, high, mut places) = unsafe {
            let samples = row.as_ptr().add(base as usize);
            let [low, high] = [samples, samples.add(32)];
            (
                _mm512_loadu_si512(low.cast()),
                _mm512_loadu_si512(high.cast()),
                _mm512_loadu_si512(places.as_ptr().cast()),
            )
        };
        let mut sums = _mm512_set1_epi32(1 << (TO_BYTE - 1));
        for weights in weights {
            // SAFETY: `weights` has 64 bytes.
            let weights = unsafe { _mm512_loadu_si512(weights.as_ptr().cast()) };
            let samples = _mm512_permutex2var_epi16(low, places, high);
            sums = _mm512_add_epi32(sums, _mm512_madd_epi16(samples, weights));
            places = _mm512_add_epi16(places, _mm512_set1_epi16(2));
        }
        // No weight is less than 0, and no sum either.
        let bytes = _mm512_cvtusepi32_epi8(_mm512_srai_epi32::<TO_BYTE>(sums));
        // SAFETY: `out` has sixteen bytes.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), bytes) };
    }
    scalar::row_to_bytes_from(out.len() / OUTPUTS * OUTPUTS, out, row, table);
}
