//! The structs of `linux/videodev2.h` that greenroom uses, for 64-bit Linux, and its numbers.
//!
//! Sizes and offsets were printed by a C program with that header (GCC 12, Linux 6.1 headers, x86-64)
//! and are asserted below. All fields are integers, so every bit pattern that a driver may write
//! is a value; unions are their largest member, or bytes.

use std::mem::{offset_of, size_of};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the V4L2 structs are laid out for 64-bit Linux; v4l2_buffer differs on 32 bits");

pub(super) const BUF_TYPE_CAPTURE: u32 = 1;
pub(super) const BUF_TYPE_OUTPUT: u32 = 2;
pub(super) const MEMORY_MMAP: u32 = 1;
pub(super) const FIELD_NONE: u32 = 1;
/// `v4l2_pix_format.priv`: the fields behind it are valid.
pub(super) const PIX_PRIV_MAGIC: u32 = 0xfeed_cafe;

pub(super) const CAP_VIDEO_CAPTURE: u32 = 0x0000_0001;
pub(super) const CAP_VIDEO_OUTPUT: u32 = 0x0000_0002;
pub(super) const CAP_VIDEO_CAPTURE_MPLANE: u32 = 0x0000_1000;
pub(super) const CAP_VIDEO_OUTPUT_MPLANE: u32 = 0x0000_2000;
pub(super) const CAP_VIDEO_M2M_MPLANE: u32 = 0x0000_4000;
pub(super) const CAP_VIDEO_M2M: u32 = 0x0000_8000;
pub(super) const CAP_META_CAPTURE: u32 = 0x0080_0000;
pub(super) const CAP_STREAMING: u32 = 0x0400_0000;
pub(super) const CAP_DEVICE_CAPS: u32 = 0x8000_0000;

/// The driver can set frame rates.
pub(super) const PARM_TIMEPERFRAME: u32 = 0x1000;

pub(super) const BUF_FLAG_ERROR: u32 = 0x0000_0040;
pub(super) const BUF_FLAG_TIMESTAMP_MASK: u32 = 0x0000_e000;
pub(super) const BUF_FLAG_TIMESTAMP_MONOTONIC: u32 = 0x0000_2000;

pub(super) const FRAME_DISCRETE: u32 = 1;
pub(super) const FRAME_CONTINUOUS: u32 = 2;
pub(super) const FRAME_STEPWISE: u32 = 3;

pub(super) const EVENT_SOURCE_CHANGE: u32 = 5;
/// v4l2loopback's own event, since 0.13: V4L2_EVENT_PRIVATE_START + 0x08e00000 + 1.
pub(super) const EVENT_LOOPBACK_READERS: u32 = 0x10e0_0001;
/// An event with how things are now comes at once.
pub(super) const EVENT_SUB_SEND_INITIAL: u32 = 1;
/// `v4l2_event_src_change.changes`: the resolution.
pub(super) const SRC_CH_RESOLUTION: u32 = 1;

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Capability {
    pub driver: [u8; 16],
    pub card: [u8; 32],
    pub bus_info: [u8; 32],
    pub version: u32,
    pub capabilities: u32,
    pub device_caps: u32,
    pub reserved: [u32; 3],
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FmtDesc {
    pub index: u32,
    pub buf_type: u32,
    pub flags: u32,
    pub description: [u8; 32],
    pub pixel_format: u32,
    pub mbus_code: u32,
    pub reserved: [u32; 3],
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FrmSizeEnum {
    pub index: u32,
    pub pixel_format: u32,
    pub kind: u32,
    /// Discrete: width, height. Else: min, max, step of the width, then of the height.
    pub sizes: [u32; 6],
    pub reserved: [u32; 2],
}

/// Seconds as a fraction: a time per frame, not a rate.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fract {
    pub numerator: u32,
    pub denominator: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FrmIvalEnum {
    pub index: u32,
    pub pixel_format: u32,
    pub width: u32,
    pub height: u32,
    pub kind: u32,
    /// Discrete: the first. Else: min, max, step.
    pub intervals: [Fract; 3],
    pub reserved: [u32; 2],
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PixFormat {
    pub width: u32,
    pub height: u32,
    pub pixel_format: u32,
    pub field: u32,
    pub bytes_per_line: u32,
    pub size_image: u32,
    pub colorspace: u32,
    pub private: u32,
    pub flags: u32,
    pub ycbcr_enc: u32,
    pub quantization: u32,
    pub xfer_func: u32,
}

#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    pub buf_type: u32,
    pub padding: u32,
    pub pix: PixFormat,
    pub rest_of_union: [u8; 152],
}

impl Format {
    pub(super) fn new(buf_type: u32, pix: PixFormat) -> Self {
        Self { buf_type, padding: 0, pix, rest_of_union: [0; 152] }
    }
}

/// `v4l2_streamparm` with `v4l2_captureparm`; `v4l2_outputparm` has the same layout.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamParm {
    pub buf_type: u32,
    pub capability: u32,
    pub mode: u32,
    pub time_per_frame: Fract,
    pub extended_mode: u32,
    pub buffers: u32,
    pub rest_of_union: [u8; 176],
}

impl StreamParm {
    pub(super) fn new(buf_type: u32, time_per_frame: Fract) -> Self {
        Self {
            buf_type,
            capability: 0,
            mode: 0,
            time_per_frame,
            extended_mode: 0,
            buffers: 0,
            rest_of_union: [0; 176],
        }
    }
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RequestBuffers {
    pub count: u32,
    pub buf_type: u32,
    pub memory: u32,
    pub capabilities: u32,
    pub flags: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BufferDesc {
    pub index: u32,
    pub buf_type: u32,
    pub bytes_used: u32,
    pub flags: u32,
    pub field: u32,
    pub padding: u32,
    pub time_s: i64,
    pub time_us: i64,
    pub timecode: [u32; 4],
    pub sequence: u32,
    pub memory: u32,
    /// The union `m`; for MMAP its first four bytes are the offset.
    pub offset: u32,
    pub rest_of_union: u32,
    pub length: u32,
    pub reserved2: u32,
    pub request_fd: u32,
    pub padding_end: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EventSubscription {
    pub kind: u32,
    pub id: u32,
    pub flags: u32,
    pub reserved: [u32; 5],
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EventDesc {
    pub kind: u32,
    pub padding: u32,
    /// The union `u`: 64 bytes, aligned to 8.
    pub payload: [u64; 8],
    pub pending: u32,
    pub sequence: u32,
    pub time_s: i64,
    pub time_ns: i64,
    pub id: u32,
    pub reserved: [u32; 8],
    pub padding_end: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Control {
    pub id: u32,
    pub value: i32,
}

const _: () = {
    assert!(size_of::<Capability>() == 104 && offset_of!(Capability, device_caps) == 88);
    assert!(size_of::<FmtDesc>() == 64 && offset_of!(FmtDesc, pixel_format) == 44);
    assert!(size_of::<FrmSizeEnum>() == 44 && offset_of!(FrmSizeEnum, sizes) == 12);
    assert!(size_of::<FrmIvalEnum>() == 52 && offset_of!(FrmIvalEnum, intervals) == 20);
    assert!(size_of::<PixFormat>() == 48 && offset_of!(PixFormat, quantization) == 40);
    assert!(size_of::<Format>() == 208 && offset_of!(Format, pix) == 8);
    assert!(size_of::<StreamParm>() == 204 && offset_of!(StreamParm, time_per_frame) == 12);
    assert!(size_of::<RequestBuffers>() == 20);
    assert!(size_of::<BufferDesc>() == 88 && offset_of!(BufferDesc, time_s) == 24);
    assert!(offset_of!(BufferDesc, sequence) == 56 && offset_of!(BufferDesc, offset) == 64);
    assert!(offset_of!(BufferDesc, length) == 72 && offset_of!(BufferDesc, request_fd) == 80);
    assert!(size_of::<EventSubscription>() == 32);
    assert!(size_of::<EventDesc>() == 136 && offset_of!(EventDesc, payload) == 8);
    assert!(offset_of!(EventDesc, pending) == 72 && offset_of!(EventDesc, id) == 96);
    assert!(size_of::<Control>() == 8);
};
