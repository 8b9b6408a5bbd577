use std::time::{Duration, Instant};

use greenroom_frame::Frame;

/// Tells whether somebody has reached over the picture's upper border lately, with the head most likely.
///
/// There, networks lose hair: of a head that is cut, they see less that tells them what it is. Of the whole picture squeezed
/// more, the general network finds some of that hair, and loses other things; the mean of both looks is better there than either.
#[derive(Debug, Default)]
pub(super) struct UpperBorder {
    reached_at: Option<Instant>,
}

/// Alpha from which on a sample may be of a person: of hair, the network is half sure at best.
const PERSON: u8 = 64;
/// Share of the picture's width that somebody takes at the border: most of a head.
const LEAST_SHARE: f32 = 0.08;
/// Who has reached it lately may do so still: it is the hair at the border that the network loses.
const LATELY: Duration = Duration::from_secs(1);

impl UpperBorder {
    /// Takes in the `mask` of a frame that was captured `at` this time.
    pub(super) fn learn(&mut self, mask: &Frame, at: Instant) {
        let first_row = &mask.bytes()[..mask.size().width_px as usize];
        let persons = first_row.iter().filter(|&&level| level >= PERSON).count();
        if persons as f32 > LEAST_SHARE * first_row.len() as f32 {
            self.reached_at = Some(at);
        }
    }

    /// Whether somebody has reached over it `at` this time, or in the second before. Not if that time is before: another camera.
    pub(super) fn is_reached(&self, at: Instant) -> bool {
        let age = self.reached_at.and_then(|then| at.checked_duration_since(then));
        age.is_some_and(|age| age <= LATELY)
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, PixelFormat, SizePx};

    use super::*;

    #[test]
    fn a_head_at_the_border_counts_for_a_second() {
        let begin = Instant::now();
        let mut border = UpperBorder::default();
        assert!(!border.is_reached(begin));
        let mut mask = Frame::new(PixelFormat::Grey, SizePx::new(100, 3), Colour::JPEG).unwrap();
        // Below it, and at it with too few samples.
        mask.bytes_mut()[100..].fill(255);
        mask.bytes_mut()[50..58].fill(255);
        border.learn(&mask, begin);
        assert!(!border.is_reached(begin));
        mask.bytes_mut()[58] = PERSON;
        border.learn(&mask, begin);
        mask.bytes_mut().fill(0);
        border.learn(&mask, begin + LATELY);
        assert!(border.is_reached(begin) && border.is_reached(begin + LATELY));
        assert!(!border.is_reached(begin + LATELY + Duration::from_millis(1)));
        // Another camera's clock.
        border.reached_at = Some(begin + LATELY);
        assert!(!border.is_reached(begin));
    }
}
