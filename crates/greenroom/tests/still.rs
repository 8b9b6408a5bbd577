//! While nothing moves, a frame has the matte of the frame before: its edge does not flicker with the camera's noise.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use greenroom::pipeline::MattePlanes;
use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, Rgb8, SizePx};
use greenroom_matte::{KeyColour, MaskOrigin, MatteMaker, Model, RefineSteps, Sighting};

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

fn alpha(maker: &mut MatteMaker, frame: &Frame) -> (Frame, Sighting) {
    maker.prepare(&frame.view()).unwrap();
    let sighting = maker.sighting().unwrap();
    maker.infer().unwrap();
    (maker.refine(&frame.view()).unwrap().clone(), sighting)
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

    fn luma(&mut self, alpha: &Frame, frame: &Frame, sighting: Option<Sighting>) -> Vec<u8> {
        let matte = self.0.fit(alpha.view(), frame.view(), sighting).unwrap();
        let view: FrameView<'_> = matte.luma();
        view.plane(0).iter_rows().flatten().copied().collect()
    }
}

#[test]
fn the_matte_stays_while_nothing_moves_and_follows_what_does() {
    let start = Instant::now();
    let mut maker = maker();
    let (first, second) = (picture(0, 1, start), picture(0, 2, start + FRAME));
    let (first_alpha, sighting) = alpha(&mut maker, &first);
    let (second_alpha, same) = alpha(&mut maker, &second);
    assert_eq!((maker.origin(), same), (MaskOrigin::Still, sighting));

    let mut fitter = Fitter::new(RefineSteps::default());
    let matte = fitter.luma(&first_alpha, &first, Some(sighting));
    assert!(fitter.luma(&second_alpha, &second, Some(same)) == matte, "noise moves the edge");
    // Otherwise it would be another: the test can see noise.
    let anew = Fitter::new(RefineSteps::default()).luma(&second_alpha, &second, None);
    assert!(anew != matte, "the edge does not depend on the picture");

    // What is struck out of the mask is not shown any more, although nothing has moved.
    let mut struck = second_alpha.clone();
    struck.bytes_mut().fill(0);
    let shown = fitter.luma(&struck, &second, Some(same));
    assert!(shown.iter().all(|&level| level == 0), "what was struck out is shown");

    // Another picture in size, or another call, has its own.
    fitter.luma(&second_alpha, &second, Some(same));
    fitter.0.reset();
    assert!(fitter.luma(&second_alpha, &second, Some(same)) == anew, "from the call before");

    // Somebody moves.
    let third = picture(40, 3, start + 2 * FRAME);
    let (third_alpha, other) = alpha(&mut maker, &third);
    assert_eq!(maker.origin(), MaskOrigin::Inferred);
    assert!(other != sighting, "what has moved counts as the same");
    let matte = fitter.luma(&third_alpha, &third, Some(other));
    let anew = Fitter::new(RefineSteps::default()).luma(&third_alpha, &third, None);
    assert!(matte == anew, "the matte has not followed");
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
    let (first_alpha, sighting) = alpha(&mut maker, &first);
    let (second_alpha, same) = alpha(&mut maker, &second);
    let steps = RefineSteps { key: Some(KeyColour::Auto), ..RefineSteps::default() };
    let mut fitter = Fitter::new(steps);
    let matte = fitter.luma(&first_alpha, &first, Some(sighting));
    assert!(fitter.luma(&second_alpha, &second, Some(same)) != matte, "the key was not pulled");
}
