//! What stands before the person.

mod spec;

use greenroom_frame::{
    Chroma, Frame, FrameError, FrameShape, MatteView, PixelFormat, Rgb8, SizePx, overlay,
};
use image::imageops::{self, FilterType};
use image::{DynamicImage, RgbaImage};

use crate::image_file::decode;
use crate::{SceneError, SceneFormat};
pub use spec::{ForegroundSpec, Place};
use spec::{USUAL_MARGIN, USUAL_WIDTH};

/// A foreground that is loaded.
pub struct Foreground {
    spec: ForegroundSpec,
    /// As large as it was first placed; colours times alpha, so that what is hidden under full
    /// transparency shows at no edge, however it is scaled.
    picture: RgbaImage,
    placed: Placed,
}

/// A picture ready for frames of one shape.
struct Placed {
    shape: FrameShape,
    left_px: u32,
    top_px: u32,
    picture: Frame,
    luma_alpha: Frame,
    chroma_alpha: Frame,
}

impl Foreground {
    pub(crate) fn open(
        spec: &ForegroundSpec,
        scene_format: SceneFormat,
    ) -> Result<Self, SceneError> {
        let picture = premultiplied(decode(&spec.picture)?);
        let (picture, corner) = fitted(&picture, spec, scene_format.shape.size);
        let placed = Placed::new(&picture, corner, spec.opacity, scene_format.shape)?;
        Ok(Self { spec: spec.clone(), picture, placed })
    }

    pub(crate) fn draw(&mut self, canvas: &mut Frame) -> Result<(), SceneError> {
        let shape = canvas.view().shape();
        if self.placed.shape != shape {
            let (picture, corner) = fitted(&self.picture, &self.spec, shape.size);
            self.placed = Placed::new(&picture, corner, self.spec.opacity, shape)?;
        }
        let Placed { picture, luma_alpha, chroma_alpha, left_px, top_px, .. } = &self.placed;
        let matte = MatteView::new(picture.view(), luma_alpha.view(), chroma_alpha.view())?;
        Ok(overlay(canvas, picture.view(), matte, *left_px, *top_px)?)
    }
}

fn premultiplied(picture: DynamicImage) -> RgbaImage {
    let mut picture = picture.into_rgba8();
    for pixel in picture.pixels_mut() {
        let [r, g, b, alpha] = pixel.0;
        let [r, g, b] = [r, g, b].map(|c| ((u32::from(c) * u32::from(alpha) + 127) / 255) as u8);
        pixel.0 = [r, g, b, alpha];
    }
    picture
}

/// The picture as large as it is shown in a frame of `size`, and where its corner is.
fn fitted(picture: &RgbaImage, spec: &ForegroundSpec, size: SizePx) -> (RgbaImage, SizePx) {
    // Sharper filters overshoot: a bright line along each edge of a logo.
    let filter = FilterType::Triangle;
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let (frame_width, frame_height) = (f64::from(size.width_px), f64::from(size.height_px));
    let side = |side: f64, most: u32| (side.round() as u32).clamp(1, most);
    if spec.place == Place::Fill {
        let scale = (frame_width / width).max(frame_height / height);
        let cut_width = side(frame_width / scale, picture.width());
        let cut_height = side(frame_height / scale, picture.height());
        let (x, y) = ((picture.width() - cut_width) / 2, (picture.height() - cut_height) / 2);
        let cut = imageops::crop_imm(picture, x, y, cut_width, cut_height);
        let scaled = imageops::resize(&*cut, size.width_px, size.height_px, filter);
        return (scaled, SizePx::new(0, 0));
    }
    let usual = if spec.place == Place::Bottom { 0.0 } else { USUAL_MARGIN };
    let margin = f64::from(spec.margin_share.unwrap_or(usual)) * frame_height;
    let wanted = f64::from(spec.width_share.unwrap_or(USUAL_WIDTH)) * frame_width;
    // A narrow frame may be lower than the margins: then they give way.
    let room = (frame_height - 2.0 * margin).max(frame_height / 4.0);
    let scale = (wanted / width).min(room / height);
    let scaled_width = side(width * scale, size.width_px);
    let scaled_height = side(height * scale, size.height_px);
    let scaled = imageops::resize(picture, scaled_width, scaled_height, filter);
    let free = SizePx::new(size.width_px - scaled_width, size.height_px - scaled_height);
    (scaled, corner(spec.place, free, margin.round() as u32))
}

/// Where a picture's corner is that leaves so much of the frame free: an even place, so that
/// chroma samples stay whole.
fn corner(place: Place, free: SizePx, margin_px: u32) -> SizePx {
    let near = |free: u32| margin_px.min(free);
    let middle = |free: u32| free / 2;
    let far = |free: u32| free.saturating_sub(margin_px);
    let x = match place {
        Place::TopLeft | Place::Left | Place::BottomLeft => near(free.width_px),
        Place::Top | Place::Centre | Place::Bottom | Place::Fill => middle(free.width_px),
        Place::TopRight | Place::Right | Place::BottomRight => far(free.width_px),
    };
    let y = match place {
        Place::TopLeft | Place::Top | Place::TopRight => near(free.height_px),
        Place::Left | Place::Centre | Place::Right | Place::Fill => middle(free.height_px),
        Place::BottomLeft | Place::Bottom | Place::BottomRight => far(free.height_px),
    };
    SizePx::new(x & !1, y & !1)
}

impl Placed {
    fn new(
        premultiplied: &RgbaImage,
        corner: SizePx,
        opacity: f32,
        shape: FrameShape,
    ) -> Result<Self, FrameError> {
        let size = SizePx::new(premultiplied.width(), premultiplied.height());
        let chroma = shape.format.chroma();
        let grey = |size| Frame::new(PixelFormat::Grey, size, shape.colour);
        let mut placed = Self {
            shape,
            left_px: corner.width_px,
            top_px: corner.height_px,
            picture: Frame::new(shape.format, size, shape.colour)?,
            luma_alpha: grey(size)?,
            chroma_alpha: grey(chroma.plane_size(size))?,
        };
        let rows = if chroma == Chroma::Half2x2 { 2 } else { 1 };
        for index in 0..3 {
            let alpha = if index == 0 { &mut placed.luma_alpha } else { &mut placed.chroma_alpha };
            let (columns, rows) = if index == 0 { (1, 1) } else { (2, rows) };
            let (mut alpha, mut view) = (alpha.view_mut(), placed.picture.view_mut());
            let (mut alpha, mut plane) = (alpha.plane_mut(0), view.plane_mut(index));
            let planes = plane.iter_rows_mut().zip(alpha.iter_rows_mut());
            for (y, (samples, alpha)) in planes.enumerate() {
                for (x, (sample, alpha)) in samples.iter_mut().zip(alpha).enumerate() {
                    let corner = SizePx::new(x as u32 * columns, y as u32 * rows);
                    let (rgb, mean) = mean(premultiplied, corner, columns, rows);
                    let code = shape.colour.encode(rgb);
                    *sample = [code.y, code.u, code.v][index];
                    *alpha = (mean * opacity).round() as u8;
                }
            }
        }
        Ok(placed)
    }
}

/// The straight colour and the alpha of some pixels together; those outside do not count.
fn mean(premultiplied: &RgbaImage, corner: SizePx, columns: u32, rows: u32) -> (Rgb8, f32) {
    let (mut sum, mut count) = ([0u32; 4], 0u32);
    for y in corner.height_px..(corner.height_px + rows).min(premultiplied.height()) {
        for x in corner.width_px..(corner.width_px + columns).min(premultiplied.width()) {
            let pixel = premultiplied.get_pixel(x, y).0;
            sum.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += u32::from(channel));
            count += 1;
        }
    }
    let [r, g, b, alpha] = sum;
    let straight = |channel: u32| {
        // Rounding may leave a colour brighter than its alpha allows.
        (255 * channel.min(alpha) + alpha / 2).checked_div(alpha).unwrap_or(0) as u8
    };
    let rgb = Rgb8 { r: straight(r), g: straight(g), b: straight(b) };
    (rgb, alpha as f32 / count.max(1) as f32)
}

#[cfg(test)]
mod tests;
