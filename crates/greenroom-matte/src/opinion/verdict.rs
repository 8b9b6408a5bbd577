use std::time::{Duration, Instant};

use greenroom_frame::{Frame, PlaneScaler, SizePx};

use super::arrivals::{Arrivals, CellStates};
use super::asking::Question;
use super::cells::{Spare, fill_amid, grey, most_around, soften};
use super::changes;
use super::heads;
use super::in_both::InBoth;
use super::levels::{DOUBT, SURE};
use super::movers::Movers;
use super::regions::Regions;
use super::remembered_room::RememberedRoom;
use crate::counting::{count, count_pairs};
use crate::planes::SmallPlanes;
use crate::{Face, MatteError};

/// What the newest answer says of frames after the one that it saw.
///
/// An answer is believed where the picture has not changed since, in cells of the pictures' thumbnails. Flat colours look
/// unchanged whatever goes on, so what has changed all around has changed.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    tables: Option<Tables>,
    /// Whether there is an answer that is believed, or may be yet.
    knows: bool,
    /// The newest answer was about somebody who moves.
    is_refuted: bool,
}

/// What is made for thumbnails and masks of a size.
#[derive(Debug)]
struct Tables {
    cells: SizePx,
    mask: SizePx,
    /// The thumbnail of the picture that the answer is about.
    planes: [Vec<u8>; 3],
    seen_at: Instant,
    /// How sure it is that each sample of the mask is room: 255 is sure.
    room: Frame,
    /// 255 in cells of a person by the mask of then, and of none by the answer; and how many they are.
    denied: Vec<u8>,
    denied_cells: usize,
    /// 255 in cells where neither network saw anybody.
    was_empty: Vec<u8>,
    /// It denies much of whom the mask shows: it is believed only once nothing has moved there for a while.
    is_doubtful: bool,
    /// 255 where the picture has changed since.
    changed: InBoth,
    spare: Spare,
    regions: Regions,
    movers: Movers,
    arrivals: Arrivals,
    remembered: RememberedRoom,
    /// The network's answer in the cells and in the mask's samples; the scalers are made for its size.
    person: [Frame; 2],
    from_answer: Option<[PlaneScaler; 2]>,
    /// 255 where heads are in the answer's picture.
    heads: InBoth,
    to_cells: PlaneScaler,
    mask_cells: Frame,
}

/// Shares of a picture's cells that are not as in the newest answer's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Changed {
    pub all: f32,
    /// Without those of persons who move where they were.
    pub beside_persons: f32,
}

impl Changed {
    const ALL: Self = Self { all: 1.0, beside_persons: 1.0 };
    const NOTHING: Self = Self { all: 0.0, beside_persons: 0.0 };
}

/// Probabilities of a person below the first are room for sure, from the second on they are none; between them, as far
/// as it goes.
const ROOM: [u8; 2] = [51, 128];
/// Share of whom the fast network is sure of that an answer may deny without being doubted.
const MOST_DENIED: f32 = 0.35;
/// So few denied cells are no reason to doubt an answer.
const FEW_CELLS: usize = 20;
/// Samples that are left out at once where the mask has nothing, or nothing is room.
const CHUNK: usize = 64;
/// Time for which nothing may move where a doubtful answer denies a person.
const STILL_FOR: Duration = Duration::from_secs(1);

impl Tables {
    fn new(cells: SizePx, mask: SizePx) -> Result<Self, MatteError> {
        let area = cells.area_px() as usize;
        Ok(Self {
            cells,
            mask,
            planes: [(); 3].map(|()| vec![0; area]),
            seen_at: Instant::now(),
            room: grey(mask)?,
            denied: vec![0; area],
            denied_cells: 0,
            was_empty: vec![0; area],
            is_doubtful: false,
            changed: InBoth::new(cells, mask)?,
            spare: Spare::new(cells),
            regions: Regions::new(cells, mask)?,
            movers: Movers::new(cells, mask)?,
            arrivals: Arrivals::new(cells, mask)?,
            remembered: RememberedRoom::new(cells, mask)?,
            person: [grey(cells)?, grey(mask)?],
            from_answer: None,
            heads: InBoth::new(cells, mask)?,
            to_cells: PlaneScaler::new(mask, cells)?,
            mask_cells: grey(cells)?,
        })
    }

    /// Brings the answer to the cells and to the mask's samples.
    fn scale(&mut self, answer: &Frame) -> Result<(), MatteError> {
        let size = answer.size();
        let kept = self.from_answer.take().filter(|scalers| scalers[0].from() == size);
        let scalers = self.from_answer.insert(match kept {
            Some(scalers) => scalers,
            None => [PlaneScaler::new(size, self.cells)?, PlaneScaler::new(size, self.mask)?],
        });
        for (scaler, into) in scalers.iter_mut().zip(&mut self.person) {
            scaler.scale(answer.view().plane(0), &mut into.view_mut().plane_mut(0));
        }
        Ok(())
    }

    /// Has heads that the answer does not see be persons, by faces and by the `mask` of then, in cells; then finds where all heads are.
    fn keep_heads(&mut self, faces: &[Face], mask: &[u8]) {
        let [person, _] = &self.person;
        let unseen = faces.iter().filter(|face| heads::is_unseen(face, person, mask));
        heads::draw(unseen, self.heads.frame_of_cells_mut());
        self.heads.scale();
        let heads = [self.heads.cells(), self.heads.of_mask()];
        for (person, heads) in self.person.iter_mut().zip(heads) {
            for (person, &head) in person.bytes_mut().iter_mut().zip(heads) {
                *person = (*person).max(head);
            }
        }
        heads::draw(faces, self.heads.frame_of_cells_mut());
        self.heads.scale();
    }

    /// Whether most of whom the answer sees has changed since the answer before.
    fn person_has_moved(&self) -> bool {
        let cells = self.person[0].bytes().iter().zip(self.changed.cells());
        let of_person = cells.filter(|(person, _)| **person >= DOUBT);
        let (mut person_cells, mut changed_cells) = (0, 0);
        for (_, &changed) in of_person {
            person_cells += 1;
            changed_cells += usize::from(changed >= DOUBT);
        }
        2 * changed_cells > person_cells
    }

    /// Counts the changed cells, but for those of persons who move where they were: the answer sees a person there, and by `mask` the
    /// fast network is sure of one now.
    fn changed_beside_persons(&mut self, mask: &Frame) -> usize {
        self.scale_mask(mask);
        let persons = self.mask_cells.bytes().iter().zip(self.person[0].bytes());
        let is_beside = &mut self.spare.cells;
        for (beside, (&now, &then)) in is_beside.iter_mut().zip(persons) {
            *beside = if (now < SURE) | (then < DOUBT) { 255 } else { 0 };
        }
        count_pairs(self.changed.cells(), is_beside, |changed, beside| changed & beside != 0)
    }

    /// Finds where neither the answer by itself nor `mask`, in cells, sees anybody.
    fn find_empty(&mut self, mask: &[u8]) {
        let both = mask.iter().zip(self.person[0].bytes());
        for (was_empty, (&mask, &person)) in self.was_empty.iter_mut().zip(both) {
            *was_empty = if mask.max(person) < DOUBT { 255 } else { 0 };
        }
    }

    /// Finds where the answer denies whom `mask`, in cells, is sure of.
    fn find_denied(&mut self, mask: &[u8]) {
        let mut sure_cells = 0;
        self.denied_cells = 0;
        for ((denied, &mask), &person) in
            self.denied.iter_mut().zip(mask).zip(self.person[0].bytes())
        {
            *denied = if mask >= SURE && person < DOUBT { 255 } else { 0 };
            sure_cells += usize::from(mask >= SURE);
            self.denied_cells += usize::from(*denied != 0);
        }
        self.is_doubtful = self.denied_cells > FEW_CELLS
            && self.denied_cells as f32 > MOST_DENIED * sure_cells as f32;
    }

    /// Brings `mask`, that of a frame, to the cells.
    fn scale_mask(&mut self, mask: &Frame) -> &[u8] {
        let into = &mut self.mask_cells;
        self.to_cells.scale(mask.view().plane(0), &mut into.view_mut().plane_mut(0));
        into.bytes()
    }

    /// Looks for who has come since the answer, in `mask_cells`: [`Verdict::compare`] has filled them from this frame's mask.
    fn find_arrivals(&mut self) {
        if self.changed.cells().iter().all(|&changed| changed == 0) {
            return self.arrivals.clear();
        }
        self.arrivals.find(CellStates {
            mask: self.mask_cells.bytes(),
            was_empty: &self.was_empty,
            changed: self.changed.cells(),
        });
    }

    /// Remembers what the answer calls room. Whom a doubtful one denies is perhaps somebody.
    fn remember(&mut self, answer: &Question) {
        let denied = self.denied.iter().map(|&denied| denied != 0 && self.is_doubtful);
        let cells = self.person[0].bytes().iter().zip(denied);
        let is_room = cells.map(|(&person, is_doubted)| person < DOUBT && !is_doubted);
        self.remembered.learn(&answer.thumbnail.planes, is_room);
    }
}

impl Verdict {
    pub(super) fn forget(&mut self) {
        (self.knows, self.is_refuted) = (false, false);
        self.tables.iter_mut().for_each(|tables| tables.remembered.forget());
    }

    /// Makes ready for thumbnails and masks of these sizes. Asks for memory only when one of them is new.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if one of them is no usable picture size.
    pub(super) fn fit(&mut self, cells: SizePx, mask: SizePx) -> Result<(), MatteError> {
        let fits = |tables: &Tables| (tables.cells, tables.mask) == (cells, mask);
        if !self.tables.as_ref().is_some_and(fits) {
            self.tables = Some(Tables::new(cells, mask)?);
            self.knows = false;
        }
        Ok(())
    }

    /// Writes `mask` down in cells.
    pub(super) fn note(&mut self, mask: &Frame, cells: &mut Vec<u8>) {
        cells.clear();
        if let Some(tables) = &mut self.tables {
            cells.extend_from_slice(tables.scale_mask(mask));
        }
    }

    /// Takes over an answer; one about frames of another size says nothing.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if the answer is of no usable size.
    pub(super) fn learn(&mut self, answer: &Question) -> Result<(), MatteError> {
        let Some(tables) = &mut self.tables else { return Ok(()) };
        if answer.thumbnail.size != tables.cells {
            return Ok(());
        }
        tables.scale(&answer.person)?;
        tables.keep_heads(&answer.faces, &answer.mask);
        tables.find_empty(&answer.mask);
        if self.knows && tables.person_has_moved() {
            tables.remembered.apply(&mut tables.person, tables.heads.cells());
        } else {
            tables.remembered.apply_nothing();
        }
        let [from, to] = ROOM.map(i32::from);
        let regions = tables.regions.find(&answer.mask, tables.person[0].bytes());
        let answered = tables.person[1].bytes().iter().zip(tables.heads.of_mask());
        for ((room, (&person, &head)), &region) in
            tables.room.bytes_mut().iter_mut().zip(answered).zip(regions)
        {
            let sure = (255 * (to - i32::from(person)) / (to - from)).clamp(0, 255) as u8;
            *room = sure.max(region.min(255 - head));
        }
        tables.find_denied(&answer.mask);
        tables.remember(answer);
        tables.movers.learn(&tables.denied);
        if self.knows {
            // Who has moved since the answer before.
            tables.movers.watch(tables.changed.cells());
        }
        for (kept, plane) in tables.planes.iter_mut().zip(&answer.thumbnail.planes) {
            kept.copy_from_slice(plane);
        }
        tables.seen_at = answer.asked_at;
        (self.knows, self.is_refuted) = (true, false);
        Ok(())
    }

    /// Finds what has changed since the answer's picture, where `mask` is that of the new one. The networks see both pictures
    /// brighter by `gain`. Without an answer nothing has changed, and after a refuted one all has.
    pub(super) fn compare(&mut self, thumbnail: &SmallPlanes, gain: f32, mask: &Frame) -> Changed {
        if let Some(tables) = &mut self.tables {
            tables.remembered.watch(thumbnail.bytes(), gain);
        }
        let Some(tables) = self.tables.as_mut().filter(|_| self.knows) else {
            return if self.is_refuted { Changed::ALL } else { Changed::NOTHING };
        };
        let changed = tables.changed.cells_mut();
        changes::mark(changed, &tables.planes, thumbnail.bytes(), gain);
        let changed_cells = count(changed, |changed| changed != 0);
        if tables.is_doubtful {
            let moved = |denied, changed| denied & changed != 0;
            let moved_cells = count_pairs(&tables.denied, changed, moved);
            if 10 * moved_cells > tables.denied_cells {
                // What moves is somebody.
                (self.knows, self.is_refuted) = (false, true);
            }
        }
        tables.movers.watch(changed);
        if changed_cells == 0 {
            tables.changed.clear();
            return Changed::NOTHING;
        }
        let beside_persons = tables.changed_beside_persons(mask);
        let changed = tables.changed.cells_mut();
        // Flat colours look unchanged whatever goes on.
        fill_amid(changed, &mut tables.spare, tables.cells);
        most_around(changed, &mut tables.spare.cells, tables.cells);
        soften(changed, &mut tables.spare.cells, tables.cells);
        tables.changed.scale();
        let [all, beside_persons] = [changed_cells, beside_persons]
            .map(|cells| cells as f32 / tables.denied.len().max(1) as f32);
        Changed { all, beside_persons }
    }

    /// Strikes out of `mask` what is room, has not changed and is nobody who moves or has come; [`compare`](Self::compare) has been
    /// told the thumbnail and the mask of the same frame.
    pub(super) fn strike(&mut self, mask: &mut Frame) {
        let Some(tables) = self.tables.as_mut().filter(|_| self.knows) else { return };
        let age = mask.captured_at().saturating_duration_since(tables.seen_at);
        if tables.is_doubtful && age < STILL_FOR {
            return;
        }
        tables.find_arrivals();
        let [changed, movers, arrivals] =
            [tables.changed.of_mask(), tables.movers.of_mask(), tables.arrivals.of_mask()];
        let chunks = mask.bytes_mut().chunks_mut(CHUNK).zip(tables.room.bytes().chunks(CHUNK));
        for (index, (levels, room)) in chunks.enumerate() {
            let struck = levels.iter().zip(room).map(|(&level, &room)| level.min(room));
            if struck.fold(0, u8::max) == 0 {
                continue;
            }
            let part = index * CHUNK..index * CHUNK + levels.len();
            let persons = movers[part.clone()].iter().zip(&arrivals[part.clone()]);
            let spared = changed[part].iter().zip(persons);
            for ((level, &room), (&changed, (&mover, &arrival))) in
                levels.iter_mut().zip(room).zip(spared)
            {
                let left = 255 - room.min(255 - changed.max(mover).max(arrival));
                // Rounded up: what is not struck out at all stays as it is.
                *level = (u16::from(*level) * u16::from(left)).div_ceil(255) as u8;
            }
        }
    }

    /// How much each of the mask's samples may be raised by, of 255, the more of both: where the picture has changed, and heads,
    /// whose hair networks are half sure of. What is half sure and stands still is furniture. `None` without an answer.
    pub(super) fn raisable(&self) -> Option<[&[u8]; 2]> {
        let tables = self.tables.as_ref().filter(|_| self.knows)?;
        Some([tables.changed.of_mask(), tables.heads.of_mask()])
    }
}
