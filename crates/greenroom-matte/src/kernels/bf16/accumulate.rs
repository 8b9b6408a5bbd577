use std::arch::x86_64::*;

use crate::kernels::pairs::Pair;

/// Pairs in a vector.
const PAIRS: usize = 8;
/// Pixels whose values go into sums of their own, because each addition waits for the one before it.
const AT_A_TIME: usize = 4;

/// Asks of its caller what [`accumulate`](crate::kernels::accumulate) asserts.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2,fma")]
pub fn accumulate_pairs(row: &[Pair], sums: &mut [f32]) {
    let pairs = sums.len() / 2;
    let pixels = row.len() / pairs;
    for (index, sums) in sums.chunks_mut(2 * PAIRS).enumerate() {
        // The last vector may be a half one.
        let mask = ((1_u32 << (sums.len() / 2)) - 1) as u8;
        let mut parts = [[_mm256_setzero_ps(); 2]; AT_A_TIME];
        for first in (0..pixels).step_by(AT_A_TIME) {
            for (pixel, [lower, upper]) in (first..pixels).zip(&mut parts) {
                // SAFETY: the pixel is in the row, and the mask leaves out what is behind its pairs.
                let both = unsafe {
                    let at = row.as_ptr().add(pixel * pairs + index * PAIRS);
                    _mm256_maskz_loadu_epi32(mask, at.cast())
                };
                let upper_halves = _mm256_set1_epi32(!0xFFFF);
                let values = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(both));
                *lower = _mm256_add_ps(*lower, values);
                let values = _mm256_castsi256_ps(_mm256_and_si256(both, upper_halves));
                *upper = _mm256_add_ps(*upper, values);
            }
        }
        let [a, b, c, d] = parts;
        let total = |half: usize| {
            let sum =
                _mm256_add_ps(_mm256_add_ps(a[half], b[half]), _mm256_add_ps(c[half], d[half]));
            let mut values = [0.0; PAIRS];
            // SAFETY: there are eight values.
            unsafe { _mm256_storeu_ps(values.as_mut_ptr(), sum) };
            values
        };
        let totals = total(0).into_iter().zip(total(1));
        for (sums, (lower, upper)) in sums.as_chunks_mut::<2>().0.iter_mut().zip(totals) {
            sums[0] += lower;
            sums[1] += upper;
        }
    }
}
