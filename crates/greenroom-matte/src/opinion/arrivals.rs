use greenroom_frame::{Frame, PlaneScaler, SizePx};

use super::cells::grey;
use super::levels::{DOUBT, SURE};
use crate::MatteError;
use crate::refine::components::{Components, Run};

/// Pieces of somebody who has come since an answer which look as the room did that the answer saw there: a dark shoulder
/// before a dark thing. They are not struck out by that answer.
///
/// The fast network is sure of such a piece now, and was not then; and most of what lies around it are other parts of the
/// person, where the picture has changed. A man who slides in and out has fewer holes (`mdn_b_inout`: MAD 7.94 to 7.35), as
/// has one who waves (`wave_brown`: missed 0.63 to 0.58 %); nothing else of **wide**, **mdn** and **asl** changes by 0.001 of IoU.
/// Without "and was not then", chairs are spared that people move before (`office4_headset`: 0.965 to 0.963).
#[derive(Debug)]
pub(super) struct Arrivals {
    cells: SizePx,
    /// 255 in cells that may be such a piece.
    pieces: Vec<u8>,
    regions: Components,
    /// What lies around each region.
    surroundings: Vec<Surroundings>,
    /// 255 in the cells of arrivals, and in the samples of the mask.
    found: [Frame; 2],
    to_mask: PlaneScaler,
}

/// What is known of each cell, in cells: the mask of now, the answer (how sure it is of a person), 255 where it denied one then, and
/// 255 where the picture has changed since.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellsOfNow<'a> {
    pub mask: &'a [u8],
    pub person: &'a [u8],
    pub denied: &'a [u8],
    pub changed: &'a [u8],
}

/// How many cells beside a region are of somebody where the picture has changed, and how many there are.
#[derive(Debug, Clone, Copy, Default)]
struct Surroundings {
    person_cells: u32,
    cells: u32,
}

/// Share of the cells around a piece that are of somebody who has come.
const MOST_AROUND: f32 = 0.6;
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
            found: [grey(cells)?, grey(mask)?],
            to_mask: PlaneScaler::new(cells, mask)?,
        })
    }

    /// Looks for such pieces anew.
    pub(super) fn find(&mut self, now: CellsOfNow<'_>) {
        let answers = now.person.iter().zip(now.denied);
        let cells = now.mask.iter().zip(now.changed).zip(answers);
        for (piece, ((&mask, &changed), (&person, &denied))) in self.pieces.iter_mut().zip(cells) {
            let is_new = mask >= SURE && denied == 0;
            *piece = if is_new && person < DOUBT && changed < DOUBT { 255 } else { 0 };
        }
        self.regions.find(&self.pieces, 255, 255);
        self.look_around(now);
        let width = self.cells.width_px as usize;
        let largest_cells = LARGEST_PART * self.pieces.len() as f32;
        let Components { runs, all, .. } = &self.regions;
        let has_come = |region: usize| {
            let Surroundings { person_cells, cells } = self.surroundings[region];
            person_cells as f32 >= MOST_AROUND * cells as f32
                && all[region].area as f32 <= largest_cells
        };
        let [found, of_mask] = &mut self.found;
        let mut runs = runs.iter().filter(|run| has_come(run.component as usize)).peekable();
        if runs.peek().is_none() {
            of_mask.bytes_mut().fill(0);
            return;
        }
        found.bytes_mut().fill(0);
        runs.for_each(|run| found.bytes_mut()[run.samples(width)].fill(255));
        self.to_mask.scale(found.view().plane(0), &mut of_mask.view_mut().plane_mut(0));
    }

    /// Finds nothing.
    pub(super) fn find_nothing(&mut self) {
        self.found[1].bytes_mut().fill(0);
    }

    /// Counts what lies around each region. Beyond the picture's border lies nothing.
    fn look_around(&mut self, now: CellsOfNow<'_>) {
        let [width, height] = [self.cells.width_px, self.cells.height_px].map(|side| side as usize);
        let Components { runs, all, .. } = &self.regions;
        self.surroundings.clear();
        self.surroundings.resize(all.len(), Surroundings::default());
        for run in runs {
            let around = &mut self.surroundings[run.component as usize];
            let &Run { y, start, end, .. } = run;
            let (y, start, end) = (y as usize, start as usize, end as usize);
            let mut look = |x: usize, y: usize| {
                let at = y * width + x;
                if self.pieces[at] == 0 {
                    around.cells += 1;
                    let is_person = now.mask[at] >= SURE && now.changed[at] >= DOUBT;
                    around.person_cells += u32::from(is_person);
                }
            };
            (start > 0).then(|| look(start - 1, y));
            (end < width).then(|| look(end, y));
            for x in start..end {
                (y > 0).then(|| look(x, y - 1));
                (y + 1 < height).then(|| look(x, y + 1));
            }
        }
    }

    /// 255 in the samples of the mask that are of arrivals.
    pub(super) fn of_mask(&self) -> &[u8] {
        self.found[1].bytes()
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
        let changed = without(&man, &hole);
        let now = CellsOfNow { mask: &man, person: &NOTHING, denied: &NOTHING, changed: &changed };
        arrivals.find(now);
        assert_eq!(arrivals.of_mask(), hole);
        // The fast network was as sure of it when the answer denied it.
        arrivals.find(CellsOfNow { denied: &hole, ..now });
        assert_eq!(arrivals.of_mask(), NOTHING);
        // The answer sees a person there, the fast network none; or it has changed, too.
        arrivals.find(CellsOfNow { person: &[255; 240], ..now });
        assert_eq!(arrivals.of_mask(), NOTHING);
        arrivals.find(CellsOfNow { mask: &changed, ..now });
        assert_eq!(arrivals.of_mask(), NOTHING);
        arrivals.find(CellsOfNow { changed: &man, ..now });
        assert_eq!(arrivals.of_mask(), NOTHING);
        arrivals.find(now);
        assert_eq!(arrivals.of_mask(), hole);
        arrivals.find_nothing();
        assert_eq!(arrivals.of_mask(), NOTHING);
    }

    #[test]
    fn a_piece_beside_the_room_or_a_large_one_is_none() {
        let mut arrivals = Arrivals::new(CELLS, CELLS).unwrap();
        let found = |arrivals: &mut Arrivals, hole: &[u8]| {
            let man = cells([4, 16], [2, 12]);
            let changed = without(&man, hole);
            let (mask, person, denied) = (&man[..], &NOTHING[..], &NOTHING[..]);
            arrivals.find(CellsOfNow { mask, person, denied, changed: &changed });
            arrivals.of_mask().to_vec()
        };
        // At the person's edge, with the room to one of four sides; at the picture's border, where nothing lies.
        let [edge, border] = [cells([4, 6], [5, 7]), cells([8, 9], [9, 12])];
        assert_eq!(found(&mut arrivals, &edge), edge);
        assert_eq!(found(&mut arrivals, &border), border);
        // Two of four sides.
        assert_eq!(found(&mut arrivals, &cells([4, 6], [2, 4])), NOTHING);
        // 6 cells are too many, of 240.
        assert_eq!(found(&mut arrivals, &cells([8, 11], [6, 8])), NOTHING);
    }
}
