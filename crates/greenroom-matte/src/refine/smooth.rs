mod carry;
mod changes;

use greenroom_frame::{Colour, Frame, PixelFormat, PlaneScaler, SizePx};

use self::carry::Carry;
use self::changes::Changes;
use super::kernels::{SureRoom, WeightRamp, follow};
use super::motion::Motion;
use super::thumbnails::Thumbnails;
use crate::counting::count;
use crate::planes::SmallPlanes;
use crate::{Isa, MatteError};

/// Keeps the edges calm that stand still: a mask is blended with the one before it, the more the less
/// the picture has changed there. What moved takes the new mask at once, so there is no trail; but
/// where a person goes as a whole, the mask before goes with them (dtSSD is 2 to 3 % lower for it).
///
/// MediaPipe blends by how sure the network is; here the picture decides, for networks are sure of
/// their flicker. The change is |dY| + |dU| + |dV| of the thumbnail, the most of it in 3x3 cells: with their mean
/// in its place, MAD is 1 to 2 % higher.
#[derive(Debug)]
pub(crate) struct Smoother {
    isa: Isa,
    /// `None` before the first picture.
    tables: Option<Tables>,
    /// How much the new mask counts, for each of its samples.
    weights: Frame,
    /// The mask so far, in 128ths of its levels: a slow approach does not get stuck.
    state: Vec<u16>,
    /// Whether `state` is of the picture before this one.
    knows: bool,
    /// Frames until the network has seen its part of the picture for long.
    anew_frames: u32,
}

/// What is made for pictures of a size.
#[derive(Debug)]
struct Tables {
    picture: SizePx,
    changes: Changes,
    /// How much the new mask counts in each cell; and what brings that to the mask's size.
    weights: Frame,
    scaler: PlaneScaler,
    /// Of those who go.
    motion: Motion,
    carry: Carry,
    /// Cells that show a person for sure.
    person: Vec<bool>,
}

/// Share of the new mask where nothing changes, of 255: 0.2. 0.15 and 0.3 behave alike.
const STILL: u8 = 51;
/// The same while the network has just begun to look at another part of the picture: it sees all of
/// it a little differently, and what stands still is to go over slowly.
const STILL_ANEW: u8 = 13;
/// How long that is.
const ANEW_FRAMES: u32 = 20;
/// Change of a cell up to which nothing has changed, and from which on everything has; then the new mask
/// is all that counts.
const WEIGHTS: WeightRamp = WeightRamp { low: 6, high: 20, least: STILL, most: 255 };
/// Level of the mask from which on a sample is of a person who may go.
const PERSON: u8 = 100;
/// Level from which on a sample shows a person for sure.
const SURE_PERSON: u16 = 230;
/// Cells between an edge of the mask and what is inside of a person: no edge gets there from one frame to the next.
const REACH_CELLS: usize = 2;
/// The least length of an edge: where nobody is, or hardly anybody, any change may be somebody who comes.
const LEAST_EDGE_CELLS: usize = 20;
/// Up to this level of the new mask it is sure of the room, and counts at least so much: what was seen of
/// the room by mistake is to be gone at once. (As slowly as all else, 75 pixels a frame of mdn_b_inout were
/// room far from the person, and MAD was 5 % higher; with 5 pixels, toggles are 4 % more.)
const SURE_ROOM: SureRoom = SureRoom { level: 8, least: 102 };
/// Share of changed cells from which on it is another picture.
const CUT_PERCENT: usize = 70;

impl Smoother {
    pub(crate) fn new(mask_size: SizePx, isa: Isa) -> Result<Self, MatteError> {
        Ok(Self {
            isa,
            tables: None,
            weights: Frame::new(PixelFormat::Grey, mask_size, Colour::JPEG)?,
            state: vec![0; mask_size.area_px() as usize],
            knows: false,
            anew_frames: 0,
        })
    }

    /// The next mask has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        (self.knows, self.anew_frames) = (false, 0);
    }

    /// The network looks at another part of the picture than the frame before.
    pub(crate) fn look_anew(&mut self) {
        self.anew_frames = ANEW_FRAMES;
    }

    /// Compares the newest picture of `thumbnails` with the one before.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if that is of a size for which there are no tables.
    pub(crate) fn compare(&mut self, thumbnails: &Thumbnails) -> Result<(), MatteError> {
        let picture = thumbnails.picture();
        let tables = match &mut self.tables {
            Some(tables) if tables.picture == picture => tables,
            other => {
                self.knows = false;
                let sizes = [thumbnails.new.size(), self.weights.size()];
                other.insert(Tables::new(picture, sizes)?)
            }
        };
        if self.knows {
            let still = if self.anew_frames > 0 { STILL_ANEW } else { STILL };
            self.anew_frames = self.anew_frames.saturating_sub(1);
            self.knows = tables.weigh(self.isa, thumbnails, still);
        }
        if !self.knows {
            tables.motion.reset();
        }
        Ok(())
    }

    /// After [`compare`](Self::compare), how many of the picture's cells have changed for each cell that the mask's edge is long,
    /// without those that are inside of a person: at the others, the edge may be elsewhere now. `None` where there is no mask so
    /// far, or none of this picture.
    pub(crate) fn changed_at_edge(&mut self) -> Option<f32> {
        let tables = self.tables.as_mut().filter(|_| self.knows)?;
        Some(tables.changed_at_edge(&self.state))
    }

    /// After [`compare`](Self::compare), moves the mask so far on to the newest picture of `thumbnails`.
    pub(crate) fn advance(&mut self, thumbnails: &Thumbnails) {
        if let Some(tables) = self.tables.as_mut().filter(|_| self.knows) {
            tables.carry(self.isa, thumbnails, &mut self.state);
        }
    }

    /// Smooths `mask`, which is that of all of the newest picture, after [`advance`](Self::advance).
    pub(crate) fn blend(&mut self, mask: &mut Frame) {
        let Some(tables) = self.tables.as_mut().filter(|_| self.knows) else {
            let levels = self.state.iter_mut().zip(mask.bytes());
            levels.for_each(|(state, level)| *state = u16::from(*level) << 7);
            self.knows = true;
            return;
        };
        let mut samples = self.weights.view_mut();
        tables.scaler.scale(tables.weights.view().plane(0), &mut samples.plane_mut(0));
        follow(self.isa, &mut self.state, mask.bytes_mut(), self.weights.bytes(), SURE_ROOM);
    }

    /// Makes `mask` the mask so far, after [`advance`](Self::advance) has moved that on: for a picture that the network is
    /// not asked about.
    pub(crate) fn repeat(&self, mask: &mut Frame) {
        for (level, state) in mask.bytes_mut().iter_mut().zip(&self.state) {
            *level = ((state + 64) >> 7) as u8;
        }
    }
}

impl Tables {
    fn new(picture: SizePx, [cells, mask]: [SizePx; 2]) -> Result<Self, MatteError> {
        Ok(Self {
            picture,
            changes: Changes::new(cells),
            weights: Frame::new(PixelFormat::Grey, cells, Colour::JPEG)?,
            scaler: PlaneScaler::new(cells, mask)?,
            motion: Motion::new(mask, cells),
            carry: Carry::new(mask, cells),
            person: Vec::with_capacity(cells.area_px() as usize),
        })
    }

    /// The weights of the cells, `still` where nothing has changed; `false` if this is another picture
    /// altogether.
    fn weigh(&mut self, isa: Isa, Thumbnails { new, old, .. }: &Thumbnails, still: u8) -> bool {
        let SizePx { width_px, height_px } = new.size();
        let (width, height) = (width_px as usize, height_px as usize);
        self.changes.clear(width, height);
        for (new, old) in new.bytes().into_iter().zip(old.bytes()) {
            let rows = new.chunks_exact(width).zip(old.chunks_exact(width));
            rows.enumerate().for_each(|(y, (new, old))| self.changes.add(isa, y, new, old));
        }
        let mut changed = 0;
        for (y, out) in self.weights.bytes_mut().chunks_exact_mut(width).enumerate() {
            self.changes.weigh(isa, y, out, WeightRamp { least: still, ..WEIGHTS });
            changed += count(out, |weight| weight == 255);
        }
        changed * 100 < CUT_PERCENT * width * height
    }

    /// See [`Smoother::changed_at_edge`]. `state` is the mask so far.
    fn changed_at_edge(&mut self, state: &[u16]) -> f32 {
        let cells = self.motion.cells();
        let (width, height) = (cells.width_px as usize, cells.height_px as usize);
        self.motion.fill_person(&mut self.person, |at| state[at] >= SURE_PERSON << 7);
        let person = &self.person;
        let is_inside = |x: usize, y: usize| {
            let rows = y.saturating_sub(REACH_CELLS)..(y + REACH_CELLS + 1).min(height);
            let columns = x.saturating_sub(REACH_CELLS)..(x + REACH_CELLS + 1).min(width);
            rows.clone().all(|y| person[y * width..][columns.clone()].iter().all(|&it| it))
        };
        let mut changed = 0;
        for (at, &weight) in self.weights.bytes().iter().enumerate() {
            if weight > STILL && !is_inside(at % width, at / width) {
                changed += u32::from(weight - STILL);
            }
        }
        let rows = person.chunks_exact(width);
        let across = rows.clone().flat_map(|row| row.windows(2)).filter(|pair| pair[0] != pair[1]);
        let down = person.iter().zip(&person[width.min(person.len())..]).filter(|(a, b)| a != b);
        let edge = across.count() + down.count() + LEAST_EDGE_CELLS;
        changed as f32 / (f32::from(255 - STILL) * edge as f32)
    }

    /// Takes `state`, the mask so far, along with a person who goes.
    fn carry(&mut self, isa: Isa, thumbnails: &Thumbnails, state: &mut [u16]) {
        let [new, old] = [&thumbnails.new, &thumbnails.old].map(SmallPlanes::bytes);
        let is_person = |at: usize| state[at] >= u16::from(PERSON) << 7;
        let way = self.motion.find(isa, is_person, new[0], old[0]);
        if let (Some(way), Some(person)) = (way, self.motion.extent()) {
            self.carry.carry(isa, (person, way), new, old, self.weights.bytes_mut(), state);
        }
    }
}

#[cfg(test)]
mod tests;
