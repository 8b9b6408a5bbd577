use std::borrow::Cow;

use greenroom_device::{JpegEncoder, RgbPicture};
use greenroom_frame::{FrameView, SizePx};
use greenroom_matte::{
    ChannelOrder, InputTensor, Isa, Layout, MatteError, ModelDescription, Normalisation,
    OutputMeaning, Preparer,
};

use super::request_thread::Fault;

/// Largest picture that is sent: half of 1280x720, as the program we supersede sends it. No network
/// that runs in a frame's time looks at more.
const MAX_SIZE: SizePx = SizePx::new(640, 360);
/// Faint blocks do not move the edge of a mask; 640x360 takes about 30 KB.
const QUALITY: i32 = 85;

/// Makes the small JPEG of a frame. The way to RGB is that of a network's input.
#[derive(Debug, Default)]
pub(super) struct ThumbnailEncoder {
    made: Option<Made>,
}

/// What was made for frames of one size.
#[derive(Debug)]
struct Made {
    frame_size: SizePx,
    size: SizePx,
    preparer: Preparer,
    tensor: InputTensor,
    rgb: Vec<u8>,
    encoder: JpegEncoder,
}

/// Within [`MAX_SIZE`], in the shape of `frame`.
fn thumbnail_size(frame: SizePx) -> SizePx {
    let ratio = |most: u32, side: u32| f64::from(most) / f64::from(side);
    let scale =
        ratio(MAX_SIZE.width_px, frame.width_px).min(ratio(MAX_SIZE.height_px, frame.height_px));
    let side = |side: u32| (f64::from(side) * scale.min(1.0)).round().max(1.0) as u32;
    SizePx::new(side(frame.width_px), side(frame.height_px))
}

impl Made {
    fn new(frame_size: SizePx) -> Result<Self, Fault> {
        let size = thumbnail_size(frame_size);
        // To 0..=255, with the half that makes a cut of the fraction a rounding.
        let normalisation = Normalisation { scale: [255.0; 3], offset: [0.5; 3] };
        let model = ModelDescription {
            name: Cow::Borrowed("a mask server's picture"),
            licence: None,
            input_size: size,
            layout: Layout::Nhwc,
            channel_order: ChannelOrder::Rgb,
            normalisation,
            output_size: size,
            output: OutputMeaning::Probability,
        };
        let failed = |error: &dyn std::fmt::Display| Fault::Ours(error.to_string());
        Ok(Self {
            frame_size,
            size,
            preparer: Preparer::new(&model, Isa::best()).map_err(|error| failed(&error))?,
            tensor: InputTensor::new(&model),
            rgb: Vec::new(),
            encoder: JpegEncoder::new(QUALITY).map_err(|error| failed(&error))?,
        })
    }
}

impl ThumbnailEncoder {
    /// The JPEG of `frame`, which is planar, and its size.
    pub(super) fn encode(&mut self, frame: &FrameView<'_>) -> Result<(SizePx, &[u8]), Fault> {
        let kept = self.made.take().filter(|made| made.frame_size == frame.size());
        let made = match kept {
            Some(made) => made,
            None => Made::new(frame.size())?,
        };
        let Made { size, preparer, tensor, rgb, encoder, .. } = self.made.insert(made);
        let failed = |error: MatteError| Fault::Ours(error.to_string());
        preparer.prepare(frame, tensor).map_err(failed)?;
        rgb.clear();
        // `as u8` saturates.
        rgb.extend(tensor.values().iter().map(|&value| value as u8));
        let picture = RgbPicture::new(*size, rgb).expect("the tensor has three values a pixel");
        let jpeg = encoder.encode(picture).map_err(|error| Fault::Ours(error.to_string()))?;
        Ok((*size, jpeg))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8};

    #[test]
    fn sketches_are_small_and_of_the_frames_shape() {
        for (frame, thumbnail) in [
            (SizePx::new(1280, 720), SizePx::new(640, 360)),
            (SizePx::new(1920, 1080), SizePx::new(640, 360)),
            (SizePx::new(640, 480), SizePx::new(480, 360)),
            (SizePx::new(320, 180), SizePx::new(320, 180)),
            (SizePx::new(720, 1280), SizePx::new(203, 360)),
            (SizePx::new(4000, 2), SizePx::new(640, 1)),
        ] {
            assert_eq!(thumbnail_size(frame), thumbnail);
        }
    }

    #[test]
    fn a_sketch_has_the_frames_colours() {
        let orange = Rgb8 { r: 220, g: 120, b: 40 };
        let mut encoder = ThumbnailEncoder::default();
        for size in [SizePx::new(1280, 720), SizePx::new(33, 17), SizePx::new(33, 17)] {
            let mut frame = Frame::new(PixelFormat::I422, size, Colour::WEBCAM).unwrap();
            frame.fill(Colour::WEBCAM.encode(orange));
            let (size, jpeg) = encoder.encode(&frame.view()).unwrap();
            let picture = image::load_from_memory(jpeg).unwrap().into_rgb8();
            assert_eq!((picture.width(), picture.height()), (size.width_px, size.height_px));
            let seen = picture.get_pixel(size.width_px / 2, size.height_px / 2).0;
            assert!(seen.iter().zip([220, 120, 40]).all(|(a, b)| a.abs_diff(b) <= 4), "{seen:?}");
        }
    }
}
