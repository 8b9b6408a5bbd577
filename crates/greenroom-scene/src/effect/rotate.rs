use greenroom_frame::{
    Colour, Frame, FrameError, PixelFormat, Plane, PlaneMut, PlaneScaler, SizePx,
};

use super::action::{CutEffect, Effect, PictureEffect};
use super::area::Area;
use super::kind::{Allowed, EffectKind, Parameter};
use super::mirror::Turn;
use super::target::Target;
use crate::{Layers, Moment};

pub(super) const KIND: EffectKind = EffectKind {
    names: &["rotate"],
    help: "turned clockwise, for a camera that lies on its side",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter { name: "degrees", allowed: Allowed::Word(&["90", "180", "270"]) }],
    make: |target, values| {
        let degrees = [Degrees::D90, Degrees::D180, Degrees::D270][values.word(0)];
        match target {
            Target::All => Effect::picture(target, Whole { degrees, turned: one_pixel() }),
            Target::Background => Effect::picture(target, Filling::new(degrees)),
            Target::Person => Effect::cut(Filling::new(degrees)),
        }
    },
};

/// Clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Degrees {
    D90,
    D180,
    D270,
}

fn one_pixel() -> Frame {
    Frame::new(PixelFormat::Grey, SizePx::new(1, 1), Colour::JPEG).expect("one pixel is a size")
}

fn half_turn(picture: &mut Frame) {
    Turn::Mirror.turn(picture);
    Turn::Flip.turn(picture);
}

/// The picture turned, with its size: nothing is cut off and nothing scaled, but 4:2:2 chroma, which
/// has as many rows as luma and half the columns, and must have that again.
struct Whole {
    degrees: Degrees,
    turned: Frame,
}

impl PictureEffect for Whole {
    fn apply(&mut self, picture: &mut Frame, _: Area, _: &Moment) -> Result<(), FrameError> {
        if self.degrees == Degrees::D180 {
            half_turn(picture);
            return Ok(());
        }
        let size = SizePx::new(picture.size().height_px, picture.size().width_px);
        self.turned.reshape(picture.format(), size, picture.colour())?;
        self.turned.set_captured_at(picture.captured_at());
        let tall_chroma = picture.format() == PixelFormat::I422;
        for (index, mut to) in self.turned.view_mut().planes_mut().enumerate() {
            let from = picture.view();
            let from = from.plane(index);
            if index > 0 && tall_chroma {
                turn_tall(from, &mut to, self.degrees);
            } else {
                turn_plane(from, &mut to, self.degrees);
            }
        }
        std::mem::swap(picture, &mut self.turned);
        Ok(())
    }
}

/// 4:2:2 chroma: of two rows that become columns the mean is taken, each column becomes two rows.
fn turn_tall(from: Plane<'_>, to: &mut PlaneMut<'_>, degrees: Degrees) {
    let (columns, rows) = (from.row_bytes(), from.rows());
    for (y, out) in to.iter_rows_mut().enumerate() {
        for (x, sample) in out.iter_mut().enumerate() {
            let (column, upper) = match degrees {
                Degrees::D90 => (y / 2, rows - 1 - 2 * x),
                _ => (columns - 1 - y / 2, 2 * x),
            };
            let lower = match degrees {
                Degrees::D90 => upper.saturating_sub(1),
                _ => (upper + 1).min(rows - 1),
            };
            let sum = u16::from(from.row(upper)[column]) + u16::from(from.row(lower)[column]);
            *sample = sum.div_ceil(2) as u8;
        }
    }
}

/// The picture turned within its size: it fills the frame again, and what stands out is cut off. The
/// matte goes the same way.
struct Filling {
    degrees: Degrees,
    /// One plane, turned.
    turned: Frame,
    /// For each plane of the picture, then for the mattes.
    scalers: [Option<PlaneScaler>; 5],
}

impl Filling {
    fn new(degrees: Degrees) -> Self {
        Self { degrees, turned: one_pixel(), scalers: [const { None }; 5] }
    }

    /// Turns the planes of `picture`, a picture or matte of a frame of `frame`'s size; `first` is
    /// the first of its scalers.
    fn turn(&mut self, picture: &mut Frame, frame: SizePx, first: usize) -> Result<(), FrameError> {
        if self.degrees == Degrees::D180 {
            half_turn(picture);
            return Ok(());
        }
        for index in 0..picture.format().plane_count() {
            let from = picture.view();
            let plane = from.plane(index);
            let size = SizePx::new(plane.row_bytes() as u32, plane.rows() as u32);
            let turned_size = SizePx::new(size.height_px, size.width_px);
            self.turned.reshape(PixelFormat::Grey, turned_size, Colour::JPEG)?;
            turn_plane(plane, &mut self.turned.view_mut().plane_mut(0), self.degrees);
            let part = self.turned.view().middle_of_shape(filling(turned_size, frame));
            let scaler = &mut self.scalers[first + index];
            let wanted = (part.size(), size);
            if scaler.as_ref().is_none_or(|scaler| (scaler.from(), scaler.to()) != wanted) {
                *scaler = Some(PlaneScaler::new(part.size(), size)?);
            }
            let scaler = scaler.as_mut().expect("made above");
            scaler.scale(part.plane(0), &mut picture.view_mut().plane_mut(index));
        }
        Ok(())
    }
}

/// Of a plane of a turned picture, `turned` samples large, the size of the part that fills a frame
/// of `frame`'s size. By the frame's shape, not the plane's: samples of 4:2:2 chroma are not square.
fn filling(turned: SizePx, frame: SizePx) -> SizePx {
    let (width, height) = (u64::from(frame.width_px), u64::from(frame.height_px));
    let part = |side: u32, short: u64, long: u64| {
        ((u64::from(side) * short * short / (long * long)) as u32).max(1)
    };
    if width > height {
        SizePx::new(turned.width_px, part(turned.height_px, height, width))
    } else {
        SizePx::new(part(turned.width_px, width, height), turned.height_px)
    }
}

impl PictureEffect for Filling {
    fn apply(&mut self, picture: &mut Frame, _: Area, _: &Moment) -> Result<(), FrameError> {
        self.turn(picture, picture.size(), 0)
    }
}

impl CutEffect for Filling {
    fn apply(&mut self, layers: &mut Layers<'_>, _moment: &Moment) -> Result<(), FrameError> {
        let size = layers.person.view().size();
        self.turn(layers.person.edit()?, size, 0)?;
        self.turn(layers.luma_alpha.edit()?, size, 3)?;
        self.turn(layers.chroma_alpha.edit()?, size, 4)
    }
}

/// Side of the squares that are turned at once: eight rows of eight fit eight registers.
const SIDE: usize = 8;

/// `from` turned by 90 or 270 degrees: a reflection in the diagonal, with the rows of one of the two
/// in reverse order.
fn turn_plane(from: Plane<'_>, to: &mut PlaneMut<'_>, degrees: Degrees) {
    let (columns, rows) = (from.row_bytes(), from.rows());
    let upside_down = degrees == Degrees::D90;
    let row_of = |y: usize| if upside_down { rows - 1 - y } else { y };
    let row_to = |x: usize| if upside_down { x } else { columns - 1 - x };
    for left in (0..columns).step_by(SIDE) {
        for top in (0..rows).step_by(SIDE) {
            if left + SIDE <= columns && top + SIDE <= rows {
                let square = std::array::from_fn(|y| {
                    let piece = &from.row(row_of(top + y))[left..left + SIDE];
                    u64::from_le_bytes(piece.try_into().expect("the slice is a square wide"))
                });
                for (x, piece) in reflected(square).into_iter().enumerate() {
                    let row = to.row_mut(row_to(left + x));
                    row[top..top + SIDE].copy_from_slice(&piece.to_le_bytes());
                }
                continue;
            }
            for x in left..(left + SIDE).min(columns) {
                for y in top..(top + SIDE).min(rows) {
                    to.row_mut(row_to(x))[y] = from.row(row_of(y))[x];
                }
            }
        }
    }
}

/// Eight rows of eight bytes, reflected in the diagonal: quarters are swapped, then theirs, then
/// theirs.
#[inline(always)]
fn reflected(mut rows: [u64; SIDE]) -> [u64; SIDE] {
    let steps =
        [(4, 0x0000_0000_ffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)];
    for (step, low) in steps {
        for upper in (0..SIDE).filter(|row| row & step == 0) {
            let lower = upper + step;
            let swapped = ((rows[upper] >> (8 * step)) ^ rows[lower]) & low;
            rows[lower] ^= swapped;
            rows[upper] ^= swapped << (8 * step);
        }
    }
    rows
}
