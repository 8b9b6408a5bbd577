//! Less effort: masks that are carried from frame to frame, and the small input.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx};
use greenroom_matte::{Effort, Input, MaskOrigin, MatteMaker, Model, Quality, RefineSteps};

use MaskOrigin::{Carried, Inferred};

const SIZE: SizePx = SizePx::new(640, 360);
const FRAME: Duration = Duration::from_millis(33);

/// A photo of a person, moved to the right; a light in the corner of the room has another brightness in each frame, so that no
/// frame is like the one before.
fn picture(right_px: u32, light: u8, at: Instant) -> Frame {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/photos/franck_01829.jpg");
    let image = image::open(path).unwrap().into_rgb8();
    let mut frame = Frame::new(PixelFormat::I420, SIZE, Colour::WEBCAM).unwrap();
    let encode = |x: u32, y: u32| {
        let x = (x + SIZE.width_px - right_px) % SIZE.width_px;
        let at = [x * image.width() / SIZE.width_px, y * image.height() / SIZE.height_px];
        let [r, g, b] = image.get_pixel(at[0], at[1]).0;
        Colour::WEBCAM.encode(Rgb8 { r, g, b })
    };
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        let step = if index == 0 { 1 } else { 2 };
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                let code = encode(step * x as u32, step * y as u32);
                *sample = [code.y, code.u, code.v][index];
                if index == 0 && x < 12 && y < 12 {
                    *sample = light;
                }
            }
        }
    }
    frame.set_captured_at(at);
    frame
}

fn maker(effort: Effort) -> MatteMaker {
    let maker = MatteMaker::governable(Model::General, Quality::Balanced).unwrap();
    let steps = RefineSteps { denoise: false, crop: false, ..RefineSteps::default() };
    let mut maker = maker.refined(steps).unwrap();
    maker.set_effort(effort);
    maker
}

fn every(frames_per_inference: u32) -> Effort {
    Effort { frames_per_inference, ..Effort::default() }
}

fn light(number: u32) -> u8 {
    40 + (number * 77 % 200) as u8
}

fn differing(one: &Frame, other: &Frame) -> f64 {
    assert_eq!(one.size(), other.size());
    let pairs = one.bytes().iter().zip(other.bytes());
    pairs.filter(|&(&a, &b)| (a > 127) != (b > 127)).count() as f64 / one.bytes().len() as f64
}

#[test]
fn masks_are_carried_where_little_has_changed() {
    for frames_per_inference in 1..=3 {
        let (mut maker, mut full) = (maker(every(frames_per_inference)), maker(Effort::default()));
        let start = Instant::now();
        for number in 0..12 {
            let frame = picture(0, light(number), start + number * FRAME);
            let alpha = maker.matte(&frame.view()).unwrap().clone();
            let expected =
                if number.is_multiple_of(frames_per_inference) { Inferred } else { Carried };
            assert_eq!(maker.origin(), expected, "{number} with {frames_per_inference}");
            assert_eq!(alpha.captured_at(), frame.captured_at());
            let difference = differing(&alpha, full.matte(&frame.view()).unwrap());
            assert!(difference < 0.003, "{number} with {frames_per_inference}: {difference}");
        }
    }
}

#[test]
fn a_person_who_moves_fast_is_looked_at_in_every_frame() {
    let (mut maker, start) = (maker(every(3)), Instant::now());
    for number in 0..8 {
        let frame = picture(24 * number, 40, start + number * FRAME);
        maker.matte(&frame.view()).unwrap();
        assert_eq!(maker.origin(), Inferred, "{number}");
    }
}

#[test]
fn no_mask_is_carried_for_long_or_over_a_reset() {
    let (mut maker, start) = (maker(every(100)), Instant::now());
    let mut carried = 0;
    for number in 0..30 {
        maker.matte(&picture(0, light(number), start + number * FRAME).view()).unwrap();
        carried = if maker.origin() == Carried { carried + 1 } else { 0 };
        assert!(carried <= 3, "carried {carried} times, over 130 ms");
    }
    // A slow camera.
    let start = start + 100 * FRAME;
    for number in 0..4 {
        maker.matte(&picture(0, light(number), start + 5 * number * FRAME).view()).unwrap();
        assert_eq!(maker.origin(), Inferred, "165 ms after the one before");
    }
    let later = start + 20 * FRAME;
    maker.matte(&picture(0, light(1), later).view()).unwrap();
    maker.matte(&picture(0, light(0), later + FRAME).view()).unwrap();
    assert_eq!(maker.origin(), Carried);
    maker.reset();
    maker.matte(&picture(0, light(1), later + 2 * FRAME).view()).unwrap();
    assert_eq!(maker.origin(), Inferred);
}

#[test]
fn without_the_step_smooth_nothing_is_carried() {
    let maker = MatteMaker::governable(Model::General, Quality::Balanced).unwrap();
    let steps = RefineSteps { smooth: false, ..RefineSteps::default() };
    let mut maker = maker.refined(steps).unwrap();
    maker.set_effort(every(3));
    assert!(!maker.can_carry());
    let start = Instant::now();
    for number in 0..3 {
        maker.matte(&picture(0, light(number), start + number * FRAME).view()).unwrap();
        assert_eq!(maker.origin(), Inferred);
    }
}

#[test]
fn the_small_input_gives_a_mask_of_the_same_size_and_nearly_the_same_person() {
    let small = Effort { input: Input::Small, ..Effort::default() };
    let (mut maker, mut full, start) = (maker(small), maker(Effort::default()), Instant::now());
    assert!(maker.has_small_input());
    for number in 0..3 {
        let frame = picture(0, light(number), start + number * FRAME);
        let alpha = maker.matte(&frame.view()).unwrap();
        let difference = differing(alpha, full.matte(&frame.view()).unwrap());
        assert!(difference < 0.02 && difference > 0.0, "{difference}");
    }
    // And back.
    maker.set_effort(Effort::default());
    let (mut alpha, frame) = (None, picture(0, light(3), start + 3 * FRAME));
    for _ in 0..30 {
        alpha = Some(maker.matte(&frame.view()).unwrap().clone());
        full.matte(&frame.view()).unwrap();
    }
    let difference = differing(&alpha.unwrap(), full.matte(&frame.view()).unwrap());
    assert!(difference < 0.003, "{difference}");
    for (model, quality) in [(Model::General, Quality::Fast), (Model::Landscape, Quality::Balanced)]
    {
        assert!(!MatteMaker::governable(model, quality).unwrap().has_small_input(), "{model}");
    }
}
