use greenroom_frame::{Colour, Frame, FrameError};

use super::action::PictureEffect;
use super::area::Area;
use super::planes::{chroma_code, luma_code, luma_share};
use crate::Moment;

/// What becomes of each code of a sample.
pub(super) type Table = [u8; 256];

/// A table for luma: `change` takes and gives 0..=1.
pub(super) fn luma_table(colour: Colour, change: impl Fn(f32) -> f32) -> Table {
    std::array::from_fn(|code| luma_code(colour, change(luma_share(colour, code as u8))))
}

/// A table for chroma: `change` takes and gives -0.5..=0.5, 0 = no colour.
pub(super) fn chroma_table(colour: Colour, change: impl Fn(f32) -> f32) -> Table {
    let (_, _, span) = colour.scales();
    std::array::from_fn(|code| chroma_code(colour, change((code as f32 - 128.0) / span)))
}

/// An effect whose samples each depend on themselves alone.
pub(super) struct Tables<F> {
    make: F,
    /// For luma and for chroma; without one, samples stay as they are.
    made: Option<(Colour, [Option<Table>; 2])>,
}

impl<F: Fn(Colour) -> [Option<Table>; 2] + Send> Tables<F> {
    /// `make` gives the tables of luma and chroma for a colour encoding, and is asked again only
    /// when that changes.
    pub(super) fn new(make: F) -> Self {
        Self { make, made: None }
    }
}

impl<F: Fn(Colour) -> [Option<Table>; 2] + Send> PictureEffect for Tables<F> {
    fn apply(
        &mut self,
        picture: &mut Frame,
        area: Area,
        _moment: &Moment,
    ) -> Result<(), FrameError> {
        let colour = picture.colour();
        if self.made.is_none_or(|(made_for, _)| made_for != colour) {
            self.made = Some((colour, (self.make)(colour)));
        }
        let (_, [luma, chroma]) = self.made.as_ref().expect("made above");
        for (index, mut plane) in picture.view_mut().planes_mut().enumerate() {
            if let Some(table) = if index == 0 { luma } else { chroma } {
                area.rows(&mut plane).for_each(|row| look_up(row, table));
            }
        }
        Ok(())
    }
}

/// Every sample changed by `table`.
pub(super) fn look_up(row: &mut [u8], table: &Table) {
    row.iter_mut().for_each(|sample| *sample = table[usize::from(*sample)]);
}
