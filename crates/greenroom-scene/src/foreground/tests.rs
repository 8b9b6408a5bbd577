use std::path::Path;

use greenroom_frame::{Colour, Yuv8};
use image::Rgba;

use super::*;
use crate::Pace;

const GREY: Yuv8 = Yuv8 { y: 100, u: 128, v: 128 };

fn shape(format: PixelFormat, width: u32, height: u32) -> FrameShape {
    FrameShape { format, size: SizePx::new(width, height), colour: Colour::WEBCAM }
}

/// An orange disc; what is clear hides a glaring green.
fn disc(folder: &Path) -> ForegroundSpec {
    let picture = RgbaImage::from_fn(200, 200, |x, y| {
        let away = (x as f32 - 99.5).hypot(y as f32 - 99.5);
        if away < 80.0 { Rgba([220, 120, 40, 255]) } else { Rgba([0, 255, 0, 0]) }
    });
    let path = folder.join("disc.png");
    picture.save(&path).unwrap();
    ForegroundSpec::new(path)
}

fn drawn(spec: &ForegroundSpec, scene_format: FrameShape, canvas: FrameShape) -> Frame {
    let scene_format = SceneFormat { shape: scene_format, pace: Pace::Live };
    let mut foreground = Foreground::open(spec, scene_format).unwrap();
    let mut frame = Frame::new(canvas.format, canvas.size, canvas.colour).unwrap();
    frame.fill(GREY);
    foreground.draw(&mut frame).unwrap();
    frame
}

#[test]
fn no_hidden_colour_shows_at_the_edge() {
    let folder = tempfile::tempdir().unwrap();
    let orange = Colour::WEBCAM.encode(Rgb8 { r: 220, g: 120, b: 40 });
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for (width, height) in [(320, 180), (161, 121), (1280, 720)] {
            let frame =
                drawn(&disc(folder.path()), shape(format, 320, 180), shape(format, width, height));
            let view = frame.view();
            let ends = [(GREY.y, orange.y), (GREY.u, orange.u), (GREY.v, orange.v)];
            for (plane, (one, other)) in ends.into_iter().enumerate() {
                let (least, most) = (one.min(other), one.max(other));
                for &sample in view.plane(plane).iter_rows().flatten() {
                    // Everything lies between frame and disc.
                    let ok = sample + 2 >= least && sample <= most + 2;
                    assert!(ok, "{format} {width} plane {plane}: {sample} of {least}..{most}");
                }
            }
        }
    }
}

#[test]
fn places_sizes_and_opacity_are_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let scene_format = shape(PixelFormat::I420, 640, 360);
    let mut spec = disc(folder.path());
    let orange = Colour::WEBCAM.encode(Rgb8 { r: 220, g: 120, b: 40 }).y;
    // 20 % of 640 wide, so is the picture high; its disc has 80 % of that.
    spec.width_share = Some(0.2);
    spec.margin_share = Some(0.1);
    for (place, x, y) in [
        (Place::TopLeft, 36 + 64, 36 + 64),
        (Place::Top, 320, 36 + 64),
        (Place::TopRight, 604 - 64, 36 + 64),
        (Place::Left, 36 + 64, 180),
        (Place::Centre, 320, 180),
        (Place::Right, 604 - 64, 180),
        (Place::BottomLeft, 36 + 64, 324 - 64),
        (Place::Bottom, 320, 324 - 64),
        (Place::BottomRight, 604 - 64, 324 - 64),
    ] {
        spec.place = place;
        let frame = drawn(&spec, scene_format, scene_format);
        let view = frame.view();
        let luma = view.plane(0);
        let covered: Vec<(usize, usize)> = (0..360)
            .flat_map(|y| (0..640).map(move |x| (x, y)))
            .filter(|&(x, y)| luma.row(y)[x].abs_diff(orange) <= 1)
            .collect();
        let count = covered.len() as f32;
        // Less the rim, which is mixed with the frame.
        assert!((count - std::f32::consts::PI * 50.5 * 50.5).abs() < 300.0, "{place:?} {count}");
        let middle = |side: fn(&(usize, usize)) -> usize| {
            covered.iter().map(side).sum::<usize>() as f32 / count
        };
        assert!((middle(|p| p.0) - x as f32).abs() < 2.5, "{place:?}");
        assert!((middle(|p| p.1) - y as f32).abs() < 2.5, "{place:?}");
    }
    spec.opacity = 0.5;
    let frame = drawn(&spec, scene_format, scene_format);
    let half = (f32::from(orange) + f32::from(GREY.y)) / 2.0;
    let seen = f32::from(frame.view().plane(0).row(324 - 64)[604 - 64]);
    assert!((seen - half).abs() <= 1.0, "{seen} {half}");
}

#[test]
fn any_picture_fits_any_frame() {
    let folder = tempfile::tempdir().unwrap();
    for (width, height) in [(300, 2), (2, 300), (1, 1), (64, 64)] {
        let path = folder.path().join("p.png");
        RgbaImage::from_pixel(width, height, Rgba([200, 30, 60, 255])).save(&path).unwrap();
        for place in [Place::Fill, Place::Bottom, Place::TopLeft, Place::Right] {
            for share in [0.01, 1.0] {
                let spec = ForegroundSpec {
                    place,
                    width_share: Some(share),
                    margin_share: Some(0.4),
                    ..ForegroundSpec::new(path.clone())
                };
                for (width, height) in [(64, 48), (1, 1), (3, 99), (99, 3)] {
                    let canvas = shape(PixelFormat::I420, width, height);
                    let frame = drawn(&spec, shape(PixelFormat::I422, 64, 36), canvas);
                    let red = Colour::WEBCAM.encode(Rgb8 { r: 200, g: 30, b: 60 });
                    let plane = frame.view();
                    let all = plane.plane(0).iter_rows().flatten().all(|y| y.abs_diff(red.y) < 2);
                    assert!(all || place != Place::Fill);
                }
            }
        }
    }
    let broken = folder.path().join("broken.png");
    std::fs::write(&broken, "no picture").unwrap();
    let scene_format = SceneFormat { shape: shape(PixelFormat::I420, 64, 36), pace: Pace::Live };
    assert!(Foreground::open(&ForegroundSpec::new(broken), scene_format).is_err());
}
