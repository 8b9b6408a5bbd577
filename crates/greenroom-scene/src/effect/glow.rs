use greenroom_frame::{FrameError, Rgb8, tint};

use super::action::{CutEffect, Effect};
use super::halo::{Halo, HaloWish};
use super::kind::{Allowed, EffectKind, Parameter};
use super::target::Target;
use crate::{Layers, Moment};

pub(super) const KIND: EffectKind = EffectKind {
    names: &["glow"],
    help: "a shining outline round the person",
    targets: Target::ONLY_PERSON,
    parameters: &[
        Parameter { name: "colour", allowed: Allowed::Colour(Rgb8 { r: 127, g: 212, b: 255 }) },
        Parameter {
            name: "width",
            allowed: Allowed::Number {
                least: 0.5,
                most: 20.0,
                default: 4.0,
                unit: " percent of the frame's height",
            },
        },
    ],
    make: |_, values| {
        let halo = Halo::new(HaloWish {
            spread: values.number(1) / 100.0,
            right: 0.0,
            down: 0.0,
            // Full at the person's edge, and a little beyond, where the matte is soft.
            gain: 2.6,
            most: 1.0,
        });
        Effect::cut(Glow { colour: values.colour(0), halo })
    },
};

/// Lies on the background: the person stands before it.
struct Glow {
    colour: Rgb8,
    halo: Halo,
}

impl CutEffect for Glow {
    fn apply(&mut self, layers: &mut Layers<'_>, _moment: &Moment) -> Result<(), FrameError> {
        let weights = self.halo.of(layers)?;
        let background = layers.background.edit()?;
        let colour = background.colour().encode(self.colour);
        tint(background, weights, colour)
    }
}
