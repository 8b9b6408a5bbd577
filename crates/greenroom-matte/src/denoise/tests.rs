use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use super::*;

const SIZE: SizePx = SizePx::new(160, 96);

/// Normally distributed noise that is the same in each run.
struct Noise(u32);

impl Noise {
    /// A sum of uniform ones, of variance 1.
    fn next(&mut self) -> f32 {
        let uniform = (0..12).map(|_| {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as f32 / (1 << 24) as f32
        });
        uniform.sum::<f32>() - 6.0
    }
}

/// What a camera sees: a room, and a bright square that reaches from column `left`, `side` samples wide.
fn luma(x: usize, left: usize, side: usize) -> f32 {
    if (left..left + side).contains(&x) { 200.0 } else { 60.0 + (x % 40) as f32 }
}

fn frame(
    format: PixelFormat,
    size: SizePx,
    (noise, deviation): (&mut Noise, f32),
    luma: impl Fn(usize) -> f32,
) -> Frame {
    let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
    let mut view = frame.view_mut();
    for (index, mut plane) in view.planes_mut().enumerate() {
        for row in plane.iter_rows_mut() {
            for (x, sample) in row.iter_mut().enumerate() {
                let level = if index == 0 { luma(x) } else { 128.0 };
                *sample = (level + deviation * noise.next()).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
    frame
}

/// Root mean square of what differs between a picture's luma and what is there, in the columns.
fn error(
    view: &FrameView<'_>,
    columns: std::ops::Range<usize>,
    luma: impl Fn(usize) -> f32,
) -> f32 {
    let rows = view.plane(0);
    let squares = rows.iter_rows().flat_map(|row| {
        columns.clone().map(|x| (f32::from(row[x]) - luma(x)).powi(2)).collect::<Vec<_>>()
    });
    let squares: Vec<f32> = squares.collect();
    (squares.iter().sum::<f32>() / squares.len() as f32).sqrt()
}

#[test]
fn exposure_that_follows_somebody_is_no_noise() {
    for deviation in [1.0, 8.0] {
        let (mut meter, mut noise) = (NoiseMeter::default(), Noise(1));
        for time in 0..40 {
            // All becomes brighter by five levels a frame, then darker.
            let exposure = (time % 20_i32 - 10).abs() as f32 * 5.0;
            let seen = |x: usize| 60.0 + (x % 40) as f32 + exposure;
            let frame = frame(PixelFormat::Grey, SIZE, (&mut noise, deviation), seen);
            let measured = meter.measure(&frame.view(), 1);
            let is_right = (0.8..1.25).contains(&(measured / deviation));
            assert!(time == 0 || is_right, "{measured} of {deviation} at {time}");
        }
    }
}

#[test]
fn noise_is_measured_beside_what_moves() {
    for (deviation, size, reduction) in [
        (1.0, SIZE, 1),
        (3.0, SIZE, 1),
        (8.0, SIZE, 1),
        (20.0, SIZE, 1),
        (8.0, SizePx::new(1280, 720), 2),
        (12.0, SizePx::new(1920, 1080), 3),
    ] {
        let (mut meter, mut noise) = (NoiseMeter::default(), Noise(1));
        let mut measured = 0.0;
        for time in 0..20 {
            // A third of the picture flickers.
            let seen = |x: usize| match x < size.width_px as usize / 3 {
                true => 50.0 + (time % 5) as f32 * 30.0,
                false => 100.0,
            };
            let frame = frame(PixelFormat::Grey, size, (&mut noise, deviation), seen);
            measured = meter.measure(&frame.view(), reduction);
        }
        let is = deviation / reduction as f32;
        // The moving third makes the smaller half three quarters of what is still.
        assert!((0.8 * is..2.0 * is).contains(&measured), "{deviation} {reduction}: {measured}");
    }
}

#[test]
fn frames_that_come_twice_are_as_noisy_as_others() {
    let (mut denoiser, mut noise) = (Denoiser::default(), Noise(1));
    for time in 0..20 {
        let frame = frame(PixelFormat::I420, SIZE, (&mut noise, 8.0), |x| luma(x, 20, 30));
        for _ in 0..2 {
            denoiser.add(&frame.view(), 1.0).unwrap();
            assert_eq!(denoiser.is_noisy, time > 0);
        }
    }
    // A still picture from a file has no noise.
    let mut denoiser = Denoiser::default();
    let frame = frame(PixelFormat::I420, SIZE, (&mut noise, 8.0), |x| luma(x, 20, 30));
    for _ in 0..10 {
        denoiser.add(&frame.view(), 1.0).unwrap();
        assert!(!denoiser.is_noisy);
    }
}

#[test]
fn in_good_light_frames_are_seen_as_they_are() {
    let (mut denoiser, mut noise) = (Denoiser::default(), Noise(1));
    for _ in 0..20 {
        let frame = frame(PixelFormat::I420, SIZE, (&mut noise, 1.5), |x| luma(x, 20, 30));
        denoiser.add(&frame.view(), 1.0).unwrap();
        assert_eq!(denoiser.seen(&frame.view()).bytes().as_ptr(), frame.view().bytes().as_ptr());
        assert!(!denoiser.has_just_settled());
    }
    assert!(denoiser.calm.is_none(), "nothing is made that is not needed");
    // As bright as the networks see it, the same noise is much.
    let frame = frame(PixelFormat::I420, SIZE, (&mut noise, 1.5), |x| luma(x, 20, 30));
    denoiser.add(&frame.view(), 4.0).unwrap();
    assert!(denoiser.seen(&frame.view()).bytes().as_ptr() != frame.view().bytes().as_ptr());
}

#[test]
fn what_stands_still_loses_its_noise() {
    for format in [PixelFormat::I420, PixelFormat::I422, PixelFormat::Grey] {
        let (mut denoiser, mut noise) = (Denoiser::default(), Noise(1));
        let there = |x| luma(x, 20, 30);
        for time in 0..30 {
            let frame = frame(format, SIZE, (&mut noise, 8.0), there);
            denoiser.add(&frame.view(), 1.0).unwrap();
            let seen = denoiser.seen(&frame.view());
            assert_eq!((seen.format(), seen.size(), seen.colour()), (format, SIZE, Colour::WEBCAM));
            assert_eq!(seen.captured_at(), frame.captured_at());
            let error = error(&seen, 0..160, there);
            // The first frame tells nothing of noise, and the second has no other to be averaged with.
            assert!(error < if time < 10 { 14.0 } else { 2.8 }, "{format} {time}: {error}");
            assert_eq!(denoiser.has_just_settled(), time == i32::try_from(SETTLED).unwrap());
        }
        denoiser.reset();
        let frame = frame(format, SIZE, (&mut noise, 8.0), there);
        denoiser.add(&frame.view(), 1.0).unwrap();
        assert_eq!(denoiser.seen(&frame.view()).bytes().as_ptr(), frame.view().bytes().as_ptr());
    }
}

#[test]
fn what_moves_leaves_no_trail() {
    let (mut denoiser, mut noise) = (Denoiser::default(), Noise(1));
    for time in 0..60 {
        let left = if time < 40 { 24 } else { 24 + 8 * (time - 40) % 80 };
        let there = |x| luma(x, left, 32);
        let frame = frame(PixelFormat::I420, SIZE, (&mut noise, 8.0), there);
        denoiser.add(&frame.view(), 1.0).unwrap();
        if time >= 40 {
            let seen = denoiser.seen(&frame.view());
            for columns in [left..left + 32, 0..left, left + 32..160] {
                let error = error(&seen, columns.clone(), there);
                // No more than the noise, but for a chance.
                assert!(error < 9.0, "{time} {columns:?}: {error}");
            }
        }
    }
}

#[test]
fn what_moves_by_a_little_moves() {
    let (mut denoiser, mut noise) = (Denoiser::default(), Noise(1));
    for time in 0..40 {
        // The light goes up by less than the noise.
        let there = |x| luma(x, 24, 32) + if time < 20 { 0.0 } else { 7.0 };
        let frame = frame(PixelFormat::I420, SIZE, (&mut noise, 8.0), there);
        denoiser.add(&frame.view(), 1.0).unwrap();
        if time == 22 {
            let seen = denoiser.seen(&frame.view());
            let sum: f32 = seen.plane(0).iter_rows().map(|row| f32::from(row[10])).sum();
            let mean = sum / seen.plane(0).rows() as f32;
            assert!((mean - there(10)).abs() < 2.5, "{mean}");
        }
    }
}

#[test]
fn pictures_are_made_small_and_any_size_is_taken() {
    let mut noise = Noise(1);
    for (width, height, seen_size) in [
        (1280, 720, (640, 360)),
        (1920, 1080, (640, 360)),
        (641, 31, (321, 16)),
        (1, 1, (1, 1)),
        (7, 3, (7, 3)),
        (17, 9, (17, 9)),
        (5, 640, (5, 640)),
    ] {
        for format in [PixelFormat::I420, PixelFormat::I422, PixelFormat::Grey] {
            let mut denoiser = Denoiser::default();
            for _ in 0..4 {
                let size = SizePx::new(width, height);
                let frame = frame(format, size, (&mut noise, 20.0), |_| 100.0);
                denoiser.add(&frame.view(), 12.0).unwrap();
                if denoiser.is_noisy {
                    let seen = denoiser.seen(&frame.view()).size();
                    assert_eq!((seen.width_px, seen.height_px), seen_size, "{format}");
                }
            }
            // A single sample tells nothing of noise.
            assert_eq!(denoiser.is_noisy, width * height > 1, "{width}x{height} {format}");
        }
    }
    let packed = Frame::new(PixelFormat::Yuyv, SIZE, Colour::WEBCAM).unwrap();
    let refused = Denoiser::default().add(&packed.view(), 1.0);
    assert!(matches!(refused, Err(MatteError::UnsupportedFrame { .. })), "{refused:?}");
}

#[test]
fn frames_of_another_size_may_follow() {
    let mut meter = NoiseMeter::default();
    for (size, reduction, level) in [(1920, 3, 255.0), (160, 1, 0.0), (1920, 3, 255.0)] {
        let size = SizePx::new(size, size * 9 / 16);
        let frame = frame(PixelFormat::Grey, size, (&mut Noise(1), 0.0), |_| level);
        assert_eq!(meter.measure(&frame.view(), reduction), 0.0);
    }
}
