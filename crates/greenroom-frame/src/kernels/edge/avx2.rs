//! By hand, because the compiler does not find the rounded product of 16 bits, which is one instruction.
//!
//! `SAFETY` notes refer to the asserts of the functions in [`edge`](super).

use std::arch::x86_64::*;

use super::{Line, scalar};

/// Samples that are worked out at a time.
const LANES: usize = 16;

/// Sixteen samples from `at` on.
///
/// # Safety
/// They are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn samples(row: &[u8], at: usize) -> __m256i {
    // SAFETY: see above.
    _mm256_cvtepu8_epi16(unsafe { _mm_loadu_si128(row.as_ptr().add(at).cast()) })
}

/// What lies between two values of a line at the sixteen samples from `at` on.
///
/// # Safety
/// They are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn between(above: &[i16], below: &[i16], share: __m256i, at: usize) -> __m256i {
    // SAFETY: see above.
    let (above, below) = unsafe {
        let load = |row: &[i16]| _mm256_loadu_si256(row.as_ptr().add(at).cast());
        (load(above), load(below))
    };
    let more = _mm256_mulhrs_epi16(_mm256_sub_epi16(below, above), share);
    _mm256_add_epi16(above, more)
}

/// Both values of a line at the sixteen samples from `at` on.
///
/// # Safety
/// They are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn values(line: Line<'_>, at: usize) -> [__m256i; 2] {
    let share = _mm256_set1_epi16(line.share);
    let Line { above: [first_above, second_above], below: [first_below, second_below], .. } = line;
    // SAFETY: see above.
    unsafe {
        [
            between(first_above, first_below, share, at),
            between(second_above, second_below, share, at),
        ]
    }
}

/// 64ths of codes, rounded.
///
/// # Safety
/// There are sixteen places from `at` on.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store(out: &mut [u8], at: usize, values: __m256i) {
    let rounded = _mm256_adds_epi16(values, _mm256_set1_epi16(32));
    let codes = _mm256_srai_epi16::<6>(rounded);
    let (low, high) = (_mm256_castsi256_si128(codes), _mm256_extracti128_si256::<1>(codes));
    // SAFETY: see above.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().add(at).cast(), _mm_packus_epi16(low, high)) };
}

#[target_feature(enable = "avx2")]
pub(super) fn unmix(out: &mut [u8], row: &[u8], alpha: &[u8], colours: Line<'_>) {
    let whole = out.len() / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at + 16 <= out.len(), and the others are no shorter.
        let (sample, alpha, [person, room]) =
            unsafe { (samples(row, at), samples(alpha, at), values(colours, at)) };
        let alpha = _mm256_or_si256(_mm256_slli_epi16::<7>(alpha), _mm256_srli_epi16::<1>(alpha));
        let half_more = _mm256_add_epi16(_mm256_srli_epi16::<1>(alpha), _mm256_set1_epi16(1 << 14));
        let part = _mm256_mulhrs_epi16(alpha, half_more);
        let mixed =
            _mm256_add_epi16(room, _mm256_mulhrs_epi16(_mm256_sub_epi16(person, room), part));
        let more = _mm256_sub_epi16(_mm256_slli_epi16::<6>(sample), mixed);
        let unmixed = _mm256_add_epi16(person, _mm256_mulhrs_epi16(more, part));
        // SAFETY: as above.
        unsafe { store(out, at, unmixed) };
    }
    scalar::unmix(&mut out[whole..], &row[whole..], &alpha[whole..], colours.from(whole));
}

#[target_feature(enable = "avx2")]
pub(super) fn relight(out: &mut [u8], row: &[u8], light: Line<'_>) {
    let whole = out.len() / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at + 16 <= out.len(), and the others are no shorter.
        let (sample, [gain, offset]) = unsafe { (samples(row, at), values(light, at)) };
        let lit = _mm256_mulhrs_epi16(_mm256_slli_epi16::<7>(sample), gain);
        // SAFETY: as above.
        unsafe { store(out, at, _mm256_adds_epi16(lit, offset)) };
    }
    scalar::relight(&mut out[whole..], &row[whole..], light.from(whole));
}
