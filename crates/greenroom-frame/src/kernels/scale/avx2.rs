//! By hand, because the compiler makes of the scalar bodies 2 to 3 times as slow loops: it neither
//! keeps the sums of many rows in registers nor finds the byte shuffle that fetches neighbours.
//!
//! `SAFETY` notes refer to the asserts of the functions in [`scale`](super) and to what
//! [`TapTable`] promises.

use std::arch::x86_64::*;

use super::table::{Padded, Stepped};
use super::{BETWEEN_BITS, TapTable, Taps, WEIGHT_BITS, scalar};
use crate::kernels::fetch::LINE_BYTES;

/// To Q7 and to 8 bits, as in `scalar`.
const TO_BETWEEN: i32 = (WEIGHT_BITS - BETWEEN_BITS) as i32;
const TO_BYTE: i32 = (WEIGHT_BITS + BETWEEN_BITS) as i32;

/// Sums rounded and shifted.
#[inline]
#[target_feature(enable = "avx2")]
fn finish<const SHIFT: i32>(sums: __m256i) -> __m256i {
    let half = _mm256_set1_epi32(1 << (SHIFT - 1));
    _mm256_srai_epi32::<SHIFT>(_mm256_add_epi32(sums, half))
}

/// Two weights side by side, as often as they fit: what `madd` multiplies pairs of samples with.
#[inline]
#[target_feature(enable = "avx2")]
fn pair(first: i16, second: i16) -> __m256i {
    _mm256_set1_epi32(i32::from(first as u16) | i32::from(second) << 16)
}

/// Columns of `rows_to_between` at a time: four vectors of eight sums.
const BLOCK: usize = 32;

#[target_feature(enable = "avx2")]
pub(super) fn rows_to_between(out: &mut [i16], plane: &[u8], stride_bytes: usize, taps: Taps<'_>) {
    let whole = out.len() / BLOCK * BLOCK;
    let (pairs, last) = taps.weights.as_chunks::<2>();
    // The next sum takes about half as many rows that no sum has taken so far. They are fetched now: a frame comes from
    // another thread, and so many rows at a time are more than processors guess by themselves. (1280x720 to 320x224, not in
    // the cache: 0.65 of the time without.)
    let next = taps.start + taps.weights.len();
    let next = next..next + taps.weights.len().div_ceil(2);
    for column in (0..whole).step_by(BLOCK) {
        if column % LINE_BYTES == 0 {
            for row in next.clone() {
                // Where it points to nothing, nothing is fetched.
                let place = plane.as_ptr().wrapping_add(row * stride_bytes + column);
                _mm_prefetch::<_MM_HINT_T0>(place.cast());
            }
        }
        let mut sums = [_mm256_setzero_si256(); 4];
        let load = |row: usize| {
            // SAFETY: row < taps.weights.len() and column + 32 <= out.len(), so this lies in a row
            // of which `rows_fit` says that the plane has it.
            unsafe {
                let at = (taps.start + row) * stride_bytes + column;
                _mm256_loadu_si256(plane.as_ptr().add(at).cast())
            }
        };
        let mut add = |above: __m256i, below: __m256i, weights: __m256i| {
            let zero = _mm256_setzero_si256();
            // Samples of both rows alternate; then each is widened to 16 bits.
            let low = _mm256_unpacklo_epi8(above, below);
            let high = _mm256_unpackhi_epi8(above, below);
            let widened = [
                _mm256_unpacklo_epi8(low, zero),
                _mm256_unpackhi_epi8(low, zero),
                _mm256_unpacklo_epi8(high, zero),
                _mm256_unpackhi_epi8(high, zero),
            ];
            for (sum, samples) in sums.iter_mut().zip(widened) {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(samples, weights));
            }
        };
        for (index, &[first, second]) in pairs.iter().enumerate() {
            add(load(2 * index), load(2 * index + 1), pair(first, second));
        }
        if let &[weight] = last {
            let row = load(taps.weights.len() - 1);
            add(row, row, pair(weight, 0));
        }
        let [a, b, c, d] = sums.map(|sums| finish::<TO_BETWEEN>(sums));
        // Packing undoes the interleaving within each half; the halves hold columns 0..16 and 16..32.
        let (ab, cd) = (_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
        // SAFETY: column + 32 <= out.len().
        unsafe {
            let out = out.as_mut_ptr().add(column).cast::<__m256i>();
            _mm256_storeu_si256(out, _mm256_permute2x128_si256::<0x20>(ab, cd));
            _mm256_storeu_si256(out.add(1), _mm256_permute2x128_si256::<0x31>(ab, cd));
        }
    }
    scalar::rows_to_between(&mut out[whole..], &plane[whole..], stride_bytes, taps);
}

#[target_feature(enable = "avx2")]
pub(super) fn rows_to_bytes(out: &mut [u8], between: &[i16], stride: usize, taps: Taps<'_>) {
    let &[first, second] = taps.weights else {
        return scalar::rows_to_bytes(out, between, stride, taps);
    };
    let weights = pair(first, second);
    let whole = out.len() / 32 * 32;
    let sixteen = |column: usize| {
        // SAFETY: column + 16 <= out.len(), and `rows_fit` says that both rows are there.
        let (above, below) = unsafe {
            let above = between.as_ptr().add(taps.start * stride + column);
            (_mm256_loadu_si256(above.cast()), _mm256_loadu_si256(above.add(stride).cast()))
        };
        let low = _mm256_madd_epi16(_mm256_unpacklo_epi16(above, below), weights);
        let high = _mm256_madd_epi16(_mm256_unpackhi_epi16(above, below), weights);
        _mm256_packs_epi32(finish::<TO_BYTE>(low), finish::<TO_BYTE>(high))
    };
    for column in (0..whole).step_by(32) {
        let bytes = _mm256_packus_epi16(sixteen(column), sixteen(column + 16));
        let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(bytes);
        // SAFETY: column + 32 <= out.len().
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().add(column).cast(), bytes) };
    }
    scalar::rows_to_bytes(&mut out[whole..], &between[whole..], stride, taps);
}

#[target_feature(enable = "avx2")]
pub(super) fn row_to_between(out: &mut [i16], row: &[u8], table: &TapTable) {
    let Some(pairs) = table.pairs() else {
        return scalar::row_to_between(out, row, table);
    };
    let weights = table.weights().as_chunks::<16>().0;
    let (groups, _) = out.as_chunks_mut::<8>();
    let tables = pairs.bases.iter().zip(&pairs.shuffles).zip(weights);
    for (out, ((&base, shuffle), weights)) in groups.iter_mut().zip(tables) {
        // SAFETY: sixteen bytes follow each base in an input of the table's length; the arrays
        // have 32, 32 and 16 bytes.
        unsafe {
            let bytes = _mm_loadu_si128(row.as_ptr().add(base as usize).cast());
            let shuffle = _mm256_loadu_si256(shuffle.as_ptr().cast());
            let samples = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), shuffle);
            let weights = _mm256_loadu_si256(weights.as_ptr().cast());
            let sums = finish::<TO_BETWEEN>(_mm256_madd_epi16(samples, weights));
            let halves = (_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
            _mm_storeu_si128(out.as_mut_ptr().cast(), _mm_packs_epi32(halves.0, halves.1));
        }
    }
    scalar::row_to_between_from(out.len() / 8 * 8, out, row, table);
}

#[target_feature(enable = "avx2")]
pub(super) fn row_to_bytes(out: &mut [u8], row: &[i16], table: &TapTable) {
    let Some(padded) = table.padded() else {
        return scalar::row_to_bytes(out, row, table);
    };
    if let Some(stepped) = table.stepped() {
        return match stepped.step {
            2 => stepped_to_bytes::<2>(out, row, table, stepped),
            4 => stepped_to_bytes::<4>(out, row, table, stepped),
            step => unreachable!("no list of {step} samples a step is kept"),
        };
    }
    match padded.width {
        8 => return eights_to_bytes(out, row, table, padded),
        // On their own, because this is a 720p camera and the default model.
        16 => fours_to_bytes(out, row, padded, |samples, weights| {
            // SAFETY: there are sixteen samples and four times sixteen weights.
            unsafe { four_sixteens(samples, weights, 16) }
        }),
        width => fours_to_bytes(out, row, padded, |samples, weights| {
            // SAFETY: there are `width` samples, a multiple of 16, and four times as many weights.
            unsafe { four_sixteens(samples, weights, width) }
        }),
    }
    scalar::row_to_bytes_from(out.len() / 4 * 4, out, row, table);
}

/// Eight outputs at a time whose lists are alike, each `STEP` samples behind the one before: of each step, one multiplication
/// gives the first half of one sum, and another the second half of the sum before it.
#[target_feature(enable = "avx2")]
fn stepped_to_bytes<const STEP: usize>(
    out: &mut [u8],
    row: &[i16],
    table: &TapTable,
    stepped: &Stepped,
) {
    const { assert!(STEP == 2 || STEP == 4) };
    let half = |half: usize| {
        let weights = &stepped.weights[half * STEP..][..STEP];
        let weights: [i16; 16] = std::array::from_fn(|index| weights[index % STEP]);
        // SAFETY: an array of 32 bytes.
        unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) }
    };
    let weights = [half(0), half(1)];
    // Sums of pairs of products from sample `at` on, sixteen of each half.
    let products = |at: usize| {
        // SAFETY: at + 16 + STEP <= row.len(): see below.
        let [first, second] = unsafe {
            let samples = row.as_ptr().add(at);
            [_mm256_loadu_si256(samples.cast()), _mm256_loadu_si256(samples.add(STEP).cast())]
        };
        let [first, second] =
            [_mm256_madd_epi16(first, weights[0]), _mm256_madd_epi16(second, weights[1])];
        _mm256_add_epi32(first, second)
    };
    let Stepped { alike, first, .. } = stepped;
    let mut eight = |index: usize| {
        // The list of output index + 7 ends at `at + 9 * STEP`, which is the end of what is loaded, and it lies within the
        // row.
        let at = first + (index - alike.start) * STEP;
        let sums = if STEP == 2 {
            products(at)
        } else {
            let (low, high) = (products(at), products(at + 16));
            _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(low, high))
        };
        let sums = finish::<TO_BYTE>(sums);
        let words = _mm256_packs_epi32(sums, sums);
        let bytes = _mm256_packus_epi16(words, words);
        let halves = (_mm256_castsi256_si128(bytes), _mm256_extracti128_si256::<1>(bytes));
        let bytes = _mm_unpacklo_epi32(halves.0, halves.1);
        // SAFETY: index + 8 <= alike.end <= out.len().
        unsafe { _mm_storel_epi64(out.as_mut_ptr().add(index).cast(), bytes) };
    };
    for index in (alike.start..alike.end - 7).step_by(8) {
        eight(index);
    }
    // What is left, with some once more: at least eight are alike.
    eight(alike.end - 8);
    scalar::row_to_bytes_from(0, &mut out[..alike.start], row, table);
    scalar::row_to_bytes_from(alike.end, out, row, table);
}

/// Four outputs at a time; `sum` gives their sums from where their samples and weights begin.
#[inline]
#[target_feature(enable = "avx2")]
fn fours_to_bytes(
    out: &mut [u8],
    row: &[i16],
    padded: &Padded,
    sum: impl Fn([*const i16; 4], *const i16) -> __m128i,
) {
    let starts = padded.starts.as_chunks::<4>().0;
    let lists = padded.weights.chunks_exact(4 * padded.width);
    for ((out, starts), weights) in out.as_chunks_mut::<4>().0.iter_mut().zip(starts).zip(lists) {
        // SAFETY: a padded list begins and ends within an input of the table's length.
        let samples = starts.map(|start| unsafe { row.as_ptr().add(start as usize) });
        let sums =
            _mm_add_epi32(sum(samples, weights.as_ptr()), _mm_set1_epi32(1 << (TO_BYTE - 1)));
        let sums = _mm_srai_epi32::<TO_BYTE>(sums);
        let words = _mm_packs_epi32(sums, sums);
        *out = _mm_cvtsi128_si32(_mm_packus_epi16(words, words)).to_le_bytes();
    }
}

/// Eight outputs at a time, whose lists are of eight.
#[target_feature(enable = "avx2")]
fn eights_to_bytes(out: &mut [u8], row: &[i16], table: &TapTable, padded: &Padded) {
    let groups = padded.starts.as_chunks::<8>().0.iter().zip(padded.weights.chunks_exact(8 * 8));
    for (out, (starts, weights)) in out.as_chunks_mut::<8>().0.iter_mut().zip(groups) {
        // Of the outputs `index` and `index + 1`, one in each half.
        let products = |index: usize| {
            // SAFETY: a padded list begins and ends within an input of the table's length; the weights are 64, and index + 2
            // <= 8.
            unsafe {
                let samples =
                    |index: usize| _mm_loadu_si128(row.as_ptr().add(starts[index] as usize).cast());
                let samples = _mm256_set_m128i(samples(index + 1), samples(index));
                let weights = _mm256_loadu_si256(weights.as_ptr().add(8 * index).cast());
                _mm256_madd_epi16(samples, weights)
            }
        };
        let low = _mm256_hadd_epi32(products(0), products(2));
        let high = _mm256_hadd_epi32(products(4), products(6));
        let sums = finish::<TO_BYTE>(_mm256_hadd_epi32(low, high));
        // Outputs 0, 2, 4 and 6 are in one half, the others in the other.
        let [even, odd] = [_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums)];
        let words = _mm_packs_epi32(_mm_unpacklo_epi32(even, odd), _mm_unpackhi_epi32(even, odd));
        // SAFETY: `out` has eight bytes.
        unsafe { _mm_storel_epi64(out.as_mut_ptr().cast(), _mm_packus_epi16(words, words)) };
    }
    scalar::row_to_bytes_from(out.len() / 8 * 8, out, row, table);
}

/// Four sums of `width` products each.
///
/// # Safety
/// There are `width` samples at each of `samples` and `4 * width` weights at `weights`; `width` is
/// a multiple of 16.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn four_sixteens(samples: [*const i16; 4], weights: *const i16, width: usize) -> __m128i {
    let products = |index: usize| {
        let mut sums = _mm256_setzero_si256();
        for at in (0..width).step_by(16) {
            // SAFETY: the caller's promise; index < 4 and at + 16 <= width.
            let products = unsafe {
                let weights = _mm256_loadu_si256(weights.add(index * width + at).cast());
                _mm256_madd_epi16(_mm256_loadu_si256(samples[index].add(at).cast()), weights)
            };
            sums = _mm256_add_epi32(sums, products);
        }
        sums
    };
    let low = _mm256_hadd_epi32(products(0), products(1));
    let sums = _mm256_hadd_epi32(low, _mm256_hadd_epi32(products(2), products(3)));
    _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums))
}
