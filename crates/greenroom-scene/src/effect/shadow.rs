use greenroom_frame::{FrameError, Rgb8, tint};

use super::action::{CutEffect, Effect};
use super::halo::{Halo, HaloWish};
use super::kind::{Allowed, EffectKind, Parameter};
use super::target::Target;
use crate::{Layers, Moment};

const fn of_height(least: f32, most: f32, default: f32) -> Allowed {
    Allowed::Number { least, most, default, unit: " percent of the frame's height" }
}

pub(super) const KIND: EffectKind = EffectKind {
    names: &["shadow"],
    help: "the person's shadow on what stands behind",
    targets: Target::ONLY_PERSON,
    parameters: &[
        Parameter {
            name: "strength",
            allowed: Allowed::Number { least: 0.0, most: 100.0, default: 60.0, unit: " percent" },
        },
        Parameter { name: "softness", allowed: of_height(0.5, 20.0, 5.0) },
        Parameter { name: "right", allowed: of_height(-50.0, 50.0, 4.0) },
        Parameter { name: "down", allowed: of_height(-50.0, 50.0, 4.0) },
    ],
    make: |_, values| {
        let strength = values.number(0) / 100.0;
        let [spread, right, down] = [1, 2, 3].map(|index| values.number(index) / 100.0);
        Effect::cut(Shadow(Halo::new(HaloWish {
            spread,
            right,
            down,
            gain: strength,
            most: strength,
        })))
    },
};

/// Lies on the background: the person stands before it.
struct Shadow(Halo);

impl CutEffect for Shadow {
    fn apply(&mut self, layers: &mut Layers<'_>, _moment: &Moment) -> Result<(), FrameError> {
        let weights = self.0.of(layers)?;
        let background = layers.background.edit()?;
        let black = background.colour().encode(Rgb8 { r: 0, g: 0, b: 0 });
        tint(background, weights, black)
    }
}
