use greenroom_frame::{Frame, FrameError};

use super::action::{Effect, PictureEffect};
use super::area::Area;
use super::kind::EffectKind;
use super::target::Target;
use crate::Moment;

pub(super) const KIND: EffectKind = EffectKind {
    names: &["greyscale", "grayscale"],
    help: "no colour",
    targets: Target::ALL_FIRST,
    parameters: &[],
    make: |target, _| Effect::picture(target, Greyscale),
};

/// No colour: luma alone.
struct Greyscale;

impl PictureEffect for Greyscale {
    fn apply(
        &mut self,
        picture: &mut Frame,
        area: Area,
        _moment: &Moment,
    ) -> Result<(), FrameError> {
        for mut plane in picture.view_mut().planes_mut().skip(1) {
            area.rows(&mut plane).for_each(|row| row.fill(128));
        }
        Ok(())
    }
}
