//! The effects, a file each (tiny sisters share one). A new one is a file and a line in [`KINDS`].

mod anonymise;
mod area;
mod blocks;
mod colour_map;
mod glow;
mod grain;
mod grammar;
mod greyscale;
mod halo;
mod hologram;
mod levels;
mod mirror;
mod opacity;
mod pixelate;
mod planes;
mod posterise;
mod rotate;
mod shadow;
mod sketch;
mod tables;
mod temperature;
#[cfg(test)]
mod tests;
mod vignette;

use greenroom_frame::{Frame, FrameError};

use crate::{Layers, Moment};
pub(crate) use area::Area;
use grammar::Kind;
pub use grammar::{EffectSpec, Target, effects_help};

/// All effects, in the order in which they are listed to users.
static KINDS: [Kind; 21] = [
    hologram::KIND,
    greyscale::KIND,
    colour_map::SEPIA,
    colour_map::KIND,
    levels::BRIGHTNESS,
    levels::CONTRAST,
    levels::SATURATION,
    levels::GAMMA,
    temperature::KIND,
    vignette::KIND,
    pixelate::KIND,
    posterise::KIND,
    sketch::KIND,
    glow::KIND,
    shadow::KIND,
    mirror::MIRROR,
    mirror::FLIP,
    rotate::KIND,
    opacity::KIND,
    grain::KIND,
    anonymise::KIND,
];

/// An effect on one picture, whichever that is. Planar, and changed in place; no memory is asked
/// for in steady state.
pub(crate) trait PictureEffect: Send {
    /// Changes `picture`. Only `area` of it will be seen: the rest may be changed or not, as is
    /// cheaper.
    fn apply(&mut self, picture: &mut Frame, area: Area, moment: &Moment)
    -> Result<(), FrameError>;
}

/// An effect that needs to know where the person is.
pub(crate) trait CutEffect: Send {
    /// Changes `layers`.
    fn apply(&mut self, layers: &mut Layers<'_>, moment: &Moment) -> Result<(), FrameError>;
}

/// An effect that is ready.
pub(crate) enum Effect {
    Picture(Target, Box<dyn PictureEffect>),
    Cut(Box<dyn CutEffect>),
}

impl Effect {
    fn picture(target: Target, effect: impl PictureEffect + 'static) -> Self {
        Effect::Picture(target, Box::new(effect))
    }

    fn cut(effect: impl CutEffect + 'static) -> Self {
        Effect::Cut(Box::new(effect))
    }

    /// Whether it looks at the person's picture, or changes it.
    pub(crate) fn sees_the_person(&self) -> bool {
        !matches!(self, Effect::Picture(Target::Background, _))
    }

    pub(crate) fn apply_to_layers(
        &mut self,
        layers: &mut Layers<'_>,
        moment: &Moment,
    ) -> Result<(), FrameError> {
        match self {
            Effect::Picture(Target::Person, effect) => {
                let Some(area) = Area::of_person(layers.luma_alpha.view()) else {
                    return Ok(());
                };
                effect.apply(layers.person.edit()?, area, moment)
            }
            Effect::Picture(Target::Background, effect) => {
                let background = layers.background.edit()?;
                let area = Area::whole(background.size());
                effect.apply(background, area, moment)
            }
            Effect::Picture(Target::All, _) => Ok(()),
            Effect::Cut(effect) => effect.apply(layers, moment),
        }
    }

    pub(crate) fn apply_to_whole(
        &mut self,
        canvas: &mut Frame,
        moment: &Moment,
    ) -> Result<(), FrameError> {
        match self {
            Effect::Picture(_, effect) => {
                let area = Area::whole(canvas.size());
                effect.apply(canvas, area, moment)
            }
            Effect::Cut(_) => Ok(()),
        }
    }
}
