use greenroom_frame::SizePx;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::DeviceError;

/// A picture in RGB, 8 bits a channel, red first, rows without padding.
#[derive(Debug, Clone, Copy)]
pub struct RgbPicture<'a> {
    size: SizePx,
    bytes: &'a [u8],
}

impl<'a> RgbPicture<'a> {
    /// `None` unless there are three bytes a pixel.
    pub fn new(size: SizePx, bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() as u64 == 3 * size.area_px()).then_some(Self { size, bytes })
    }
}

/// Encodes small pictures as JPEG (4:2:0, BT.601, full range) with libjpeg-turbo. Memory is asked
/// for only by pictures larger than all before.
pub struct JpegEncoder {
    turbo: Compressor,
    jpeg: Vec<u8>,
}

impl std::fmt::Debug for JpegEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JpegEncoder").finish_non_exhaustive()
    }
}

impl JpegEncoder {
    /// An encoder; `quality` is 1 to 100.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up (no memory).
    pub fn new(quality: i32) -> Result<Self, DeviceError> {
        let mut turbo = Compressor::new().map_err(failed)?;
        turbo.set_quality(quality);
        turbo.set_subsamp(Subsamp::Sub2x2);
        Ok(Self { turbo, jpeg: Vec::new() })
    }

    /// `picture` as a JPEG file.
    ///
    /// # Errors
    /// [`DeviceError::Broken`] when libjpeg-turbo refuses it, which only sizes make it do.
    pub fn encode(&mut self, picture: RgbPicture<'_>) -> Result<&[u8], DeviceError> {
        let (width, height) = (picture.size.width_px as usize, picture.size.height_px as usize);
        let format = PixelFormat::RGB;
        let image = Image { pixels: picture.bytes, width, pitch: 3 * width, height, format };
        let most_bytes = self.turbo.buf_len(width, height).map_err(failed)?;
        if self.jpeg.len() < most_bytes {
            self.jpeg.resize(most_bytes, 0);
        }
        let len_bytes = self.turbo.compress_to_slice(image, &mut self.jpeg).map_err(failed)?;
        Ok(&self.jpeg[..len_bytes])
    }
}

fn failed(error: turbojpeg::Error) -> DeviceError {
    DeviceError::Broken { what: "a picture to be encoded".to_owned(), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_the_picture() {
        let size = SizePx::new(50, 30);
        let pixels: Vec<u8> = (0..50 * 30).flat_map(|_| [200, 120, 40]).collect();
        assert!(RgbPicture::new(size, &pixels[1..]).is_none());
        let mut encoder = JpegEncoder::new(85).unwrap();
        for _ in 0..2 {
            let jpeg = encoder.encode(RgbPicture::new(size, &pixels).unwrap()).unwrap();
            let picture = turbojpeg::decompress(jpeg, PixelFormat::RGB).unwrap();
            assert_eq!((picture.width, picture.height), (50, 30));
            let seen = &picture.pixels[..3];
            assert!(seen.iter().zip([200, 120, 40]).all(|(a, b)| a.abs_diff(b) <= 3), "{seen:?}");
        }
    }
}
