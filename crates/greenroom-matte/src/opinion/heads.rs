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

/// Share of a head that the large network has to call room for it not to see the head, where the fast network sees a person
/// there; and where it does not. A square that reaches into the room, or lies on somebody's back, is no reason to keep the room beside.
const UNSEEN: f32 = 0.1;
const UNSEEN_BY_BOTH: f32 = 0.5;

/// Whether the large network does not see the head of `face`: `person` is its answer, of any size, and `mask` the fast network's of
/// the same size.
pub(super) fn is_unseen(face: &Face, person: &Frame, mask: &[u8]) -> bool {
    let (mut head_cells, mut denied_cells, mut of_mask) = (0_u32, 0_u32, 0_u32);
    for (at, _) in cells_of(*face, person.size()).filter(|(_, level)| *level == 255) {
        let is_denied = person.bytes()[at] < DOUBT;
        head_cells += 1;
        denied_cells += u32::from(is_denied);
        of_mask += u32::from(is_denied && mask[at] >= DOUBT);
    }
    let share = |cells: u32| cells as f32 / head_cells.max(1) as f32;
    share(of_mask) > UNSEEN || share(denied_cells) > UNSEEN_BY_BOTH
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
    fn a_head_is_unseen_if_the_large_network_denies_a_tenth_of_what_the_fast_one_sees_or_half() {
        let size = SizePx::new(100, 100);
        // 26 columns wide, 28 rows high, from row 34 on.
        let face = Face { left: 0.4, top: 0.4, width: 0.2, height: 0.2, score: 0.9 };
        let mut person = grey(size).unwrap();
        let mut is_unseen_from = |row: usize, face: Face, mask: &[u8]| {
            person.bytes_mut().fill(255);
            person.bytes_mut()[row * 100..].fill(0);
            is_unseen(&face, &person, mask)
        };
        let (sees, sees_not) = ([255; 10_000], [0; 10_000]);
        // The lowest 2 rows are a twentieth of the ellipse, the lowest 5 a sixth; from row 50 on it is less than half.
        assert!(!is_unseen_from(60, face, &sees));
        assert!(is_unseen_from(57, face, &sees));
        assert!(!is_unseen_from(50, face, &sees_not));
        assert!(is_unseen_from(46, face, &sees_not));
        // What the fast network sees elsewhere is no reason.
        let mut above = sees;
        above[57 * 100..].fill(0);
        assert!(!is_unseen_from(57, face, &above));
        assert!(!is_unseen_from(0, Face { left: 2.0, ..face }, &sees));
    }
}
