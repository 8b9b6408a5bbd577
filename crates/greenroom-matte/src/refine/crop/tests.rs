use greenroom_frame::{Colour, Frame, PixelFormat};

use super::*;

const CANVAS: SizePx = SizePx::new(256, 256);

fn mask(x: [usize; 2], y: [usize; 2]) -> Vec<u8> {
    let inside = |i: usize| (x[0]..x[1]).contains(&(i % 256)) && (y[0]..y[1]).contains(&(i / 256));
    (0..256 * 256).map(|i| if inside(i) { 255 } else { 0 }).collect()
}

/// The window after `frames` more frames of `mask`.
fn after(tracker: &mut Tracker, frames: u32, mask: &[u8]) -> Option<Window> {
    for _ in 0..frames {
        tracker.next();
        tracker.learn(mask);
    }
    tracker.window
}

#[test]
fn a_small_person_is_looked_at_closely_and_slowly() {
    let mut tracker = Tracker::new(CANVAS, false);
    let small = mask([100, 150], [150, 256]);
    assert_eq!(after(&mut tracker, PATIENCE_FRAMES - 1, &small), None);
    assert_eq!(after(&mut tracker, 1, &small).unwrap().level, 0);
    let window = after(&mut tracker, 20 * PATIENCE_FRAMES, &small).unwrap();
    assert!(window.level > 0);
    // Who stands still is looked at from where one was.
    assert_eq!(after(&mut tracker, 5 * PATIENCE_FRAMES, &small), Some(window));
}

#[test]
fn it_grows_and_follows_at_once() {
    let mut tracker = Tracker::new(CANVAS, false);
    let window = after(&mut tracker, 300, &mask([100, 150], [150, 256])).unwrap();
    let moved = after(&mut tracker, 1, &mask([160, 210], [150, 256])).unwrap();
    assert!(moved.level <= window.level && moved.left > window.left, "{window:?} {moved:?}");
    // A raised arm, or a second person: all of it in one step.
    assert_eq!(after(&mut tracker, 1, &mask([20, 210], [10, 256])), None);
}

#[test]
fn who_is_gone_or_large_needs_the_whole_picture_and_who_is_half_out_its_whole_height() {
    let after_a_small_one = |person: &[u8]| {
        let mut tracker = Tracker::new(CANVAS, false);
        let window = after(&mut tracker, 100, &mask([100, 150], [150, 256])).unwrap();
        assert!(Window::size(window.level, CANVAS).height_px < CANVAS.height_px);
        after(&mut tracker, 1, person)
    };
    assert_eq!(after_a_small_one(&mask([0, 0], [0, 0])), None);
    assert_eq!(after_a_small_one(&mask([30, 226], [20, 256])), None);
    for (person, left) in [(mask([0, 40], [100, 256]), 0), (mask([200, 256], [100, 256]), 96)] {
        let window = after_a_small_one(&person).unwrap();
        let size = Window::size(window.level, CANVAS);
        assert_eq!((window.left, window.top, size), (left, 0, SizePx::new(160, 256)));
    }
}

#[test]
fn who_sways_does_not_have_the_window_go_to_and_fro() {
    let mut tracker = Tracker::new(CANVAS, false);
    // Each width that a person may have, and a little more or less of it.
    for width in 20..180 {
        let sways = [0, 2, 1, 3].map(|more| mask([60, 60 + width + more], [100, 256]));
        after(&mut tracker, 100, &sways[0]);
        after(&mut tracker, 1, &sways[3]);
        let mut changes = 0;
        for mask in sways.iter().cycle().take(40) {
            let before = tracker.window;
            changes += usize::from(after(&mut tracker, 1, mask) != before);
        }
        assert_eq!(changes, 0, "{width}");
    }
}

#[test]
fn the_whole_picture_is_looked_at_every_so_often_and_after_a_reset() {
    let mut tracker = Tracker::new(CANVAS, false);
    let small = mask([100, 150], [150, 256]);
    after(&mut tracker, 300, &small);
    let mut whole = 0;
    for _ in 0..WHOLE_EVERY_FRAMES * 4 {
        whole += u32::from(tracker.next().is_none());
        tracker.learn(&small);
    }
    assert_eq!(whole, 4);
    tracker.reset();
    assert_eq!(tracker.next(), None);
}

#[test]
fn every_window_lies_within_the_canvas_and_within_odd_pictures() {
    use greenroom_frame::{Colour, Frame, PixelFormat};
    for (width, height) in [(64, 64), (641, 359), (1280, 720), (97, 1001)] {
        let size = SizePx::new(width, height);
        for format in [PixelFormat::I420, PixelFormat::I422] {
            let frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
            for (low, high) in [(0, 30), (100, 130), (230, 256), (1, 256)] {
                for level in 0..LEVELS {
                    let need = Bounds { x: [low, high], y: [low, high] };
                    let window = Window::around(level, need, CANVAS);
                    let side = Window::size(level, CANVAS);
                    assert!(
                        window.left + side.width_px <= 256 && window.top + side.height_px <= 256
                    );
                    // Panics if it does not lie within.
                    assert_eq!(window.of(&frame.view(), CANVAS).size(), Window::size(level, size));
                }
            }
        }
    }
}

/// A thumbnail of 160x90 cells of a still picture and of the same with a bright rectangle.
fn thumbnails(x: [u32; 2], y: [u32; 2]) -> Thumbnails {
    let mut frame = Frame::new(PixelFormat::I420, SizePx::new(1280, 720), Colour::WEBCAM).unwrap();
    frame.bytes_mut().fill(90);
    let mut thumbnails = None;
    Thumbnails::add(&mut thumbnails, &frame.view()).unwrap();
    for (row, samples) in frame.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
        if (y[0]..y[1]).contains(&(row as u32)) {
            samples[x[0] as usize..x[1] as usize].fill(200);
        }
    }
    Thumbnails::add(&mut thumbnails, &frame.view()).unwrap();
    thumbnails.unwrap()
}

#[test]
fn who_moves_outside_of_the_window_has_the_whole_picture_be_looked_at_within_six_frames() {
    let somebody = mask([100, 160], [60, 180]);
    let until_whole = |thumbnails: &Thumbnails| {
        let mut tracker = Tracker::new(CANVAS, false);
        while after(&mut tracker, 1, &somebody).is_none() {}
        (1..100).find(|_| {
            tracker.watch(thumbnails);
            let window = tracker.next();
            tracker.learn(&somebody);
            window.is_none()
        })
    };
    let at_the_side = until_whole(&thumbnails([1100, 1280], [0, 720])).unwrap();
    assert!(at_the_side <= 6, "{at_the_side}");
    // He moves himself; a cursor blinks; nothing moves.
    for [x, y] in [[[500, 700], [300, 600]], [[1200, 1240], [100, 140]], [[0, 0], [0, 0]]] {
        let frames = until_whole(&thumbnails(x, y)).unwrap();
        assert!(frames > 15, "{x:?} {y:?}: {frames}");
    }
}

#[test]
fn who_is_lost_is_looked_at_in_the_tightest_window() {
    let canvas = SizePx::new(320, 224);
    let window = |is_upright: bool, x: [u32; 2], y: [u32; 2]| {
        let tracker = Tracker::new(canvas, is_upright);
        tracker.window_of_lost(Bounds { x, y }).map(|window| {
            let SizePx { width_px, height_px } = Window::size(window.level, canvas);
            [window.left, window.top, width_px, height_px]
        })
    };
    // At the side of the picture, all of its height.
    assert_eq!(window(false, [205, 320], [10, 224]), Some([200, 0, 120, 224]));
    assert_eq!(window(false, [190, 320], [100, 224]), Some([180, 0, 140, 224]));
    assert_eq!(window(false, [0, 150], [0, 224]), Some([0, 0, 160, 224]));
    assert_eq!(window(false, [100, 200], [100, 200]), Some([70, 94, 160, 112]));
    // Those of upright pictures are narrow, too.
    assert_eq!(window(true, [205, 320], [10, 224]), Some([200, 0, 120, 224]));
    assert_eq!(window(false, [0, 320], [0, 224]), None);
}
