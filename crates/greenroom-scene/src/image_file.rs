//! Pictures from files: whole ones of known formats and bearable sizes, and one sentence for others.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use greenroom_frame::SizePx;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use crate::SceneError;

/// Longest side that is decoded: four times UHD's width; 16384 squared in RGB is 768 MiB, which
/// [`MAX_BYTES`] cuts off before.
const MAX_SIDE_PX: u32 = 16_384;
/// Memory that decoding may take (a 64-megapixel photo in RGBA), and the largest file.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// The picture as its camera held it: EXIF orientation applied, transparency as it is.
pub(crate) fn decode(path: &Path) -> Result<DynamicImage, SceneError> {
    let unreadable = |why| SceneError::PictureUnreadable { path: path.to_owned(), why };
    let broken = |error: ImageError| explain(path, error);
    let mut bytes = Vec::new();
    // Asked before it is opened: a named pipe would be waited for, a device never ends.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is no regular file")));
    }
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().map_err(unreadable)?;
    if reader.format() == Some(ImageFormat::Jpeg) && !jpeg_is_whole(&bytes) {
        let why = "it ends before its picture does".to_owned();
        return Err(SceneError::PictureBroken { path: path.to_owned(), why });
    }
    let mut decoder = reader.into_decoder().map_err(broken)?;
    // Asked before a byte of it is decoded: a bomb costs nothing.
    check_size(path, decoder.dimensions(), decoder.total_bytes())?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// That a picture of these columns and rows, decoded to so many bytes, is none too large.
pub(crate) fn check_size(
    path: &Path,
    (width_px, height_px): (u32, u32),
    decoded_bytes: u64,
) -> Result<(), SceneError> {
    if width_px.max(height_px) <= MAX_SIDE_PX && decoded_bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(SceneError::PictureTooLarge {
        path: path.to_owned(),
        size: SizePx::new(width_px, height_px).to_string(),
        limit: MAX_SIDE_PX / 2,
    })
}

/// Whether a JPEG has its end marker. The decoder fills what is missing with grey and says nothing.
/// Markers are walked from the start: thumbnails and trailers have end markers of their own.
pub fn jpeg_is_whole(bytes: &[u8]) -> bool {
    const EOI: u8 = 0xD9;
    let mut rest = bytes;
    // Before each marker come fill bytes or, behind a scan's header, coded data, in which 0xFF is
    // followed by 0 or a restart marker.
    while let Some(at) = rest.windows(2).position(|pair| pair[0] == 0xFF && pair[1] != 0xFF) {
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        match marker {
            EOI => return true,
            // Coded data, restart markers, start of image: no length behind them.
            0 | 0x01 | 0xD0..=0xD8 => {}
            _ => {
                let Some(&[high, low]) = rest.first_chunk() else { return false };
                let Some(behind) = rest.get(usize::from(u16::from_be_bytes([high, low]))..) else {
                    return false;
                };
                rest = behind;
            }
        }
    }
    false
}

pub(crate) fn explain(path: &Path, error: ImageError) -> SceneError {
    let path: PathBuf = path.to_owned();
    match error {
        ImageError::IoError(why) if why.kind() != std::io::ErrorKind::UnexpectedEof => {
            SceneError::PictureUnreadable { path, why }
        }
        ImageError::Unsupported(_) => {
            SceneError::PictureBroken { path, why: "its format is not known".to_owned() }
        }
        // One sentence: decoders put line feeds into their reasons.
        other => {
            let why = other.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            SceneError::PictureBroken { path, why }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    #[test]
    fn every_cut_of_a_jpeg_is_seen() {
        let mut jpeg = Vec::new();
        let noise = RgbImage::from_fn(64, 48, |x, y| image::Rgb([(x * y) as u8, x as u8, 255]));
        noise.write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg).unwrap();
        for end in 0..jpeg.len() {
            assert!(!jpeg_is_whole(&jpeg[..end]), "{end} of {}", jpeg.len());
        }
        assert!(jpeg_is_whole(&jpeg));
        let trailer = [&jpeg[..], b"trailer \xFF\xDA\x00"].concat();
        assert!(jpeg_is_whole(&trailer));
    }
}
