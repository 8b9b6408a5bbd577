//! What is inside of a person, away from their edge. (The smoother has an inside of its own, for masks that are carried over, which is
//! for three frames at most.)

use greenroom_frame::{Frame, SizePx};

use crate::refine::around::join_around;

/// Level of the mask from which on it is sure of a person.
const SURE_PERSON: u8 = 250;
/// Cells between what is inside and the edge: what moves there has no part in where the edge is. (Of 300 frames of a man who talks
/// at his desk, the network was asked about 206 without any of this, 193 with a reach of 6 cells, 185 with 3 and 180 with 2.)
const REACH: usize = 3;

/// Finds the cells of a picture's thumbnail that are inside of a person.
#[derive(Default)]
pub(super) struct Inside {
    /// The sizes of the mask and of the thumbnail for which the tables below were made.
    sizes: Option<[SizePx; 2]>,
    /// The column of the mask in the middle of each column of cells.
    columns: Vec<usize>,
    /// 255 in cells in whose middle the mask is not sure of a person, 0 in others.
    unsure: Vec<u8>,
    /// 255 in cells that have no such cell within [`REACH`], 0 in others.
    inside: Vec<u8>,
    /// A row of cells, with [`REACH`] more at both ends.
    row: Vec<u8>,
}

impl Inside {
    /// 255 in those of `cells` that are inside of a person by `mask`, 0 in others. Beyond the picture's lower border a person goes on; the
    /// other borders are edges, for there the room comes into sight when somebody moves away from the lens. Asks for memory only
    /// for a size that is new.
    pub(super) fn find(&mut self, mask: &Frame, cells: SizePx) -> &[u8] {
        let [width, height] = [cells.width_px, cells.height_px].map(|side| side as usize);
        let SizePx { width_px, height_px } = mask.size();
        let (mask_width, mask_height) = (width_px as usize, height_px as usize);
        let middle =
            |cell: usize, cells: usize, samples: usize| (2 * cell + 1) * samples / (2 * cells);
        let sizes = [mask.size(), cells];
        if self.sizes.replace(sizes) != Some(sizes) {
            self.columns = (0..width).map(|cell| middle(cell, width, mask_width)).collect();
            self.unsure = vec![0; width * height];
            self.inside = vec![0; width * height];
            self.row = vec![0; width + 2 * REACH];
        }
        for (y, unsure) in self.unsure.chunks_exact_mut(width).enumerate() {
            let row = middle(y, height, mask_height);
            let levels = &mask.bytes()[row * mask_width..][..mask_width];
            let unsure_of = |level: u8| if level >= SURE_PERSON { 0 } else { 255 };
            if mask_width == 2 * width {
                // The same, in vectors.
                let pairs = levels.as_chunks::<2>().0;
                unsure.iter_mut().zip(pairs).for_each(|(it, pair)| *it = unsure_of(pair[1]));
            } else {
                let columns = unsure.iter_mut().zip(&self.columns);
                columns.for_each(|(it, &column)| *it = unsure_of(levels[column]));
            }
        }
        join_around(&self.unsure, &mut self.inside, &mut self.row, REACH, 255);
        self.inside.iter_mut().for_each(|cell| *cell = !*cell);
        self.inside[..REACH.min(height) * width].fill(0);
        &self.inside
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, PixelFormat};

    use super::*;

    #[test]
    fn inside_is_away_from_every_edge_but_the_border() {
        let (mask, cells) = (SizePx::new(64, 48), SizePx::new(32, 24));
        let mut frame = Frame::new(PixelFormat::Grey, mask, Colour::JPEG).unwrap();
        // A person in columns 10..22 and rows 4.. of the cells, who is half sure at one place.
        for (y, row) in frame.view_mut().plane_mut(0).iter_rows_mut().enumerate().skip(8) {
            row[20..44].fill(255);
            if y / 2 == 20 {
                row[42..44].fill(249);
            }
        }
        let mut inside = Inside::default();
        let found = inside.find(&frame, cells);
        for (at, &found) in found.iter().enumerate() {
            let (x, y) = (at % 32, at / 32);
            let is_near_doubt = x.abs_diff(21) <= REACH && y.abs_diff(20) <= REACH;
            let is_inside = (10 + REACH..22 - REACH).contains(&x) && y >= 4 + REACH;
            assert_eq!(found != 0, is_inside && !is_near_doubt, "{x} {y}");
        }
        // Of another size, and nobody.
        frame.bytes_mut().fill(0);
        assert!(inside.find(&frame, SizePx::new(16, 12)).iter().all(|&found| found == 0));
        // A person who fills the picture: the room may come into sight at each border but the lower one.
        frame.bytes_mut().fill(255);
        for (width, height) in [(32, 24), (64, 48), (21, 13), (80, 50), (7, 4), (6, 9), (1, 1)] {
            let found = inside.find(&frame, SizePx::new(width, height));
            let (width, height) = (width as usize, height as usize);
            assert_eq!(found.len(), width * height);
            for (at, &found) in found.iter().enumerate() {
                let (x, y) = (at % width, at / width);
                let is_inside = x >= REACH && x + REACH < width && y >= REACH;
                assert_eq!(found != 0, is_inside, "{width}x{height}: {x} {y}");
            }
        }
    }
}
