use greenroom_frame::{Frame, FrameError, FrameView, MatteView, PixelFormat, Rgb8, SizePx, tint};

use super::action::{Effect, PictureEffect};
use super::area::Area;
use super::kind::{Allowed, EffectKind, Parameter};
use super::target::Target;
use crate::Moment;

pub(super) const KIND: EffectKind = EffectKind {
    names: &["vignette"],
    help: "darker towards the corners",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter {
        name: "strength",
        allowed: Allowed::Number { least: 0.0, most: 100.0, default: 60.0, unit: " percent" },
    }],
    make: |target, values| {
        let strength = values.number(0) / 100.0;
        Effect::picture(target, Vignette { strength, weights: None })
    },
};

/// Mixed with black, the more the further from the middle.
struct Vignette {
    /// How much of a corner is black, 0..=1.
    strength: f32,
    /// How much of each sample is black: at luma size, at chroma size.
    weights: Option<[Frame; 2]>,
}

impl Vignette {
    fn weights(&self, size: SizePx) -> Result<Frame, FrameError> {
        let mut weights = Frame::new(PixelFormat::Grey, size, greenroom_frame::Colour::JPEG)?;
        let (width, height) = (size.width_px as f32, size.height_px as f32);
        for (y, row) in weights.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
            let down = (y as f32 + 0.5) / height * 2.0 - 1.0;
            for (x, weight) in row.iter_mut().enumerate() {
                let along = (x as f32 + 0.5) / width * 2.0 - 1.0;
                // 0 in the middle, 1 in the corners.
                let off = (down * down + along * along) / 2.0;
                // Smoothstep from a quarter on: the middle stays as it is.
                let way = ((off - 0.1) / 0.9).max(0.0);
                let share = way * way * (3.0 - 2.0 * way) * self.strength;
                *weight = (share * 255.0).round() as u8;
            }
        }
        Ok(weights)
    }

    fn made_for(&self, picture: FrameView<'_>) -> bool {
        self.weights.as_ref().is_some_and(|[luma, chroma]| {
            let chroma_size = picture.format().chroma().plane_size(picture.size());
            (luma.size(), chroma.size()) == (picture.size(), chroma_size)
        })
    }
}

impl PictureEffect for Vignette {
    fn apply(
        &mut self,
        picture: &mut Frame,
        _area: Area,
        _moment: &Moment,
    ) -> Result<(), FrameError> {
        if !self.made_for(picture.view()) {
            let size = picture.size();
            let chroma = picture.format().chroma().plane_size(size);
            self.weights = Some([self.weights(size)?, self.weights(chroma)?]);
        }
        let [luma, chroma] = self.weights.as_ref().expect("made above");
        let weights = MatteView::new(picture.view(), luma.view(), chroma.view())?;
        let black = picture.colour().encode(Rgb8 { r: 0, g: 0, b: 0 });
        tint(picture, weights, black)
    }
}
