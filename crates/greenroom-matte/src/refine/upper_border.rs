use std::time::{Duration, Instant};

use greenroom_frame::SizePx;

/// Tells whether somebody has reached over the picture's upper border lately, with the head most likely.
///
/// There, networks lose hair: of a head that is cut, they see less that tells them what it is. Of the whole picture squeezed
/// more, the general network finds some of that hair, and loses other things; the mean of both looks is better there than either.
#[derive(Debug, Default)]
pub(crate) struct UpperBorder {
    reached_at: Option<Instant>,
}

/// Alpha from which on a sample may be of a person: of hair, the network is half sure at best.
const PERSON: u8 = 64;
/// Share of the picture's width that somebody takes at the border: most of a head.
const LEAST_SHARE: f32 = 0.08;
/// Who has reached it lately may do so still: it is the hair at the border that the network loses.
const LATELY: Duration = Duration::from_secs(1);

impl UpperBorder {
    /// Takes in the `mask` of a frame of that `size`, which was captured `at` this time.
    pub(crate) fn learn(&mut self, mask: &[u8], size: SizePx, at: Instant) {
        let first_row = &mask[..size.width_px as usize];
        let persons = first_row.iter().filter(|&&level| level >= PERSON).count();
        if persons as f32 > LEAST_SHARE * first_row.len() as f32 {
            self.reached_at = Some(at);
        }
    }

    /// Whether somebody has reached over it `at` this time, or in the second before.
    pub(crate) fn is_reached(&self, at: Instant) -> bool {
        self.reached_at.is_some_and(|then| at.saturating_duration_since(then) <= LATELY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_at_the_border_counts_for_a_second() {
        let (size, begin) = (SizePx::new(100, 3), Instant::now());
        let mut border = UpperBorder::default();
        assert!(!border.is_reached(begin));
        let mut mask = vec![0; 300];
        // Below it, and at it with too few samples.
        mask[100..].fill(255);
        mask[50..58].fill(255);
        border.learn(&mask, size, begin);
        assert!(!border.is_reached(begin));
        mask[58] = PERSON;
        border.learn(&mask, size, begin);
        mask.fill(0);
        border.learn(&mask, size, begin + LATELY);
        assert!(border.is_reached(begin) && border.is_reached(begin + LATELY));
        assert!(!border.is_reached(begin + LATELY + Duration::from_millis(1)));
    }
}
