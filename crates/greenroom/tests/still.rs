//! While nothing moves at a person's edge or outside of them, a frame has the matte of the frame before: its edge does not flicker with the camera's noise.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use greenroom::pipeline::MattePlanes;
use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, Rgb8, SizePx};
use greenroom_matte::{
    InferenceId, KeyColour, MaskOrigin, MatteMaker, Model, PlainSteps, RefineSteps,
};

const SIZE: SizePx = SizePx::new(640, 360);
const FRAME: Duration = Duration::from_millis(33);

/// A photo of a person, as a camera with noise sees it, moved to the right.
fn picture(right_px: usize, noise: u32, at: Instant) -> Frame {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/photos/franck_01829.jpg");
    let image = image::open(path).unwrap().into_rgb8();
    let mut frame = Frame::new(PixelFormat::I420, SIZE, Colour::WEBCAM).unwrap();
    let mut state = noise.wrapping_mul(2_654_435_761) | 1;
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        let step = if index == 0 { 1 } else { 2 };
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                let x = (step * x).saturating_sub(right_px) as u32;
                let y = (step * y) as u32;
                let at = [x * image.width() / SIZE.width_px, y * image.height() / SIZE.height_px];
                let [r, g, b] = image.get_pixel(at[0], at[1]).0;
                let code = Colour::WEBCAM.encode(Rgb8 { r, g, b });
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                *sample = [code.y, code.u, code.v][index].saturating_add((state % 5) as u8);
            }
        }
    }
    frame.set_captured_at(at);
    frame
}

fn alpha(maker: &mut MatteMaker, frame: &Frame) -> (Frame, InferenceId) {
    maker.prepare(&frame.view()).unwrap();
    let inference_id = maker.inference_id().unwrap();
    maker.infer().unwrap();
    (maker.refine(&frame.view()).unwrap().clone(), inference_id)
}

fn maker() -> MatteMaker {
    let steps = RefineSteps { crop: false, denoise: false, ..RefineSteps::default() };
    MatteMaker::new(Model::DEFAULT).unwrap().refined(steps).unwrap()
}

/// What fits a matte, and remembers it.
struct Fitter(MattePlanes);

impl Fitter {
    fn new(steps: RefineSteps) -> Self {
        Self(MattePlanes::new(SIZE, steps).unwrap())
    }

    fn luma(&mut self, alpha: &Frame, frame: &Frame, inference_id: Option<InferenceId>) -> Vec<u8> {
        let matte = self.0.fit(alpha.view(), frame.view(), inference_id).unwrap();
        let view: FrameView<'_> = matte.luma();
        view.plane(0).iter_rows().flatten().copied().collect()
    }
}

#[test]
fn the_matte_stays_while_nothing_moves_and_follows_what_does() {
    let start = Instant::now();
    let mut maker = maker();
    let (first, second) = (picture(0, 1, start), picture(0, 2, start + FRAME));
    let (first_alpha, inference_id) = alpha(&mut maker, &first);
    let (second_alpha, same) = alpha(&mut maker, &second);
    assert_eq!((maker.origin(), same), (MaskOrigin::Still, inference_id));

    let mut fitter = Fitter::new(RefineSteps::default());
    let matte = fitter.luma(&first_alpha, &first, Some(inference_id));
    assert!(fitter.luma(&second_alpha, &second, Some(same)) == matte, "noise moves the edge");
    // Otherwise it would be another: the test can see noise.
    let anew = Fitter::new(RefineSteps::default()).luma(&second_alpha, &second, None);
    assert!(anew != matte, "the edge does not depend on the picture");

    // What is struck out of the mask is not shown any more, although nothing has moved.
    let mut struck = second_alpha.clone();
    struck.bytes_mut().fill(0);
    let shown = fitter.luma(&struck, &second, Some(same));
    assert!(shown.iter().all(|&level| level == 0), "what was struck out is shown");

    // A step of the smoothing keeps the matte, and a larger one does not; nor does another call.
    for (step, is_kept) in [(16, true), (17, false)] {
        fitter.0.reset();
        let matte = fitter.luma(&first_alpha, &first, Some(same));
        let mut smoothed = first_alpha.clone();
        let middle = smoothed.bytes().iter().position(|&level| level > 100 && level < 200).unwrap();
        smoothed.bytes_mut()[middle] += step;
        assert_eq!(fitter.luma(&smoothed, &second, Some(same)) == matte, is_kept, "{step}");
    }
    fitter.0.reset();
    fitter.luma(&first_alpha, &first, Some(same));
    fitter.0.reset();
    assert!(fitter.luma(&second_alpha, &second, Some(same)) == anew, "from the call before");

    // Somebody moves.
    let third = picture(40, 3, start + 2 * FRAME);
    let (third_alpha, other) = alpha(&mut maker, &third);
    assert_eq!(maker.origin(), MaskOrigin::Inferred);
    assert!(other != inference_id, "what has moved counts as the same");
    let matte = fitter.luma(&third_alpha, &third, Some(other));
    let anew = Fitter::new(RefineSteps::default()).luma(&third_alpha, &third, None);
    assert!(matte == anew, "the matte has not followed");
}

/// A place of the mask around which so many samples to each side are all of that kind, the middlemost.
fn place_amid(mask: &Frame, reach: usize, is_wanted: impl Fn(u8) -> bool) -> [usize; 2] {
    let SizePx { width_px, height_px } = mask.size();
    let (width, height) = (width_px as usize, height_px as usize);
    let level = |x: usize, y: usize| mask.bytes()[y * width + x];
    let is_amid = |&[x, y]: &[usize; 2]| {
        let columns = x - reach..x + reach + 1;
        (y - reach..y + reach + 1).all(|y| columns.clone().all(|x| is_wanted(level(x, y))))
    };
    let places = (reach..height - reach).flat_map(|y| (reach..width - reach).map(move |x| [x, y]));
    let places: Vec<[usize; 2]> = places.filter(is_amid).collect();
    *places.get(places.len() / 2).expect("there is such a place")
}

/// Something dark of 16x16 pixels at a place of the mask.
fn with_patch(mut frame: Frame, mask: &Frame, [x, y]: [usize; 2]) -> Frame {
    let SizePx { width_px, height_px } = mask.size();
    let place = [x * 640 / width_px as usize, y * 360 / height_px as usize];
    let mut view = frame.view_mut();
    let mut luma = view.plane_mut(0);
    for y in place[1] - 8..place[1] + 8 {
        luma.row_mut(y)[place[0] - 8..place[0] + 8].fill(20);
    }
    frame
}

#[test]
fn what_moves_inside_of_a_person_is_not_asked_about_and_all_else_is() {
    let start = Instant::now();
    let still = |noise: u32| picture(0, noise, start + noise * FRAME);
    let mut maker = maker();
    let (mask, inference_id) = alpha(&mut maker, &still(1));
    let inside = place_amid(&mask, 40, |level| level >= 250);
    let outside = place_amid(&mask, 20, |level| level == 0);
    let (held, same) = alpha(&mut maker, &with_patch(still(2), &mask, inside));
    assert_eq!((maker.origin(), same), (MaskOrigin::Still, inference_id));
    let is_near = |(one, other): (&u8, &u8)| one.abs_diff(*other) < 8;
    assert!(held.bytes().iter().zip(mask.bytes()).all(is_near), "the mask has changed");
    // Plain filters move the edge: what seems to be inside may be at the true one.
    let plain = PlainSteps { grow: 2.0, ..PlainSteps::default() };
    let steps = RefineSteps { crop: false, denoise: false, plain, ..RefineSteps::default() };
    let mut filtered = MatteMaker::new(Model::DEFAULT).unwrap().refined(steps).unwrap();
    for (frame, origin) in [
        (still(1), MaskOrigin::Inferred),
        (still(2), MaskOrigin::Still),
        (with_patch(still(2), &mask, inside), MaskOrigin::Inferred),
    ] {
        alpha(&mut filtered, &frame);
        assert_eq!(filtered.origin(), origin);
    }
    // In the room, somebody may come.
    let (_, other) = alpha(&mut maker, &with_patch(still(3), &mask, outside));
    assert_eq!((maker.origin(), other == inference_id), (MaskOrigin::Inferred, false));
    // Where the mask before was not made, nobody knows what is inside of whom.
    alpha(&mut maker, &still(4));
    let (_, kept) = alpha(&mut maker, &with_patch(still(5), &mask, inside));
    assert_eq!(maker.origin(), MaskOrigin::Still);
    maker.prepare(&with_patch(still(6), &mask, inside).view()).unwrap();
    maker.infer().unwrap();
    let (_, new) = alpha(&mut maker, &with_patch(still(7), &mask, inside));
    assert_eq!((maker.origin(), new == kept), (MaskOrigin::Inferred, false));
}

#[test]
fn frames_of_one_inference_have_its_mask_and_no_other() {
    let steps = RefineSteps { denoise: false, ..RefineSteps::default() };
    let mut maker = MatteMaker::new(Model::DEFAULT).unwrap().refined(steps).unwrap();
    let start = Instant::now();
    // Time enough for a window around the person.
    let places = [[0; 12], [80; 12]].concat();
    let mut masks = Vec::new();
    for (number, right_px) in (1..).zip(places) {
        let frame = picture(right_px, number, start + number * FRAME);
        let (mask, inference_id) = alpha(&mut maker, &frame);
        masks.push((mask.bytes().to_vec(), inference_id, maker.origin()));
    }
    let differs = |one: usize, other: usize| {
        let pairs = masks[one].0.iter().zip(&masks[other].0);
        pairs.map(|(one, other)| one.abs_diff(*other)).max().unwrap()
    };
    let still = (1..masks.len()).filter(|&frame| masks[frame].2 == MaskOrigin::Still);
    let still: Vec<usize> = still.collect();
    assert!(still.iter().any(|&frame| frame > 13), "{still:?}");
    for frame in still {
        // Smoothing alone changes it.
        assert_eq!(masks[frame].1, masks[frame - 1].1);
        assert!(differs(frame - 1, frame) < 64, "{frame}: {}", differs(frame - 1, frame));
    }
    assert!(differs(11, 12) > 200, "{}", differs(11, 12));
}

#[test]
fn what_is_fitted_otherwise_is_fitted_anew() {
    let mut maker = maker();
    let first = picture(0, 1, Instant::now());
    let (alpha, inference_id) = alpha(&mut maker, &first);
    let noisy = picture(0, 2, first.captured_at());
    let anew = Fitter::new(RefineSteps::default()).luma(&alpha, &noisy, None);
    // The room's colour is taken out of the edge again.
    let mut fitter = Fitter::new(RefineSteps::default());
    fitter.0.remove_spill(false);
    fitter.luma(&alpha, &first, Some(inference_id));
    fitter.0.remove_spill(true);
    assert!(fitter.luma(&alpha, &noisy, Some(inference_id)) == anew, "the spill's edge is missing");
    // Another colour: it is another picture.
    let mut fitter = Fitter::new(RefineSteps::default());
    let mut other = first.clone();
    other.set_colour(Colour::JPEG);
    fitter.luma(&alpha, &other, Some(inference_id));
    assert!(fitter.luma(&alpha, &noisy, Some(inference_id)) == anew, "of another kind of picture");
    // Without an inference, as from a mask server.
    fitter.luma(&alpha, &first, None);
    assert!(fitter.luma(&alpha, &noisy, None) == anew, "nobody has said that nothing moves");
}

#[test]
fn no_two_makers_see_the_same() {
    let frame = picture(0, 1, Instant::now());
    let (_, one) = alpha(&mut maker(), &frame);
    let (_, other) = alpha(&mut maker(), &frame);
    assert!(one != other, "a network that was made anew goes on with the matte of the one before");
}

#[test]
fn a_key_is_pulled_for_every_frame() {
    let start = Instant::now();
    let mut maker = maker();
    let (first, second) = (picture(0, 1, start), picture(0, 2, start + FRAME));
    let (first_alpha, inference_id) = alpha(&mut maker, &first);
    let (second_alpha, same) = alpha(&mut maker, &second);
    let steps = RefineSteps { key: Some(KeyColour::Auto), ..RefineSteps::default() };
    let mut fitter = Fitter::new(steps);
    let matte = fitter.luma(&first_alpha, &first, Some(inference_id));
    assert!(fitter.luma(&second_alpha, &second, Some(same)) != matte, "the key was not pulled");
}
