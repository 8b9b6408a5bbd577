use greenroom_frame::{Backdrop, FrameError, FrameShape, Rgb8};

use super::named::BackgroundKind;
use super::paint::{Painting, between, encode};
use super::{Background, MattedFrame};
use crate::words::{Allowed, Parameter};
use crate::{Moment, SceneError};

pub(super) const KIND: BackgroundKind = BackgroundKind {
    name: "gradient",
    help: "one colour going over into another, without bands",
    parameters: &[
        Parameter { name: "from", allowed: Allowed::Colour(Rgb8 { r: 0x2b, g: 0x3a, b: 0x55 }) },
        Parameter { name: "to", allowed: Allowed::Colour(Rgb8 { r: 0xa9, g: 0xb8, b: 0xc4 }) },
        Parameter {
            name: "angle",
            allowed: Allowed::Whole {
                least: 0,
                most: 360,
                default: 180,
                unit: " degrees, clockwise: 0 goes up, 90 right, 180 down",
            },
        },
    ],
    room_rows: None,
    make: |values| {
        Box::new(Gradient {
            from: values.colour(0),
            to: values.colour(1),
            angle_degrees: values.number(2),
            painted: None,
        })
    },
};

/// One colour to another along a line through the middle; where the line meets the frame's
/// corners' perpendiculars, the colours are the ones named (as CSS does it).
pub(super) struct Gradient {
    from: Rgb8,
    to: Rgb8,
    angle_degrees: f32,
    painted: Option<Painting>,
}

/// Rows of the fine picture. The way between two colours is all but straight over so little.
const ROWS: u32 = 180;

impl Background for Gradient {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        _moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        let shape = matted.frame.shape();
        if !self.painted.as_ref().is_some_and(|painted| painted.shape() == shape) {
            self.painted = Some(paint(self.from, self.to, self.angle_degrees, shape)?);
        }
        Ok(self.painted.as_ref().expect("painted above").view().into())
    }

    fn is_still(&self) -> bool {
        true
    }
}

/// Paints a gradient of `shape`.
pub(super) fn paint(
    from: Rgb8,
    to: Rgb8,
    angle_degrees: f32,
    shape: FrameShape,
) -> Result<Painting, FrameError> {
    let mut painting = Painting::new(shape, ROWS)?;
    let (width, height) = (painting.size().width_px, painting.size().height_px);
    let (sine, cosine) = angle_degrees.to_radians().sin_cos();
    let length = width as f32 * sine.abs() + height as f32 * cosine.abs();
    for index in 0..width * height {
        let x = (index % width) as f32 + 0.5 - width as f32 / 2.0;
        let y = (index / width) as f32 + 0.5 - height as f32 / 2.0;
        let share = (0.5 + (x * sine - y * cosine) / length).clamp(0.0, 1.0);
        painting.set(index as usize, encode(shape.colour, between(from, to, share)));
    }
    painting.finish();
    Ok(painting)
}
