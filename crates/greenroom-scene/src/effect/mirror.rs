//! Left and right, up and down.

use greenroom_frame::{Frame, FrameError};

use super::action::{CutEffect, Effect, PictureEffect};
use super::area::Area;
use super::kind::EffectKind;
use super::planes::tight_plane;
use super::target::Target;
use crate::{Layers, Moment};

pub(super) const MIRROR: EffectKind = EffectKind {
    names: &["mirror"],
    help: "left and right changed over",
    targets: Target::ALL_FIRST,
    parameters: &[],
    make: |target, _| make(target, Turn::Mirror),
};

pub(super) const FLIP: EffectKind = EffectKind {
    names: &["flip"],
    help: "upside down, as in a lake",
    targets: Target::ALL_FIRST,
    parameters: &[],
    make: |target, _| make(target, Turn::Flip),
};

/// A person is turned with the matte, or it would be cut out where it no longer is.
fn make(target: Target, turn: Turn) -> Effect {
    match target {
        Target::Person => Effect::cut(turn),
        Target::Background | Target::All => Effect::picture(target, turn),
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    Mirror,
    Flip,
}

impl Turn {
    pub(super) fn turn(self, picture: &mut Frame) {
        for index in 0..picture.format().plane_count() {
            let (bytes, width) = tight_plane(picture, index);
            let mut rows = bytes.chunks_exact_mut(width);
            match self {
                Turn::Mirror => rows.for_each(<[u8]>::reverse),
                Turn::Flip => {
                    while let (Some(upper), Some(lower)) = (rows.next(), rows.next_back()) {
                        upper.swap_with_slice(lower);
                    }
                }
            }
        }
    }
}

impl PictureEffect for Turn {
    fn apply(&mut self, picture: &mut Frame, _: Area, _: &Moment) -> Result<(), FrameError> {
        self.turn(picture);
        Ok(())
    }
}

impl CutEffect for Turn {
    fn apply(&mut self, layers: &mut Layers<'_>, _moment: &Moment) -> Result<(), FrameError> {
        for layer in [&mut layers.person, &mut layers.luma_alpha, &mut layers.chroma_alpha] {
            self.turn(layer.edit()?);
        }
        Ok(())
    }
}
