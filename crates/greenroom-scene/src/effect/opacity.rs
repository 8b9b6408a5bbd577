use greenroom_frame::FrameError;

use super::action::{CutEffect, Effect};
use super::area::Area;
use super::kind::{Allowed, EffectKind, Parameter};
use super::tables::{Table, look_up};
use super::target::Target;
use crate::{Layers, Moment};

pub(super) const KIND: EffectKind = EffectKind {
    names: &["opacity"],
    help: "a see-through person: 0 is not to be seen, 100 is solid",
    targets: Target::ONLY_PERSON,
    parameters: &[Parameter {
        name: "opacity",
        allowed: Allowed::Number { least: 0.0, most: 100.0, default: 50.0, unit: " percent" },
    }],
    make: |_, values| {
        let share = values.number(0) / 100.0;
        Effect::cut(Opacity {
            table: std::array::from_fn(|alpha| (alpha as f32 * share).round() as u8),
        })
    },
};

/// The matte times a factor.
struct Opacity {
    table: Table,
}

impl CutEffect for Opacity {
    fn apply(&mut self, layers: &mut Layers<'_>, _moment: &Moment) -> Result<(), FrameError> {
        let Some(area) = Area::of_person(layers.luma_alpha.view()) else { return Ok(()) };
        for alpha in [&mut layers.luma_alpha, &mut layers.chroma_alpha] {
            let mut view = alpha.edit()?.view_mut();
            let mut plane = view.plane_mut(0);
            area.rows(&mut plane).for_each(|row| look_up(row, &self.table));
        }
        Ok(())
    }
}
