//! How many samples are as wanted, and their sum.

/// Counts of so many samples fit in a byte.
const CHUNK: usize = 240;

/// How many samples are as `is_wanted` says. They are counted in bytes, of which a vector holds the most.
pub(crate) fn count(samples: &[u8], is_wanted: impl Fn(u8) -> bool) -> usize {
    let counts = samples.chunks(CHUNK).map(|chunk| {
        let wanted = chunk.iter().map(|&sample| u8::from(is_wanted(sample)));
        usize::from(wanted.fold(0, u8::wrapping_add))
    });
    counts.sum()
}

/// The same for pairs of samples of two slices.
pub(crate) fn count_pairs(one: &[u8], other: &[u8], is_wanted: impl Fn(u8, u8) -> bool) -> usize {
    let counts = one.chunks(CHUNK).zip(other.chunks(CHUNK)).map(|(one, other)| {
        let wanted = one.iter().zip(other).map(|(&one, &other)| u8::from(is_wanted(one, other)));
        usize::from(wanted.fold(0, u8::wrapping_add))
    });
    counts.sum()
}

/// The sum of fewer than 2^24 samples.
pub(crate) fn sum(samples: &[u8]) -> u32 {
    let sums = samples.chunks(CHUNK).map(|chunk| {
        let sum = chunk.iter().fold(0u16, |sum, &sample| sum + u16::from(sample));
        u32::from(sum)
    });
    sums.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_whatever_the_length() {
        for len in [0, 1, 239, 240, 241, 479, 480, 481, 999] {
            let samples: Vec<u8> = (0..=255).cycle().take(len).collect();
            let others: Vec<u8> = (0..=250).cycle().take(len).collect();
            let from_100 = samples.iter().filter(|&&sample| sample >= 100).count();
            assert_eq!(count(&samples, |sample| sample >= 100), from_100, "{len}");
            assert_eq!(count(&samples, |_| true), len);
            assert_eq!(sum(&samples), samples.iter().map(|&sample| u32::from(sample)).sum());
            assert_eq!(sum(&vec![255; len]), 255 * len as u32);
            let same = samples.iter().zip(&others).filter(|(one, other)| one == other).count();
            assert_eq!(count_pairs(&samples, &others, |one, other| one == other), same, "{len}");
        }
    }
}
