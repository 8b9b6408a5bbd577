//! What is shown when there is nothing to show: our own picture with a line of text, or the user's.

mod text;

use std::path::Path;

use greenroom_frame::{Colour, Frame, FrameError, FrameShape, PixelFormat, Rgb8, SizePx};

use crate::background::picture;
use crate::{Fit, SceneError};
use text::Lettering;

/// The gradient's colour in the first and the last row.
const TOP: Rgb8 = Rgb8 { r: 22, g: 64, b: 48 };
const FOOT: Rgb8 = Rgb8 { r: 6, g: 14, b: 12 };
/// The text's colour: light, of the gradient's hue, and not glaring.
const TEXT: Rgb8 = Rgb8 { r: 186, g: 214, b: 202 };

/// The picture that is shown when there is nothing to show: a calm dark green that fades to
/// nearly black towards the foot, each row of one colour, and `text` on it in a light green. Nothing
/// of the room, or of any frame before, is in it. [`PixelFormat::I420`].
///
/// The text is centred, its letters about 1/14 of the frame high. One that would be wider than 90 %
/// of the frame is wrapped at spaces into up to three lines and made smaller, so that it never
/// leaves the middle third of the rows. It is cut after 120 characters; those that the font (Latin)
/// lacks become `?`. An empty text, or one on a frame too small to read it, leaves the gradient
/// alone.
///
/// # Errors
/// [`FrameError::BadSize`].
pub fn placeholder(size: SizePx, colour: Colour, text: &str) -> Result<Frame, FrameError> {
    let mut frame = Frame::new(PixelFormat::I420, size, colour)?;
    let lettering = Lettering::new(text, size)?;
    let ink = colour.encode(TEXT);
    let mut view = frame.view_mut();
    for (plane, mut samples) in view.planes_mut().enumerate() {
        let rows = samples.rows().max(2) - 1;
        let ink = [ink.y, ink.u, ink.v][plane];
        for (y, row) in samples.iter_rows_mut().enumerate() {
            let yuv = colour.encode(fade(y, rows));
            let paper = [yuv.y, yuv.u, yuv.v][plane];
            row.fill(paper);
            if plane == 0 {
                lettering.for_row(y, |x, alpha| row[x] = mix(paper, ink, alpha));
            } else {
                lettering.for_chroma_row(y, |x, alpha| row[x] = mix(paper, ink, alpha));
            }
        }
    }
    Ok(frame)
}

/// The user's own picture (PNG, JPEG or WebP) as the placeholder: it fills the frame, what stands
/// out is cut off evenly, and no text is written on it. [`PixelFormat::I420`].
///
/// # Errors
/// When the picture cannot be read or decoded, or `size` is none: one sentence.
pub fn user_placeholder(path: &Path, size: SizePx, colour: Colour) -> Result<Frame, SceneError> {
    picture::load(path, Fit::Cover, FrameShape { format: PixelFormat::I420, size, colour })
}

/// The gradient's colour in row `y` of rows `0..=last`.
fn fade(y: usize, last: usize) -> Rgb8 {
    let channel = |top: u8, foot: u8| {
        let mix = usize::from(top) * (last - y.min(last)) + usize::from(foot) * y.min(last);
        ((mix + last / 2) / last) as u8
    };
    Rgb8 { r: channel(TOP.r, FOOT.r), g: channel(TOP.g, FOOT.g), b: channel(TOP.b, FOOT.b) }
}

fn mix(paper: u8, ink: u8, alpha: u8) -> u8 {
    let (paper, ink, alpha) = (u32::from(paper), u32::from(ink), u32::from(alpha));
    ((paper * (255 - alpha) + ink * alpha + 127) / 255) as u8
}

#[cfg(test)]
mod tests;
