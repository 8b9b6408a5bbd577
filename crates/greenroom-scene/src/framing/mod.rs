//! Which part of the camera's picture is used.

mod find;
mod follow;
mod spec;
#[cfg(test)]
mod tests;

use greenroom_frame::{Colour, Frame, FrameCropper, MatteView, PartPx, PixelFormat, SizePx};

use crate::{MattedFrame, Moment, SceneError};
use find::Finder;
use follow::{Crop, Follower};
pub use spec::FramingSpec;

/// Frames the person: the same part of a picture and its matte, in the picture's own size.
#[derive(Debug)]
pub(crate) struct Framing {
    way: Way,
    finder: Finder,
    /// Of the picture, the matte at luma size and the matte at chroma size.
    croppers: [FrameCropper; 3],
    cropped: [Frame; 3],
}

#[derive(Debug)]
enum Way {
    Still(Crop),
    Follow(Follower),
}

impl Framing {
    pub(crate) fn new(spec: FramingSpec) -> Self {
        let way = match spec {
            FramingSpec::Whole => Way::Still(Crop::WHOLE),
            FramingSpec::Fixed { zoom, pan_x, pan_y } => {
                let size = 1.0 / f64::from(zoom).clamp(1.0, 4.0);
                let middle = |pan: f32| 0.5 + (1.0 - size) / 2.0 * f64::from(pan).clamp(-1.0, 1.0);
                Way::Still(Crop { x: middle(pan_x), y: middle(pan_y), size })
            }
            FramingSpec::Auto { tightness } => {
                Way::Follow(Follower::new(f64::from(tightness).clamp(0.3, 0.9)))
            }
        };
        let one_pixel = || Frame::new(PixelFormat::Grey, SizePx::new(1, 1), Colour::WEBCAM);
        Self {
            way,
            finder: Finder::default(),
            croppers: Default::default(),
            cropped: std::array::from_fn(|_| one_pixel().expect("one pixel is a size")),
        }
    }

    /// Goes on with the motion of another of the same wish.
    pub(crate) fn go_on_from(&mut self, other: &Self) {
        if let (Way::Follow(own), Way::Follow(other)) = (&mut self.way, &other.way) {
            own.clone_from(other);
        }
    }

    /// The part of `matted` that is used, in the camera's own shape. All of it is the room itself,
    /// nothing is copied.
    pub(crate) fn frame<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        moment: &Moment,
    ) -> Result<MattedFrame<'a>, SceneError> {
        let crop = match &mut self.way {
            Way::Still(crop) => *crop,
            Way::Follow(follower) => {
                follower.follow(self.finder.find(matted.matte.luma().plane(0)), moment.time)
            }
        };
        if crop == Crop::WHOLE {
            return Ok(*matted);
        }
        let part = part(crop, matted.frame.size());
        let [picture, luma, chroma] = &mut self.cropped;
        let [crop_picture, crop_luma, crop_chroma] = &mut self.croppers;
        crop_picture.crop(matted.frame, part, picture)?;
        crop_luma.crop(matted.matte.luma(), part, luma)?;
        let chroma_part = part.of_chroma(matted.frame.format().chroma());
        crop_chroma.crop(matted.matte.chroma(), chroma_part, chroma)?;
        let matte = MatteView::new(picture.view(), luma.view(), chroma.view())?;
        let edge = matted.matte.edge().map(|edge| edge.of_part(part, matted.frame.size()));
        Ok(MattedFrame { frame: picture.view(), matte: matte.with_edge(edge) })
    }
}

fn part(crop: Crop, size: SizePx) -> PartPx {
    let edge = |middle: f64, side: u32| {
        // What rounding leaves outside is cut off.
        ((middle - crop.size / 2.0) * f64::from(side)).max(0.0)
    };
    PartPx {
        left_px: edge(crop.x, size.width_px),
        top_px: edge(crop.y, size.height_px),
        zoom: 1.0 / crop.size,
    }
}
