use greenroom_frame::{Colour, Frame, FrameError, Rgb8};

use super::action::{Effect, PictureEffect};
use super::area::Area;
use super::kind::{Allowed, EffectKind, Parameter};
use super::planes::{luma_means, luma_rows_a_chroma_row, luma_share};
use super::tables::{Table, look_up};
use super::target::Target;
use crate::Moment;

/// Colours from black to white, evenly spread.
type Stops = &'static [[u8; 3]];

pub(super) const KIND: EffectKind = EffectKind {
    names: &["colourmap", "colormap"],
    help: "light and dark in other colours",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter { name: "map", allowed: Allowed::Word(&MAP_NAMES) }],
    make: |target, values| Effect::picture(target, ColourMap::new(MAPS[values.word(0)].1)),
};

/// Its own effect, because that is what everyone calls it.
pub(super) const SEPIA: EffectKind = EffectKind {
    names: &["sepia"],
    help: "the browns of an old photograph",
    targets: Target::ALL_FIRST,
    parameters: &[],
    make: |target, _| {
        let stops = &[[0, 0, 0], [84, 66, 48], [160, 134, 104], [222, 200, 168], [255, 246, 226]];
        Effect::picture(target, ColourMap::new(stops))
    },
};

const MAPS: [(&str, Stops); 8] = [
    ("viridis", &[[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]]),
    ("winter", &[[0, 0, 255], [0, 255, 128]]),
    ("heat", &[[0, 0, 0], [128, 0, 0], [255, 64, 0], [255, 192, 0], [255, 255, 255]]),
    ("ice", &[[0, 4, 20], [10, 50, 120], [60, 140, 210], [160, 215, 245], [250, 255, 255]]),
    ("copper", &[[0, 0, 0], [80, 50, 32], [160, 100, 64], [235, 150, 96], [255, 205, 150]]),
    ("night", &[[0, 8, 2], [8, 70, 22], [30, 150, 50], [90, 225, 110], [205, 255, 205]]),
    ("neon", &[[10, 0, 40], [90, 0, 140], [230, 20, 140], [255, 140, 60], [255, 245, 150]]),
    ("negative", &[[255, 255, 255], [0, 0, 0]]),
];
const MAP_NAMES: [&str; MAPS.len()] = {
    let mut names = [""; MAPS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = MAPS[index].0;
        index += 1;
    }
    names
};

/// Each luma has a colour of its own.
struct ColourMap {
    stops: Stops,
    /// Y, U and V for each luma.
    tables: Option<(Colour, [Table; 3])>,
    means: Vec<u8>,
}

impl ColourMap {
    fn new(stops: Stops) -> Self {
        Self { stops, tables: None, means: Vec::new() }
    }

    fn tables(&self, colour: Colour) -> [Table; 3] {
        let mut tables = [[0; 256]; 3];
        for code in 0..=255u8 {
            let yuv = colour.encode(between(self.stops, luma_share(colour, code)));
            for (table, value) in tables.iter_mut().zip([yuv.y, yuv.u, yuv.v]) {
                table[usize::from(code)] = value;
            }
        }
        tables
    }
}

/// The colour at `share` of the way through `stops`.
fn between(stops: Stops, share: f32) -> Rgb8 {
    let place = share * (stops.len() - 1) as f32;
    let first = (place as usize).min(stops.len() - 2);
    let weight = place - first as f32;
    let [r, g, b] = std::array::from_fn(|channel| {
        let [from, to] = [0, 1].map(|next| f32::from(stops[first + next][channel]));
        (from + (to - from) * weight).round() as u8
    });
    Rgb8 { r, g, b }
}

impl PictureEffect for ColourMap {
    fn apply(
        &mut self,
        picture: &mut Frame,
        area: Area,
        _moment: &Moment,
    ) -> Result<(), FrameError> {
        let colour = picture.colour();
        if self.tables.is_none_or(|(made_for, _)| made_for != colour) {
            self.tables = Some((colour, self.tables(colour)));
        }
        let (_, [to_y, to_u, to_v]) = self.tables.as_ref().expect("made above");
        let share = luma_rows_a_chroma_row(picture.view());
        let mut view = picture.view_mut();
        let [mut y, mut u, mut v] = view.yuv_mut();
        let (luma_columns, columns) =
            (area.columns_of(y.row_bytes()), area.columns_of(u.row_bytes()));
        self.means.resize(u.row_bytes(), 0);
        let means = &mut self.means[..columns.len()];
        for row in area.rows_of(u.rows()) {
            let (upper, lower) = (row * share, (row * share + share - 1).min(y.rows() - 1));
            let stride = y.stride_bytes();
            let luma = |row: usize| &y.data()[row * stride..][luma_columns.clone()];
            luma_means(luma(upper), luma(lower), means);
            for (plane, table) in [(&mut u, to_u), (&mut v, to_v)] {
                let samples = &mut plane.row_mut(row)[columns.clone()];
                samples.copy_from_slice(means);
                look_up(samples, table);
            }
            for row in upper..=lower {
                look_up(&mut y.row_mut(row)[luma_columns.clone()], to_y);
            }
        }
        Ok(())
    }
}
