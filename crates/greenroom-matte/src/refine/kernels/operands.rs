//! What the kernels take and give, by name: rows that belong together, and the numbers that a
//! formula has. The rows of one of these are equally long.

/// Columns that `widen` writes at a time.
pub const WIDEN_LANES: usize = 8;

/// Two rows that are multiplied by each other.
#[derive(Debug, Clone, Copy)]
pub struct Product<'a> {
    pub a: &'a [f32],
    pub b: &'a [f32],
}

/// Chroma of a row, codes 0..=255.
#[derive(Debug, Clone, Copy)]
pub struct ChromaRows<'a> {
    pub u: &'a [u8],
    pub v: &'a [u8],
}

/// The colours of a row of cells, 0..=1.
#[derive(Debug, Clone, Copy)]
pub struct ColourRows<'a> {
    pub y: &'a [f32],
    pub u: &'a [f32],
    pub v: &'a [f32],
}

/// What alpha is made of in a row of cells: it is `by_y * y + by_u * u + by_v * v + constant`, of
/// colours 0..=1 an alpha of about 0..=1.
#[derive(Debug, Clone, Copy)]
pub struct FactorRows<'a> {
    pub by_y: &'a [f32],
    pub by_u: &'a [f32],
    pub by_v: &'a [f32],
    pub constant: &'a [f32],
}

/// What alpha is made of where chroma is folded in: it is `slopes * luma + offsets`, both 0..=255;
/// what is below and above is cut off.
#[derive(Debug, Clone, Copy)]
pub struct LineRows<'a> {
    pub slopes: &'a [f32],
    pub offsets: &'a [f32],
}

/// [`LineRows`] to be written.
#[derive(Debug)]
pub struct LineRowsMut<'a> {
    pub slopes: &'a mut [f32],
    pub offsets: &'a mut [f32],
}

/// The alphas, 0..=1, that become 0 and 1: `(alpha - room) / (person - room)`.
#[derive(Debug, Clone, Copy)]
pub struct Ramp {
    pub room: f32,
    pub person: f32,
}

/// The first column between two places of a narrow row, and how far it is from the one to the
/// other, 0..=1.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub column: u32,
    pub share: f32,
}

/// From one column to the next the share grows by `step`, for so many `columns`: whole
/// [`WIDEN_LANES`].
#[derive(Debug, Clone, Copy)]
pub struct Growth {
    pub step: f32,
    pub columns: usize,
}

/// What is summed up of the person and of the room in a row of cells.
#[derive(Debug, Clone, Copy)]
pub struct SideRows<'a> {
    pub person: &'a [f32],
    pub room: &'a [f32],
}

/// What sums of the cell itself, mixed as it is, and of person and room are multiplied by.
#[derive(Debug, Clone, Copy)]
pub struct ShareRows<'a> {
    pub mixed: &'a [f32],
    pub person: &'a [f32],
    pub room: &'a [f32],
}

/// [`ShareRows`] to be written.
#[derive(Debug)]
pub struct ShareRowsMut<'a> {
    pub mixed: &'a mut [f32],
    pub person: &'a mut [f32],
    pub room: &'a mut [f32],
}

/// How far what is read lies beyond a sample, to the right and down, in 256ths of a sample.
#[derive(Debug, Clone, Copy)]
pub struct Shift {
    pub across: u16,
    pub down: u16,
}

/// How a weight follows from a change: up to a change of `low` it is `least`, from `high` on `most`,
/// and between them it grows in a straight line.
#[derive(Debug, Clone, Copy)]
pub struct WeightRamp {
    pub low: u16,
    pub high: u16,
    pub least: u8,
    pub most: u8,
}

/// What a new mask says of the room at its `level` and below weighs `least` at the least.
#[derive(Debug, Clone, Copy)]
pub struct SureRoom {
    pub level: u8,
    pub least: u8,
}

/// What is known of the screen behind a row of samples: its chroma, and the codes of distance that
/// are all room and all person.
#[derive(Debug, Clone, Copy)]
pub struct ScreenRows<'a> {
    pub u: &'a [u8],
    pub v: &'a [u8],
    pub room: &'a [u8],
    pub person: &'a [u8],
}

/// What `screen_distance` finds: codes of distance, which are the higher the nearer a sample is to
/// the screen's colour, and alphas.
#[derive(Debug)]
pub struct KeyRowsMut<'a> {
    pub distance: &'a mut [u8],
    pub alpha: &'a mut [u8],
}

/// The codes of distance of what has no colour (`neutral`) and of the screen (`screen`), how much more
/// colours count that are beside the screen's hue (`across`), and the code that is all person where
/// the network is sure of one (`certain`).
#[derive(Debug, Clone, Copy)]
pub struct DistanceScale {
    pub neutral: f32,
    pub screen: f32,
    pub across: f32,
    pub certain: f32,
}

/// What `tally` looks at in a row of samples.
#[derive(Debug, Clone, Copy)]
pub struct TallyRows<'a> {
    pub u: &'a [u8],
    pub v: &'a [u8],
    pub distance: &'a [u8],
    pub alpha: &'a [u8],
}

/// What `tally` adds to, for each column: counts of samples that are near to the screen, solid and
/// clear, sums of U, V and distance, and of the distance's squares.
#[derive(Debug)]
pub struct TallyMut<'a> {
    pub near: &'a mut [u16],
    pub solid: &'a mut [u16],
    pub clear: &'a mut [u16],
    pub u: &'a mut [u16],
    pub v: &'a mut [u16],
    pub distance: &'a mut [u16],
    pub squares: &'a mut [u32],
}

/// The code of distance from which on a sample is near to the screen, and the alphas from which on it
/// is solid and up to which it is clear.
#[derive(Debug, Clone, Copy)]
pub struct TallyLevels {
    pub near: u8,
    pub solid: u8,
    pub clear: u8,
}

/// Gives structs of rows a way to take the same columns of each.
macro_rules! cut {
    ($($rows:ident { $($row:ident),* };)*) => {$(
        impl<'a> $rows<'a> {
            /// These columns of each row.
            #[inline(always)]
            #[must_use]
            pub fn columns(self, columns: std::ops::Range<usize>) -> $rows<'a> {
                $rows { $($row: &self.$row[columns.clone()]),* }
            }
        }
    )*};
}

cut! {
    ChromaRows { u, v };
    ColourRows { y, u, v };
    FactorRows { by_y, by_u, by_v, constant };
    SideRows { person, room };
    ShareRows { mixed, person, room };
}
