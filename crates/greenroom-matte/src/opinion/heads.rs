use greenroom_frame::{Frame, SizePx};

use super::levels::DOUBT;
use crate::Face;

/// A head about the middle of the square of its face, which goes from the brows to the chin: half of its width, and how
/// far up and down it reaches, in sides of the square. Hair and jaw belong to it, and little of the room.
const HALF_WIDTH: f32 = 0.65;
const UP: f32 = 0.8;
const DOWN: f32 = 0.6;
/// The ellipse is sure of a head, and so many times its size is none any more.
const RIM: f32 = 1.15;

/// Share of a head that the fast network calls a person and the large one room, for it to be one that the large one does not see.
/// Faces that stand out against the room, or are none, do not count: the finder's squares reach into the room, or lie on a back.
const UNSEEN: f32 = 0.1;

/// Whether the large network does not see the head of `face`, where the fast one does: `person` is its answer, of any size, and
/// `mask` the fast network's of the same size.
pub(super) fn is_unseen(face: &Face, person: &Frame, mask: &[u8]) -> bool {
    let (mut head_cells, mut unseen_cells) = (0_u32, 0_u32);
    for (at, _) in cells_of(*face, person.size()).filter(|(_, level)| *level == 255) {
        head_cells += 1;
        unseen_cells += u32::from(person.bytes()[at] < DOUBT && mask[at] >= DOUBT);
    }
    unseen_cells as f32 > UNSEEN * head_cells as f32
}

/// Makes `cells`, a grey picture of any size, 255 where the heads of `faces` are and 0 elsewhere, with a soft rim.
pub(super) fn draw<'a>(faces: impl IntoIterator<Item = &'a Face>, cells: &mut Frame) {
    let size = cells.size();
    let cells = cells.bytes_mut();
    cells.fill(0);
    for (at, level) in faces.into_iter().flat_map(|face| cells_of(*face, size)) {
        cells[at] = cells[at].max(level);
    }
}

/// The cells of the head of `face` in a grey picture of `size`, with how sure each is one of the head: 255 within, less at the rim.
fn cells_of(face: Face, size: SizePx) -> impl Iterator<Item = (usize, u8)> {
    let [x, y] = [face.left + face.width / 2.0, face.top + face.height / 2.0];
    let place = |at: u32, side: u32| (at as f32 + 0.5) / side as f32;
    let rows = (0..size.height_px).filter_map(move |row| {
        let below = place(row, size.height_px) - y;
        let down = below / (if below < 0.0 { UP } else { DOWN } * face.height);
        (down.abs() < RIM).then_some((row, down))
    });
    rows.flat_map(move |(row, down)| {
        (0..size.width_px).filter_map(move |column| {
            let across = (place(column, size.width_px) - x) / (HALF_WIDTH * face.width);
            let distance = (across * across + down * down).sqrt();
            let level = ((RIM - distance) / (RIM - 1.0)).clamp(0.0, 1.0) * 255.0;
            let at = (row * size.width_px + column) as usize;
            (level > 0.0).then_some((at, level as u8))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::cells::grey;
    use super::*;

    #[test]
    fn heads_are_round_their_faces_and_nowhere_else() {
        let mut cells = grey(SizePx::new(160, 90)).unwrap();
        // Of 32 cells, in the middle; and one that reaches out of the picture.
        let face =
            Face { left: 0.4, top: 29.0 / 90.0, width: 0.2, height: 32.0 / 90.0, score: 0.9 };
        draw(&[face, Face { left: -0.1, ..face }], &mut cells);
        let cell = |x: usize, y: usize| cells.bytes()[y * 160 + x];
        assert_eq!([cell(80, 45), cell(80, 22), cell(62, 45), cell(97, 45)], [255; 4]);
        // Hair stands up higher than the chin reaches down.
        assert_eq!([cell(80, 14), cell(80, 68), cell(50, 45), cell(62, 20)], [0; 4]);
        assert_eq!([cell(0, 45), cell(159, 45), cell(0, 0)], [255, 0, 0]);
        draw(&[], &mut cells);
        assert!(cells.bytes().iter().all(|&level| level == 0));
    }

    #[test]
    fn a_head_is_unseen_if_a_tenth_of_it_is_room_to_the_large_network_alone() {
        let mut person = grey(SizePx::new(100, 100)).unwrap();
        // 26 columns wide, 28 rows high.
        let face = Face { left: 0.4, top: 0.4, width: 0.2, height: 0.2, score: 0.9 };
        let (sees, sees_not) = ([255; 10_000], [0; 10_000]);
        person.bytes_mut().fill(255);
        assert!(!is_unseen(&face, &person, &sees));
        // Two rows at the chin, then the lower half of the head.
        person.bytes_mut()[60 * 100..].fill(0);
        assert!(!is_unseen(&face, &person, &sees));
        person.bytes_mut()[50 * 100..].fill(0);
        assert!(is_unseen(&face, &person, &sees));
        // What neither network sees is no head.
        assert!(!is_unseen(&face, &person, &sees_not));
        assert!(!is_unseen(&Face { left: 2.0, ..face }, &person, &sees));
    }
}
