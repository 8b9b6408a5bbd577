//! What every kind must keep to.

use std::time::Duration;

use greenroom_frame::{Colour, Frame, FrameShape, MatteView, PixelFormat, SizePx, Yuv8};

use super::{Background, BackgroundSpec, Fit, MattedFrame};
use crate::{Moment, Pace, SceneFormat};

const ROOM: Yuv8 = Yuv8 { y: 60, u: 90, v: 120 };
const PERSON: [u8; 3] = [235, 240, 16];

fn moment(seconds: f64) -> Moment {
    let time = Duration::from_secs_f64(seconds);
    Moment { time, frame: (seconds * 30.0) as u64, seed: 7 }
}

/// A flat room with a person of the extreme opposite colour where `alpha` says so, and its matte.
struct Scene {
    room: Frame,
    luma: Frame,
    chroma: Frame,
}

impl Scene {
    fn new(shape: FrameShape, alpha: impl Fn(f32, f32) -> u8) -> Self {
        let mut room = Frame::new(shape.format, shape.size, shape.colour).unwrap();
        room.fill(ROOM);
        let matte = |size: SizePx| {
            let mut matte = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
            let (w, h) = (size.width_px as f32, size.height_px as f32);
            for (y, row) in matte.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
                for (x, sample) in row.iter_mut().enumerate() {
                    *sample = alpha((x as f32 + 0.5) / w, (y as f32 + 0.5) / h);
                }
            }
            matte
        };
        let luma = matte(shape.size);
        let chroma = matte(shape.format.chroma().plane_size(shape.size));
        for (plane, mut samples) in room.view_mut().planes_mut().enumerate() {
            let alpha = if plane == 0 { &luma } else { &chroma };
            for (row, alpha) in samples.iter_rows_mut().zip(alpha.view().plane(0).iter_rows()) {
                for (sample, &alpha) in row.iter_mut().zip(alpha) {
                    // Anything that is half person or more is wholly the person's colour.
                    if alpha >= 128 {
                        *sample = PERSON[plane];
                    }
                }
            }
        }
        Self { room, luma, chroma }
    }

    fn behind(&self, background: &mut dyn Background, moment: &Moment) -> Frame {
        let (room, luma, chroma) = (self.room.view(), self.luma.view(), self.chroma.view());
        let matte = MatteView::new(room, luma, chroma).unwrap();
        let seen = background.behind(&MattedFrame { frame: room, matte }, moment).unwrap();
        assert_eq!(seen.shape(), room.shape());
        let mut copy = self.room.clone();
        seen.copy_to(&mut copy).unwrap();
        copy
    }
}

fn build(text: &str, shape: FrameShape) -> Box<dyn Background> {
    let spec: BackgroundSpec = text.parse().unwrap();
    spec.build(Fit::Cover, SceneFormat { shape, pace: Pace::Live }).unwrap()
}

fn shapes() -> Vec<FrameShape> {
    let mut shapes = Vec::new();
    for (format, colour) in [(PixelFormat::I420, Colour::WEBCAM), (PixelFormat::I422, Colour::JPEG)]
    {
        for (width, height) in [(320, 180), (66, 50), (403, 301), (640, 720), (1, 1), (9, 2)] {
            shapes.push(FrameShape { format, size: SizePx::new(width, height), colour });
        }
    }
    shapes
}

#[test]
fn the_person_never_bleeds_into_the_room() {
    for text in [
        "blur",
        "blur=1",
        "blur=30",
        "blur=100",
        "bokeh=1",
        "bokeh",
        "bokeh=100",
        "pixelate=4",
        "pixelate=33",
        "pixelate=200",
    ] {
        // On a handful of pixels chroma of the person stands beside room: nothing to see there.
        for shape in shapes().into_iter().filter(|shape| shape.size.height_px >= 50) {
            let soft_box = |x: f32, y: f32| {
                let inside = (0.2 - (x - 0.5).abs()).min(y - 0.4);
                (inside * 2000.0 + 128.0).clamp(0.0, 255.0) as u8
            };
            let scene = Scene::new(shape, soft_box);
            let seen = scene.behind(&mut *build(text, shape), &moment(0.0));
            for (plane, code) in [ROOM.y, ROOM.u, ROOM.v].into_iter().enumerate() {
                for &sample in seen.view().plane(plane).iter_rows().flatten() {
                    assert!(sample.abs_diff(code) <= 1, "{text} {shape:?} {plane}: {sample}");
                }
            }
        }
    }
}

#[test]
fn a_hard_edge_does_not_bleed_wherever_it_lies() {
    let size = SizePx::new(640, 720);
    let shape = FrameShape { format: PixelFormat::I420, size, colour: Colour::WEBCAM };
    // In half rows: a row of chroma begins to be of the person before the first of its two rows of luma is.
    for edge in (576..=592).map(|halves| halves as f32 / 2.0) {
        let alpha = |x: f32, y: f32| {
            let is_person = (x - 0.5).abs() < 0.2 && y * 720.0 > edge;
            if is_person { 255 } else { 0 }
        };
        let scene = Scene::new(shape, alpha);
        let seen = scene.behind(&mut *build("blur", shape), &moment(0.0));
        for (plane, code) in [ROOM.y, ROOM.u, ROOM.v].into_iter().enumerate() {
            for &sample in seen.view().plane(plane).iter_rows().flatten() {
                assert!(sample.abs_diff(code) <= 1, "from row {edge}, {plane}: {sample}");
            }
        }
    }
}

#[test]
fn without_any_room_there_is_a_plain_grey() {
    let shape = shapes()[0];
    for text in ["blur", "bokeh", "pixelate"] {
        let seen = Scene::new(shape, |_, _| 255).behind(&mut *build(text, shape), &moment(0.0));
        assert!(seen.view().plane(0).iter_rows().flatten().all(|&y| y == 96), "{text}");
    }
}

#[test]
fn a_light_becomes_a_disc() {
    let shape = FrameShape {
        format: PixelFormat::I420,
        size: SizePx::new(640, 360),
        colour: Colour::WEBCAM,
    };
    let mut scene = Scene::new(shape, |_, _| 0);
    scene.room.fill(Yuv8 { y: 30, u: 128, v: 128 });
    for row in scene.room.view_mut().plane_mut(0).iter_rows_mut().skip(176).take(8) {
        row[316..324].fill(235);
    }
    let profile = |text: &str| {
        let seen = scene.behind(&mut *build(text, shape), &moment(0.0));
        let row = seen.view().plane(0).row(180).to_vec();
        let level = |away: usize| i32::from(row[320 + away]) - 30;
        (level(0), level(14), level(21), level(34))
    };
    // Strength 50 has a radius of 25 pixels here: flat up to its edge, then nothing.
    let (middle, inside, near, outside) = profile("bokeh");
    let flat = near * 10 > middle * 8 && (inside - middle).abs() < 12;
    assert!(middle > 60 && flat, "{middle} {inside} {near}");
    assert!(outside < 4, "{outside}");
    // A Gaussian of the same strength is a faint hill.
    let (middle, inside, ..) = profile("blur");
    assert!(middle < 30 && inside < middle, "{middle} {inside}");
}

#[test]
fn blocks_have_their_size_and_their_means() {
    for shape in [shapes()[0], shapes()[2], shapes()[8]] {
        let mut scene = Scene::new(shape, |_, _| 0);
        for (plane, mut samples) in scene.room.view_mut().planes_mut().enumerate() {
            for (y, row) in samples.iter_rows_mut().enumerate() {
                let noise = |(x, sample): (usize, &mut u8)| {
                    *sample = ((x * 7919 + y * 104_729 + plane * 31) % 251) as u8;
                };
                row.iter_mut().enumerate().for_each(noise);
            }
        }
        let block = 30;
        let seen = scene.behind(&mut *build("pixelate=30", shape), &moment(0.0));
        for plane in 0..3 {
            let (room, seen) = (scene.room.view().plane(plane), seen.view().plane(plane));
            let step = |luma: u32, len: usize| if len < luma as usize { 2 } else { 1 };
            let steps = [
                step(shape.size.width_px, seen.row_bytes()),
                step(shape.size.height_px, seen.rows()),
            ];
            let (w, h) = (block / steps[0], block / steps[1]);
            for (x, y) in [(0, 0), (1, 1), (seen.row_bytes() / w, seen.rows() / h)] {
                let columns = x * w..(x * w + w).min(seen.row_bytes());
                let rows = y * h..(y * h + h).min(seen.rows());
                let samples = |plane: greenroom_frame::Plane<'_>| -> Vec<f32> {
                    rows.clone()
                        .flat_map(|y| plane.row(y)[columns.clone()].to_vec())
                        .map(f32::from)
                        .collect()
                };
                let (room, seen) = (samples(room), samples(seen));
                if let Some(&first) = seen.first() {
                    assert!(seen.iter().all(|&sample| sample == first));
                    let mean = room.iter().sum::<f32>() / room.len() as f32;
                    assert!((mean - first).abs() <= 0.51, "{mean} {first}");
                }
            }
        }
    }
}

/// Largest difference of two pictures' samples, and their mean difference.
fn difference(one: &Frame, other: &Frame) -> (u8, f64) {
    let pairs = one.bytes().iter().zip(other.bytes());
    let differences: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
    let sum: u64 = differences.iter().map(|&difference| u64::from(difference)).sum();
    (differences.iter().copied().max().unwrap(), sum as f64 / differences.len() as f64)
}

#[test]
fn painted_ones_go_by_time_alone_and_slowly() {
    for shape in shapes() {
        let scene = Scene::new(shape, |_, _| 0);
        for text in ["drift", "stars", "gradient"] {
            let at = |background: &mut dyn Background, seconds| {
                scene.behind(background, &moment(seconds))
            };
            let mut stepped = build(text, shape);
            for step in 0..40 {
                at(&mut *stepped, f64::from(step) * 0.1);
            }
            let there = at(&mut *stepped, 4.0);
            // Straight there: the same picture, whatever was shown before.
            assert_eq!(at(&mut *build(text, shape), 4.0).bytes(), there.bytes(), "{text}");
            let next = at(&mut *stepped, 4.0 + 1.0 / 30.0);
            let (most, mean) = difference(&there, &next);
            assert!(
                most <= 60 && (mean < 0.5 || there.bytes().len() < 99),
                "{text} {shape:?}: {most} {mean}"
            );
            if text == "drift" && shape.size.height_px > 9 {
                assert!(most <= 2);
                assert!(difference(&there, &at(&mut *stepped, 30.0)).1 > 1.0);
                // Hours on it still glides.
                let late = [36_000.0, 36_000.0 + 1.0 / 30.0].map(|time| at(&mut *stepped, time));
                assert!(difference(&late[0], &late[1]).0 <= 2);
            }
        }
    }
}

#[test]
fn slopes_have_no_bands() {
    let shape = FrameShape {
        format: PixelFormat::I420,
        size: SizePx::new(640, 360),
        colour: Colour::WEBCAM,
    };
    let scene = Scene::new(shape, |_, _| 0);
    // 20 codes over 360 rows: a band would be 18 rows of one code.
    let seen = scene.behind(&mut *build("gradient=#202020,#373737", shape), &moment(0.0));
    let plane = seen.view();
    let plane = plane.plane(0);
    let means: Vec<f32> = plane
        .iter_rows()
        .map(|row| row.iter().map(|&y| f32::from(y)).sum::<f32>() / row.len() as f32)
        .collect();
    let octets: Vec<f32> = means.chunks(8).map(|rows| rows.iter().sum::<f32>() / 8.0).collect();
    let steps: Vec<f32> = octets.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let fair = (octets[octets.len() - 1] - octets[0]) / steps.len() as f32;
    assert!(fair > 0.3, "{fair}");
    for step in steps {
        assert!((step - fair).abs() < 0.12, "{step} {fair}");
    }
}
