//! The camera of a benchmark: a photograph of a person who sways, sent as a webcam sends its pictures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use greenroom_device::{
    Codec, DeviceError, FrameRate, JpegEncoder, MjpegData, MjpegDecoder, Next, PassedOver,
    RgbPicture, Source, SourceMode, Wake,
};
use greenroom_frame::{Colour, Frame, FrameLayout, FrameView, PixelFormat, SizePx, unpack};
use greenroom_scene::image_to_planar;
use image::imageops::{self, FilterType};
use image::{DynamicImage, RgbImage};

use crate::cli::CameraFormat;
use crate::models;
use crate::settings::BenchSettings;

/// Pictures from one end of the way to the other. They are shown to and fro, so that no two in a row are the same.
const MOST_PICTURES: usize = 32;
/// Fewer of large ones that are not compressed: all of them are kept in memory.
const MOST_BYTES: usize = 128 << 20;
/// How far the person sways, as a share of the picture's width.
const SWAY: f32 = 0.05;
/// Quality of the JPEGs: a picture of 1280x720 has about 110 KB then, as a webcam's.
const JPEG_QUALITY: i32 = 88;

/// Pictures as a camera sends them.
pub(super) struct Pictures {
    /// How they come.
    codec: Codec,
    size: SizePx,
    colour: Colour,
    /// Each as bytes of `codec`.
    pictures: Vec<Vec<u8>>,
}

impl Pictures {
    /// Makes them, which takes a second or so.
    ///
    /// # Errors
    /// When the size cannot be, or there is no memory.
    pub(super) fn of_a_swaying_person(
        size: SizePx,
        settings: &BenchSettings,
    ) -> anyhow::Result<Self> {
        let (codec, colour) = match settings.camera_format {
            CameraFormat::Mjpeg => (Codec::Mjpeg, Colour::JPEG),
            CameraFormat::Yuyv => (Codec::Raw(PixelFormat::Yuyv), settings.camera_colour),
            CameraFormat::Nv12 => (Codec::Raw(PixelFormat::Nv12), settings.camera_colour),
        };
        let photo = photo_of(size)?;
        let mut encoder = JpegEncoder::new(JPEG_QUALITY)?;
        let count = match codec {
            Codec::Mjpeg => MOST_PICTURES,
            Codec::Raw(_) => (MOST_BYTES / (2 * size.area_px() as usize)).clamp(8, MOST_PICTURES),
        };
        let pictures = (0..count).map(|index| {
            let share = index as f32 / (count - 1) as f32 - 0.5;
            let picture = swayed(&photo, share, index as u32);
            match codec {
                Codec::Mjpeg => {
                    let rgb = RgbPicture::new(size, &picture).context("three bytes a pixel")?;
                    Ok(encoder.encode(rgb)?.to_vec())
                }
                Codec::Raw(format) => raw(picture, format, colour),
            }
        });
        Ok(Self { codec, size, colour, pictures: pictures.collect::<anyhow::Result<_>>()? })
    }

    /// The planar format in which frames come.
    pub(super) fn planar_format(&self) -> PixelFormat {
        match self.codec {
            Codec::Raw(format) => format.chroma().planar_format(),
            Codec::Mjpeg => PixelFormat::I420,
        }
    }

    pub(super) fn colour(&self) -> Colour {
        self.colour
    }

    /// The one with this number, to and fro.
    fn picture(&self, number: u64) -> &[u8] {
        let last = self.pictures.len() - 1;
        let step = (number % (2 * last as u64)) as usize;
        &self.pictures[if step <= last { step } else { 2 * last - step }]
    }
}

/// The photograph in the middle of a picture of `size`, without borders.
fn photo_of(size: SizePx) -> anyhow::Result<RgbImage> {
    let photo = models::photo_of_a_person()?;
    let (width, height) = photo.dimensions();
    let scale = (f64::from(size.width_px) / f64::from(width))
        .max(f64::from(size.height_px) / f64::from(height));
    let side = |side: u32| (f64::from(side) * scale).ceil() as u32;
    let mut photo = imageops::resize(&photo, side(width), side(height), FilterType::Triangle);
    let (left, top) = ((photo.width() - size.width_px) / 2, (photo.height() - size.height_px) / 2);
    Ok(imageops::crop(&mut photo, left, top, size.width_px, size.height_px).to_image())
}

/// `photo` with its middle moved by `share` of [`SWAY`], and its left and right edges where they are; with the noise of a
/// sensor, without which a picture is like none that a webcam sends.
fn swayed(photo: &RgbImage, share: f32, seed: u32) -> RgbImage {
    let (width, height) = photo.dimensions();
    let last = width as usize - 1;
    let mut noise = Noise(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9));
    // Where each column comes from: the column on the left of that place, and how far it is from there, in 256ths.
    let columns: Vec<(usize, i32)> = (0..width)
        .map(|x| {
            let across = x as f32 / width as f32;
            let rise = (4.0 * across * (1.0 - across)).powi(2);
            let from = x as f32 - share * SWAY * width as f32 * rise;
            let from = from.clamp(0.0, last as f32);
            (from as usize, (from.fract() * 256.0) as i32)
        })
        .collect();
    let mut picture = RgbImage::new(width, height);
    let row_bytes = 3 * width as usize;
    let rows = photo.as_raw().chunks_exact(row_bytes).zip(picture.chunks_exact_mut(row_bytes));
    for (from, into) in rows {
        for (&(left, part), pixel) in columns.iter().zip(into.as_chunks_mut::<3>().0) {
            let right = (left + 1).min(last);
            let noise = noise.next();
            for (channel, out) in pixel.iter_mut().enumerate() {
                let [one, other] =
                    [left, right].map(|column| i32::from(from[3 * column + channel]));
                let value = (one * (256 - part) + other * part) / 256 + noise;
                *out = value.clamp(0, 255) as u8;
            }
        }
    }
    picture
}

/// Whole numbers from -3 to 3, by xorshift.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 24) as i32 % 7 - 3
    }
}

/// `picture` as the bytes of `format`, which is YUYV or NV12.
fn raw(picture: RgbImage, format: PixelFormat, colour: Colour) -> anyhow::Result<Vec<u8>> {
    let size = SizePx::new(picture.width(), picture.height());
    let mut planar = Frame::new(format.chroma().planar_format(), size, colour)?;
    image_to_planar(DynamicImage::from(picture), &mut planar);
    let view = planar.view();
    let mut packed = Frame::new(format, size, colour)?;
    let mut into = packed.view_mut();
    if format == PixelFormat::Yuyv {
        for (y, row) in into.plane_mut(0).iter_rows_mut().enumerate() {
            let [luma, u, v] = [0, 1, 2].map(|plane| view.plane(plane).row(y));
            for (x, pair) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let second = luma.get(2 * x + 1).unwrap_or(&luma[2 * x]);
                *pair = [luma[2 * x], u[x], *second, v[x]];
            }
        }
        return Ok(packed.bytes().to_vec());
    }
    for (from, row) in view.plane(0).iter_rows().zip(into.plane_mut(0).iter_rows_mut()) {
        row.copy_from_slice(from);
    }
    for (y, row) in into.plane_mut(1).iter_rows_mut().enumerate() {
        let [u, v] = [1, 2].map(|plane| view.plane(plane).row(y));
        for (x, pair) in row.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            *pair = [u[x], v[x]];
        }
    }
    Ok(packed.bytes().to_vec())
}

/// A camera that sends them at its rate. A late taker gets the newest.
pub(super) struct BenchCamera {
    pictures: Arc<Pictures>,
    rate: FrameRate,
    decoder: MjpegDecoder,
    begun: Instant,
    /// The number of the next frame.
    number: u64,
}

impl BenchCamera {
    pub(super) fn new(pictures: Arc<Pictures>, rate: FrameRate) -> Result<Self, DeviceError> {
        let decoder = MjpegDecoder::new()?;
        Ok(Self { pictures, rate, decoder, begun: Instant::now(), number: 0 })
    }

    fn due(&self, number: u64) -> Duration {
        self.rate.interval().mul_f64(number as f64)
    }

    fn decode(&mut self, into: &mut Frame) -> Result<(), DeviceError> {
        let captured_at = self.begun + self.due(self.number);
        let Pictures { codec, size, colour, .. } = *self.pictures;
        let bytes = self.pictures.picture(self.number);
        match codec {
            Codec::Mjpeg => self.decoder.decode(MjpegData(bytes), into)?,
            Codec::Raw(format) => {
                let layout = FrameLayout::tight(format, size)?;
                unpack(FrameView::new(layout, colour, captured_at, bytes)?, into)?;
            }
        }
        into.set_captured_at(captured_at);
        Ok(())
    }
}

impl Source for BenchCamera {
    fn name(&self) -> &str {
        "photograph of a person who sways"
    }

    fn mode(&self) -> SourceMode {
        let Pictures { codec, size, colour, .. } = *self.pictures;
        SourceMode { codec, size, rate: self.rate, colour }
    }

    fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        patience: Duration,
    ) -> Result<Next, DeviceError> {
        let wait = self.due(self.number).saturating_sub(self.begun.elapsed());
        if Wake::wait([wake], Some(wait.min(patience))) {
            return Ok(Next::Woken);
        }
        if wait > patience {
            return Ok(Next::NotYet(PassedOver::default()));
        }
        // The rounding of a time must not make it an earlier frame.
        let newest = (self.begun.elapsed().as_secs_f64() * self.rate.as_fps()) as u64;
        let newest = newest.max(self.number);
        let dropped = u32::try_from(newest - self.number).unwrap_or(u32::MAX);
        self.number = newest;
        self.decode(into)?;
        self.number += 1;
        Ok(Next::Frame(PassedOver { dropped, corrupt: 0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{BenchArgs, CameraColour};

    const SIZE: SizePx = SizePx::new(160, 90);

    fn pictures(camera_format: CameraFormat) -> Pictures {
        let camera_colour = CameraColour::Bt601Full;
        let args = BenchArgs { camera_format, camera_colour, outputs: 1, ..BenchArgs::default() };
        let settings = BenchSettings::new(&args).unwrap();
        Pictures::of_a_swaying_person(SIZE, &settings).unwrap()
    }

    #[test]
    fn every_format_is_of_the_same_picture_and_no_two_in_a_row_are_the_same() {
        let mean_luma = |format| {
            let pictures = Arc::new(pictures(format));
            let rate = FrameRate::new(1000, 1).unwrap();
            let mut camera = BenchCamera::new(Arc::clone(&pictures), rate).unwrap();
            let mut frame = Frame::new(PixelFormat::I420, SIZE, Colour::JPEG).unwrap();
            let (wake, patience) = (Wake::new().unwrap(), Duration::from_secs(60));
            let next = camera.next_frame(&mut frame, &wake, patience).unwrap();
            assert!(matches!(next, Next::Frame(_)), "{format:?}: {next:?}");
            assert_eq!((frame.size(), frame.format()), (SIZE, pictures.planar_format()));
            assert_eq!(frame.colour(), pictures.colour());
            for number in 0..100 {
                let is_same = pictures.picture(number) == pictures.picture(number + 1);
                assert!(!is_same, "{format:?}: {number}");
            }
            let luma =
                frame.view().plane(0).iter_rows().flatten().map(|&y| u64::from(y)).sum::<u64>();
            luma / SIZE.area_px()
        };
        let jpeg = mean_luma(CameraFormat::Mjpeg);
        assert!((60..200).contains(&jpeg), "{jpeg}");
        for format in [CameraFormat::Yuyv, CameraFormat::Nv12] {
            assert!(
                mean_luma(format).abs_diff(jpeg) <= 2,
                "{format:?}: {} {jpeg}",
                mean_luma(format)
            );
        }
    }

    #[test]
    fn the_middle_sways_and_the_sides_stay() {
        let photo = RgbImage::from_fn(160, 4, |x, _| image::Rgb([x as u8; 3]));
        let picture = swayed(&photo, 0.5, 1);
        let column = |x: u32| i32::from(picture.get_pixel(x, 2).0[0]);
        assert!((column(0)).abs() <= 3 && (column(159) - 159).abs() <= 4);
        // Half of 5 % of 160 columns.
        assert!((column(80) - 76).abs() <= 4, "{}", column(80));
    }
}
