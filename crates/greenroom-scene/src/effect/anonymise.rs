use greenroom_frame::{Frame, FrameError, FrameView, Rgb8};

use super::action::{CutEffect, Effect, PictureEffect};
use super::area::Area;
use super::blocks::Blocks;
use super::kind::{Allowed, EffectKind, Parameter};
use super::target::Target;
use crate::{Layers, Moment};

/// Rows of blocks. People are known again in pictures of 10 rows of a face, friends at times in
/// fewer (Sinha et al. 2006). A face takes a third of a webcam's picture, all of it at the most: 8
/// rows leave it 3, and 8 at the most. More than 12 cannot be asked for.
const ROWS: Allowed = Allowed::Whole { least: 2, most: 12, default: 8, unit: " rows of blocks" };

pub(super) const KIND: EffectKind = EffectKind {
    names: &["anonymise", "anonymize"],
    help: "nobody can be recognised: a few coarse blocks, or a plain silhouette",
    targets: &[Target::Person, Target::All],
    parameters: &[
        Parameter { name: "way", allowed: Allowed::Word(&["blocks", "silhouette"]) },
        Parameter { name: "rows", allowed: ROWS },
    ],
    make: |target, values| {
        let way = if values.word(0) == 0 { Way::Blocks } else { Way::Silhouette };
        let effect = Anonymise { way, rows: values.number(1) as usize, touched: Vec::new() };
        match target {
            Target::Person => Effect::cut(effect),
            Target::Background | Target::All => Effect::picture(target, effect),
        }
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Blocks,
    Silhouette,
}

/// What a silhouette is painted with: seen before dark and before bright.
const SILHOUETTE: Rgb8 = Rgb8 { r: 74, g: 85, b: 96 };
/// Of each block's mean so many bits are shown, of luma and of chroma: a face that moves under coarse
/// blocks could be put together again from many exact means. Chroma of people spans less.
const KEPT_BITS: [u32; 2] = [4, 5];
/// What is so much person, of 255, must be hidden in the room behind: the same sixteenth from which
/// the blurred room takes a pixel for person.
const PERSON_FROM: u8 = 16;

struct Anonymise {
    way: Way,
    rows: usize,
    /// Whether there is a person in each block.
    touched: Vec<bool>,
}

impl Anonymise {
    fn blocks(&self, picture: FrameView<'_>) -> Blocks {
        Blocks::new((picture.size().height_px as usize).div_ceil(self.rows), KEPT_BITS)
    }

    /// All of the picture.
    fn hide(&self, picture: &mut Frame) {
        match self.way {
            Way::Blocks => self.blocks(picture.view()).apply(picture, |_, _| true),
            Way::Silhouette => picture.fill(picture.colour().encode(SILHOUETTE)),
        }
    }

    /// The room's picture behind shows the person as well: every block that the person touches is
    /// hidden, whole; where the person was found, not where an effect put the matte since. If an
    /// effect has changed the room (it may have turned it), all of it is hidden; and if nobody was
    /// found, since whom the network misses is not to be seen either.
    fn hide_behind(&mut self, layers: &mut Layers<'_>) -> Result<(), FrameError> {
        if layers.background.is_changed() {
            self.hide(layers.background.edit()?);
            return Ok(());
        }
        let side = self.blocks(layers.person.view()).side_px();
        let alpha = layers.luma_alpha.original().plane(0);
        let across = alpha.row_bytes().div_ceil(side);
        self.touched.clear();
        self.touched.resize(across * alpha.rows().div_ceil(side), false);
        for (y, row) in alpha.iter_rows().enumerate() {
            for (x, piece) in row.chunks(side).enumerate() {
                let touched = &mut self.touched[y / side * across + x];
                *touched = *touched || piece.iter().any(|&alpha| alpha >= PERSON_FROM);
            }
        }
        if !self.touched.contains(&true) {
            self.hide(layers.background.edit()?);
            return Ok(());
        }
        let background = layers.background.edit()?;
        let wanted = |x: usize, y: usize| self.touched[y * across + x];
        match self.way {
            Way::Blocks => self.blocks(background.view()).apply(background, wanted),
            Way::Silhouette => {
                let colour = background.colour().encode(SILHOUETTE);
                self.blocks(background.view()).fill(background, colour, wanted);
            }
        }
        Ok(())
    }
}

impl PictureEffect for Anonymise {
    fn apply(&mut self, picture: &mut Frame, _: Area, _: &Moment) -> Result<(), FrameError> {
        self.hide(picture);
        Ok(())
    }
}

impl CutEffect for Anonymise {
    fn apply(&mut self, layers: &mut Layers<'_>, _moment: &Moment) -> Result<(), FrameError> {
        if layers.background_is_room {
            self.hide_behind(layers)?;
        }
        // The matte stays soft: what is seen through its edge is hidden, or another picture.
        self.hide(layers.person.edit()?);
        Ok(())
    }
}
