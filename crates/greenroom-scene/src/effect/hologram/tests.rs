use std::time::Duration;

use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx, Yuv8};

use super::super::action::PictureEffect;
use super::super::area::Area;
use super::{Hologram, gains};
use crate::{Moment, Random};

const MOMENT: Moment = Moment { time: Duration::ZERO, frame: 3, seed: 5 };

/// The old program's sums, in RGB, as they stand there.
fn by_rgb(img: &[[f32; 3]], size: SizePx, gains: &[f32]) -> Vec<[f32; 3]> {
    let (width, height) = (size.width_px as i32, size.height_px as i32);
    let winter = |x: i32, y: i32| {
        let [r, g, b] = img[(y * width + x) as usize];
        let t = 0.299 * r + 0.587 * g + 0.114 * b;
        [0.0, t, 1.0 - t / 2.0].map(|channel| channel * gains[y as usize])
    };
    let shifted = |x: i32, y: i32, by: i32| {
        let (x, y) = (x - by, y - by);
        if (0..width).contains(&x) && (0..height).contains(&y) { winter(x, y) } else { [0.0; 3] }
    };
    let pixel = |index: i32| {
        let (x, y) = (index % width, index / width);
        let (holo, down, up) = (winter(x, y), shifted(x, y, 5), shifted(x, y, -5));
        std::array::from_fn(|c| {
            let b = 0.2 * holo[c] + 0.8 * down[c];
            let b = 0.4 * b + 0.6 * up[c];
            (0.5 * img[index as usize][c] + 0.6 * b).min(1.0)
        })
    };
    (0..width * height).map(pixel).collect()
}

/// Soft random colours, the brightest of which saturate.
fn picture(format: PixelFormat, size: SizePx, colour: Colour) -> Frame {
    let mut frame = Frame::new(format, size, colour).unwrap();
    let mut random = Random::new(11);
    let mut colours: Vec<Yuv8> = Vec::new();
    for _ in 0..size.area_px().div_ceil(40) + size.area_px() {
        let [r, g, b] = [0; 3].map(|_| (random.unit() * 256.0) as u8);
        colours.push(colour.encode(Rgb8 { r, g, b }));
    }
    colours[0] = colour.encode(Rgb8 { r: 255, g: 255, b: 255 });
    // Cells of 4x4: each has whole chroma samples in every format.
    let across = size.width_px.div_ceil(4) as usize;
    let wide = [4, 2, 2];
    let high = if format == PixelFormat::I420 { [4, 2, 2] } else { [4, 4, 4] };
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                let yuv = colours[y / high[index] * across + x / wide[index]];
                *sample = [yuv.y, yuv.u, yuv.v][index];
            }
        }
    }
    frame
}

fn pixels(frame: &Frame) -> Vec<[f32; 3]> {
    let view = frame.view();
    let [y, u, v] = [0, 1, 2].map(|plane| view.plane(plane));
    let share = if frame.format() == PixelFormat::I420 { 2 } else { 1 };
    let mut pixels = Vec::new();
    for row in 0..y.rows() {
        for (x, &luma) in y.row(row).iter().enumerate() {
            let yuv = Yuv8 { y: luma, u: u.row(row / share)[x / 2], v: v.row(row / share)[x / 2] };
            let Rgb8 { r, g, b } = frame.colour().decode(yuv);
            pixels.push([r, g, b].map(|channel| f32::from(channel) / 255.0));
        }
    }
    pixels
}

#[test]
fn it_is_the_old_programs_hologram() {
    for colour in [Colour::WEBCAM, Colour::JPEG] {
        for format in [PixelFormat::I420, PixelFormat::I422] {
            for size in [SizePx::new(67, 41), SizePx::new(64, 48), SizePx::new(3, 4)] {
                let mut frame = picture(format, size, colour);
                let mut rows = vec![0.0; size.height_px as usize];
                gains(&MOMENT, &mut rows);
                let wanted = by_rgb(&pixels(&frame), size, &rows);
                Hologram::default().apply(&mut frame, Area::whole(size), &MOMENT).unwrap();
                compare(&frame, &wanted);
            }
        }
    }
}

/// Compares with the reference, of which chroma is the mean over each sample's pixels.
fn compare(frame: &Frame, wanted: &[[f32; 3]]) {
    let (kr, kb) = frame.colour().kr_kb();
    let (floor, luma, chroma) = frame.colour().scales();
    let width = frame.size().width_px as usize;
    let high = if frame.format() == PixelFormat::I420 { 2 } else { 1 };
    for (index, plane) in (0..3).map(|index| (index, frame.view().plane(index))) {
        let (mut sum, mut worst) = (0.0, 0.0f32);
        for (y, row) in plane.iter_rows().enumerate() {
            for (x, &sample) in row.iter().enumerate() {
                let code = |[r, g, b]: [f32; 3]| {
                    let light = kr * r + (1.0 - kr - kb) * g + kb * b;
                    match index {
                        0 => floor + luma * light,
                        1 => 128.0 + chroma * (b - light) / (2.0 * (1.0 - kb)),
                        _ => 128.0 + chroma * (r - light) / (2.0 * (1.0 - kr)),
                    }
                };
                let rows = if index == 0 { y..y + 1 } else { y * high..(y + 1) * high };
                let columns = if index == 0 { x..x + 1 } else { x * 2..x * 2 + 2 };
                let inside =
                    |&place: &(usize, usize)| place.0 * width < wanted.len() && place.1 < width;
                let places: Vec<_> = rows
                    .flat_map(|y| columns.clone().map(move |x| (y, x)))
                    .filter(inside)
                    .map(|(y, x)| code(wanted[y * width + x]))
                    .collect();
                let mean = places.iter().sum::<f32>() / places.len() as f32;
                let error = (f32::from(sample) - mean).abs();
                worst = worst.max(error);
                sum += error;
            }
        }
        let mean = sum / (plane.rows() * plane.row_bytes()) as f32;
        let what = format!("{:?} {index}: mean {mean}, worst {worst}", frame.shape());
        assert!(mean < 0.5 && worst < 2.0, "{what}");
    }
}

#[test]
fn bands_are_two_rows_of_five_and_flicker() {
    let mut now = [0.0; 40];
    gains(&MOMENT, &mut now);
    for (y, gain) in now.into_iter().enumerate() {
        assert!(if y % 5 < 2 { (0.1..0.3).contains(&gain) } else { gain == 1.0 }, "{y} {gain}");
    }
    let mut later = [0.0; 40];
    gains(&Moment { frame: 4, ..MOMENT }, &mut later);
    assert_ne!(now, later);
}
