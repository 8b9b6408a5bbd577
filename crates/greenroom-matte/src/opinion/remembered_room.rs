use greenroom_frame::{Frame, PlaneScaler, SizePx};

use super::asking::Question;
use super::cells::grey;
use super::changes;
use crate::MatteError;

/// What earlier answers called room. A tablet that stands on a table is room; when a person moves behind it, the large
/// network calls it a part of the person, but hardly rules out that it is a thing. It is room still where it looks as it
/// did then.
///
/// A thing that is lifted looks different, and a thing that came with the person was never room.
#[derive(Debug)]
pub(super) struct RememberedRoom {
    cells: SizePx,
    /// 255 in cells that an answer has called room.
    known: Vec<u8>,
    /// Those cells of the thumbnail of the last such answer's picture.
    planes: [Vec<u8>; 3],
    changed: Vec<u8>,
    spare: [Vec<u8>; 2],
    /// The newest answer's probabilities of things, in cells; the scaler is made for its size.
    things: Frame,
    from_answer: Option<PlaneScaler>,
    /// 255 in cells that are room still, and in the mask's samples.
    found: [Frame; 2],
    to_mask: PlaneScaler,
}

/// Share of a person's probability that is of things, from which on that person may be a thing.
const LEAST_THINGS: f32 = 0.1;

impl RememberedRoom {
    pub(super) fn new(cells: SizePx, mask: SizePx) -> Result<Self, MatteError> {
        let area = cells.area_px() as usize;
        Ok(Self {
            cells,
            known: vec![0; area],
            planes: [(); 3].map(|()| vec![0; area]),
            changed: vec![0; area],
            spare: [vec![0; area], vec![0; area]],
            things: grey(cells)?,
            from_answer: None,
            found: [grey(cells)?, grey(mask)?],
            to_mask: PlaneScaler::new(cells, mask)?,
        })
    }

    pub(super) fn forget(&mut self) {
        self.known.fill(0);
    }

    /// Finds what is room still in an answer, and makes it room in `person`: the answer in cells and in the mask's samples.
    /// Heads stay; `heads` are in cells.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if the answer is of no usable size.
    pub(super) fn apply(
        &mut self,
        answer: &Question,
        person: &mut [Frame; 2],
        heads: &[u8],
    ) -> Result<(), MatteError> {
        let size = answer.things.size();
        let kept = self.from_answer.take().filter(|scaler| scaler.from() == size);
        let scaler = self.from_answer.insert(match kept {
            Some(scaler) => scaler,
            None => PlaneScaler::new(size, self.cells)?,
        });
        scaler.scale(answer.things.view().plane(0), &mut self.things.view_mut().plane_mut(0));
        let new = answer.thumbnail.planes.each_ref().map(Vec::as_slice);
        changes::mark(&mut self.changed, &self.planes, new, answer.gain);
        changes::fill(&mut self.changed, &mut self.spare, self.cells);
        let [found, of_mask] = &mut self.found;
        let cells = self.things.bytes().iter().zip(person[0].bytes());
        let spared = self.known.iter().zip(&self.changed).zip(heads);
        for ((found, (&thing, &person)), ((&known, &changed), &head)) in
            found.bytes_mut().iter_mut().zip(cells).zip(spared)
        {
            let may_be_thing = f32::from(thing) > LEAST_THINGS * f32::from(person);
            *found = if may_be_thing { known.min(255 - changed.max(head)) } else { 0 };
        }
        self.to_mask.scale(found.view().plane(0), &mut of_mask.view_mut().plane_mut(0));
        for (person, found) in person.iter_mut().zip(&self.found) {
            for (person, &found) in person.bytes_mut().iter_mut().zip(found.bytes()) {
                *person = (*person).min(255 - found);
            }
        }
        Ok(())
    }

    /// Takes over which cells an answer calls room by itself: what is room by memory alone is compared with the picture that
    /// an answer was about, so that nothing creeps in.
    pub(super) fn learn(&mut self, answer: &Question, is_room: impl Iterator<Item = bool>) {
        let [y, u, v] = &mut self.planes;
        let [new_y, new_u, new_v] = &answer.thumbnail.planes;
        for (at, _) in is_room.enumerate().filter(|(_, is_room)| *is_room) {
            if self.found[0].bytes()[at] == 0 {
                self.known[at] = 255;
                (y[at], u[at], v[at]) = (new_y[at], new_u[at], new_v[at]);
            }
        }
    }
}
