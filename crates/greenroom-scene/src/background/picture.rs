use std::path::Path;

use greenroom_frame::{Backdrop, Chroma, Colour, Frame, FrameShape, Rgb8, SizePx};
use image::imageops::FilterType;
use image::{DynamicImage, RgbImage, imageops};

use super::{Background, Fit, MattedFrame};
use crate::adapt::Adapter;
use crate::image_file::decode;
pub(super) use crate::image_file::{MAX_BYTES, check_size, explain};
use crate::{Moment, SceneError};

/// A still picture from a file.
pub(super) struct Picture {
    shown: Frame,
    adapter: Adapter,
}

impl Picture {
    pub(super) fn open(path: &Path, fit: Fit, shape: FrameShape) -> Result<Self, SceneError> {
        Ok(Self { shown: load(path, fit, shape)?, adapter: Adapter::default() })
    }
}

impl Background for Picture {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        _moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        Ok(self.adapter.adapt(self.shown.view(), matted.frame.shape())?.into())
    }

    fn is_still(&self) -> bool {
        true
    }
}

/// A picture from a file, fitted into a planar frame.
///
/// # Errors
/// When it cannot be read or decoded, or the size is none.
pub(crate) fn load(path: &Path, fit: Fit, shape: FrameShape) -> Result<Frame, SceneError> {
    // The size is checked first: `fitted` takes any.
    let mut frame = Frame::new(shape.format, shape.size, shape.colour)?;
    encode(&fitted(&over_black(decode(path)?), shape.size, fit), &mut frame);
    Ok(frame)
}

/// `picture` in `frame`'s own encoding, transparency over black; chroma is the mean of the pixels it
/// covers. A frame that is larger repeats the picture's last row and column, a smaller one cuts.
///
/// # Panics
/// If `frame` is not planar YUV.
pub fn image_to_planar(picture: DynamicImage, frame: &mut Frame) {
    encode(&over_black(picture), frame);
}

pub(super) fn over_black(picture: DynamicImage) -> RgbImage {
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
pub(super) fn fitted(picture: &RgbImage, size: SizePx, fit: Fit) -> RgbImage {
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
pub(super) fn encode(picture: &RgbImage, frame: &mut Frame) {
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
