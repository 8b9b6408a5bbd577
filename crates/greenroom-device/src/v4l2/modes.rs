use std::os::fd::AsFd;

use greenroom_frame::SizePx;
use rustix::io::Errno;

use super::call::{self, call};
use super::device::{Device, Direction};
use super::error::V4l2Error;
use super::format::{FASTEST, SLOWEST, rate_of};
use super::fourcc::FourCc;
use super::raw;
use crate::FrameRate;

/// A listing is cut after so many entries: a driver that never ends it must not hang us. The
/// longest seen is vivid's, with some 90 formats. Lists are asked for within lists: of the eight
/// formats that greenroom decodes, each size, and of each size each rate, 131,072 in all.
const MAX_ENTRIES: u32 = 128;

/// Sizes that a driver offers in one pixel format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sizes {
    /// These.
    Listed(Vec<SizePx>),
    /// All between the two in steps (1 = any).
    Range {
        /// The smallest.
        min: SizePx,
        /// The largest.
        max: SizePx,
        /// Steps from `min`, in columns and rows; never 0.
        step: SizePx,
    },
    /// The driver does not tell.
    Untold,
}

impl Sizes {
    /// Whether `size` is among them; an [`Untold`](Self::Untold) list has none.
    pub fn contains(&self, size: SizePx) -> bool {
        match self {
            Sizes::Listed(sizes) => sizes.contains(&size),
            Sizes::Range { min, max, step } => {
                let fits = |value: u32, min: u32, max: u32, step: u32| {
                    (min..=max).contains(&value) && (value - min).is_multiple_of(step)
                };
                fits(size.width_px, min.width_px, max.width_px, step.width_px)
                    && fits(size.height_px, min.height_px, max.height_px, step.height_px)
            }
            Sizes::Untold => false,
        }
    }
}

/// Frame rates that a driver offers at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rates {
    /// These, in the driver's order.
    Listed(Vec<FrameRate>),
    /// All between the two.
    Range {
        /// The slowest.
        slowest: FrameRate,
        /// The fastest.
        fastest: FrameRate,
    },
    /// The driver does not tell.
    Untold,
}

impl Device {
    /// VIDIOC_ENUM_FMT: the pixel formats, in the driver's order, each once.
    pub(crate) fn formats(&self, direction: Direction) -> Result<Vec<FourCc>, V4l2Error> {
        let mut formats = Vec::new();
        for index in 0..MAX_ENTRIES {
            let mut raw =
                raw::FmtDesc { index, buf_type: direction.buf_type(), ..raw::FmtDesc::default() };
            if !more(call(self.as_fd(), &call::ENUM_FMT, &mut raw))? {
                break;
            }
            let fourcc = FourCc(raw.pixel_format);
            if !formats.contains(&fourcc) {
                formats.push(fourcc);
            }
        }
        Ok(formats)
    }

    /// VIDIOC_ENUM_FRAMESIZES: the sizes in a format. Sizes that greenroom cannot handle are left
    /// out.
    pub(crate) fn sizes(&self, fourcc: FourCc) -> Result<Sizes, V4l2Error> {
        let mut listed = Vec::new();
        for index in 0..MAX_ENTRIES {
            let mut raw =
                raw::FrmSizeEnum { index, pixel_format: fourcc.0, ..raw::FrmSizeEnum::default() };
            if !more(call(self.as_fd(), &call::ENUM_FRAMESIZES, &mut raw))? {
                break;
            }
            match sizes_of(&raw) {
                Sizes::Listed(sizes) => listed.extend(sizes),
                other => return Ok(other),
            }
        }
        Ok(if listed.is_empty() { Sizes::Untold } else { Sizes::Listed(listed) })
    }

    /// VIDIOC_ENUM_FRAMEINTERVALS: the rates at a size.
    pub(crate) fn rates(&self, fourcc: FourCc, size: SizePx) -> Result<Rates, V4l2Error> {
        let mut listed = Vec::new();
        for index in 0..MAX_ENTRIES {
            let mut raw = raw::FrmIvalEnum {
                index,
                pixel_format: fourcc.0,
                width: size.width_px,
                height: size.height_px,
                ..raw::FrmIvalEnum::default()
            };
            if !more(call(self.as_fd(), &call::ENUM_FRAMEINTERVALS, &mut raw))? {
                break;
            }
            match rates_of(&raw) {
                Rates::Listed(rates) => listed.extend(rates),
                other => return Ok(other),
            }
        }
        Ok(if listed.is_empty() { Rates::Untold } else { Rates::Listed(listed) })
    }
}

/// Whether a listing gave an entry. EINVAL ends it; a driver without the call has an empty one.
fn more(result: Result<(), V4l2Error>) -> Result<bool, V4l2Error> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.errno() == Some(Errno::INVAL) || error.is_unknown_call() => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn sizes_of(raw: &raw::FrmSizeEnum) -> Sizes {
    let [min_w, max_w, step_w, min_h, max_h, step_h] = raw.sizes;
    match raw.kind {
        raw::FRAME_DISCRETE => {
            Sizes::Listed(SizePx::new(min_w, max_w).checked().into_iter().collect())
        }
        raw::FRAME_STEPWISE | raw::FRAME_CONTINUOUS => {
            match (side_range(min_w, max_w, step_w), side_range(min_h, max_h, step_h)) {
                (Some([min_w, max_w, step_w]), Some([min_h, max_h, step_h])) => Sizes::Range {
                    min: SizePx::new(min_w, min_h),
                    max: SizePx::new(max_w, max_h),
                    step: SizePx::new(step_w, step_h),
                },
                _ => Sizes::Untold,
            }
        }
        _ => Sizes::Untold,
    }
}

/// Least, most and step of a side, as far as greenroom handles them: the least is not 0, and the
/// most is one that the steps reach.
fn side_range(min_px: u32, max_px: u32, step_px: u32) -> Option<[u32; 3]> {
    let step_px = step_px.max(1);
    let min_px = if min_px == 0 { step_px } else { min_px };
    let max_px = max_px.min(SizePx::MAX_SIDE_PX);
    let beyond_px = max_px.checked_sub(min_px)? % step_px;
    Some([min_px, max_px - beyond_px, step_px])
}

pub(super) fn rates_of(raw: &raw::FrmIvalEnum) -> Rates {
    let [min, max, _step] = raw.intervals;
    match raw.kind {
        raw::FRAME_DISCRETE => Rates::Listed(rate_of(min).into_iter().collect()),
        // The shortest interval is the fastest rate.
        raw::FRAME_STEPWISE | raw::FRAME_CONTINUOUS => match (end_rate(max), end_rate(min)) {
            (Some(slowest), Some(fastest)) if slowest.as_fps() <= fastest.as_fps() => {
                Rates::Range { slowest, fastest }
            }
            (Some(fastest), Some(slowest)) => Rates::Range { slowest, fastest },
            _ => Rates::Untold,
        },
        _ => Rates::Untold,
    }
}

/// An end of a range of rates, or the outermost rate that is believed.
fn end_rate(interval: raw::Fract) -> Option<FrameRate> {
    let rate = FrameRate::new(interval.denominator, interval.numerator)?;
    let outermost = if rate.as_fps() < FASTEST.as_fps() { SLOWEST } else { FASTEST };
    Some(rate_of(interval).unwrap_or(outermost))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(kind: u32, sizes: [u32; 6]) -> Sizes {
        sizes_of(&raw::FrmSizeEnum { kind, sizes, ..raw::FrmSizeEnum::default() })
    }

    #[test]
    fn discrete_sizes_are_width_then_height() {
        assert_eq!(
            sizes(raw::FRAME_DISCRETE, [1280, 720, 9, 9, 9, 9]),
            Sizes::Listed(vec![SizePx::new(1280, 720)])
        );
        assert_eq!(sizes(raw::FRAME_DISCRETE, [0, 720, 0, 0, 0, 0]), Sizes::Listed(vec![]));
    }

    #[test]
    fn ranges_hold_what_their_steps_reach() {
        let range = sizes(raw::FRAME_STEPWISE, [48, 1920, 16, 32, 1080, 8]);
        assert!(range.contains(SizePx::new(1280, 720)));
        assert!(range.contains(SizePx::new(48, 32)));
        assert!(!range.contains(SizePx::new(1288, 720)));
        assert!(!range.contains(SizePx::new(2048, 720)));
        // Nonsense: steps of 0, a largest below the smallest, an unknown kind.
        assert!(sizes(raw::FRAME_STEPWISE, [2, 64, 0, 2, 64, 0]).contains(SizePx::new(3, 3)));
        assert_eq!(sizes(raw::FRAME_STEPWISE, [9000, 9999, 1, 1, 64, 1]), Sizes::Untold);
        assert_eq!(sizes(raw::FRAME_STEPWISE, [64, 2, 1, 2, 64, 1]), Sizes::Untold);
        assert_eq!(sizes(77, [64, 64, 64, 64, 64, 64]), Sizes::Untold);
    }

    #[test]
    fn the_ends_of_a_range_are_sizes_of_it() {
        let range = |width: [u32; 3]| {
            let [min, max, step] = width;
            sizes(raw::FRAME_STEPWISE, [min, max, step, 8, 8, 1])
        };
        let expected = |min, max, step| Sizes::Range {
            min: SizePx::new(min, 8),
            max: SizePx::new(max, 8),
            step: SizePx::new(step, 1),
        };
        assert_eq!(range([48, 100, 16]), expected(48, 96, 16));
        assert_eq!(range([0, 64, 16]), expected(16, 64, 16));
        assert_eq!(range([1, u32::MAX, 256]), expected(1, 7937, 256));
    }

    #[test]
    fn the_shortest_interval_is_the_fastest_rate() {
        let fract = |numerator, denominator| raw::Fract { numerator, denominator };
        let rates = |kind, intervals| {
            rates_of(&raw::FrmIvalEnum { kind, intervals, ..raw::FrmIvalEnum::default() })
        };
        let zero = raw::Fract::default();
        assert_eq!(
            rates(raw::FRAME_CONTINUOUS, [fract(1, 60), fract(1, 5), fract(1, 1)]),
            Rates::Range {
                slowest: FrameRate::new(5, 1).unwrap(),
                fastest: FrameRate::new(60, 1).unwrap()
            }
        );
        assert_eq!(
            rates(raw::FRAME_STEPWISE, [fract(1, u32::MAX), fract(u32::MAX, 1), zero]),
            Rates::Range { slowest: SLOWEST, fastest: FASTEST }
        );
        // The ends of a range the wrong way round.
        assert_eq!(
            rates(raw::FRAME_STEPWISE, [fract(1, 5), fract(1, 60), fract(1, 1)]),
            rates(raw::FRAME_STEPWISE, [fract(1, 60), fract(1, 5), fract(1, 1)])
        );
        assert_eq!(
            rates(raw::FRAME_DISCRETE, [fract(1, 30), zero, zero]),
            Rates::Listed(vec![FrameRate::new(30, 1).unwrap()])
        );
        assert_eq!(rates(raw::FRAME_STEPWISE, [zero, fract(1, 5), zero]), Rates::Untold);
    }
}
