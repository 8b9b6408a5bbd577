use std::cmp::Ordering;

use greenroom_frame::{PixelFormat, SizePx};

use crate::v4l2::FourCc;
use crate::{Codec, FrameRate};

/// One format and size that a camera offers, with its rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraMode {
    /// V4L2's code of the format.
    pub fourcc: FourCc,
    /// How frames are coded.
    pub codec: Codec,
    /// Size of the frames.
    pub size: SizePx,
    /// Rates at this size, fastest first; empty if the driver does not tell.
    pub rates: Vec<FrameRate>,
}

/// The mode to use and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeChoice {
    /// V4L2's code of the format.
    pub fourcc: FourCc,
    /// How frames are coded.
    pub codec: Codec,
    /// Size of the frames.
    pub size: SizePx,
    /// The rate to ask for.
    pub rate: FrameRate,
    /// The reason, for people: `MJPG, because YUYV reaches only 10 fps at 1280x720`.
    pub why: String,
}

/// A rate counts as reached from this share of it on: 29.97 is 30 to everybody.
const REACHED: f64 = 0.99;

/// Picks the mode that truly reaches `size` and `rate`.
///
/// A mode of just this size and at least this rate wins, raw before MJPEG. If there is none, what
/// is missing is weighed: a rate too low by half counts as much as a picture of a third of the
/// wanted area; a picture that is too large counts for little. Among equals the driver's order
/// decides. `None` if there is no mode at all.
pub fn choose_mode(modes: &[CameraMode], size: SizePx, rate: FrameRate) -> Option<ModeChoice> {
    let costs = modes.iter().map(|mode| (cost(mode, size, rate), mode));
    // `min_by` gives the first of equals.
    let (_, best) = costs.min_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(Ordering::Equal))?;
    Some(ModeChoice {
        fourcc: best.fourcc,
        codec: best.codec,
        size: best.size,
        rate: best_rate(best, rate),
        why: why(best, modes, size, rate),
    })
}

/// The slowest rate that reaches `wanted`, else the fastest there is. Where the driver does not
/// tell, `wanted`: it may be asked for.
fn best_rate(mode: &CameraMode, wanted: FrameRate) -> FrameRate {
    let mut reaching: Vec<_> =
        mode.rates.iter().copied().filter(|rate| reaches(*rate, wanted)).collect();
    reaching.sort_by(|a, b| a.as_fps().total_cmp(&b.as_fps()));
    let fastest = || mode.rates.iter().copied().max_by(|a, b| a.as_fps().total_cmp(&b.as_fps()));
    reaching.first().copied().or_else(fastest).unwrap_or(wanted)
}

fn reaches(rate: FrameRate, wanted: FrameRate) -> bool {
    rate.as_fps() >= wanted.as_fps() * REACHED
}

/// What is wrong with a mode; 0 is what was asked for.
fn cost(mode: &CameraMode, size: SizePx, wanted: FrameRate) -> f64 {
    let fps = best_rate(mode, wanted).as_fps();
    let rate_cost = if reaches(best_rate(mode, wanted), wanted) {
        // More than needed is work for nothing: 60 for 30 costs less than any other lack.
        0.02 * (fps / wanted.as_fps() - 1.0).max(0.0)
    } else {
        // 24 for 30 costs 0.75, 15 costs 3, 10 costs 6.
        3.0 * (wanted.as_fps() / fps - 1.0)
    };
    let ratio = mode.size.area_px() as f64 / size.area_px() as f64;
    let size_cost = if mode.size == size {
        0.0
    } else if mode.size.width_px >= size.width_px && mode.size.height_px >= size.height_px {
        // 1920x1080 for 1280x720 costs 0.6: nothing is lost but work.
        0.1 + 0.4 * (ratio - 1.0)
    } else {
        // 960x540 for 1280x720 costs 1.7, 640x480 costs 4.1.
        0.1 + 2.0 * (ratio.recip() - 1.0).max(0.0)
    };
    // A picture of another shape is cropped: 4:3 for 16:9 costs 0.3.
    let shape = |size: SizePx| f64::from(size.width_px) / f64::from(size.height_px);
    let shape_cost = (shape(mode.size) / shape(size)).ln().abs();
    let codec_cost = match mode.codec {
        // An infrared camera beside the real one: only if there is nothing else.
        Codec::Raw(PixelFormat::Grey) => 1000.0,
        Codec::Raw(_) => 0.0,
        Codec::Mjpeg => 0.05,
    };
    let untold_cost = if mode.rates.is_empty() { 0.01 } else { 0.0 };
    rate_cost + size_cost + shape_cost + codec_cost + untold_cost
}

fn why(best: &CameraMode, modes: &[CameraMode], size: SizePx, wanted: FrameRate) -> String {
    let rate = best_rate(best, wanted);
    let beaten_raw = modes.iter().find(|mode| {
        mode.size == best.size
            && matches!(mode.codec, Codec::Raw(format) if format != PixelFormat::Grey)
            && best.codec == Codec::Mjpeg
    });
    let mut reasons = Vec::new();
    match beaten_raw {
        Some(raw) => reasons.push(format!(
            "{}, because {} reaches only {} fps at {}",
            best.fourcc,
            raw.fourcc,
            best_rate(raw, wanted),
            raw.size
        )),
        None if modes.iter().all(|mode| mode.codec == best.codec) => {
            reasons.push(format!("{}, the camera's only format", best.fourcc));
        }
        None if best.codec == Codec::Mjpeg => {
            reasons.push(format!("{}, the only format at {}", best.fourcc, best.size));
        }
        None if reaches(rate, wanted) => reasons.push(format!(
            "{}, uncompressed and fast enough with {} fps at {}",
            best.fourcc, rate, best.size
        )),
        None => reasons.push(format!("{}, uncompressed", best.fourcc)),
    }
    if best.size != size {
        let has_size = modes.iter().any(|mode| mode.size == size);
        let lack = if has_size { "is too slow at" } else { "has no" };
        reasons.push(format!("{}, because the camera {lack} {size}", best.size));
    }
    if !reaches(rate, wanted) {
        reasons.push(format!("{rate} fps, because it is no faster near {size}"));
    }
    reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: SizePx = SizePx::new(1280, 720);
    const VGA: SizePx = SizePx::new(640, 480);
    const FULL_HD: SizePx = SizePx::new(1920, 1080);

    fn mode(fourcc: &str, size: SizePx, rates: &[u32]) -> CameraMode {
        let fourcc = FourCc::parse(fourcc).unwrap();
        CameraMode {
            fourcc,
            codec: fourcc.codec().unwrap(),
            size,
            rates: rates.iter().map(|fps| FrameRate::new(*fps, 1).unwrap()).collect(),
        }
    }

    fn choose(modes: &[CameraMode], size: SizePx, fps: u32) -> (String, SizePx, f64, String) {
        let choice = choose_mode(modes, size, FrameRate::new(fps, 1).unwrap()).unwrap();
        (choice.fourcc.to_string(), choice.size, choice.rate.as_fps(), choice.why)
    }

    /// A usual webcam: raw 720p at 10 fps only.
    fn webcam() -> Vec<CameraMode> {
        vec![
            mode("YUYV", VGA, &[30, 15]),
            mode("YUYV", HD, &[10, 5]),
            mode("YUYV", FULL_HD, &[5]),
            mode("MJPG", VGA, &[30]),
            mode("MJPG", HD, &[30, 15]),
            mode("MJPG", FULL_HD, &[30]),
        ]
    }

    #[test]
    fn mjpeg_where_raw_is_too_slow() {
        let (fourcc, size, fps, why) = choose(&webcam(), HD, 30);
        assert_eq!((fourcc.as_str(), size, fps), ("MJPG", HD, 30.0));
        assert_eq!(why, "MJPG, because YUYV reaches only 10 fps at 1280x720");
    }

    #[test]
    fn raw_where_it_is_fast_enough() {
        let (fourcc, size, fps, why) = choose(&webcam(), VGA, 30);
        assert_eq!((fourcc.as_str(), size, fps), ("YUYV", VGA, 30.0));
        assert_eq!(why, "YUYV, uncompressed and fast enough with 30 fps at 640x480");
        assert_eq!(choose(&webcam(), HD, 10).0, "YUYV");
    }

    #[test]
    fn the_slowest_rate_that_reaches_is_asked_for() {
        let modes = [mode("YUYV", HD, &[60, 30, 15])];
        assert_eq!(choose(&modes, HD, 25).2, 30.0);
        let ntsc = FrameRate::new(30_000, 1001).unwrap();
        let modes = [CameraMode { rates: vec![ntsc], ..mode("YUYV", HD, &[]) }];
        let choice = choose_mode(&modes, HD, FrameRate::new(30, 1).unwrap()).unwrap();
        assert_eq!((choice.rate, choice.size), (ntsc, HD));
    }

    #[test]
    fn without_the_size_a_larger_one_then_a_smaller_one() {
        let (_, size, _, why) =
            choose(&[mode("MJPG", VGA, &[30]), mode("MJPG", FULL_HD, &[30])], HD, 30);
        assert_eq!(size, FULL_HD);
        assert_eq!(
            why,
            "MJPG, the camera's only format; 1920x1080, because the camera has no 1280x720"
        );
        let near = SizePx::new(960, 540);
        assert_eq!(choose(&[mode("MJPG", VGA, &[30]), mode("MJPG", near, &[30])], HD, 30).1, near);
    }

    #[test]
    fn smooth_and_small_beats_sharp_and_jerky() {
        let raw_only = [mode("YUYV", VGA, &[30]), mode("YUYV", HD, &[10])];
        let (_, size, fps, why) = choose(&raw_only, HD, 30);
        assert_eq!((size, fps), (VGA, 30.0));
        assert!(why.ends_with("640x480, because the camera is too slow at 1280x720"), "{why}");
        let fifteen = [mode("YUYV", VGA, &[30]), mode("YUYV", HD, &[15])];
        let (_, size, fps, why) = choose(&fifteen, HD, 30);
        assert_eq!((size, fps), (HD, 15.0));
        assert!(why.ends_with("15 fps, because it is no faster near 1280x720"), "{why}");
    }

    #[test]
    fn infrared_only_if_there_is_nothing_else() {
        let infrared = mode("GREY", HD, &[30]);
        let modes = [infrared.clone(), mode("MJPG", SizePx::new(320, 240), &[15])];
        assert_eq!(choose(&modes, HD, 30).0, "MJPG");
        assert_eq!(choose(&[infrared], HD, 30).0, "GREY");
    }

    #[test]
    fn untold_rates_are_tried_and_no_modes_are_none() {
        assert_eq!(choose(&[mode("YUYV", HD, &[])], HD, 30).2, 30.0);
        assert_eq!(choose_mode(&[], HD, FrameRate::new(30, 1).unwrap()), None);
    }

    #[test]
    fn among_equals_the_driver_decides() {
        let modes = [mode("NV12", HD, &[30]), mode("YUYV", HD, &[30])];
        assert_eq!(choose(&modes, HD, 30).0, "NV12");
    }
}
