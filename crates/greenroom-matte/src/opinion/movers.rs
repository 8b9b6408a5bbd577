use greenroom_frame::SizePx;

use super::in_both::InBoth;
use crate::MatteError;
use crate::counting::count;
use crate::refine::components::Components;

/// Whole regions that an answer calls room, in which the fast network is sure of a person, and which move: that is
/// somebody, and no furniture. They are not struck out by that answer.
///
/// Three people who come along a corridor, far away and in noise, are missed by 0.9 % of the picture instead of 1.7 %
/// (`hallway_three`); nothing else of 74 clips and stills changes by more than 0.003 of IoU.
#[derive(Debug)]
pub(super) struct Movers {
    cells: SizePx,
    regions: Components,
    /// For each region: its cells that have changed.
    changed_cells: Vec<u32>,
    /// 255 in the cells of movers, and in the samples of the mask.
    found: InBoth,
}

/// Share of a region that has changed, from which on it moves. From a tenth on, chairs are spared that people pass by.
const MOVES: f32 = 0.5;
/// Share of the picture that the least of persons takes. Of smaller regions, a tablet is spared that is put down.
const LEAST_PART: f32 = 0.014;

impl Movers {
    pub(super) fn new(cells: SizePx, mask: SizePx) -> Result<Self, MatteError> {
        let area = cells.area_px() as usize;
        Ok(Self {
            cells,
            regions: Components::side_by_side(cells),
            changed_cells: Vec::with_capacity(area),
            found: InBoth::new(cells, mask)?,
        })
    }

    /// Takes over an answer; `denied` is 255 in cells where it denies a person. Until something moves nobody is a mover.
    pub(super) fn learn(&mut self, denied: &[u8]) {
        self.regions.find(denied, 255, 255);
        self.found.clear();
    }

    /// Looks for movers; `changed` is 0 in cells that have not changed. Who is a mover stays one until the next answer.
    pub(super) fn watch(&mut self, changed: &[u8]) {
        let width = self.cells.width_px as usize;
        let Components { runs, all, .. } = &self.regions;
        self.changed_cells.clear();
        self.changed_cells.resize(all.len(), 0);
        for run in runs {
            let moved = count(&changed[run.samples(width)], |changed| changed != 0);
            self.changed_cells[run.component as usize] += moved as u32;
        }
        let least_cells = LEAST_PART * changed.len() as f32;
        let is_mover = |region: usize| {
            let area = all[region].area as f32;
            area >= least_cells && self.changed_cells[region] as f32 > MOVES * area
        };
        let mut is_new = false;
        for run in runs.iter().filter(|run| is_mover(run.component as usize)) {
            let cells = &mut self.found.cells_mut()[run.samples(width)];
            is_new |= cells.contains(&0);
            cells.fill(255);
        }
        if is_new {
            self.found.scale();
        }
    }

    /// 255 in the samples of the mask that are of movers.
    pub(super) fn of_mask(&self) -> &[u8] {
        self.found.of_mask()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: SizePx = SizePx::new(20, 10);

    /// 255 in cells of the columns `x` and the rows `y`.
    fn cells(x: [usize; 2], y: [usize; 2]) -> Vec<u8> {
        let is_in = |at: usize, [from, to]: [usize; 2]| (from..to).contains(&at);
        (0..200).map(|at| if is_in(at % 20, x) && is_in(at / 20, y) { 255 } else { 0 }).collect()
    }

    #[test]
    fn what_moves_as_a_whole_is_spared_until_the_next_answer() {
        let mut movers = Movers::new(CELLS, CELLS).unwrap();
        // A person of 5x8 cells, and a chair that does not move.
        let person = cells([2, 7], [1, 9]);
        let both: Vec<u8> =
            person.iter().zip(cells([12, 16], [4, 9])).map(|(&one, other)| one | other).collect();
        movers.learn(&both);
        assert_eq!(movers.of_mask(), [0; 200]);
        // Half of the person, and a part of the room beside.
        movers.watch(&cells([0, 4], [1, 9]));
        assert_eq!(movers.of_mask(), [0; 200]);
        movers.watch(&cells([4, 10], [1, 9]));
        assert_eq!(movers.of_mask(), person);
        // Standing still again, the person is no less one.
        movers.watch(&[0; 200]);
        assert_eq!(movers.of_mask(), person);
        movers.learn(&both);
        assert_eq!(movers.of_mask(), [0; 200]);
    }

    #[test]
    fn what_is_too_small_for_a_person_is_not_spared() {
        let mut movers = Movers::new(CELLS, CELLS).unwrap();
        movers.learn(&cells([2, 4], [1, 2]));
        movers.watch(&[255; 200]);
        assert_eq!(movers.of_mask(), [0; 200]);
    }
}
