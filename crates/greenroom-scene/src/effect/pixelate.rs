use greenroom_frame::{Frame, FrameError};

use super::action::{Effect, PictureEffect};
use super::area::Area;
use super::blocks::Blocks;
use super::kind::{Allowed, EffectKind, Parameter};
use super::target::Target;
use crate::Moment;

pub(super) const KIND: EffectKind = EffectKind {
    names: &["pixelate"],
    help: "large square pixels (to be unrecognisable, use anonymise)",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter {
        name: "rows",
        allowed: Allowed::Whole { least: 4, most: 360, default: 45, unit: " rows" },
    }],
    make: |target, values| {
        let rows = values.number(0) as usize;
        Effect::picture(target, Pixelate { rows })
    },
};

/// So many rows of pixels as asked for, each the mean of what it covers.
struct Pixelate {
    rows: usize,
}

impl PictureEffect for Pixelate {
    fn apply(
        &mut self,
        picture: &mut Frame,
        area: Area,
        _moment: &Moment,
    ) -> Result<(), FrameError> {
        let blocks = Blocks::new((picture.size().height_px as usize).div_ceil(self.rows), [8, 8]);
        let side = blocks.side_px();
        let columns = area.left_px / side..area.right_px.div_ceil(side);
        let rows = area.top_px / side..area.bottom_px.div_ceil(side);
        blocks.apply(picture, |x, y| columns.contains(&x) && rows.contains(&y));
        Ok(())
    }
}
