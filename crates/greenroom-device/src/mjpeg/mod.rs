//! Motion JPEG: a camera's compressed frames as planar YUV.

mod encode;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod huffman;
mod refusal;
mod segments;
mod tables;

use greenroom_frame::{Colour, Frame, PixelFormat, PlaneMut, SizePx};
use turbojpeg::{Colorspace, DecompressHeader, Decompressor, Subsamp, YuvImage, yuv_pixels_len};

use self::huffman::STANDARD_TABLES;
use self::refusal::Refusal;
use self::segments::{EOI, SOI, Segments};
use crate::DeviceError;

pub use encode::{JpegEncoder, RgbPicture};

/// One frame of a Motion JPEG stream as the camera sent it: one baseline JPEG, with or without
/// Huffman tables, with anything behind its end.
#[derive(Debug, Clone, Copy)]
pub struct MjpegData<'a>(pub &'a [u8]);

/// Decodes Motion JPEG frames to planar YUV with libjpeg-turbo, chroma as it is in the stream.
///
/// Frames do not depend on each other: nothing of a damaged one is seen in the next.
#[derive(Debug)]
pub struct MjpegDecoder {
    turbo: Decompressor,
    /// The frame with what the camera left out put in.
    completed: Vec<u8>,
    /// Planes that the frame's own layout cannot take as they are.
    planes: Vec<u8>,
    /// Frames of a foreign kind, one after the other.
    foreign_frames: u32,
}

/// After so many frames of a foreign kind in a row, this is the stream and no damage.
const FOREIGN_FRAMES: u32 = 10;

/// Bytes before a restart or end marker that the decoder may skip. Some cameras pad there (a few
/// bytes each time, seen in the logs of many Logitech models) and their pictures are whole; a
/// frame that lost data mostly leaves more, or has too little.
const PADDING_MAX_BYTES: u32 = 16;

impl MjpegDecoder {
    /// A decoder.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up (no memory).
    pub fn new() -> Result<Self, DeviceError> {
        let turbo = Decompressor::new().map_err(|error| broken(error.to_string()))?;
        Ok(Self { turbo, completed: Vec::new(), planes: Vec::new(), foreign_frames: 0 })
    }

    /// Decodes `jpeg` into `into`, which becomes [`PixelFormat::I420`] (4:2:0, grey, 4:4:0) or
    /// [`PixelFormat::I422`] (4:2:2, 4:4:4, 4:1:1) of the frame's size in [`Colour::JPEG`]; its
    /// time is left alone. Memory is asked for only by frames larger than all before.
    ///
    /// # Errors
    /// [`DeviceError::Broken`] for a frame that is cut short or damaged, as far as that shows: to
    /// be counted and passed over; `into` then holds anything. [`DeviceError::Unsupported`] when
    /// all of the last ten frames were of a kind of JPEG that no camera sends (progressive, RGB,
    /// 12 bits).
    pub fn decode(&mut self, jpeg: MjpegData<'_>, into: &mut Frame) -> Result<(), DeviceError> {
        let refusal = match self.decode_frame(jpeg.0, into) {
            Ok(()) => {
                self.foreign_frames = 0;
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        // A damaged frame's tables stay in libjpeg-turbo and can fail the good ones after it.
        self.turbo = Decompressor::new().map_err(|error| broken(error.to_string()))?;
        let why = match refusal {
            Refusal::Damaged(why) => why,
            Refusal::Foreign(why) => {
                // Damage can look like another kind of JPEG.
                self.foreign_frames += 1;
                if self.foreign_frames >= FOREIGN_FRAMES {
                    let what = "the JPEG stream".to_owned();
                    return Err(DeviceError::Unsupported { what, why: why.into_owned() });
                }
                why
            }
        };
        Err(broken(why))
    }

    fn decode_frame(&mut self, jpeg: &[u8], into: &mut Frame) -> Result<(), Refusal> {
        let MjpegDecoder { turbo, completed, planes, .. } = self;
        let segments = Segments::read(jpeg)?;
        let size = plausible_size(segments, jpeg.len())?;
        let jpeg = complete(jpeg, segments, completed);
        let header = turbo.read_header(jpeg).map_err(damaged)?;
        if (header.width, header.height) != (size.width_px as usize, size.height_px as usize) {
            return Err(damaged("it has two frame headers"));
        }
        into.reshape(planar_format(header)?, size, Colour::JPEG).map_err(damaged)?;

        if lies_as_decoded(header) {
            return decode_planes(turbo, jpeg, header, into.bytes_mut());
        }
        let len_bytes =
            yuv_pixels_len(header.width, 1, header.height, header.subsamp).map_err(damaged)?;
        if planes.len() < len_bytes {
            planes.resize(len_bytes, 0);
        }
        let planes = &mut planes[..len_bytes];
        decode_planes(turbo, jpeg, header, planes)?;
        resample(planes, header, into);
        Ok(())
    }
}

fn broken(why: impl Into<String>) -> DeviceError {
    DeviceError::Broken { what: "a JPEG frame".to_owned(), why: why.into() }
}

fn damaged(why: impl ToString) -> Refusal {
    Refusal::Damaged(why.to_string().into())
}

/// The size of a frame of `len_bytes`, if it can be: looked at before memory is asked for. Each
/// block of 8x8 luma samples takes two codes of at least one bit.
fn plausible_size(segments: Segments, len_bytes: usize) -> Result<SizePx, Refusal> {
    let size = SizePx::new(segments.width_px, segments.height_px).checked().map_err(damaged)?;
    let blocks = u64::from(size.width_px.div_ceil(8)) * u64::from(size.height_px.div_ceil(8));
    if (len_bytes as u64) * 4 < blocks {
        return Err(damaged(format!("{len_bytes} bytes cannot hold {size} pixels")));
    }
    Ok(size)
}

/// `jpeg` with Huffman tables and an end.
///
/// libjpeg-turbo would fill in the tables too, but with those of the frame before if that had any.
/// The standard ones come first, so that those which the frame has count.
/// A missing end is put in so that the decoder itself tells whether data is missing: it does, by
/// a warning, when it needs bits behind the end.
fn complete<'a>(jpeg: &'a [u8], segments: Segments, completed: &'a mut Vec<u8>) -> &'a [u8] {
    // Inside the data of a scan, 0xff is always followed by 0 or a restart marker.
    let has_end = jpeg[segments.scan_at_bytes..].windows(2).rev().any(|pair| pair == EOI);
    if segments.has_huffman && has_end {
        return jpeg;
    }
    completed.clear();
    completed.extend_from_slice(&SOI);
    if !segments.has_huffman {
        completed.extend_from_slice(&STANDARD_TABLES);
    }
    completed.extend_from_slice(&jpeg[SOI.len()..]);
    completed.extend_from_slice(&EOI);
    completed
}

/// The format that takes the stream's chroma with the least change.
fn planar_format(header: DecompressHeader) -> Result<PixelFormat, Refusal> {
    if !matches!(header.colorspace, Colorspace::YCbCr | Colorspace::Gray) {
        return Err(Refusal::Foreign("its colours are not YUV".into()));
    }
    Ok(match header.subsamp {
        Subsamp::Sub2x2 | Subsamp::Sub1x2 | Subsamp::Gray => PixelFormat::I420,
        Subsamp::Sub2x1 | Subsamp::None | Subsamp::Sub4x1 => PixelFormat::I422,
    })
}

/// Whether the planes come out of libjpeg-turbo exactly as [`Frame`] keeps them. It rounds the
/// luma plane up to whole chroma samples.
fn lies_as_decoded(header: DecompressHeader) -> bool {
    match header.subsamp {
        Subsamp::Sub2x1 => header.width.is_multiple_of(2),
        Subsamp::Sub2x2 => header.width.is_multiple_of(2) && header.height.is_multiple_of(2),
        _ => false,
    }
}

/// Decodes into `pixels`, planes without padding. libjpeg-turbo only *warns* of missing data and
/// fills the rest with grey; the crate turns warnings into errors.
fn decode_planes(
    turbo: &mut Decompressor,
    jpeg: &[u8],
    header: DecompressHeader,
    pixels: &mut [u8],
) -> Result<(), Refusal> {
    let DecompressHeader { width, height, subsamp, .. } = header;
    match turbo.decompress_to_yuv(jpeg, YuvImage { pixels, width, align: 1, height, subsamp }) {
        Ok(()) => Ok(()),
        Err(turbojpeg::Error::TurboJpegError(text)) if is_padding(&text) => Ok(()),
        Err(error) => Err(damaged(error)),
    }
}

/// Whether libjpeg-turbo's warning is of a few skipped bytes before a marker that ends data.
fn is_padding(text: &str) -> bool {
    let parse = || {
        let rest = text.strip_prefix("Corrupt JPEG data: ")?;
        let (count, marker) = rest.split_once(" extraneous bytes before marker 0x")?;
        Some((count.parse::<u32>().ok()?, u8::from_str_radix(marker, 16).ok()?))
    };
    matches!(parse(), Some((0..=PADDING_MAX_BYTES, 0xd0..=0xd7 | 0xd9)))
}

/// Fits planes of any sampling into `into`. Not the way of a webcam's frames.
fn resample(planes: &[u8], header: DecompressHeader, into: &mut Frame) {
    let (across, down) = header.subsamp.size();
    let luma_stride = header.width.next_multiple_of(across);
    let luma_bytes = luma_stride * header.height.next_multiple_of(down);
    let (luma, chroma) = planes.split_at(luma_bytes);
    let mut view = into.view_mut();
    let [mut y, mut u, mut v] = view.yuv_mut();
    for (to, from) in y.iter_rows_mut().zip(luma.chunks_exact(luma_stride)) {
        to.copy_from_slice(&from[..to.len()]);
    }
    if header.subsamp == Subsamp::Gray {
        u.fill(128);
        v.fill(128);
        return;
    }
    let chroma_stride = header.width.div_ceil(across);
    let (from_u, from_v) = chroma.split_at(chroma_stride * header.height.div_ceil(down));
    resample_chroma(from_u, chroma_stride, across, &mut u);
    resample_chroma(from_v, chroma_stride, across, &mut v);
}

/// Rows of chroma with one sample for `across` pixels, to one for two.
fn resample_chroma(from: &[u8], stride_bytes: usize, across: usize, to: &mut PlaneMut<'_>) {
    for (to, from) in to.iter_rows_mut().zip(from.chunks_exact(stride_bytes)) {
        match across {
            1 => {
                for (to, pair) in to.iter_mut().zip(from.chunks(2)) {
                    let (first, last) = (u16::from(pair[0]), u16::from(pair[pair.len() - 1]));
                    *to = (first + last).div_ceil(2) as u8;
                }
            }
            2 => to.copy_from_slice(&from[..to.len()]),
            _ => {
                for (x, to) in to.iter_mut().enumerate() {
                    *to = from[x * 2 / across];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
