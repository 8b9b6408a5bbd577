use greenroom_frame::SizePx;

use super::in_both::InBoth;
use super::levels::{DOUBT, SURE};
use crate::MatteError;
use crate::refine::components::Components;

/// Pieces of somebody who has come since an answer which look as the room did that the answer saw there: a dark shoulder
/// before a dark thing. They are not struck out by that answer.
///
/// The fast network is sure of such a piece now, and saw nobody there then; and most of what lies around it are other parts of the
/// person, where the picture has changed. A man who slides in and out has fewer holes (`mdn_b_inout`: MAD 7.94 to 7.35, toggles 7.5
/// to 6.8), as has one who waves (`wave_brown`: missed 0.63 to 0.58 %, toggles 6.3 to 6.4); nothing else of **wide**, **mdn** and **asl**
/// changes by 0.001 of IoU. Without "saw nobody there then", chairs are spared that people move before (`office4_headset`: 0.965 to
/// 0.963).
#[derive(Debug)]
pub(super) struct Arrivals {
    cells: SizePx,
    /// 255 in cells that may be such a piece.
    pieces: Vec<u8>,
    regions: Components,
    /// What lies around each region.
    surroundings: Vec<Surroundings>,
    /// 255 in the cells of arrivals, and in the samples of the mask.
    found: InBoth,
}

/// What is known of each cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellStates<'a> {
    /// The fast network's mask of now.
    pub mask: &'a [u8],
    /// 255 where neither network saw anybody in the answer's picture.
    pub was_empty: &'a [u8],
    /// 255 where the picture has changed since, softened.
    pub changed: &'a [u8],
}

/// What lies beside the cells of a region: so many sides of cells.
#[derive(Debug, Clone, Copy, Default)]
struct Surroundings {
    /// Those of somebody where the picture has changed, of everything else, and of the picture's border.
    person: u32,
    other: u32,
    border: u32,
}

/// Share of what lies around a piece within the picture that has to be of somebody who has come.
const LEAST_PERSON: f32 = 0.6;
/// Share of a piece's outline from which on the picture's border is too much of it: the edge of a desk is no piece of a person.
const MOST_BORDER: f32 = 0.4;
/// Share of the picture that the largest of such pieces takes.
const LARGEST_PART: f32 = 0.02;

impl Arrivals {
    pub(super) fn new(cells: SizePx, mask: SizePx) -> Result<Self, MatteError> {
        let area = cells.area_px() as usize;
        Ok(Self {
            cells,
            pieces: vec![0; area],
            regions: Components::side_by_side(cells),
            surroundings: Vec::with_capacity(area),
            found: InBoth::new(cells, mask)?,
        })
    }

    /// Looks for such pieces anew.
    pub(super) fn find(&mut self, states: CellStates<'_>) {
        self.clear();
        let cells = states.mask.iter().zip(states.was_empty).zip(states.changed);
        let mut has_pieces = false;
        for (piece, ((&mask, &was_empty), &changed)) in self.pieces.iter_mut().zip(cells) {
            *piece = if mask >= SURE && changed < DOUBT { was_empty } else { 0 };
            has_pieces |= *piece != 0;
        }
        if !has_pieces {
            return;
        }
        self.regions.find(&self.pieces, 255, 255);
        self.look_around(states);
        let width = self.cells.width_px as usize;
        let largest_cells = LARGEST_PART * self.pieces.len() as f32;
        let Components { runs, all, .. } = &self.regions;
        let has_come = |region: usize| {
            self.surroundings[region].are_of_a_person() && all[region].area as f32 <= largest_cells
        };
        let mut runs = runs.iter().filter(|run| has_come(run.component as usize)).peekable();
        if runs.peek().is_none() {
            return;
        }
        runs.for_each(|run| self.found.cells_mut()[run.samples(width)].fill(255));
        self.found.scale();
    }

    /// Nobody has come.
    pub(super) fn clear(&mut self) {
        self.found.clear();
    }

    /// Counts what lies around each region.
    fn look_around(&mut self, states: CellStates<'_>) {
        let [width, height] = [self.cells.width_px, self.cells.height_px].map(|side| side as usize);
        let Components { runs, all, .. } = &self.regions;
        self.surroundings.clear();
        self.surroundings.resize(all.len(), Surroundings::default());
        for run in runs {
            let around = &mut self.surroundings[run.component as usize];
            let (y, start, end) = (run.y as usize, run.start as usize, run.end as usize);
            let mut look = |at: Option<usize>| match at {
                None => around.border += 1,
                Some(at) if self.pieces[at] != 0 => {}
                Some(at) if states.mask[at] >= SURE && states.changed[at] >= DOUBT => {
                    around.person += 1;
                }
                Some(_) => around.other += 1,
            };
            let row = y * width;
            look((start > 0).then(|| row + start - 1));
            look((end < width).then_some(row + end));
            for at in run.samples(width) {
                look((y > 0).then(|| at - width));
                look((y + 1 < height).then_some(at + width));
            }
        }
    }

    /// 255 in the samples of the mask that are of arrivals.
    pub(super) fn of_mask(&self) -> &[u8] {
        self.found.of_mask()
    }
}

impl Surroundings {
    fn are_of_a_person(self) -> bool {
        let Self { person, other, border } = self;
        let within = person + other;
        person as f32 >= LEAST_PERSON * within as f32
            && (border as f32) < MOST_BORDER * (within + border) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: SizePx = SizePx::new(20, 12);

    /// 255 in cells of the columns `x` and the rows `y`.
    fn cells(x: [usize; 2], y: [usize; 2]) -> Vec<u8> {
        let is_in =
            |at: usize| (x[0]..x[1]).contains(&(at % 20)) && (y[0]..y[1]).contains(&(at / 20));
        (0..240).map(|at| if is_in(at) { 255 } else { 0 }).collect()
    }

    fn without(cells: &[u8], other: &[u8]) -> Vec<u8> {
        cells.iter().zip(other).map(|(&cell, &other)| cell & !other).collect()
    }

    const NOTHING: [u8; 240] = [0; 240];

    #[test]
    fn a_piece_amid_who_has_come_is_of_them() {
        let mut arrivals = Arrivals::new(CELLS, CELLS).unwrap();
        let (man, hole) = (cells([4, 16], [2, 12]), cells([8, 10], [6, 8]));
        let (mask, was_empty) = (&man[..], &[255; 240][..]);
        let states = CellStates { mask, was_empty, changed: &without(&man, &hole) };
        arrivals.find(states);
        assert_eq!(arrivals.of_mask(), hole);
        // One of the networks saw somebody there then.
        arrivals.find(CellStates { was_empty: &without(&[255; 240], &hole), ..states });
        assert_eq!(arrivals.of_mask(), NOTHING);
        // The fast network sees nobody there now; or it has changed, too.
        arrivals.find(CellStates { mask: states.changed, ..states });
        assert_eq!(arrivals.of_mask(), NOTHING);
        arrivals.find(CellStates { changed: &man, ..states });
        assert_eq!(arrivals.of_mask(), NOTHING);
        arrivals.find(states);
        assert_eq!(arrivals.of_mask(), hole);
        arrivals.clear();
        assert_eq!(arrivals.of_mask(), NOTHING);
    }

    #[test]
    fn pieces_lie_amid_a_person_and_are_small() {
        let mut arrivals = Arrivals::new(CELLS, CELLS).unwrap();
        let mut found = |hole: &[u8]| {
            let man = cells([2, 18], [2, 12]);
            let changed = without(&man, hole);
            arrivals.find(CellStates { mask: &man, was_empty: &[255; 240], changed: &changed });
            arrivals.of_mask().to_vec()
        };
        // At the person's edge, with the room to one of four sides; at the picture's border.
        let [edge, border] = [cells([2, 4], [5, 7]), cells([8, 10], [10, 12])];
        assert_eq!(found(&edge), edge);
        assert_eq!(found(&border), border);
        // The room to two of four sides.
        assert_eq!(found(&cells([2, 4], [2, 4])), NOTHING);
        // The edge of a desk.
        assert_eq!(found(&cells([8, 12], [11, 12])), NOTHING);
        // 6 cells of 240 are too many.
        assert_eq!(found(&cells([8, 11], [6, 8])), NOTHING);
    }
}
