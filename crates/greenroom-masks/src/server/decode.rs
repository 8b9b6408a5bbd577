use std::io::Cursor;

use greenroom_device::{DeviceError, MjpegData, MjpegDecoder};
use greenroom_frame::{Colour, Frame, PixelFormat};
use greenroom_scene::{image_to_planar, jpeg_is_whole};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::header::Header;
use super::refusal::Refusal;

/// Memory for one decoded picture: 16 megapixels of RGBA. What has 16 bits a channel must be half
/// as large.
const MAX_DECODED_BYTES: u64 = 64 << 20;

/// Turns pictures into planar YUV as they were sent: the mask is of these pixels, so an EXIF
/// orientation turns nothing.
pub(super) struct Decoder {
    mjpeg: MjpegDecoder,
}

impl Decoder {
    pub(super) fn new() -> Result<Self, DeviceError> {
        Ok(Self { mjpeg: MjpegDecoder::new()? })
    }

    /// Decodes `bytes`, of which `header` was read, into `into`.
    pub(super) fn decode(
        &mut self,
        header: Header,
        bytes: &[u8],
        into: &mut Frame,
    ) -> Result<(), Refusal> {
        if header.is_camera_jpeg {
            return self.mjpeg.decode(MjpegData(bytes), into).map_err(|error| match error {
                DeviceError::Broken { why, .. } => Refusal::NotWhole(why),
                other => Refusal::NotWhole(other.to_string()),
            });
        }
        if header.format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
            return Err(Refusal::NotWhole("it ends before its picture does".into()));
        }
        let picture = decode_any(header, bytes)?;
        into.reshape(PixelFormat::I420, header.size, Colour::JPEG)
            .map_err(|error| Refusal::NotWhole(error.to_string()))?;
        image_to_planar(picture, into);
        Ok(())
    }
}

/// The way of progressive, RGB and CMYK JPEG, of PNG and WebP.
fn decode_any(header: Header, bytes: &[u8]) -> Result<DynamicImage, Refusal> {
    let not_whole = |error: ImageError| {
        // One sentence: decoders put line feeds into their reasons.
        Refusal::NotWhole(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), header.format);
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(2 * MAX_DECODED_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(not_whole)?;
    if decoder.dimensions() != (header.size.width_px, header.size.height_px) {
        return Err(Refusal::NotWhole("it has two sizes".into()));
    }
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(Refusal::TooDeep);
    }
    DynamicImage::from_decoder(decoder).map_err(not_whole)
}
