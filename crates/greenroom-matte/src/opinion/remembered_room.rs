use greenroom_frame::{Frame, SizePx};

use super::cells::{Spare, fill_amid, most_around};
use super::changes;
use super::in_both::InBoth;
use crate::MatteError;

/// What earlier answers called room and what has never changed since. A tablet that stands on a table is room; when a person
/// moves behind it, the large network calls it a part of the person. It is room still, for it has looked the same in every
/// frame since that answer: a person who came there would have changed it at some time.
///
/// A thing that is lifted changes, and a thing that came with the person was never room.
#[derive(Debug)]
pub(super) struct RememberedRoom {
    cells: SizePx,
    /// 255 in cells that an answer has called room and that have not changed since.
    unmoved: Vec<u8>,
    /// Those cells of the thumbnail of that answer's picture.
    planes: [Vec<u8>; 3],
    /// 255 where the newest frame is another; at an answer, in all other cells and beside them.
    changed: Vec<u8>,
    spare: Spare,
    /// 255 in cells that are room still, and in the mask's samples.
    found: InBoth,
}

impl RememberedRoom {
    pub(super) fn new(cells: SizePx, mask: SizePx) -> Result<Self, MatteError> {
        let area = cells.area_px() as usize;
        Ok(Self {
            cells,
            unmoved: vec![0; area],
            planes: [(); 3].map(|()| vec![0; area]),
            changed: vec![0; area],
            spare: Spare::new(cells),
            found: InBoth::new(cells, mask)?,
        })
    }

    pub(super) fn forget(&mut self) {
        self.unmoved.fill(0);
    }

    /// Looks where a frame is another than the picture of the answer that called it room: `planes` are its thumbnail's. The
    /// networks see both brighter by `gain`.
    pub(super) fn watch(&mut self, planes: [&[u8]; 3], gain: f32) {
        changes::mark(&mut self.changed, &self.planes, planes, gain);
        for (unmoved, &changed) in self.unmoved.iter_mut().zip(&self.changed) {
            *unmoved &= !changed;
        }
    }

    /// Finds what is room still in the picture of an answer, and makes it room in `person`: the answer in cells and in the
    /// mask's samples. Heads stay; `heads` are in cells.
    pub(super) fn apply(&mut self, person: &mut [Frame; 2], heads: &[u8]) {
        let Self { cells, unmoved, changed, spare, .. } = self;
        for (changed, &unmoved) in changed.iter_mut().zip(unmoved.iter()) {
            *changed = !unmoved;
        }
        // Flat colours look unchanged whatever goes on.
        fill_amid(changed, spare, *cells);
        most_around(changed, &mut spare.cells, *cells);
        let found = self.found.cells_mut().iter_mut();
        for ((found, &changed), &head) in found.zip(&self.changed).zip(heads) {
            *found = 255 - changed.max(head);
        }
        self.found.scale();
        for (person, found) in person.iter_mut().zip([self.found.cells(), self.found.of_mask()]) {
            for (person, &found) in person.bytes_mut().iter_mut().zip(found) {
                *person = (*person).min(255 - found);
            }
        }
    }

    /// Finds nothing that is room still.
    pub(super) fn apply_nothing(&mut self) {
        self.found.clear();
    }

    /// Takes over which cells of the picture with this thumbnail an answer calls room by itself: what is room by memory alone
    /// is compared with the picture that an answer was about, so that nothing creeps in.
    pub(super) fn learn(&mut self, thumbnail: &[Vec<u8>; 3], is_room: impl Iterator<Item = bool>) {
        let [y, u, v] = &mut self.planes;
        let [new_y, new_u, new_v] = thumbnail;
        for (at, _) in is_room.enumerate().filter(|(_, is_room)| *is_room) {
            if self.found.cells()[at] == 0 {
                self.unmoved[at] = 255;
                (y[at], u[at], v[at]) = (new_y[at], new_u[at], new_v[at]);
            }
        }
    }
}
