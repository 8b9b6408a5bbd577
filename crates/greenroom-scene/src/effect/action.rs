//! An [`Effect`] is ready to work, on one picture or on all layers.

use greenroom_frame::{Frame, FrameError};

use super::area::Area;
use super::target::Target;
use crate::{Layers, Moment};

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
    pub(super) fn picture(target: Target, effect: impl PictureEffect + 'static) -> Self {
        Effect::Picture(target, Box::new(effect))
    }

    pub(super) fn cut(effect: impl CutEffect + 'static) -> Self {
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
