//! What a picture's first bytes say of it: enough to refuse it, and to know what it will cost,
//! before anything is decoded. The decoders read all of it again and check it.

use greenroom_frame::SizePx;
use image::ImageFormat;

use super::refusal::Refusal;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub size: SizePx,
    pub format: ImageFormat,
    /// Whether it is a JPEG as cameras send it, which is decoded straight to planar YUV.
    pub is_camera_jpeg: bool,
    /// What a pixel costs to decode; one of a camera's JPEG costs 1.
    work_per_px: u64,
}

/// What a pixel costs with decoders that were written for everything: in a PNG; in a JPEG that is no
/// camera's, at least, and else as many as it has passes; in a WebP, of which 702 bytes without a loss
/// made 16 megapixels take two seconds.
const PNG_WORK: u64 = 4;
const LEAST_JPEG_WORK: u64 = 4;
const WEBP_WORK: u64 = 32;

/// Passes of a progressive JPEG. Encoders write about ten; each costs a walk over the whole picture,
/// and a body has room for thousands.
const MAX_SCANS: usize = 32;

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let other =
            |size, format, work_per_px| Self { size, format, is_camera_jpeg: false, work_per_px };
        match image::guess_format(bytes) {
            Ok(ImageFormat::Jpeg) => read_jpeg(bytes),
            Ok(ImageFormat::Png) => Ok(other(png_size(bytes)?, ImageFormat::Png, PNG_WORK)),
            Ok(ImageFormat::WebP) => Ok(other(webp_size(bytes)?, ImageFormat::WebP, WEBP_WORK)),
            _ => Err(Refusal::UnknownFormat),
        }
    }

    /// What the picture costs to decode, in pixels of a camera's JPEG.
    pub(super) fn work_px(&self) -> u64 {
        self.size.area_px().saturating_mul(self.work_per_px)
    }

    /// The largest picture of its kind that costs at most `work_px`.
    pub(super) fn most_px(&self, work_px: u64) -> u64 {
        work_px / self.work_per_px
    }

    pub(super) fn format_name(&self) -> &'static str {
        match self.format {
            ImageFormat::Png => "PNG",
            ImageFormat::WebP => "WebP",
            _ => "progressive JPEG",
        }
    }
}

fn cut() -> Refusal {
    Refusal::NotWhole("it ends within its header".into())
}

/// The header chunk is always the first one.
fn png_size(bytes: &[u8]) -> Result<SizePx, Refusal> {
    match bytes.get(8..24).ok_or_else(cut)? {
        &[_, _, _, _, b'I', b'H', b'D', b'R', w3, w2, w1, w0, h3, h2, h1, h0] => Ok(SizePx::new(
            u32::from_be_bytes([w3, w2, w1, w0]),
            u32::from_be_bytes([h3, h2, h1, h0]),
        )),
        _ => Err(Refusal::NotWhole("its header is not where it should be".into())),
    }
}

/// The first chunk's size: of the canvas (`VP8X`), or of the only picture.
fn webp_size(bytes: &[u8]) -> Result<SizePx, Refusal> {
    let kind = bytes.get(12..16).ok_or_else(cut)?;
    let body = bytes.get(20..30).ok_or_else(cut)?;
    let u16_at = |at: usize| u32::from(u16::from_le_bytes([body[at], body[at + 1]]));
    let u24_at = |at: usize| u16_at(at) | u32::from(body[at + 2]) << 16;
    match kind {
        b"VP8X" => Ok(SizePx::new(u24_at(4) + 1, u24_at(7) + 1)),
        b"VP8L" => {
            let bits = u16_at(1) | u16_at(3) << 16;
            Ok(SizePx::new((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => Ok(SizePx::new(u16_at(6) & 0x3fff, u16_at(8) & 0x3fff)),
        _ => Err(Refusal::NotWhole("its header is not where it should be".into())),
    }
}

/// Walks the segments up to the first scan.
fn read_jpeg(bytes: &[u8]) -> Result<Header, Refusal> {
    let mut rest = bytes.get(2..).ok_or_else(cut)?;
    let mut found: Option<(Header, usize)> = None;
    let mut is_rgb = false;
    loop {
        let fill = rest.iter().take_while(|&&byte| byte == 0xff).count();
        let Some(&marker) = rest.get(fill) else { return Err(cut()) };
        if fill == 0 {
            return Err(Refusal::NotWhole("a segment is not where it should be".into()));
        }
        let behind = rest.get(fill + 1..).ok_or_else(cut)?;
        let length = behind.first_chunk().ok_or_else(cut)?;
        let body = behind.get(2..usize::from(u16::from_be_bytes(*length))).ok_or_else(cut)?;
        match marker {
            // Start of frame; 0xc4, 0xc8 and 0xcc are other things.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let (size, components) = jpeg_frame(body)?;
                let is_camera_jpeg = marker <= 0xc1 && body[0] == 8 && matches!(components, 1 | 3);
                is_rgb |= components == 3 && [body[6], body[9], body[12]] == *b"RGB";
                let format = ImageFormat::Jpeg;
                found = Some((Header { size, format, is_camera_jpeg, work_per_px: 1 }, components));
            }
            // Adobe's segment says which colours the channels are: 1 is YUV.
            0xee if body.starts_with(b"Adobe") => is_rgb |= body.get(11) == Some(&0),
            0xda => {
                let no_frame = || Refusal::NotWhole("it has no frame header".into());
                let (mut header, components) = found.ok_or_else(no_frame)?;
                // All channels in one scan.
                let whole_scan = body.first().copied().map(usize::from) == Some(components);
                header.is_camera_jpeg &= whole_scan && (components == 1 || !is_rgb);
                let scans = behind.windows(2).filter(|pair| *pair == [0xff, 0xda]).count();
                if scans >= MAX_SCANS {
                    return Err(Refusal::NotWhole(format!("it has more than {MAX_SCANS} passes")));
                }
                if !header.is_camera_jpeg {
                    header.work_per_px = LEAST_JPEG_WORK.max(scans as u64 + 1);
                }
                return Ok(header);
            }
            _ => {}
        }
        rest = &behind[2 + body.len()..];
    }
}

/// Size and channels of a frame header, whose body is as long as these need.
fn jpeg_frame(body: &[u8]) -> Result<(SizePx, usize), Refusal> {
    let &[_, h1, h0, w1, w0, components, ref each @ ..] = body else { return Err(cut()) };
    let components = usize::from(components);
    if each.len() < 3 * components {
        return Err(cut());
    }
    let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
    Ok((SizePx::new(side(w1, w0), side(h1, h0)), components))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

    use super::super::limits::Limits;
    use super::*;

    fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture.into().write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[test]
    fn sizes_are_read_of_every_format() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            for size in [(1, 1), (640, 360), (31, 1000)] {
                let header = Header::read(&encoded(RgbImage::new(size.0, size.1), format)).unwrap();
                assert_eq!(header.size, SizePx::new(size.0, size.1), "{format:?}");
                assert_eq!(header.format, format);
                assert_eq!(header.is_camera_jpeg, format == ImageFormat::Jpeg);
            }
        }
        let grey = Header::read(&encoded(GrayImage::new(20, 10), ImageFormat::Jpeg)).unwrap();
        assert!(grey.is_camera_jpeg);
        let clear = Header::read(&encoded(RgbaImage::new(20, 10), ImageFormat::WebP)).unwrap();
        assert_eq!(clear.size, SizePx::new(20, 10));
    }

    #[test]
    fn every_cut_and_every_byte_gets_an_answer() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let whole = encoded(RgbImage::new(40, 30), format);
            for end in 0..whole.len() {
                let _ = Header::read(&whole[..end]);
            }
            for at in 0..whole.len().min(700) {
                for value in [0, 1, 0x7f, 0xda, 0xff] {
                    let mut bent = whole.clone();
                    bent[at] = value;
                    let _ = Header::read(&bent);
                }
            }
        }
        assert_eq!(Header::read(b"GIF89a whatever"), Err(Refusal::UnknownFormat));
    }

    #[test]
    fn the_largest_picture_depends_on_what_it_costs() {
        let limits = Limits::default();
        let of = |side, format| {
            let bytes = encoded(RgbImage::new(side, side), format);
            Header::read(&bytes).and_then(|header| limits.check(&header, bytes.len()))
        };
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            assert_eq!(of(4096, format), Ok(()), "{format:?}");
            let refused = of(4100, format);
            assert!(matches!(refused, Err(Refusal::PictureTooLarge { .. })), "{refused:?}");
        }
        assert_eq!(of(1440, ImageFormat::WebP), Ok(()));
        let refused = of(1460, ImageFormat::WebP);
        assert!(matches!(refused, Err(Refusal::TooMuchWork { format: "WebP", .. })), "{refused:?}");
        // A header that promises much for few bytes.
        let mut png = encoded(RgbImage::new(10, 10), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 0x10, 0, 0, 0, 0x10, 0]);
        let header = Header::read(&png).unwrap();
        let refused = limits.check(&header, png.len());
        assert!(matches!(refused, Err(Refusal::TooFewBytes { .. })), "{refused:?}");
        assert_eq!(limits.check(&header, 40_000), Ok(()));
        // Padded, a picture costs no more than its kind may.
        let mut webp = encoded(RgbImage::new(4096, 4096), ImageFormat::WebP);
        webp.resize(1 << 20, 0);
        let refused = limits.check(&Header::read(&webp).unwrap(), webp.len());
        assert!(matches!(refused, Err(Refusal::TooMuchWork { .. })), "{refused:?}");
    }
}
