use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use greenroom_frame::{Chroma, Colour, Frame, FrameView, PixelFormat, Rgb8, SizePx};
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage, imageops};

use super::{Background, Fit, Room};
use crate::SceneError;

/// A still picture from a file.
pub(super) struct Picture {
    /// As decoded, upright, opaque.
    original: RgbImage,
    fit: Fit,
    shown: Option<Frame>,
}

/// Longest side that is decoded: four times UHD's width; 16384 squared in RGB is 768 MiB, which
/// [`MAX_BYTES`] cuts off before.
const MAX_SIDE_PX: u32 = 16_384;
/// Memory that decoding may take (a 64-megapixel photo in RGBA), and the largest file.
const MAX_BYTES: u64 = 256 << 20;

impl Picture {
    pub(super) fn open(path: &Path, fit: Fit) -> Result<Self, SceneError> {
        Ok(Self { original: decode(path)?, fit, shown: None })
    }

    fn render(&self, like: FrameView<'_>) -> Result<Frame, SceneError> {
        render(&self.original, self.fit, like.format(), like.size(), like.colour())
    }
}

impl Background for Picture {
    fn behind<'a>(&'a mut self, room: &Room<'a>) -> Result<FrameView<'a>, SceneError> {
        let like = room.frame;
        if !self.shown.as_ref().is_some_and(|frame| super::fits(frame, like)) {
            self.shown = Some(self.render(like)?);
        }
        Ok(self.shown.as_ref().expect("made above").view())
    }
}

/// A picture from a file, fitted into a planar frame.
///
/// # Errors
/// When it cannot be read or decoded, or `size` is none.
pub(crate) fn load(
    path: &Path,
    fit: Fit,
    format: PixelFormat,
    size: SizePx,
    colour: Colour,
) -> Result<Frame, SceneError> {
    render(&decode(path)?, fit, format, size, colour)
}

fn render(
    picture: &RgbImage,
    fit: Fit,
    format: PixelFormat,
    size: SizePx,
    colour: Colour,
) -> Result<Frame, SceneError> {
    // The size is checked first: `fitted` takes any.
    let mut frame = Frame::new(format, size, colour)?;
    encode(&fitted(picture, size, fit), &mut frame);
    Ok(frame)
}

/// The picture as its camera held it: EXIF orientation applied, transparency over black.
fn decode(path: &Path) -> Result<RgbImage, SceneError> {
    let unreadable = |why| SceneError::PictureUnreadable { path: path.to_owned(), why };
    let broken = |error: ImageError| explain(path, error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().map_err(unreadable)?;
    if reader.format() == Some(ImageFormat::Jpeg) && !jpeg_is_whole(&bytes) {
        let why = "it ends before its picture does".to_owned();
        return Err(SceneError::PictureBroken { path: path.to_owned(), why });
    }
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width_px, height_px) = decoder.dimensions();
    // Asked before a byte of it is decoded: a bomb costs nothing.
    if width_px.max(height_px) > MAX_SIDE_PX || decoder.total_bytes() > MAX_BYTES {
        return Err(SceneError::PictureTooLarge {
            path: path.to_owned(),
            size: SizePx::new(width_px, height_px).to_string(),
            limit: MAX_SIDE_PX / 2,
        });
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(over_black(picture))
}

/// Whether a JPEG has its end marker. The decoder fills what is missing with grey and says nothing.
/// Markers are walked from the start: thumbnails and trailers have end markers of their own.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
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

fn explain(path: &Path, error: ImageError) -> SceneError {
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

fn over_black(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, alpha] = rgba.get_pixel(x, y).0;
        image::Rgb([r, g, b].map(|c| ((u32::from(c) * u32::from(alpha) + 127) / 255) as u8))
    })
}

/// The picture at `size`, fitted. Catmull-Rom: sharp, and its small overshoot does not show.
fn fitted(picture: &RgbImage, size: SizePx, fit: Fit) -> RgbImage {
    let (from_w, from_h) = (u64::from(picture.width()), u64::from(picture.height()));
    let (to_w, to_h) = (u64::from(size.width_px), u64::from(size.height_px));
    let scaled = |w: u64, h: u64| {
        imageops::resize(picture, w.max(1) as u32, h.max(1) as u32, FilterType::CatmullRom)
    };
    // Which side decides: the one that reaches the frame's edge first (contain) or last (cover).
    let wider = from_w * to_h > to_w * from_h;
    match fit {
        Fit::Stretch => scaled(to_w, to_h),
        Fit::Cover => {
            // Cut first, so that a panorama is not enlarged as a whole.
            let (cut_w, cut_h) = if wider {
                ((from_h * to_w / to_h).clamp(1, from_w), from_h)
            } else {
                (from_w, (from_w * to_h / to_w).clamp(1, from_h))
            };
            let (x, y) = ((from_w - cut_w) / 2, (from_h - cut_h) / 2);
            let cut = imageops::crop_imm(picture, x as u32, y as u32, cut_w as u32, cut_h as u32);
            imageops::resize(&*cut, size.width_px, size.height_px, FilterType::CatmullRom)
        }
        Fit::Contain => {
            let inner = if wider {
                scaled(to_w, (from_h * to_w / from_w).min(to_h))
            } else {
                scaled((from_w * to_h / from_h).min(to_w), to_h)
            };
            let mut framed = RgbImage::new(size.width_px, size.height_px);
            let x = (to_w - u64::from(inner.width())) / 2;
            let y = (to_h - u64::from(inner.height())) / 2;
            imageops::replace(&mut framed, &inner, x as i64, y as i64);
            framed
        }
    }
}

/// RGB into a planar frame's own encoding; chroma is the mean of the pixels it covers.
fn encode(picture: &RgbImage, frame: &mut Frame) {
    let colour: Colour = frame.colour();
    let rows_a_chroma_row = if frame.format().chroma() == Chroma::Half2x2 { 2 } else { 1 };
    let (width, height) = picture.dimensions();
    let pixel = |x: u32, y: u32| picture.get_pixel(x.min(width - 1), y.min(height - 1)).0;
    let code = |[r, g, b]: [u8; 3]| colour.encode(Rgb8 { r, g, b });
    let mut view = frame.view_mut();
    let [mut luma, mut u, mut v] = view.yuv_mut();
    for (y, row) in luma.iter_rows_mut().enumerate() {
        for (x, sample) in row.iter_mut().enumerate() {
            *sample = code(pixel(x as u32, y as u32)).y;
        }
    }
    for (y, (u, v)) in u.iter_rows_mut().zip(v.iter_rows_mut()).enumerate() {
        for (x, (u, v)) in u.iter_mut().zip(v).enumerate() {
            let mut sum = [0u32; 3];
            for dy in 0..rows_a_chroma_row {
                for dx in 0..2 {
                    let rgb = pixel(2 * x as u32 + dx, y as u32 * rows_a_chroma_row + dy);
                    sum.iter_mut().zip(rgb).for_each(|(sum, c)| *sum += u32::from(c));
                }
            }
            let count = 2 * rows_a_chroma_row;
            let mean = code(sum.map(|sum| ((sum + count / 2) / count) as u8));
            (*u, *v) = (mean.u, mean.v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left half red, right half blue, 100 x 50.
    fn two_halves() -> RgbImage {
        RgbImage::from_fn(100, 50, |x, _| {
            image::Rgb(if x < 50 { [255, 0, 0] } else { [0, 0, 255] })
        })
    }

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

    #[test]
    fn fits_cut_frame_or_stretch() {
        let picture = two_halves();
        let at = |fit, x, y| fitted(&picture, SizePx::new(40, 40), fit).get_pixel(x, y).0;
        // Cover: the middle 50 x 50, so the seam stays in the middle and fills the height.
        assert_eq!((at(Fit::Cover, 2, 0), at(Fit::Cover, 37, 39)), ([255, 0, 0], [0, 0, 255]));
        // Contain: 40 x 20 between bars of 10.
        assert_eq!((at(Fit::Contain, 2, 5), at(Fit::Contain, 2, 34)), ([0, 0, 0], [0, 0, 0]));
        assert_eq!((at(Fit::Contain, 2, 20), at(Fit::Contain, 37, 20)), ([255, 0, 0], [0, 0, 255]));
        assert_eq!((at(Fit::Stretch, 2, 0), at(Fit::Stretch, 37, 39)), ([255, 0, 0], [0, 0, 255]));
        for fit in [Fit::Cover, Fit::Contain, Fit::Stretch] {
            for size in [SizePx::new(1, 99), SizePx::new(99, 1), SizePx::new(640, 360)] {
                let out = fitted(&picture, size, fit);
                assert_eq!((out.width(), out.height()), (size.width_px, size.height_px));
            }
        }
    }

    #[test]
    fn pixels_arrive_in_the_frames_own_encoding() {
        for colour in [Colour::WEBCAM, Colour::JPEG, Colour::HD] {
            for format in [greenroom_frame::PixelFormat::I420, greenroom_frame::PixelFormat::I422] {
                let mut frame = Frame::new(format, SizePx::new(101, 51), colour).unwrap();
                encode(&fitted(&two_halves(), frame.size(), Fit::Stretch), &mut frame);
                let red = colour.encode(Rgb8 { r: 255, g: 0, b: 0 });
                let view = frame.view();
                let seen = [0, 1, 2].map(|plane| view.plane(plane).row(20)[10]);
                assert_eq!(seen, [red.y, red.u, red.v]);
            }
        }
    }
}
