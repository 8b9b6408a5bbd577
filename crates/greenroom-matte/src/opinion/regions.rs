use greenroom_frame::{Frame, PlaneScaler, SizePx};

use super::cells::{grey, most_around};
use super::verdict::DOUBT;
use crate::MatteError;

/// Regions that are room as a whole: what the fast network is unsure of, and the other mostly calls room. So a laptop goes
/// in one piece, also where the one network is unsure and the other sees a hand.
#[derive(Debug)]
pub(super) struct Regions {
    cells: SizePx,
    /// 255 where the fast network is sure, or so in a cell beside.
    edges: Vec<u8>,
    spare: Vec<u8>,
    /// Cells of the region that is looked at, and those that are to be visited yet.
    region: Vec<u32>,
    open: Vec<u32>,
    found: Frame,
    of_mask: Frame,
    to_mask: PlaneScaler,
}

/// Levels of the mask between which the fast network is unsure: 0.08 to 0.88.
const UNSURE: [u8; 2] = [21, 224];
/// Share of a region that is room by the answer, from which on all of it is.
const MOST_ROOM: f32 = 0.25;
/// What is left of a smaller region without its rim, in cells, is an edge, and no thing.
const LEAST_CELLS: usize = 8;

impl Regions {
    pub(super) fn new(cells: SizePx, mask: SizePx) -> Result<Self, MatteError> {
        let area = cells.area_px() as usize;
        Ok(Self {
            cells,
            edges: vec![0; area],
            spare: vec![0; area],
            region: Vec::with_capacity(area),
            open: Vec::with_capacity(area),
            found: grey(cells)?,
            of_mask: grey(mask)?,
            to_mask: PlaneScaler::new(cells, mask)?,
        })
    }

    /// 255 in the mask's samples that lie in such a region; `mask` and `person`, the answer, are in cells.
    pub(super) fn find(&mut self, mask: &[u8], person: &[u8]) -> &[u8] {
        let is_unsure = |level: u8| (UNSURE[0]..=UNSURE[1]).contains(&level);
        for (edge, &level) in self.edges.iter_mut().zip(mask) {
            *edge = if is_unsure(level) { 0 } else { 255 };
        }
        // Without its rim, an edge is nothing.
        most_around(&mut self.edges, &mut self.spare, self.cells);
        self.found.bytes_mut().fill(0);
        for seed in 0..self.edges.len() {
            if self.edges[seed] != 0 {
                continue;
            }
            self.gather(seed);
            let is_room = |&&cell: &&u32| person[cell as usize] < DOUBT;
            let room_cells = self.region.iter().filter(is_room).count();
            if self.region.len() >= LEAST_CELLS
                && room_cells as f32 >= MOST_ROOM * self.region.len() as f32
            {
                let found = self.found.bytes_mut();
                self.region.iter().for_each(|&cell| found[cell as usize] = 255);
            }
        }
        // With the rim again, but not into what the fast network is sure of.
        most_around(self.found.bytes_mut(), &mut self.spare, self.cells);
        for (found, &level) in self.found.bytes_mut().iter_mut().zip(mask) {
            *found = if is_unsure(level) { *found } else { 0 };
        }
        let into = &mut self.of_mask;
        self.to_mask.scale(self.found.view().plane(0), &mut into.view_mut().plane_mut(0));
        into.bytes()
    }

    /// Fills `region` with all that hangs together with `seed`, and marks it as looked at.
    fn gather(&mut self, seed: usize) {
        let (width, area) = (self.cells.width_px as usize, self.edges.len());
        self.region.clear();
        self.open.clear();
        self.edges[seed] = 255;
        self.open.push(seed as u32);
        while let Some(cell) = self.open.pop() {
            self.region.push(cell);
            let at = cell as usize;
            let column = at % width;
            let beside = [
                (column > 0).then(|| at - 1),
                (column + 1 < width).then_some(at + 1),
                at.checked_sub(width),
                Some(at + width).filter(|&below| below < area),
            ];
            for next in beside.into_iter().flatten() {
                if self.edges[next] == 0 {
                    self.edges[next] = 255;
                    self.open.push(next as u32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: SizePx = SizePx::new(20, 12);

    /// Cells with a rectangle of another level.
    fn cells(level: u8, x: [usize; 2], y: [usize; 2], inside: u8) -> Vec<u8> {
        let is_inside =
            |at: usize| (x[0]..x[1]).contains(&(at % 20)) && (y[0]..y[1]).contains(&(at / 20));
        (0..240).map(|at| if is_inside(at) { inside } else { level }).collect()
    }

    fn found(mask: &[u8], person: &[u8]) -> Vec<u8> {
        Regions::new(CELLS, CELLS).unwrap().find(mask, person).to_vec()
    }

    #[test]
    fn a_thing_goes_in_one_piece_and_nothing_else_does() {
        let mask = cells(0, [5, 13], [3, 9], 128);
        let thing = cells(0, [5, 13], [3, 9], 255);
        // Half of it is a person by the answer, all of it, none.
        assert_eq!(found(&mask, &cells(0, [5, 9], [0, 12], 255)), thing);
        assert_eq!(found(&mask, &[0; 240]), thing);
        assert_eq!(found(&mask, &[255; 240]), [0; 240]);
        // What the fast network is sure of is not for regions to decide.
        assert_eq!(found(&cells(0, [5, 13], [3, 9], 255), &[0; 240]), [0; 240]);
    }

    #[test]
    fn an_edge_is_no_thing() {
        let mut mask = cells(0, [10, 20], [0, 12], 255);
        mask.chunks_exact_mut(20).for_each(|row| row[9..11].fill(128));
        assert_eq!(found(&mask, &[0; 240]), [0; 240]);
    }
}
