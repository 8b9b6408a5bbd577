//! The way from a picture to its alpha at the picture's size.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx};
use greenroom_matte::{
    Effort, Input, Isa, MatteError, MatteMaker, Model, Quality, RefineSteps, Upscaler,
};

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A photo as a camera would send it.
fn photo(name: &str, colour: Colour) -> Frame {
    let image = image::open(folder("../../assets/photos").join(name)).unwrap().into_rgb8();
    let size = SizePx::new(image.width(), image.height());
    let mut frame = Frame::new(PixelFormat::I420, size, colour).unwrap();
    let encode = |x: usize, y: usize| {
        let [r, g, b] = image.get_pixel(x as u32, y as u32).0;
        colour.encode(Rgb8 { r, g, b })
    };
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = match index {
                    0 => encode(x, y).y,
                    1 => encode(2 * x, 2 * y).u,
                    _ => encode(2 * x, 2 * y).v,
                };
            }
        }
    }
    frame
}

#[test]
fn the_person_of_a_photo_is_found_in_every_colour_encoding() {
    for model in Model::ALL {
        let golden = folder("tests/golden").join(format!("{model}/franck_01829.png"));
        let golden = image::open(golden).unwrap().into_luma16().into_raw();
        let person = golden.iter().filter(|&&value| value > u16::MAX / 2).count();
        assert!(person > golden.len() / 10, "there is a person in the photo");
        for colour in [Colour::WEBCAM, Colour::JPEG, Colour::HD] {
            let frame = photo("franck_01829.jpg", colour);
            let mut maker = MatteMaker::new(model).unwrap();
            let fitting = maker.matte(&frame.view()).unwrap();
            assert!(model.sizes(Quality::Balanced).contains(&fitting.size()));
            let size = model.description().output_size;
            let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
            Upscaler::new().upscale(&fitting.view(), &mut alpha.view_mut()).unwrap();
            let agree = alpha.bytes().iter().zip(&golden);
            let agree = agree.filter(|&(&a, &g)| (a > 127) == (g > u16::MAX / 2)).count();
            // Not all: the golden output's input was of another shape and scaled otherwise.
            assert!(agree * 100 > golden.len() * 98, "{model} {colour:?}: {agree}");
        }
    }
}

#[test]
fn the_alpha_is_of_the_frame_that_was_given() {
    let mut frame = photo("franck_01829.jpg", Colour::WEBCAM);
    let taken = Instant::now() - Duration::from_secs(5);
    frame.set_captured_at(taken);
    let mut maker = MatteMaker::new(Model::Landscape).unwrap();
    let with_person = maker.matte(&frame.view()).unwrap().clone();
    assert_eq!(with_person.captured_at(), taken);
    frame.fill(Colour::WEBCAM.encode(Rgb8 { r: 90, g: 90, b: 90 }));
    frame.set_captured_at(taken + Duration::from_millis(33));
    let without = maker.matte(&frame.view()).unwrap();
    assert_eq!(without.captured_at(), taken + Duration::from_millis(33));
    assert!(without.bytes().iter().all(|&alpha| alpha < 40), "nobody is in a grey room");
    assert!(with_person.bytes().iter().filter(|&&alpha| alpha > 200).count() > 3000);
}

#[test]
fn scalar_and_fastest_agree_to_the_byte_or_one_more() {
    // Of those that multiply floats; how far off products of bf16 are is in golden.rs.
    let fastest = Isa::avx512().or_else(Isa::avx2).unwrap_or(Isa::SCALAR);
    let frame = photo("franck_03909.jpg", Colour::WEBCAM);
    for model in Model::ALL {
        let run = |isa| {
            let mut maker = MatteMaker::with_isa(model, isa).unwrap();
            maker.matte(&frame.view()).unwrap().clone()
        };
        let (scalar, best) = (run(Isa::SCALAR), run(fastest));
        for (a, b) in scalar.bytes().iter().zip(best.bytes()) {
            assert!(a.abs_diff(*b) <= 1, "{a} {b}");
        }
    }
}

#[test]
fn a_model_file_from_outside_works_as_the_built_in_one_and_at_its_own_size() {
    let frame = photo("franck_01829.jpg", Colour::WEBCAM);
    for (model, size) in
        [(Model::Landscape, SizePx::new(256, 144)), (Model::General, SizePx::new(256, 256))]
    {
        let mut mine = MatteMaker::from_tflite("mine.tflite", model.file()).unwrap();
        assert_eq!(mine.description().name, "mine.tflite");
        assert_eq!(mine.description().input_size, size);
        let mut built_in = MatteMaker::new(model).unwrap();
        let (a, b) = (mine.matte(&frame.view()).unwrap(), built_in.matte(&frame.view()).unwrap());
        if size == model.description().input_size {
            assert_eq!(a.bytes(), b.bytes());
        }
        // Of the same person, whatever the size.
        let area = |alpha: &Frame| {
            alpha.bytes().iter().filter(|&&alpha| alpha >= 128).count() as f64
                / alpha.bytes().len() as f64
        };
        assert!((area(a) / area(b) - 1.0).abs() < 0.05, "{} and {}", area(a), area(b));
    }
}

#[test]
fn the_alpha_follows_the_shape_of_the_frames() {
    let mut maker =
        MatteMaker::new(Model::General).unwrap().refined(RefineSteps::default()).unwrap();
    let grey = Colour::WEBCAM.encode(Rgb8 { r: 90, g: 90, b: 90 });
    for (picture, alpha) in [
        ((1280, 720), (320, 224)),
        ((640, 480), (320, 288)),
        ((720, 1280), (192, 352)),
        ((640, 360), (320, 224)),
        ((48, 48), (288, 288)),
    ] {
        let size = SizePx::new(picture.0, picture.1);
        let mut frame = Frame::new(PixelFormat::I420, size, Colour::WEBCAM).unwrap();
        frame.fill(grey);
        for _ in 0..2 {
            let alpha_size = maker.matte(&frame.view()).unwrap().size();
            assert_eq!(alpha_size, SizePx::new(alpha.0, alpha.1), "{size}");
        }
    }
}

#[test]
fn an_edge_stays_in_its_place_at_every_size() {
    let size = SizePx::new(256, 144);
    let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    for row in alpha.view_mut().plane_mut(0).iter_rows_mut() {
        row[64..].fill(255);
    }
    let mut upscaler = Upscaler::new();
    for size in [(1280, 720), (640, 360), (641, 359), (256, 144), (128, 72), (1920, 1080), (4, 2)] {
        let size = SizePx::new(size.0, size.1);
        let mut into = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        upscaler.upscale(&alpha.view(), &mut into.view_mut()).unwrap();
        for row in into.view().plane(0).iter_rows() {
            let person: f64 = row.iter().map(|&sample| f64::from(sample) / 255.0).sum();
            let want = f64::from(size.width_px) * 0.75;
            assert!((person - want).abs() < 0.02 * want, "{size}: {person} of {want}");
            assert!(row.is_sorted(), "{size}");
        }
    }
}

#[test]
fn only_grey_is_an_alpha() {
    let size = SizePx::new(64, 36);
    let grey = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    let mut planar = Frame::new(PixelFormat::I420, size, Colour::JPEG).unwrap();
    let error = Upscaler::new().upscale(&grey.view(), &mut planar.view_mut()).unwrap_err();
    assert!(matches!(error, MatteError::UnsupportedAlpha { format: PixelFormat::I420 }));
}

#[test]
fn models_have_names_that_parse() {
    for model in Model::ALL {
        assert_eq!(model.to_string().parse(), Ok(model));
    }
    assert!("best".parse::<Model>().unwrap_err().contains("landscape, general"));
}

#[test]
fn each_quality_finds_the_person_and_the_best_looks_twice() {
    let frame = photo("franck_01829.jpg", Colour::WEBCAM);
    let person = |quality| {
        let steps = RefineSteps { quality, ..RefineSteps::NONE };
        let maker = MatteMaker::of_quality(Model::General, quality).unwrap();
        let mut maker = maker.refined(steps).unwrap();
        let alpha = maker.matte(&frame.view()).unwrap();
        assert!(Model::General.sizes(quality).contains(&alpha.size()));
        alpha.clone()
    };
    let [fast, balanced, best] = Quality::ALL.map(person);
    assert!(fast.size().area_px() < balanced.size().area_px());
    let share = |alpha: &Frame| {
        let person = alpha.bytes().iter().filter(|&&level| level > 127).count();
        person as f64 / alpha.bytes().len() as f64
    };
    for alpha in [&fast, &best] {
        assert!((share(alpha) - share(&balanced)).abs() < 0.02, "{}", share(alpha));
    }
    // The second look differs a little, and counts half.
    assert_eq!(best.size(), balanced.size());
    assert!(best.bytes() != balanced.bytes());
}

#[test]
fn whoever_is_cut_by_the_upper_border_is_looked_at_twice_in_balanced_quality() {
    let whole = photo("franck_01829.jpg", Colour::WEBCAM);
    // Without the upper quarter, and with the lowest row again and again below.
    let mut cut = whole.clone();
    for index in 0..3 {
        let from = whole.view();
        let from: Vec<_> = from.plane(index).iter_rows().map(<[u8]>::to_vec).collect();
        let mut into = cut.view_mut();
        let mut into = into.plane_mut(index);
        for (y, row) in into.iter_rows_mut().enumerate() {
            row.copy_from_slice(&from[(y + from.len() / 4).min(from.len() - 1)]);
        }
    }
    let maker = |quality, crop| {
        let steps = RefineSteps { quality, crop, ..RefineSteps::NONE };
        MatteMaker::of_quality(Model::General, quality).unwrap().refined(steps).unwrap()
    };
    let look = |maker: &mut MatteMaker, frame: &Frame| {
        maker.matte(&frame.view()).unwrap().bytes().to_vec()
    };
    let mut balanced = maker(Quality::Balanced, true);
    let once = look(&mut balanced, &cut);
    assert!(once[..320].iter().any(|&level| level > 127), "the head is cut");
    let twice = look(&mut balanced, &cut);
    assert!(twice != once);
    assert!(twice == look(&mut maker(Quality::Best, true), &cut), "as in the best quality");
    // Not in another call, nor with less effort.
    balanced.reset();
    assert!(look(&mut balanced, &cut) == once);
    let every_second = Effort { frames_per_inference: 2, ..Effort::default() };
    for effort in [Effort { input: Input::Once, ..Effort::default() }, every_second] {
        balanced.set_effort(effort);
        assert!(look(&mut balanced, &cut) == once, "{effort:?}");
    }
    // Nor without the step, nor where nobody is cut.
    let mut bare = maker(Quality::Balanced, false);
    let mut whole_maker = maker(Quality::Balanced, true);
    for _ in 0..2 {
        assert!(look(&mut bare, &cut) == once);
    }
    assert!(look(&mut whole_maker, &whole) == look(&mut whole_maker, &whole));
}

/// A frame in a room with a sixth of the light, and the noise of a sensor at its limit.
fn in_the_dark(frame: &Frame, seed: &mut u32) -> Frame {
    let mut dark = frame.clone();
    for (index, mut plane) in dark.view_mut().planes_mut().enumerate() {
        let (black, share) = if index == 0 { (16.0, 0.17) } else { (128.0, 0.33) };
        for sample in plane.iter_rows_mut().flatten() {
            let mut uniform = || {
                *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (*seed >> 8) as f32 / (1 << 24) as f32
            };
            // Of standard deviation 4.
            let noise = 8.0 * ((0..3).map(|_| uniform()).sum::<f32>() - 1.5);
            let level = black + share * (f32::from(*sample) - black) + noise;
            *sample = level.round().clamp(0.0, 255.0) as u8;
        }
    }
    dark
}

#[test]
fn in_the_dark_the_person_is_found_in_the_mean_of_several_frames() {
    let lit = photo("franck_03909.jpg", Colour::WEBCAM);
    let steps = RefineSteps { exposure: true, ..RefineSteps::NONE };
    let maker = || MatteMaker::new(Model::DEFAULT).unwrap();
    let mut of_lit = maker().refined(steps).unwrap();
    let truth = of_lit.matte(&lit.view()).unwrap().bytes().to_vec();
    let difference = |steps: RefineSteps, mut seed: u32| {
        let mut maker = maker().refined(steps).unwrap();
        for _ in 0..15 {
            maker.matte(&in_the_dark(&lit, &mut seed).view()).unwrap();
        }
        let found = maker.matte(&in_the_dark(&lit, &mut seed).view()).unwrap().bytes();
        let sum: u32 = found.iter().zip(&truth).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        sum as f32 / truth.len() as f32
    };
    // One noise gains 0.02, another 0.31.
    let of_all = |steps| (1..=6).map(|seed| difference(steps, seed)).sum::<f32>();
    let with = of_all(RefineSteps { denoise: true, ..steps });
    let without = of_all(steps);
    // 0.81 where floats are multiplied, 0.83 where bf16 are.
    assert!(with < 0.87 * without, "{with} with, {without} without");
}
