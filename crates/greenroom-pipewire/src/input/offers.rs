//! What we tell a camera that we take.

use greenroom_device::{Codec, FrameRate};
use greenroom_frame::SizePx;
use pipewire::spa::param::ParamType;
use pipewire::spa::pod::{ChoiceValue, Object, Property, Value};
use pipewire::spa::sys;
use pipewire::spa::utils::{Choice, ChoiceEnum, ChoiceFlags, Fraction, Id, Rectangle, SpaTypes};

use super::formats::{RAW, RGB};
use crate::error::PipewireError;
use crate::params::Param;

/// Buffers that are asked for, the fewest and the most that a camera may have instead.
const BUFFERS: (i32, i32, i32) = (4, 2, 16);
/// Calls show no more pictures in a second.
const MOST_SCREEN_FPS: u32 = 30;

/// Just this; at any rate, if none is given.
pub(super) fn exact(
    codec: Codec,
    size: SizePx,
    rate: Option<FrameRate>,
) -> Result<Param, PipewireError> {
    let size = Value::Rectangle(Rectangle { width: size.width_px, height: size.height_px });
    let rate = match rate {
        Some(rate) => {
            Value::Fraction(Fraction { num: rate.numerator(), denom: rate.denominator() })
        }
        None => any_rate(Fraction { num: 30, denom: 1 }),
    };
    let format = match codec {
        Codec::Raw(format) => {
            let known = RAW.iter().find(|(_, known)| *known == format);
            known.map(|(id, _)| Value::Id(Id(*id)))
        }
        Codec::Mjpeg => None,
    };
    video(format, size, rate, None)
}

/// Everything that greenroom can decode, raw first: what another program has chosen already has to do, as a camera has one
/// format at a time.
pub(super) fn anything(size: SizePx, rate: FrameRate) -> Result<[Param; 2], PipewireError> {
    let rate = || any_rate(Fraction { num: rate.numerator(), denom: rate.denominator() });
    Ok([
        video(Some(one_of(RAW.iter().map(|(id, _)| *id))), any_size(size), rate(), None)?,
        video(None, any_size(size), rate(), None)?,
    ])
}

/// What a screen may send: red, green and blue first, as it is, then what cameras send; at any rate, and no more than
/// [`MOST_SCREEN_FPS`] where it can keep to that. No modifiers, and so no DMA-BUF.
pub(super) fn screen(size: SizePx) -> Result<[Param; 3], PipewireError> {
    let changing = || any_rate(Fraction { num: 0, denom: 1 });
    let fps = |num| Fraction { num, denom: 1 };
    let most = || {
        let range = ChoiceEnum::Range {
            default: fps(MOST_SCREEN_FPS),
            min: fps(0),
            max: fps(MOST_SCREEN_FPS),
        };
        Some(Value::Choice(ChoiceValue::Fraction(Choice(ChoiceFlags::empty(), range))))
    };
    let rgb = one_of(RGB.iter().map(|(id, _)| *id));
    let raw = one_of(RAW.iter().map(|(id, _)| *id));
    Ok([
        video(Some(rgb), any_size(size), changing(), most())?,
        video(Some(raw), any_size(size), changing(), most())?,
        video(None, any_size(size), changing(), most())?,
    ])
}

fn one_of(ids: impl Iterator<Item = u32>) -> Value {
    let all: Vec<_> = ids.map(Id).collect();
    let formats = ChoiceEnum::Enum { default: all[0], alternatives: all };
    Value::Choice(ChoiceValue::Id(Choice(ChoiceFlags::empty(), formats)))
}

fn any_size(wanted: SizePx) -> Value {
    let rectangle = |width, height| Rectangle { width, height };
    let most = SizePx::MAX_SIDE_PX;
    let range = ChoiceEnum::Range {
        default: rectangle(wanted.width_px, wanted.height_px),
        min: rectangle(1, 1),
        max: rectangle(most, most),
    };
    Value::Choice(ChoiceValue::Rectangle(Choice(ChoiceFlags::empty(), range)))
}

/// 0/1 is a rate that changes.
fn any_rate(default: Fraction) -> Value {
    let (min, max) = (Fraction { num: 0, denom: 1 }, Fraction { num: 1000, denom: 1 });
    let range = ChoiceEnum::Range { default, min, max };
    Value::Choice(ChoiceValue::Fraction(Choice(ChoiceFlags::empty(), range)))
}

/// Raw video in `format`; MJPEG without one.
fn video(
    format: Option<Value>,
    size: Value,
    rate: Value,
    most: Option<Value>,
) -> Result<Param, PipewireError> {
    let id = |key, value| Property::new(key, Value::Id(Id(value)));
    let subtype =
        if format.is_some() { sys::SPA_MEDIA_SUBTYPE_raw } else { sys::SPA_MEDIA_SUBTYPE_mjpg };
    let mut properties = vec![
        id(sys::SPA_FORMAT_mediaType, sys::SPA_MEDIA_TYPE_video),
        id(sys::SPA_FORMAT_mediaSubtype, subtype),
    ];
    properties.extend(format.map(|format| Property::new(sys::SPA_FORMAT_VIDEO_format, format)));
    properties.push(Property::new(sys::SPA_FORMAT_VIDEO_size, size));
    properties.push(Property::new(sys::SPA_FORMAT_VIDEO_framerate, rate));
    properties.extend(most.map(|most| Property::new(sys::SPA_FORMAT_VIDEO_maxFramerate, most)));
    Param::new(Object {
        type_: SpaTypes::ObjectParamFormat.as_raw(),
        id: ParamType::EnumFormat.as_raw(),
        properties,
    })
}

/// Buffers in memory that can be mapped (no DMA-BUF, which a processor may only read with a driver's leave), with a header; the
/// first that the camera agrees to. For MJPEG of `jpeg_size`, these are buffers that any frame fits into, if the camera lets us
/// choose: GStreamer's would be as long as the first frame, and longer ones cut off.
pub(super) fn buffers(jpeg_size: Option<SizePx>) -> Result<Vec<Param>, PipewireError> {
    let roomy = jpeg_size.and_then(|size| i32::try_from(size.area_px().saturating_mul(2)).ok());
    let mut params =
        roomy.map(|bytes| buffers_of(Some(bytes))).into_iter().collect::<Result<Vec<_>, _>>()?;
    params.push(buffers_of(None)?);
    params.push(meta(sys::SPA_META_Header, size_of::<sys::spa_meta_header>())?);
    Ok(params)
}

/// As [`buffers`], with what tells which part of a frame a window has.
pub(super) fn screen_buffers() -> Result<Vec<Param>, PipewireError> {
    let mut params = buffers(None)?;
    params.push(meta(sys::SPA_META_VideoCrop, size_of::<sys::spa_meta_region>())?);
    Ok(params)
}

/// Buffers of `min_bytes` or more.
fn buffers_of(min_bytes: Option<i32>) -> Result<Param, PipewireError> {
    let choice = |key, choice| {
        let choice = Choice(ChoiceFlags::empty(), choice);
        Property::new(key, Value::Choice(ChoiceValue::Int(choice)))
    };
    let (default, min, max) = BUFFERS;
    let memory = 1 << sys::SPA_DATA_MemFd | 1 << sys::SPA_DATA_MemPtr;
    let memory = ChoiceEnum::Flags { default: memory, flags: Vec::new() };
    let mut properties = vec![
        choice(sys::SPA_PARAM_BUFFERS_buffers, ChoiceEnum::Range { default, min, max }),
        choice(sys::SPA_PARAM_BUFFERS_dataType, memory),
    ];
    if let Some(min) = min_bytes {
        let sizes = ChoiceEnum::Range { default: min, min, max: i32::MAX };
        properties.push(choice(sys::SPA_PARAM_BUFFERS_size, sizes));
    }
    Param::new(Object {
        type_: SpaTypes::ObjectParamBuffers.as_raw(),
        id: ParamType::Buffers.as_raw(),
        properties,
    })
}

/// What is told beside each frame.
fn meta(kind: u32, len_bytes: usize) -> Result<Param, PipewireError> {
    Param::new(Object {
        type_: SpaTypes::ObjectParamMeta.as_raw(),
        id: ParamType::Meta.as_raw(),
        properties: vec![
            Property::new(sys::SPA_PARAM_META_type, Value::Id(Id(kind))),
            Property::new(sys::SPA_PARAM_META_size, Value::Int(len_bytes as i32)),
        ],
    })
}
