//! What is offered to readers. They are strict: OBS refuses ranges, libwebrtc divides by the denominator of the rate and
//! reads the header of each buffer without looking whether there is one, and all of them read the first block alone.

use std::io::Cursor;

use greenroom_device::SinkMode;
use greenroom_frame::{FrameLayout, PixelFormat};
use pipewire::spa::param::ParamType;
use pipewire::spa::pod::serialize::PodSerializer;
use pipewire::spa::pod::{ChoiceValue, Object, Pod, Property, Value};
use pipewire::spa::sys;
use pipewire::spa::utils::{Choice, ChoiceEnum, ChoiceFlags, Fraction, Id, Rectangle, SpaTypes};

use crate::error::PipewireError;

/// Buffers that are asked for, the fewest and the most that readers may have instead.
const BUFFERS: (i32, i32, i32) = (4, 2, 8);

/// A parameter in PipeWire's binary form.
pub(crate) struct Param(Vec<u8>);

impl Param {
    pub(crate) fn new(object: Object) -> Result<Self, PipewireError> {
        let failed =
            |_| PipewireError::Failed { why: "a parameter could not be written".to_owned() };
        let value = Value::Object(object);
        let (cursor, _) =
            PodSerializer::serialize(Cursor::new(Vec::new()), &value).map_err(failed)?;
        Ok(Self(cursor.into_inner()))
    }

    /// Its bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As libpipewire takes it.
    pub(crate) fn pod(&self) -> Result<&Pod, PipewireError> {
        let why = || "a parameter could not be read".to_owned();
        Pod::from_bytes(&self.0).ok_or_else(|| PipewireError::Failed { why: why() })
    }
}

/// How a frame lies in memory.
pub(crate) fn frame(mode: SinkMode) -> Result<FrameLayout, PipewireError> {
    FrameLayout::tight(PixelFormat::Yuyv, mode.size)
        .map_err(|error| PipewireError::Failed { why: error.to_string() })
}

/// The one format: packed YUYV, BT.601 in limited range, with a size and a rate that are plain values.
pub(crate) fn format(mode: SinkMode) -> Result<Param, PipewireError> {
    let id = |key, value| Property::new(key, Value::Id(Id(value)));
    let size = Rectangle { width: mode.size.width_px, height: mode.size.height_px };
    let rate = Fraction { num: mode.rate.numerator(), denom: mode.rate.denominator() };
    Param::new(Object {
        type_: SpaTypes::ObjectParamFormat.as_raw(),
        id: ParamType::EnumFormat.as_raw(),
        properties: vec![
            id(sys::SPA_FORMAT_mediaType, sys::SPA_MEDIA_TYPE_video),
            id(sys::SPA_FORMAT_mediaSubtype, sys::SPA_MEDIA_SUBTYPE_raw),
            id(sys::SPA_FORMAT_VIDEO_format, sys::SPA_VIDEO_FORMAT_YUY2),
            Property::new(sys::SPA_FORMAT_VIDEO_size, Value::Rectangle(size)),
            Property::new(sys::SPA_FORMAT_VIDEO_framerate, Value::Fraction(rate)),
            id(sys::SPA_FORMAT_VIDEO_colorRange, sys::SPA_VIDEO_COLOR_RANGE_16_235),
            id(sys::SPA_FORMAT_VIDEO_colorMatrix, sys::SPA_VIDEO_COLOR_MATRIX_BT601),
        ],
    })
}

/// One block of shared memory per buffer that holds a frame and no more, and a header.
pub(crate) fn buffers(mode: SinkMode) -> Result<[Param; 2], PipewireError> {
    let failed = |why: String| PipewireError::Failed { why };
    let layout = frame(mode)?;
    let bytes = |bytes: usize| i32::try_from(bytes).map_err(|error| failed(error.to_string()));
    let int = |key, value| Property::new(key, Value::Int(value));
    let choice = |key, choice| {
        let choice = Choice(ChoiceFlags::empty(), choice);
        Property::new(key, Value::Choice(ChoiceValue::Int(choice)))
    };
    let (default, min, max) = BUFFERS;
    // PipeWire allocates it as it likes; readers are told of the one or the other.
    let memory = 1 << sys::SPA_DATA_MemFd | 1 << sys::SPA_DATA_MemPtr;
    let memory = ChoiceEnum::Flags { default: memory, flags: Vec::new() };
    let buffers = Param::new(Object {
        type_: SpaTypes::ObjectParamBuffers.as_raw(),
        id: ParamType::Buffers.as_raw(),
        properties: vec![
            choice(sys::SPA_PARAM_BUFFERS_buffers, ChoiceEnum::Range { default, min, max }),
            int(sys::SPA_PARAM_BUFFERS_blocks, 1),
            int(sys::SPA_PARAM_BUFFERS_size, bytes(layout.len_bytes())?),
            int(sys::SPA_PARAM_BUFFERS_stride, bytes(layout.planes()[0].stride_bytes)?),
            choice(sys::SPA_PARAM_BUFFERS_dataType, memory),
        ],
    })?;
    let header_bytes = size_of::<sys::spa_meta_header>();
    let header = Param::new(Object {
        type_: SpaTypes::ObjectParamMeta.as_raw(),
        id: ParamType::Meta.as_raw(),
        properties: vec![
            Property::new(sys::SPA_PARAM_META_type, Value::Id(Id(sys::SPA_META_Header))),
            int(sys::SPA_PARAM_META_size, bytes(header_bytes)?),
        ],
    })?;
    Ok([buffers, header])
}
