//! Pictures in networks' inputs of another shape: as large as it allows, in the middle of a plain canvas.

use greenroom_frame::{FrameView, SizePx};

use crate::models::fitting;
use crate::{InputTensor, Isa, MatteError, ModelDescription, Preparer};

/// The shape that a network is to see pictures in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canvas {
    /// A square: what is beside the picture, or above and below it, is plain.
    Square,
    /// As wide as the picture, but 4:3 at least: what is beside a narrower picture is plain.
    Wide,
}

impl Canvas {
    /// The shape of the canvas around a picture.
    fn around(self, picture: SizePx) -> SizePx {
        let [width, height] = [picture.width_px, picture.height_px].map(|side_px| side_px.max(1));
        match self {
            Self::Square => SizePx::new(1, 1),
            Self::Wide if 3 * u64::from(width) < 4 * u64::from(height) => SizePx::new(4, 3),
            Self::Wide => SizePx::new(width, height),
        }
    }
}

/// Where a picture lies in a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Letterbox {
    /// The network's input.
    pub input: SizePx,
    /// The picture's size in it.
    pub size: SizePx,
    /// Columns of the input left of it.
    pub left_px: u32,
    /// Rows of the input above it.
    pub top_px: u32,
}

impl Letterbox {
    /// For a picture of the size `picture`.
    pub fn new(canvas: Canvas, picture: SizePx, input: SizePx) -> Self {
        let [width, height] =
            [picture.width_px, picture.height_px].map(|side| u64::from(side.max(1)));
        let around = canvas.around(picture);
        let [across, down] = [around.width_px, around.height_px].map(u64::from);
        // Of a side of the input, the share of it that is nearest to part / whole.
        let share = |side_px: u32, part: u64, whole: u64| {
            ((u64::from(side_px) * part + whole / 2) / whole).max(1) as u32
        };
        let is_narrower = width * down < height * across;
        let size = if is_narrower {
            SizePx::new(share(input.width_px, width * down, height * across), input.height_px)
        } else {
            SizePx::new(input.width_px, share(input.height_px, height * across, width * down))
        };
        let left_px = (input.width_px - size.width_px) / 2;
        let top_px = (input.height_px - size.height_px) / 2;
        Self { input, size, left_px, top_px }
    }

    /// A point of the input in the picture; both in shares of their sides.
    pub fn to_picture(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let place = |share: f32, input_px: u32, before_px: u32, picture_px: u32| {
            (share * input_px as f32 - before_px as f32) / picture_px as f32
        };
        [
            place(x, self.input.width_px, self.left_px, self.size.width_px),
            place(y, self.input.height_px, self.top_px, self.size.height_px),
        ]
    }
}

/// A frame as a network is to see it, without what is plain beside it: made on one thread, looked at on another.
#[derive(Debug, Default)]
pub(crate) struct LetterboxView(Option<(Letterbox, InputTensor)>);

impl LetterboxView {
    /// Where the frame lies, and its values; `None` before the first.
    pub(crate) fn get(&self) -> Option<(Letterbox, &InputTensor)> {
        self.0.as_ref().map(|(letterbox, tensor)| (*letterbox, tensor))
    }
}

/// Makes frames small for a network.
#[derive(Debug)]
pub(crate) struct LetterboxPreparer {
    network: ModelDescription,
    /// Sizes of its input.
    sizes: Vec<SizePx>,
    canvas: Canvas,
    isa: Isa,
    /// For the shape of the frame that was prepared last.
    ready: Option<(Letterbox, Preparer)>,
}

impl LetterboxPreparer {
    /// For a network with an input of the description's size, or one of `other_sizes`: frames go into the one whose shape
    /// fits the canvas.
    pub(crate) fn new(
        network: &ModelDescription,
        other_sizes: &[SizePx],
        canvas: Canvas,
        isa: Isa,
    ) -> Self {
        let sizes = [&[network.input_size], other_sizes].concat();
        Self { network: network.clone(), sizes, canvas, isa, ready: None }
    }

    /// Makes `view` that of `frame`, `gain` times as bright. Asks for memory only when the frame's size or format is
    /// another than the last one's.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar, [`MatteError::Frame`] if a chroma plane has no
    /// sample.
    pub(crate) fn prepare(
        &mut self,
        frame: &FrameView<'_>,
        gain: f32,
        view: &mut LetterboxView,
    ) -> Result<(), MatteError> {
        let input = self.sizes[fitting(&self.sizes, self.canvas.around(frame.size()), 1.0)];
        let letterbox = Letterbox::new(self.canvas, frame.size(), input);
        let size = letterbox.size;
        let kept = self.ready.take().filter(|(of, _)| *of == letterbox);
        let (_, preparer) = self.ready.insert(match kept {
            Some(ready) => ready,
            None => {
                let part = ModelDescription {
                    input_size: size,
                    output_size: size,
                    ..self.network.clone()
                };
                (letterbox, Preparer::new(&part, self.isa)?)
            }
        });
        let kept = view.0.take().filter(|(of, _)| *of == letterbox);
        let new = || (letterbox, InputTensor::of_size(size, self.network.layout));
        let (_, tensor) = view.0.insert(kept.unwrap_or_else(new));
        preparer.set_gain(gain);
        preparer.prepare(frame, tensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_keeps_its_shape_in_the_middle_of_a_square() {
        let input = SizePx::new(128, 128);
        for (picture, (width, height, left_px, top_px)) in [
            ((1280, 720), (128, 72, 0, 28)),
            ((640, 480), (128, 96, 0, 16)),
            ((720, 1280), (72, 128, 28, 0)),
            ((500, 500), (128, 128, 0, 0)),
            ((64, 36), (128, 72, 0, 28)),
            ((4096, 2), (128, 1, 0, 63)),
        ] {
            let picture = SizePx::new(picture.0, picture.1);
            let want = Letterbox { input, size: SizePx::new(width, height), left_px, top_px };
            assert_eq!(Letterbox::new(Canvas::Square, picture, input), want, "{picture}");
        }
    }

    #[test]
    fn wide_pictures_are_stretched_and_upright_ones_lie_in_the_middle() {
        let input = SizePx::new(256, 256);
        for (picture, (width_px, left_px)) in [
            ((1280, 720), (256, 0)),
            ((640, 480), (256, 0)),
            ((2, 1), (256, 0)),
            ((480, 480), (192, 32)),
            ((720, 1280), (108, 74)),
            ((2, 4096), (1, 127)),
        ] {
            let picture = SizePx::new(picture.0, picture.1);
            let want = Letterbox { input, size: SizePx::new(width_px, 256), left_px, top_px: 0 };
            assert_eq!(Letterbox::new(Canvas::Wide, picture, input), want, "{picture}");
        }
    }

    #[test]
    fn a_point_of_the_input_is_one_of_the_picture() {
        let input = SizePx::new(128, 128);
        let wide = Letterbox::new(Canvas::Square, SizePx::new(1280, 720), input);
        assert_eq!(wide.to_picture([0.25, 28.0 / 128.0]), [0.25, 0.0]);
        assert_eq!(wide.to_picture([1.0, 100.0 / 128.0]), [1.0, 1.0]);
        let upright = Letterbox::new(Canvas::Square, SizePx::new(720, 1280), input);
        assert_eq!(upright.to_picture([28.0 / 128.0, 0.5]), [0.0, 0.5]);
        assert_eq!(upright.to_picture([64.0 / 128.0, 1.0]), [0.5, 1.0]);
    }
}
