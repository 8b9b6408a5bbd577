//! PipeWire's formats, as greenroom's camera modes.

use greenroom_device::{
    CameraMode, Codec, FourCc, FrameRate, Rates, Sizes, listed_rates, sizes_in,
};
use greenroom_frame::{Colour, ColourMatrix, ColourRange, PixelFormat, RgbOrder, SizePx};
use pipewire::spa::pod::deserialize::PodDeserializer;
use pipewire::spa::pod::{CanonicalFixedSizedPod, ChoiceValue, Object, Value};
use pipewire::spa::sys;
use pipewire::spa::utils::{ChoiceEnum, Fraction, Id, Rectangle};

use super::chunk::has_one_layout;

/// The raw formats that greenroom reads.
pub(super) const RAW: [(u32, PixelFormat); 6] = [
    (sys::SPA_VIDEO_FORMAT_YUY2, PixelFormat::Yuyv),
    (sys::SPA_VIDEO_FORMAT_NV12, PixelFormat::Nv12),
    (sys::SPA_VIDEO_FORMAT_I420, PixelFormat::I420),
    (sys::SPA_VIDEO_FORMAT_UYVY, PixelFormat::Uyvy),
    (sys::SPA_VIDEO_FORMAT_Y42B, PixelFormat::I422),
    (sys::SPA_VIDEO_FORMAT_GRAY8, PixelFormat::Grey),
];

/// What screens send.
pub(super) const RGB: [(u32, RgbOrder); 4] = [
    (sys::SPA_VIDEO_FORMAT_BGRx, RgbOrder::Bgrx),
    (sys::SPA_VIDEO_FORMAT_RGBx, RgbOrder::Rgbx),
    (sys::SPA_VIDEO_FORMAT_BGRA, RgbOrder::Bgrx),
    (sys::SPA_VIDEO_FORMAT_RGBA, RgbOrder::Rgbx),
];

/// What a camera and we have agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Negotiated {
    pub(crate) codec: Codec,
    pub(crate) size: SizePx,
    pub(crate) rate: FrameRate,
    pub(crate) colour: Colour,
}

/// The modes that the parameters `formats` of a camera offer and greenroom can decode, in their order. Ranges become the
/// usual sizes and rates, and what is `wanted` if that is within them.
pub(super) fn modes(formats: &[Vec<u8>], wanted: Option<(SizePx, FrameRate)>) -> Vec<CameraMode> {
    let mut modes: Vec<CameraMode> = Vec::new();
    for format in formats.iter().filter_map(|bytes| parse(bytes)) {
        for codec in codecs(&format) {
            let fourcc = match codec {
                Codec::Raw(format) => Some(FourCc::from(format)),
                Codec::Mjpeg => FourCc::parse("MJPG"),
            };
            let Some(fourcc) = fourcc else { continue };
            for size in sizes(&format, wanted.map(|(size, _)| size)) {
                let can_be_read =
                    !matches!(codec, Codec::Raw(format) if !has_one_layout(format, size));
                let is_known = modes.iter().any(|mode| (mode.fourcc, mode.size) == (fourcc, size));
                if can_be_read && !is_known && size.checked().is_ok() {
                    let rates = listed_rates(rates(&format), wanted.map(|(_, rate)| rate));
                    modes.push(CameraMode { fourcc, codec, size, rates });
                }
            }
        }
    }
    modes
}

/// What the parameter `format` says was agreed on, if greenroom can read that; `asked` is the rate if it says none.
pub(super) fn negotiated(format: &[u8], asked: FrameRate) -> Option<Negotiated> {
    let format = parse(format)?;
    let codec = codecs(&format).into_iter().next()?;
    // One value each; some are a choice without alternatives.
    let size = sizes(&format, None).into_iter().next()?;
    if matches!(codec, Codec::Raw(format) if !has_one_layout(format, size)) {
        return None;
    }
    let rate = match rates(&format) {
        Rates::Listed(rates) => rates.first().copied(),
        Rates::Range { .. } | Rates::Untold => None,
    };
    let colour = match codec {
        Codec::Mjpeg => Colour::JPEG,
        Codec::Raw(_) => colour(&format),
    };
    Some(Negotiated { codec, size, rate: rate.unwrap_or(asked), colour })
}

/// Order and size, if the parameter `format` says that red, green and blue were agreed on.
pub(super) fn negotiated_rgb(format: &[u8]) -> Option<(RgbOrder, SizePx)> {
    let format = parse(format)?;
    let [id] = ids(&format, sys::SPA_FORMAT_VIDEO_format)[..] else { return None };
    let (_, order) = RGB.iter().find(|(known, _)| *known == id)?;
    Some((*order, sizes(&format, None).into_iter().next()?))
}

fn parse(bytes: &[u8]) -> Option<Object> {
    match PodDeserializer::deserialize_any_from(bytes) {
        Ok((_, Value::Object(object))) => Some(object),
        _ => None,
    }
}

fn get(format: &Object, key: u32) -> Option<&Value> {
    format.properties.iter().find(|property| property.key == key).map(|property| &property.value)
}

/// The values that are listed; the one that is preferred, if it is a range.
fn listed<T: Copy + CanonicalFixedSizedPod>(choice: &ChoiceEnum<T>) -> Vec<T> {
    match choice {
        ChoiceEnum::None(value) => vec![*value],
        ChoiceEnum::Range { default, .. }
        | ChoiceEnum::Step { default, .. }
        | ChoiceEnum::Flags { default, .. } => vec![*default],
        ChoiceEnum::Enum { default, alternatives } if alternatives.is_empty() => vec![*default],
        ChoiceEnum::Enum { alternatives, .. } => alternatives.clone(),
    }
}

fn ids(format: &Object, key: u32) -> Vec<u32> {
    match get(format, key) {
        Some(Value::Id(Id(id))) => vec![*id],
        Some(Value::Choice(ChoiceValue::Id(choice))) => {
            listed(&choice.1).into_iter().map(|Id(id)| id).collect()
        }
        _ => Vec::new(),
    }
}

fn codecs(format: &Object) -> Vec<Codec> {
    if !ids(format, sys::SPA_FORMAT_mediaType).contains(&sys::SPA_MEDIA_TYPE_video) {
        return Vec::new();
    }
    let subtypes = ids(format, sys::SPA_FORMAT_mediaSubtype);
    let mut codecs = Vec::new();
    if subtypes.contains(&sys::SPA_MEDIA_SUBTYPE_raw) {
        for id in ids(format, sys::SPA_FORMAT_VIDEO_format) {
            let known = RAW.iter().find(|(known, _)| *known == id);
            codecs.extend(known.map(|(_, format)| Codec::Raw(*format)));
        }
    }
    let jpeg = [sys::SPA_MEDIA_SUBTYPE_mjpg, sys::SPA_MEDIA_SUBTYPE_jpeg];
    if jpeg.iter().any(|id| subtypes.contains(id)) {
        codecs.push(Codec::Mjpeg);
    }
    codecs
}

fn checked(size: Rectangle) -> Option<SizePx> {
    SizePx::new(size.width, size.height).checked().ok()
}

fn sizes(format: &Object, wanted: Option<SizePx>) -> Vec<SizePx> {
    let range = |min: &Rectangle, max: &Rectangle, step: Rectangle| {
        let most = SizePx::MAX_SIDE_PX;
        let min = SizePx::new(min.width.max(1), min.height.max(1));
        let max = SizePx::new(max.width.min(most), max.height.min(most));
        let step = SizePx::new(step.width.max(1), step.height.max(1));
        sizes_in(&Sizes::Range { min, max, step }, wanted)
    };
    match get(format, sys::SPA_FORMAT_VIDEO_size) {
        Some(Value::Rectangle(size)) => checked(*size).into_iter().collect(),
        Some(Value::Choice(ChoiceValue::Rectangle(choice))) => match &choice.1 {
            ChoiceEnum::Range { min, max, .. } => {
                range(min, max, Rectangle { width: 1, height: 1 })
            }
            ChoiceEnum::Step { min, max, step, .. } => range(min, max, *step),
            choice => listed(choice).into_iter().filter_map(checked).collect(),
        },
        _ => Vec::new(),
    }
}

fn rate_of(rate: Fraction) -> Option<FrameRate> {
    FrameRate::new(rate.num, rate.denom)
}

fn rates(format: &Object) -> Rates {
    match get(format, sys::SPA_FORMAT_VIDEO_framerate) {
        // 0/1 is any rate.
        Some(Value::Fraction(rate)) => match rate_of(*rate) {
            Some(rate) => Rates::Listed(vec![rate]),
            None => Rates::Untold,
        },
        Some(Value::Choice(ChoiceValue::Fraction(choice))) => match &choice.1 {
            ChoiceEnum::Range { min, max, .. } | ChoiceEnum::Step { min, max, .. } => {
                let slowest = rate_of(*min).or(FrameRate::new(1, 1));
                match (slowest, rate_of(*max)) {
                    (Some(slowest), Some(fastest)) => Rates::Range { slowest, fastest },
                    _ => Rates::Untold,
                }
            }
            choice => Rates::Listed(listed(choice).into_iter().filter_map(rate_of).collect()),
        },
        _ => Rates::Untold,
    }
}

/// As for V4L2: what is not told is BT.601 in limited range.
fn colour(format: &Object) -> Colour {
    let is = |key, value| ids(format, key).contains(&value);
    let full = is(sys::SPA_FORMAT_VIDEO_colorRange, sys::SPA_VIDEO_COLOR_RANGE_0_255);
    let matrix = [
        sys::SPA_VIDEO_COLOR_MATRIX_BT709,
        sys::SPA_VIDEO_COLOR_MATRIX_SMPTE240M,
        sys::SPA_VIDEO_COLOR_MATRIX_BT2020,
    ];
    let is_709 = matrix.iter().any(|id| is(sys::SPA_FORMAT_VIDEO_colorMatrix, *id));
    Colour {
        matrix: if is_709 { ColourMatrix::Bt709 } else { ColourMatrix::Bt601 },
        range: if full { ColourRange::Full } else { ColourRange::Limited },
    }
}

#[cfg(test)]
mod tests {
    use greenroom_device::choose_mode;

    use super::*;
    use crate::input::offers;

    fn fps(fps: u32) -> FrameRate {
        FrameRate::new(fps, 1).unwrap()
    }

    fn offered(codec: Codec, size: SizePx, rate: FrameRate) -> Vec<u8> {
        offers::exact(codec, size, Some(rate)).unwrap().bytes().to_vec()
    }

    #[test]
    fn a_camera_of_many_formats_has_their_modes_and_the_usual_choice() {
        let hd = SizePx::new(1280, 720);
        let yuyv = Codec::Raw(PixelFormat::Yuyv);
        let formats = [
            offered(yuyv, hd, fps(10)),
            offered(yuyv, SizePx::new(640, 480), fps(30)),
            offered(Codec::Mjpeg, hd, fps(30)),
            offered(Codec::Mjpeg, hd, fps(15)),
            vec![1, 2, 3],
        ];
        let modes = modes(&formats, Some((hd, fps(30))));
        assert_eq!(modes.len(), 3, "{modes:?}");
        let choice = choose_mode(&modes, hd, fps(30)).unwrap();
        assert_eq!((choice.codec, choice.size, choice.rate), (Codec::Mjpeg, hd, fps(30)));
    }

    #[test]
    fn a_range_has_the_wanted_size_and_rate() {
        let wanted = (SizePx::new(656, 488), fps(25));
        let formats = [offers::anything(wanted.0, wanted.1).unwrap()[0].bytes().to_vec()];
        let modes = modes(&formats, Some(wanted));
        for format in [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::I420] {
            let is_it =
                |mode: &&CameraMode| mode.codec == Codec::Raw(format) && mode.size == wanted.0;
            let mode = modes.iter().find(is_it).unwrap();
            assert!(mode.rates.contains(&wanted.1) && mode.rates.contains(&fps(30)), "{mode:?}");
        }
    }

    #[test]
    fn planes_that_could_lie_in_several_ways_are_no_mode() {
        let size = SizePx::new(650, 360);
        let formats = [offered(Codec::Raw(PixelFormat::I420), size, fps(30))];
        assert_eq!(modes(&formats, None), []);
        assert_eq!(negotiated(&formats[0], fps(30)), None);
    }

    #[test]
    fn what_was_agreed_is_read_back() {
        let size = SizePx::new(640, 360);
        let (yuyv, fallback) = (Codec::Raw(PixelFormat::Yuyv), fps(7));
        let read = negotiated(&offered(yuyv, size, fps(15)), fallback).unwrap();
        assert_eq!((read.codec, read.size, read.rate), (yuyv, size, fps(15)));
        assert_eq!(read.colour, Colour::WEBCAM);
        let read = negotiated(&offered(Codec::Mjpeg, size, fps(15)), fallback).unwrap();
        assert_eq!(read.colour, Colour::JPEG);
        assert_eq!(negotiated(&[0; 16], fallback), None);
        assert_eq!(negotiated_rgb(&offered(yuyv, size, fps(15))), None);
    }
}
