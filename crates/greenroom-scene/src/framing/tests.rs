use std::time::Duration;

use greenroom_frame::Yuv8;

use super::*;
use crate::Random;

/// Head and shoulders of a person: an oval on a wider one that the frame's foot cuts off. Places
/// and sizes are in heights of a frame of 16 by 9.
#[derive(Clone, Copy)]
struct Person {
    x: f64,
    top: f64,
    scale: f64,
}

const SEATED: Person = Person { x: 0.89, top: 0.2, scale: 1.0 };

impl Person {
    fn covers(self, x: f64, y: f64) -> bool {
        let (x, y) = ((x - self.x) / self.scale, (y - self.top) / self.scale);
        let head = (x / 0.13).hypot((y - 0.18) / 0.18) < 1.0;
        let body = (x / 0.3).hypot((y - 0.85) / 0.45) < 1.0 || (y > 0.85 && x.abs() < 0.3);
        head || body
    }

    /// Its matte; `noise` is the share of pixels that are wrong.
    fn matte(self, size: SizePx, noise: f32, random: &mut Random) -> Frame {
        let mut matte = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        let height = f64::from(size.height_px);
        let (wide, high) = (16.0 / 9.0 / f64::from(size.width_px), 1.0 / height);
        for (y, row) in matte.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
            for (x, alpha) in row.iter_mut().enumerate() {
                let at = ((x as f64 + 0.5) * wide, (y as f64 + 0.5) * high);
                let wrong = noise > 0.0 && random.unit() < noise;
                *alpha = if self.covers(at.0, at.1) != wrong { 255 } else { 0 };
            }
        }
        matte
    }
}

const MATTE_SIZE: SizePx = SizePx::new(320, 180);

/// The crops of a person who is at `person(seconds)`.
fn crops(fps: f64, seconds: f64, noise: f32, person: impl Fn(f64) -> Option<Person>) -> Vec<Crop> {
    let (mut finder, mut follower) = (Finder::default(), Follower::new(0.6));
    let mut random = Random::new(3);
    (0..(seconds * fps) as u32)
        .map(|index| {
            let time = f64::from(index) / fps;
            let nobody = Person { x: -9.0, top: 0.0, scale: 1.0 };
            let matte = person(time).unwrap_or(nobody).matte(MATTE_SIZE, noise, &mut random);
            let found = finder.find(matte.view().plane(0));
            follower.follow(found, Duration::from_secs_f64(time))
        })
        .collect()
}

fn parts(crop: Crop) -> [f64; 3] {
    [crop.x, crop.y, crop.size]
}

/// Largest second difference a second squared.
fn roughest(crops: &[Crop], fps: f64) -> f64 {
    let second = |window: &[Crop], part: usize| {
        let [a, b, c] = [0, 1, 2].map(|index| parts(window[index])[part]);
        (a - 2.0 * b + c).abs() * fps * fps
    };
    crops.windows(3).flat_map(|w| [0, 1, 2].map(|part| second(w, part))).fold(0.0, f64::max)
}

#[test]
fn goes_to_the_person_and_then_stands_still_whatever_the_matte_does() {
    // Breathing, nodding a little, and 2 % of the matte's pixels wrong.
    let person = |time: f64| {
        let sway = 0.012 * (time * 1.7).sin();
        Some(Person {
            x: SEATED.x + sway,
            top: SEATED.top + 0.008 * (time * 2.9).sin(),
            scale: 1.0,
        })
    };
    let crops = crops(30.0, 20.0, 0.02, person);
    assert_eq!(crops[0], Crop::WHOLE);
    let rest = &crops[crops.len() / 2..];
    assert!(rest.iter().all(|crop| *crop == rest[0]), "it moves");
    // Head and shoulders take about the share of the height that was asked for, with air above.
    let Crop { x, y, size } = rest[0];
    assert!((x - 0.5).abs() < 0.05, "{x}");
    assert!(size < 0.98, "{size}");
    assert!(y - size / 2.0 < 0.2 && y - size / 2.0 > 0.02, "{y} {size}");
    assert!(roughest(&crops, 30.0) < 2.0, "{}", roughest(&crops, 30.0));
}

#[test]
fn a_walk_is_followed_smoothly_at_any_rate() {
    let person = |time: f64| {
        let x = 0.5 + (time - 4.0).clamp(0.0, 4.0) * 0.2;
        Some(Person { x, top: 0.35, scale: 0.5 })
    };
    let mut ends = Vec::new();
    for fps in [15.0, 30.0, 60.0] {
        let crops = crops(fps, 14.0, 0.01, person);
        assert!(roughest(&crops, fps) < 2.2, "{fps} {}", roughest(&crops, fps));
        for (index, crop) in crops.iter().enumerate() {
            let inside = crop.inside();
            assert!(parts(inside).iter().zip(parts(*crop)).all(|(a, b)| (a - b).abs() < 1e-12));
            let time = index as f64 / fps;
            let across = person(time).unwrap().x / (16.0 / 9.0);
            if time > 3.0 {
                let away = (across - crop.x) / crop.size;
                assert!(away.abs() < 0.42, "{fps} fps {time}: out of the picture by {away}");
            }
        }
        let steps = crops.windows(2).map(|pair| (pair[1].x - pair[0].x) * fps);
        assert!(steps.clone().all(|step| step.abs() <= 0.36));
        // During the walk it does not go back.
        assert!(steps.skip((4.0 * fps) as usize).fold(0.0, f64::min) > -0.002);
        let last = crops[crops.len() - 1];
        assert_eq!(crops[crops.len() - 15], last);
        assert!((last.x - 1.3 / (16.0 / 9.0)).abs() < 0.08 * last.size, "{last:?}");
        ends.push(parts(crops[(7.0 * fps) as usize]));
    }
    // The same way at every rate.
    for end in &ends[1..] {
        assert!(end.iter().zip(ends[0]).all(|(a, b)| (a - b).abs() < 0.02), "{ends:?}");
    }
}

#[test]
fn back_to_the_whole_when_nobody_is_there() {
    let person = |time: f64| (time < 9.0).then_some(Person { x: 1.2, top: 0.35, scale: 0.5 });
    let crops = crops(30.0, 24.0, 0.001, person);
    let at = |seconds: f64| crops[(seconds * 30.0) as usize];
    assert!(at(8.9).size < 0.7);
    // Waits two seconds, goes slowly, and gets there exactly.
    assert_eq!(at(8.9), at(10.9));
    assert!(at(11.5).size < 0.8);
    assert_eq!(crops[crops.len() - 1], Crop::WHOLE);
    assert!(roughest(&crops, 30.0) < 2.2);
}

fn room(person: Person, size: SizePx, format: PixelFormat) -> [Frame; 3] {
    let mut random = Random::new(1);
    let luma = person.matte(size, 0.0, &mut random);
    let chroma = person.matte(format.chroma().plane_size(size), 0.0, &mut random);
    let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
    frame.fill(Yuv8 { y: 40, u: 60, v: 70 });
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        let alpha = if index == 0 { &luma } else { &chroma };
        let rows = plane.iter_rows_mut().zip(alpha.view().plane(0).iter_rows());
        for (row, alpha) in rows {
            for (sample, &alpha) in row.iter_mut().zip(alpha) {
                if alpha == 255 {
                    *sample = 220;
                }
            }
        }
    }
    [frame, luma, chroma]
}

#[test]
fn the_matte_still_lies_on_the_person() {
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for size in [SizePx::new(320, 180), SizePx::new(321, 181)] {
            let [frame, luma, chroma] = room(SEATED, size, format);
            let matte = MatteView::new(frame.view(), luma.view(), chroma.view()).unwrap();
            let room = MattedFrame { frame: frame.view(), matte };
            for text in ["zoom=1.7,0.3,-0.2", "zoom=4,1,1", "zoom=1.01"] {
                let mut framing = Framing::new(text.parse().unwrap());
                let moment = Moment { time: Duration::ZERO, frame: 0, seed: 0 };
                let seen = framing.frame(&room, &moment).unwrap();
                assert_eq!(seen.frame.shape(), room.frame.shape());
                for plane in 0..3 {
                    let (alpha, low) = if plane == 0 {
                        (seen.matte.luma(), 40.0)
                    } else {
                        (seen.matte.chroma(), [60.0, 70.0][plane - 1])
                    };
                    let rows = seen.frame.plane(plane).iter_rows().zip(alpha.plane(0).iter_rows());
                    for (row, alpha) in rows {
                        for (&sample, &alpha) in row.iter().zip(alpha) {
                            // The picture was made from the matte, and so it still is.
                            let made = low + (220.0 - low) * f64::from(alpha) / 255.0;
                            assert!((f64::from(sample) - made).abs() <= 1.6);
                        }
                    }
                }
            }
            let mut whole = Framing::new(FramingSpec::Whole);
            let moment = Moment { time: Duration::ZERO, frame: 0, seed: 0 };
            let seen = whole.frame(&room, &moment).unwrap();
            assert!(std::ptr::eq(seen.frame.bytes(), frame.bytes()), "copied for nothing");
        }
    }
}

#[test]
fn pans_reach_the_edges() {
    let size = SizePx::new(320, 180);
    let [mut frame, luma, chroma] = room(SEATED, size, PixelFormat::I420);
    for (y, row) in frame.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
        row.iter_mut().enumerate().for_each(|(x, sample)| *sample = (x / 2 + y / 4) as u8);
    }
    let matte = MatteView::new(frame.view(), luma.view(), chroma.view()).unwrap();
    let room = MattedFrame { frame: frame.view(), matte };
    let moment = Moment { time: Duration::ZERO, frame: 0, seed: 0 };
    let corners = |text: &str| {
        let mut framing = Framing::new(text.parse().unwrap());
        let seen = framing.frame(&room, &moment).unwrap().frame.plane(0);
        [seen.row(0)[0], seen.row(179)[319]]
    };
    assert_eq!(corners("zoom=2,-1,-1")[0], 0);
    assert_eq!(corners("zoom=2,1,1")[1], 159 + 44);
    let [top_left, bottom_right] = corners("zoom=2");
    assert!(top_left.abs_diff(40 + 11) <= 1 && bottom_right.abs_diff(120 + 33) <= 1);
}
