use greenroom_frame::{Frame, FrameError};

use super::action::{Effect, PictureEffect};
use super::area::Area;
use super::kind::{Allowed, EffectKind, Parameter};
use super::planes::copy_plane;
use super::target::Target;
use crate::Moment;

pub(super) const KIND: EffectKind = EffectKind {
    names: &["sketch"],
    help: "a pencil drawing: edges alone, on white paper",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter {
        name: "strength",
        allowed: Allowed::Number { least: 1.0, most: 100.0, default: 70.0, unit: " percent" },
    }],
    make: |target, values| {
        let gain = (values.number(0) / 100.0 * 32.0).round().max(1.0) as u16;
        Effect::picture(target, Sketch { gain, luma: Vec::new() })
    },
};

/// Slopes up to this are camera noise, not edges.
const NOISE: u16 = 24;

/// White less the slope of luma by Sobel's two 3x3 masks, |across| + |down|.
struct Sketch {
    /// Q5.
    gain: u16,
    luma: Vec<u8>,
}

impl PictureEffect for Sketch {
    fn apply(
        &mut self,
        picture: &mut Frame,
        area: Area,
        _moment: &Moment,
    ) -> Result<(), FrameError> {
        copy_plane(picture.view().plane(0), &mut self.luma);
        let (floor, span, _) = picture.colour().scales();
        let (white, black) = ((floor + span) as u8, floor as u8);
        let mut view = picture.view_mut();
        let [mut y, mut u, mut v] = view.yuv_mut();
        let (width, last) = (y.row_bytes(), y.rows() - 1);
        let columns = area.columns_of(width);
        for row in area.rows_of(y.rows()) {
            let source = |row: usize| &self.luma[row * width..][..width];
            let rows = [source(row.saturating_sub(1)), source(row), source((row + 1).min(last))];
            let out = y.row_mut(row);
            // A frame's outermost columns have no neighbours, and no edge.
            let inner = columns.start.max(1)..columns.end.min(width.saturating_sub(1));
            out[columns.clone()].fill(white);
            if inner.start < inner.end {
                let around = inner.start - 1..inner.end + 1;
                let rows = rows.map(|row| &row[around.clone()]);
                draw_row(&mut out[inner], rows, self.gain, (white, black));
            }
        }
        for plane in [&mut u, &mut v] {
            area.rows(plane).for_each(|row| row.fill(128));
        }
        Ok(())
    }
}

/// `rows` have a sample more at either end than `out`.
fn draw_row(out: &mut [u8], rows: [&[u8]; 3], gain: u16, (white, black): (u8, u8)) {
    let count = out.len();
    // Nine slices of one length, so that no index is checked in the loop.
    let [above, here, below] = rows.map(|row| [0, 1, 2].map(|x| &row[x..x + count]));
    for (x, out) in out.iter_mut().enumerate() {
        let [a, b, c] = above.map(|row| i16::from(row[x]));
        let [d, _, e] = here.map(|row| i16::from(row[x]));
        let [f, g, h] = below.map(|row| i16::from(row[x]));
        let across = (c - a) + 2 * (e - d) + (h - f);
        let down = (f - a) + 2 * (g - b) + (h - c);
        // At most 2040 times a gain of 1 in Q5 is within 16 bits.
        let slope = (across.unsigned_abs() + down.unsigned_abs()).saturating_sub(NOISE);
        let ink = ((slope * gain) >> 5).min(255) as u8;
        *out = white.saturating_sub(ink).max(black);
    }
}
