use std::os::fd::AsFd;

use greenroom_frame::{Colour, FrameLayout, SizePx};
use rustix::io::Errno;

use super::call::{self, Request, call};
use super::device::{Device, Direction};
use super::error::V4l2Error;
use super::fourcc::FourCc;
use super::{colour, raw};
use crate::{Codec, FrameRate};

/// A format as a driver answered it, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamFormat {
    /// The pixel format, perhaps one that greenroom cannot decode.
    pub(crate) fourcc: FourCc,
    /// How to decode it.
    pub(crate) codec: Option<Codec>,
    /// Size of the pictures.
    pub(crate) size: SizePx,
    /// Where the samples lie; only for [`Codec::Raw`].
    pub(crate) layout: Option<FrameLayout>,
    /// How the samples read as colour.
    pub(crate) colour: Colour,
}

impl StreamFormat {
    pub(super) fn from_raw(call: &'static str, pix: &raw::PixFormat) -> Result<Self, V4l2Error> {
        let nonsense = |what: String| V4l2Error::Nonsense { call, what };
        let size = SizePx::new(pix.width, pix.height)
            .checked()
            .map_err(|error| nonsense(error.to_string()))?;
        let fourcc = FourCc(pix.pixel_format);
        let codec = fourcc.codec();
        let layout = match codec {
            Some(Codec::Raw(format)) => {
                let stride_bytes = pix.bytes_per_line as usize;
                let layout = match stride_bytes {
                    0 => FrameLayout::tight(format, size),
                    _ => FrameLayout::with_stride(format, size, stride_bytes),
                }
                .map_err(|error| nonsense(error.to_string()))?;
                layout
                    .check_len(pix.size_image as usize)
                    .map_err(|error| nonsense(format!("an image size too small: {error}")))?;
                Some(layout)
            }
            _ => None,
        };
        Ok(Self { fourcc, codec, size, layout, colour: colour::colour_of(pix) })
    }
}

impl Device {
    /// VIDIOC_G_FMT: what is set now.
    pub(crate) fn format(&self, direction: Direction) -> Result<StreamFormat, V4l2Error> {
        let pix = raw::PixFormat { private: raw::PIX_PRIV_MAGIC, ..raw::PixFormat::default() };
        self.format_call("VIDIOC_G_FMT", &call::G_FMT, direction, pix)
    }

    /// VIDIOC_S_FMT: sets a format; the answer is what the driver made of it. For an output it is
    /// marked as [`Colour::WEBCAM`].
    pub(crate) fn set_format(
        &self,
        direction: Direction,
        fourcc: FourCc,
        size: SizePx,
    ) -> Result<StreamFormat, V4l2Error> {
        self.format_call("VIDIOC_S_FMT", &call::S_FMT, direction, wish(direction, fourcc, size))
    }

    /// VIDIOC_TRY_FMT: what the driver would make of it.
    pub(crate) fn try_format(
        &self,
        direction: Direction,
        fourcc: FourCc,
        size: SizePx,
    ) -> Result<StreamFormat, V4l2Error> {
        self.format_call("VIDIOC_TRY_FMT", &call::TRY_FMT, direction, wish(direction, fourcc, size))
    }

    fn format_call(
        &self,
        name: &'static str,
        request: &Request<raw::Format>,
        direction: Direction,
        pix: raw::PixFormat,
    ) -> Result<StreamFormat, V4l2Error> {
        let mut format = raw::Format::new(direction.buf_type(), pix);
        call(self.as_fd(), request, &mut format)?;
        StreamFormat::from_raw(name, &format.pix)
    }

    /// VIDIOC_G_PARM: the frame rate that is set, if the driver has one.
    pub(crate) fn rate(&self, direction: Direction) -> Result<Option<FrameRate>, V4l2Error> {
        let parm = raw::StreamParm::new(direction.buf_type(), raw::Fract::default());
        self.rate_call(&call::G_PARM, parm)
    }

    /// VIDIOC_S_PARM: sets a frame rate; the answer is what the driver made of it, `None` if it
    /// has no rates to set.
    pub(crate) fn set_rate(
        &self,
        direction: Direction,
        rate: FrameRate,
    ) -> Result<Option<FrameRate>, V4l2Error> {
        let interval = raw::Fract { numerator: rate.denominator(), denominator: rate.numerator() };
        self.rate_call(&call::S_PARM, raw::StreamParm::new(direction.buf_type(), interval))
    }

    fn rate_call(
        &self,
        request: &Request<raw::StreamParm>,
        mut parm: raw::StreamParm,
    ) -> Result<Option<FrameRate>, V4l2Error> {
        match call(self.as_fd(), request, &mut parm) {
            Ok(()) if parm.capability & raw::PARM_TIMEPERFRAME == 0 => Ok(None),
            Ok(()) => Ok(rate_of(parm.time_per_frame)),
            Err(error) if matches!(error.errno(), Some(Errno::NOTTY | Errno::INVAL)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn wish(direction: Direction, fourcc: FourCc, size: SizePx) -> raw::PixFormat {
    let mut pix = raw::PixFormat {
        width: size.width_px,
        height: size.height_px,
        pixel_format: fourcc.0,
        field: raw::FIELD_NONE,
        private: raw::PIX_PRIV_MAGIC,
        ..raw::PixFormat::default()
    };
    if direction == Direction::Output {
        colour::tag_webcam(&mut pix);
    }
    pix
}

/// A time per frame turned into frames a second; `None` for the 0/0 that some drivers answer, and
/// for what no camera does: less than one frame in a thousand seconds, more than a thousand in one.
pub(super) fn rate_of(interval: raw::Fract) -> Option<FrameRate> {
    let rate = FrameRate::new(interval.denominator, interval.numerator)?;
    (SLOWEST.as_fps()..=FASTEST.as_fps()).contains(&rate.as_fps()).then_some(rate)
}

/// The slowest rate that is believed.
pub(super) const SLOWEST: FrameRate = FrameRate::new(1, 1000).expect("both are above zero");
/// The fastest rate that is believed.
pub(super) const FASTEST: FrameRate = FrameRate::new(1000, 1).expect("both are above zero");

#[cfg(test)]
mod tests {
    use greenroom_frame::PixelFormat;

    use super::*;

    fn answer(
        fourcc: &str,
        size: (u32, u32),
        line: u32,
        image: u32,
    ) -> Result<StreamFormat, V4l2Error> {
        let pix = raw::PixFormat {
            width: size.0,
            height: size.1,
            pixel_format: FourCc::parse(fourcc).unwrap().0,
            bytes_per_line: line,
            size_image: image,
            ..raw::PixFormat::default()
        };
        StreamFormat::from_raw("VIDIOC_S_FMT", &pix)
    }

    #[test]
    fn plain_and_padded_layouts_are_taken() {
        let plain = answer("YUYV", (640, 480), 1280, 614_400).unwrap();
        assert_eq!(plain.codec, Some(Codec::Raw(PixelFormat::Yuyv)));
        assert_eq!(plain.layout.unwrap().len_bytes(), 614_400);
        // Old v4l2loopback rounds the image up to whole pages.
        assert!(answer("YUYV", (400, 480), 800, 385_024).is_ok());
        let padded = answer("NV12", (640, 480), 704, 704 * 720).unwrap();
        assert_eq!(padded.layout.unwrap().planes()[1].stride_bytes, 704);
        assert!(answer("YU12", (640, 480), 0, 460_800).unwrap().layout.is_some());
        assert_eq!(answer("MJPG", (640, 480), 0, 1).unwrap().layout, None);
        assert_eq!(answer("H264", (640, 480), 0, 1).unwrap().codec, None);
    }

    #[test]
    fn answers_that_would_read_past_a_buffer_are_refused() {
        for (size, line, image) in [
            ((640, 480), 1279, 614_400),
            ((640, 480), 1280, 614_399),
            ((640, 480), u32::MAX, u32::MAX),
            ((0, 480), 0, u32::MAX),
            ((640, u32::MAX), 1280, u32::MAX),
            ((60_000, 60_000), 120_000, u32::MAX),
        ] {
            let error = answer("YUYV", size, line, image).unwrap_err();
            assert!(matches!(error, V4l2Error::Nonsense { .. }), "{size:?} {line} {image}");
        }
    }

    #[test]
    fn rates_are_inverse_intervals() {
        let rate = rate_of(raw::Fract { numerator: 1001, denominator: 30_000 }).unwrap();
        assert_eq!((rate.numerator(), rate.denominator()), (30_000, 1001));
        assert_eq!(rate_of(raw::Fract { numerator: 0, denominator: 30 }), None);
        assert_eq!(rate_of(raw::Fract::default()), None);
        assert_eq!(rate_of(raw::Fract { numerator: 1, denominator: u32::MAX }), None);
        assert_eq!(rate_of(raw::Fract { numerator: u32::MAX, denominator: 1 }), None);
    }
}
