use greenroom_frame::Frame;

use super::doubt::DOUBT;
use crate::Face;

/// A head about the middle of the square of its face, which goes from the brows to the chin: half of its width, and how
/// far up and down it reaches, in sides of the square. Hair and jaw belong to it, and little of the room.
const HALF_WIDTH: f32 = 0.65;
const UP: f32 = 0.8;
const DOWN: f32 = 0.6;
/// The ellipse is sure of a head, and so many times its size is none any more.
const RIM: f32 = 1.15;

/// Share of a face's square that the large network has to call room, for that face to be one that it does not see.
const UNSEEN: f32 = 0.1;

/// Whether the large network does not see `face`: `person`, its answer, is of any size.
pub(super) fn is_unseen(face: &Face, person: &Frame) -> bool {
    let size = person.size();
    let inside = |from: f32, length: f32, side: u32| {
        let at = |share: f32| (share * side as f32).round().clamp(0.0, side as f32) as usize;
        at(from)..at(from + length)
    };
    let columns = inside(face.left, face.width, size.width_px);
    let rows = inside(face.top, face.height, size.height_px);
    let cells = (columns.len() * rows.len()).max(1);
    let plane = person.view().plane(0);
    let in_rows = plane.iter_rows().skip(rows.start).take(rows.len());
    let room = in_rows.flat_map(|row| &row[columns.clone()]).filter(|&&level| level < DOUBT);
    room.count() as f32 > UNSEEN * cells as f32
}

/// Makes `cells`, a grey picture of any size, 255 where the heads of `faces` are and 0 elsewhere, with a soft rim.
pub(super) fn draw<'a>(faces: impl IntoIterator<Item = &'a Face>, cells: &mut Frame) {
    cells.bytes_mut().fill(0);
    let size = cells.size();
    let sides = [size.width_px, size.height_px].map(|side| side as f32);
    let mut view = cells.view_mut();
    let mut plane = view.plane_mut(0);
    for face in faces {
        let [x, y] = [face.left + face.width / 2.0, face.top + face.height / 2.0];
        let half_width = HALF_WIDTH * face.width;
        for (row_y, row) in plane.iter_rows_mut().enumerate() {
            let below = (row_y as f32 + 0.5) / sides[1] - y;
            let reach = if below < 0.0 { UP } else { DOWN };
            let down = below / (reach * face.height);
            if down.abs() >= RIM {
                continue;
            }
            for (cell_x, cell) in row.iter_mut().enumerate() {
                let across = ((cell_x as f32 + 0.5) / sides[0] - x) / half_width;
                let distance = (across * across + down * down).sqrt();
                let level = ((RIM - distance) / (RIM - 1.0)).clamp(0.0, 1.0);
                *cell = (*cell).max((level * 255.0) as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::SizePx;

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
    fn a_face_is_unseen_if_a_tenth_of_it_is_room() {
        let mut person = grey(SizePx::new(100, 100)).unwrap();
        let face = Face { left: 0.2, top: 0.8, width: 0.2, height: 0.4, score: 0.9 };
        person.bytes_mut().fill(255);
        assert!(!is_unseen(&face, &person));
        // The lower half of it lies outside of the picture; 2 of 20 columns, then 3.
        person.bytes_mut().chunks_exact_mut(100).for_each(|row| row[30..32].fill(0));
        assert!(!is_unseen(&face, &person));
        person.bytes_mut().chunks_exact_mut(100).for_each(|row| row[30..33].fill(0));
        assert!(is_unseen(&face, &person));
        assert!(!is_unseen(&Face { left: 2.0, ..face }, &person));
    }
}
