mod carry;

use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, PlaneScaler, SizePx};

use self::carry::Carry;
use super::kernels::{add_difference, follow, most_around, weights};
use super::motion::Motion;
use super::sketch_grid;
use crate::planes::SmallPlanes;
use crate::{Isa, MatteError};

/// Keeps the edges calm that stand still: a mask is blended with the one before it, the more the less
/// the picture has changed there. What moved takes the new mask at once, so there is no trail; but
/// where a person goes as a whole, the mask before goes with them (dtSSD is 2 to 3 % lower for it).
///
/// MediaPipe blends by how sure the network is; here the picture decides, for networks are sure of
/// their flicker. The change is |dY| + |dU| + |dV| of the sketch, the most of it in 3x3 cells: with their mean
/// in its place, MAD is 1 to 2 % higher.
#[derive(Debug)]
pub(crate) struct Smoother {
    isa: Isa,
    /// This picture and the one before it; `None` before the first of a size.
    sketches: Option<[SmallPlanes; 2]>,
    picture_size: SizePx,
    /// Change of each cell, and a row of zeros around.
    change: Vec<u16>,
    /// A row of the most in 3x3 cells, and of the most in each column of three.
    most: [Vec<u16>; 2],
    /// How much the new mask counts, for each cell and for each sample of the mask.
    weights: [Frame; 2],
    scaler: Option<PlaneScaler>,
    /// Of those who go.
    going: Option<(Motion, Carry)>,
    /// The mask so far, in 128ths of its levels: a slow approach does not get stuck.
    state: Vec<u16>,
    /// Whether `state` and the older sketch are of the picture before this one.
    knows: bool,
    /// Frames until the network has seen its part of the picture for long.
    anew_frames: u32,
}

/// Share of the new mask where nothing changes, of 255: 0.2. 0.15 and 0.3 behave alike.
const STILL: u8 = 51;
/// The same while the network has just begun to look at another part of the picture: it sees all of
/// it a little differently, and what stands still is to go over slowly.
const STILL_ANEW: u8 = 13;
/// How long that is.
const ANEW_FRAMES: u32 = 20;
/// Change of a cell up to which nothing has changed, and from which on everything has.
const CHANGES: [u16; 2] = [6, 20];
/// Level of the mask from which on a sample is of a person who may go.
const PERSON: u8 = 100;
/// Up to this level of the new mask it is sure of the room, and counts at least so much: what was seen of
/// the room by mistake is to be gone at once. (As slowly as all else, 75 pixels a frame of mdn_b_inout were
/// room far from the person, and MAD was 5 % higher; with 5 pixels, toggles are 4 % more.)
const SURE_ROOM: [u8; 2] = [8, 102];
/// Share of changed cells from which on it is another picture.
const CUT_PERCENT: usize = 70;

impl Smoother {
    pub(crate) fn new(mask_size: SizePx, isa: Isa) -> Result<Self, MatteError> {
        let weights = Frame::new(PixelFormat::Grey, mask_size, Colour::JPEG)?;
        Ok(Self {
            isa,
            sketches: None,
            picture_size: SizePx::new(0, 0),
            change: Vec::new(),
            most: [Vec::new(), Vec::new()],
            weights: [weights.clone(), weights],
            scaler: None,
            going: None,
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

    /// Smooths `mask`, which is that of all of `frame`.
    pub(crate) fn smooth(
        &mut self,
        frame: &FrameView<'_>,
        mask: &mut Frame,
    ) -> Result<(), MatteError> {
        if self.sketches.is_none() || self.picture_size != frame.size() {
            self.adopt(frame.size(), mask.view().size())?;
        }
        let sketches = self.sketches.as_mut().expect("adopted above");
        sketches.swap(0, 1);
        sketches[0].fill(frame)?;
        if !self.knows || !self.weigh() {
            let levels = self.state.iter_mut().zip(mask.bytes());
            levels.for_each(|(state, level)| *state = u16::from(*level) << 7);
            self.knows = true;
            if let Some((motion, _)) = &mut self.going {
                motion.reset();
            }
            return Ok(());
        }
        self.carry(mask.view().size());
        let [cells, samples] = &mut self.weights;
        let scaler = self.scaler.as_mut().expect("adopted with the sketches");
        scaler.scale(cells.view().plane(0), &mut samples.view_mut().plane_mut(0));
        follow(self.isa, &mut self.state, mask.bytes_mut(), samples.bytes(), SURE_ROOM);
        Ok(())
    }

    fn adopt(&mut self, picture: SizePx, mask: SizePx) -> Result<(), MatteError> {
        let (cells, row_step) = sketch_grid(picture);
        let sketch = || Ok::<_, MatteError>(SmallPlanes::new(cells)?.sketching(row_step));
        let sketches = [sketch()?, sketch()?];
        let size = sketches[0].size();
        self.sketches = Some(sketches);
        self.picture_size = picture;
        self.change = vec![0; (size.width_px as usize + 2) * (size.height_px as usize + 2)];
        self.most = [0, 2].map(|more| vec![0; size.width_px as usize + more]);
        self.weights[0] = Frame::new(PixelFormat::Grey, size, Colour::JPEG)?;
        self.scaler = Some(PlaneScaler::new(size, mask)?);
        self.going = Some((Motion::new(mask, size), Carry::new(mask, size)));
        self.knows = false;
        Ok(())
    }

    /// The weights of the cells; `false` if this is another picture altogether.
    fn weigh(&mut self) -> bool {
        let Some([new, old]) = &self.sketches else { return false };
        let width = new.size().width_px as usize;
        let stride = width + 2;
        let height = new.size().height_px as usize;
        // Around them, the row of zeros.
        let rows = self.change.chunks_exact_mut(stride).skip(1).take(height);
        for (y, row) in rows.enumerate() {
            let start = y * width;
            let row = &mut row[1..=width];
            row.fill(0);
            for (new, old) in new.bytes().into_iter().zip(old.bytes()) {
                add_difference(self.isa, row, &new[start..][..width], &old[start..][..width]);
            }
        }
        let still = if self.anew_frames > 0 { STILL_ANEW } else { STILL };
        self.anew_frames = self.anew_frames.saturating_sub(1);
        let mut changed = 0;
        for (y, out) in self.weights[0].bytes_mut().chunks_exact_mut(width).enumerate() {
            let [a, b, c] = [0, 1, 2].map(|row| &self.change[(y + row) * stride..][..stride]);
            let [most, columns] = &mut self.most;
            most_around(self.isa, most, columns, [a, b, c]);
            weights(self.isa, out, most, CHANGES, [still, 255]);
            changed += out.iter().map(|&weight| usize::from(weight == 255)).sum::<usize>();
        }
        changed * 100 < CUT_PERCENT * self.weights[0].bytes().len()
    }

    /// Takes the mask so far along with a person who goes.
    fn carry(&mut self, mask: SizePx) {
        let (Some([new, old]), Some((motion, carry))) = (&self.sketches, &mut self.going) else {
            return;
        };
        let (new, old) = (new.bytes(), old.bytes());
        let is_person = |at: usize| self.state[at] >= u16::from(PERSON) << 7;
        let way = motion.find(self.isa, is_person, mask, [new[0], old[0]]);
        if let (Some(way), Some(person)) = (way, motion.extent()) {
            let weights = self.weights[0].bytes_mut();
            carry.carry(self.isa, (person, way), [new, old], weights, &mut self.state);
        }
    }
}

#[cfg(test)]
mod tests;
