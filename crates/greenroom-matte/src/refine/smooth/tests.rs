use super::*;

use greenroom_frame::FrameView;

const SIZE: SizePx = SizePx::new(320, 180);

/// A picture with a square at `left`, and a mask of one level.
fn picture(left: usize) -> Frame {
    let mut frame = Frame::new(PixelFormat::I420, SIZE, Colour::WEBCAM).unwrap();
    frame.bytes_mut().fill(90);
    for (y, row) in frame.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
        if (40..140).contains(&y) {
            row[left..left + 60].fill(200);
        }
    }
    frame
}

fn mask(level: u8) -> Frame {
    let mut mask = Frame::new(PixelFormat::Grey, SizePx::new(64, 36), Colour::JPEG).unwrap();
    mask.bytes_mut().fill(level);
    mask
}

/// A smoother and the thumbnails that it goes by.
struct SmoothTest {
    smoother: Smoother,
    thumbnails: Option<Thumbnails>,
}

impl SmoothTest {
    fn new(isa: Isa) -> Self {
        let smoother = Smoother::new(SizePx::new(64, 36), isa).unwrap();
        Self { smoother, thumbnails: None }
    }

    fn smooth(&mut self, frame: &FrameView<'_>, mask: &mut Frame) {
        let thumbnails = Thumbnails::add(&mut self.thumbnails, frame).unwrap();
        self.smoother.compare(thumbnails).unwrap();
        self.smoother.advance(thumbnails);
        self.smoother.blend(mask);
    }
}

fn smoother() -> SmoothTest {
    SmoothTest::new(Isa::best())
}

#[test]
fn where_nothing_moves_flicker_is_calmed() {
    let (mut smoother, frame) = (smoother(), picture(50));
    let mut seen = Vec::new();
    for index in 0..40 {
        let mut mask = mask(if index % 2 == 0 { 100 } else { 150 });
        smoother.smooth(&frame.view(), &mut mask);
        seen.push(mask.bytes()[0]);
    }
    let end = &seen[20..];
    let spread = end.iter().max().unwrap() - end.iter().min().unwrap();
    assert!(spread < 10, "50 levels of flicker became {spread}: {end:?}");
}

#[test]
fn what_moves_takes_the_new_mask_at_once_and_only_that() {
    let mut smoother = smoother();
    smoother.smooth(&picture(50).view(), &mut mask(200));
    let mut new = mask(40);
    smoother.smooth(&picture(200).view(), &mut new);
    // In the middle of where the square was and is; and far from both.
    let at = |x: usize, y: usize| new.bytes()[y * 64 + x];
    assert_eq!((at(16, 18), at(46, 18)), (40, 40));
    assert!(at(32, 2) > 150 && at(2, 18) > 150, "{} {}", at(32, 2), at(2, 18));
}

#[test]
fn what_was_seen_of_the_room_by_mistake_is_gone_at_once() {
    let (mut smoother, frame) = (smoother(), picture(50));
    smoother.smooth(&frame.view(), &mut mask(110));
    let seen = [0, 1, 2].map(|_| {
        let mut new = mask(0);
        smoother.smooth(&frame.view(), &mut new);
        new.bytes()[0]
    });
    // The guide shows what is above 38.
    assert!(seen[0] < 70 && seen[2] < 30, "{seen:?}");
}

#[test]
fn nothing_of_the_past_counts_after_a_reset_a_cut_or_another_size() {
    let mut smoother = smoother();
    let start = |smoother: &mut SmoothTest| {
        smoother.smooth(&picture(50).view(), &mut mask(200));
        mask(0)
    };
    let mut new = start(&mut smoother);
    smoother.smoother.reset();
    smoother.smooth(&picture(50).view(), &mut new);
    assert!(new.bytes().iter().all(|&level| level == 0));
    let mut new = start(&mut smoother);
    let mut other = picture(50);
    other.bytes_mut().fill(30);
    smoother.smooth(&other.view(), &mut new);
    assert!(new.bytes().iter().all(|&level| level == 0));
    let mut new = start(&mut smoother);
    let small = Frame::new(PixelFormat::I420, SizePx::new(160, 90), Colour::WEBCAM).unwrap();
    smoother.smooth(&small.view(), &mut new);
    assert!(new.bytes().iter().all(|&level| level == 0));
}

/// A person with a pattern at `left`, and their mask of one level; it ends where they end.
fn someone(left: usize, level: u8) -> (Frame, Frame) {
    let (mut frame, mut mask) = (picture(0), mask(0));
    frame.view_mut().plane_mut(0).fill(250);
    for (y, row) in frame.view_mut().plane_mut(0).iter_rows_mut().enumerate().skip(30) {
        for (x, sample) in row[left..left + 80].iter_mut().enumerate() {
            *sample =
                (128.0 + 40.0 * (x as f32 * 0.12).sin() + 40.0 * (y as f32 * 0.09).cos()) as u8;
        }
    }
    for row in mask.view_mut().plane_mut(0).iter_rows_mut().skip(6) {
        row[left / 5..(left + 80) / 5].fill(level);
    }
    (frame, mask)
}

#[test]
fn who_goes_takes_the_mask_along() {
    for isa in Isa::available() {
        let mut smoother = SmoothTest::new(isa);
        let mut seen = Vec::new();
        for index in 0..22 {
            // Two samples of the mask to the right with each frame.
            let left = 10 + 10 * index;
            let (frame, mut mask) = someone(left, if index % 2 == 0 { 150 } else { 250 });
            smoother.smooth(&frame.view(), &mut mask);
            let row = &mask.bytes()[20 * 64..][..64];
            seen.push(row[left / 5 + 8]);
            // Nothing of them is left behind, and nothing runs ahead.
            let (behind, ahead) = (&row[..(left / 5).saturating_sub(1)], &row[left / 5 + 17..]);
            assert!(behind.iter().chain(ahead).all(|&level| level < 20), "{isa} {index}: {row:?}");
        }
        let end = &seen[8..];
        let spread = end.iter().max().unwrap() - end.iter().min().unwrap();
        assert!(spread < 60, "{isa}: 100 levels of flicker became {spread}: {seen:?}");
    }
}
