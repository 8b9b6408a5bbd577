//! Means and percentiles sum up what was measured of the subjects.

use crate::score::figures;

/// Of none 0.
pub(super) fn mean(values: &[f64]) -> f64 {
    figures::mean(values).unwrap_or(0.0)
}

/// Between two values as far as the share lies between their places; of none 0.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let (low, between) = (place.floor() as usize, place.fract());
    let Some(&below) = sorted.get(low) else { return 0.0 };
    let above = sorted.get(low + 1).copied().unwrap_or(below);
    below + (above - below) * between
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_lies_between_two_values() {
        assert_eq!(percentile(&[], 0.5), 0.0);
        assert_eq!(percentile(&[3.0], 0.9), 3.0);
        assert_eq!(percentile(&[0.0, 1.0, 2.0, 3.0, 4.0], 0.1), 0.4);
        assert_eq!(percentile(&[0.0, 1.0], 1.0), 1.0);
    }
}
