use greenroom_frame::{Colour, Frame, FrameError, PixelFormat, PlaneScaler, SizePx};

use super::codes::{HALF, NEUTRAL};
use super::colour::Hue;
use super::grid::Grid;
use super::measure::Cell;
use super::spread::Spreader;

/// What the screen looks like in each cell: its chroma there, for light is uneven, and which distances from it are all
/// screen and all person.
///
/// A cell that is all screen is learned from; what is behind the person is taken from the cells around.
#[derive(Debug)]
pub(super) struct ScreenModel {
    /// U and V of the screen, and the codes of distance that are all screen ([`Limits`]) and all person.
    maps: [Vec<f32>; MAPS],
    /// What a map comes to where nothing was seen.
    filled: Vec<f32>,
    /// Which of the maps were filled and enlarged last: every [`TURNS`]th.
    turn: usize,
    /// Whether the cell is all screen in this frame, and whether it is all person.
    weights: [Vec<f32>; 2],
    spreader: Spreader,
    /// A map in codes, in cells; and all at chroma's size.
    codes: Frame,
    fine: [Frame; MAPS],
    scaler: PlaneScaler,
}

/// Maps: U, V, the code of distance from which on all is screen, and that up to which all is person.
pub(super) const MAPS: usize = 4;
const ROOM_LIMIT: usize = 2;
const PERSON_LIMIT: usize = 3;

/// The limits before anything is known of noise and person.
const FIRST_LIMITS: [f32; 2] = [160.0, NEUTRAL];
/// Deviations of the screen's own distances that are still screen.
const DEVIATIONS: f32 = 2.0;
/// No screen is so uneven that half its colour is screen; and some of it always is.
const ROOM_LIMITS: [f32; 2] = [HALF as f32, 186.0];
/// A person who is lit by the screen has a little of its colour.
const PERSON_LIMITS: [f32; 2] = [20.0, 108.0];
/// Frames in which all maps are filled once.
const TURNS: usize = 2;
/// How much a new picture counts: of the cells that are seen, and, each time, of those that are filled. With 0.125 and 0.12,
/// MAD before a green screen is 3 % higher of who sits and 10 % of who walks.
const SEEN: f32 = 0.4;
const HIDDEN: f32 = 0.36;
/// Samples of a cell that need not be screen for it to count as all screen: 2 %.
const SPECKS_PERCENT: u32 = 2;
/// Level of the network's mask from which on nothing is learned of the screen.
const MAYBE_PERSON: u8 = 100;

impl ScreenModel {
    pub(super) fn new(grid: Grid, chroma: SizePx) -> Result<Self, FrameError> {
        let zeros = || vec![0.0; grid.cells()];
        let grey = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG);
        Ok(Self {
            maps: std::array::from_fn(|_| zeros()),
            filled: zeros(),
            turn: 0,
            weights: [zeros(), zeros()],
            spreader: Spreader::new(grid.size),
            codes: grey(grid.size)?,
            fine: [grey(chroma)?, grey(chroma)?, grey(chroma)?, grey(chroma)?],
            scaler: PlaneScaler::new(grid.size, chroma)?,
        })
    }

    /// Knows nothing but the screen's colour.
    pub(super) fn begin(&mut self, hue: Hue) {
        let [room, person] = FIRST_LIMITS;
        for (map, value) in self.maps.iter_mut().zip([hue.u + 128.0, hue.v + 128.0, room, person]) {
            map.fill(value);
        }
        (0..MAPS).for_each(|index| self.enlarge(index));
    }

    /// The maps at the size of chroma.
    pub(super) fn fine(&self) -> [&[u8]; MAPS] {
        self.fine.each_ref().map(Frame::bytes)
    }

    /// Learns from what was measured in each cell; `network` is its mask in cells, `is_person` tells which are all person.
    /// `at_once`: nothing was known before.
    pub(super) fn learn(
        &mut self,
        cells: &[Cell],
        network: &[u8],
        is_person: impl Fn(usize) -> bool,
        at_once: bool,
    ) {
        let (seen, hidden) = if at_once { (1.0, 1.0) } else { (SEEN, HIDDEN) };
        for (at, (cell, &level)) in cells.iter().zip(network).enumerate() {
            let is_screen = cell.is_all_screen(SPECKS_PERCENT) && level < MAYBE_PERSON;
            self.weights[0][at] = if is_screen { 1.0 } else { 0.0 };
            self.weights[1][at] = if is_person(at) { 1.0 } else { 0.0 };
            if is_screen {
                let [u, v] = cell.chroma();
                let (mean, deviation) = cell.distance();
                let limit = (mean - DEVIATIONS * deviation).clamp(ROOM_LIMITS[0], ROOM_LIMITS[1]);
                for (map, new) in self.maps.iter_mut().zip([u, v, limit]) {
                    map[at] += seen * (new - map[at]);
                }
            }
            if self.weights[1][at] > 0.0 {
                let (mean, deviation) = cell.distance();
                let limit = (mean + deviation).clamp(PERSON_LIMITS[0], PERSON_LIMITS[1]);
                let map = &mut self.maps[PERSON_LIMIT];
                map[at] += seen * (limit - map[at]);
            }
        }
        // Half the maps a frame: with a quarter of them, MAD of who walks is 2 % higher.
        self.turn = (self.turn + 1) % TURNS;
        let (first, step) = if at_once { (0, 1) } else { (self.turn, TURNS) };
        for index in (first..MAPS).step_by(step) {
            self.fill(index, hidden);
            self.enlarge(index);
        }
    }

    /// Brings a map nearer to what lies around where it was not seen, by a share.
    fn fill(&mut self, index: usize, share: f32) {
        let weights = &self.weights[usize::from(index > ROOM_LIMIT)];
        let map = &mut self.maps[index];
        if self.spreader.fill(map, weights, &mut self.filled) {
            for ((value, filled), &weight) in map.iter_mut().zip(&self.filled).zip(weights) {
                *value += (1.0 - weight) * share * (filled - *value);
            }
        }
    }

    /// Brings a map to the size of chroma.
    fn enlarge(&mut self, index: usize) {
        let codes = self.codes.bytes_mut().iter_mut().zip(&self.maps[index]);
        codes.for_each(|(code, value)| *code = (value + 0.5) as u8);
        let mut fine = self.fine[index].view_mut();
        self.scaler.scale(self.codes.view().plane(0), &mut fine.plane_mut(0));
    }
}
