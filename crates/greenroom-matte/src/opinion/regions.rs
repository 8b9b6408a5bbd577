use greenroom_frame::SizePx;

use super::cells::most_around;
use super::in_both::InBoth;
use crate::MatteError;
use crate::refine::components::{Component, Components};

/// Regions that are room as a whole: what the fast network is unsure of, and the other is not sure is a person. So a laptop goes
/// in one piece, also where the one network is unsure and the other sees a hand.
#[derive(Debug)]
pub(super) struct Regions {
    cells: SizePx,
    /// 255 where the fast network is sure, or so in a cell beside; then [`INNER`] or [`ROOM`] in all others.
    edges: Vec<u8>,
    spare: Vec<u8>,
    components: Components,
    found: InBoth,
}

/// Levels of the mask between which the fast network is unsure: 0.08 to 0.88.
const UNSURE: [u8; 2] = [21, 224];
/// Level of the answer below which such a cell is room: 0.9. Two networks that are both unsure see no person.
const SURE_PERSON: u8 = 230;
/// Share of a region where the answer is not sure of a person, from which on all of it is room.
const MOST_ROOM: f32 = 0.5;
/// What is left of a smaller region without its rim, in cells, is an edge, and no thing.
const LEAST_CELLS: u32 = 8;
/// A cell of a region, and one where the answer is not sure of a person.
const INNER: u8 = 1;
const ROOM: u8 = 2;

impl Regions {
    pub(super) fn new(cells: SizePx, mask: SizePx) -> Result<Self, MatteError> {
        let area = cells.area_px() as usize;
        Ok(Self {
            cells,
            edges: vec![0; area],
            spare: vec![0; area],
            components: Components::side_by_side(cells),
            found: InBoth::new(cells, mask)?,
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
        for (edge, &person) in self.edges.iter_mut().zip(person) {
            let level = if person < SURE_PERSON { ROOM } else { INNER };
            *edge = if *edge == 0 { level } else { 0 };
        }
        self.components.find(&self.edges, INNER, ROOM);
        let Components { runs, all, .. } = &self.components;
        let found = self.found.cells_mut();
        found.fill(0);
        for run in runs {
            let Component { area, certain: room, .. } = all[run.component as usize];
            if area >= LEAST_CELLS && room as f32 >= MOST_ROOM * area as f32 {
                found[run.samples(self.cells.width_px as usize)].fill(255);
            }
        }
        // With the rim again, but not into what the fast network is sure of.
        most_around(self.found.cells_mut(), &mut self.spare, self.cells);
        for (found, &level) in self.found.cells_mut().iter_mut().zip(mask) {
            *found = if is_unsure(level) { *found } else { 0 };
        }
        self.found.scale();
        self.found.of_mask()
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
        // Both networks are unsure, or the other one is sure.
        assert_eq!(found(&mask, &[SURE_PERSON - 1; 240]), thing);
        assert_eq!(found(&mask, &[SURE_PERSON; 240]), [0; 240]);
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
