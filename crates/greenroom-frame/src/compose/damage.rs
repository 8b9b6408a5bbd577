use std::ops::Range;

use crate::kernels::blocks::{BLOCK, ROOM};
use crate::packed::SECTION_PX;
use crate::{MatteBlocks, SizePx};

/// The damage of a band: the columns that must be drawn anew. They are whole sections.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Ranges of columns of the plane of luma, from left to right.
    pub(super) of_luma: Vec<Range<usize>>,
    /// The same ranges in the planes of chroma.
    pub(super) of_chroma: Vec<Range<usize>>,
    /// For each block of luma and of chroma what the band's rows have there, ORed: [`ROOM`] if that is all.
    kinds: [Vec<u8>; 2],
}

impl Damage {
    /// Damages all columns of a band of this `size`.
    pub(super) fn take_all(&mut self, size: SizePx) {
        let sections = size.width_px.div_ceil(SECTION_PX) as usize;
        self.clear(sections);
        self.push(0..sections, size.width_px as usize);
    }

    /// Damages the sections that have a person in them, and those that do not show the backdrop yet. `is_backdrop` then says of each
    /// section whether it shows nothing but the backdrop once the damage is drawn. `matte` and `rows` are those of luma and of chroma.
    pub(super) fn find(
        &mut self,
        matte: [&MatteBlocks; 2],
        rows: [Range<usize>; 2],
        is_backdrop: &mut [bool],
    ) {
        let (sections, width) = (is_backdrop.len(), matte[0].size().width_px as usize);
        self.clear(sections);
        let counts = [2 * sections, sections];
        for (((kinds, matte), rows), count) in
            self.kinds.iter_mut().zip(matte).zip(rows).zip(counts)
        {
            kinds.clear();
            kinds.resize(count, ROOM);
            for y in rows {
                kinds.iter_mut().zip(matte.row(y)).for_each(|(kinds, kind)| *kinds |= kind);
            }
        }
        let mut start = None;
        for section in 0..sections {
            let [luma, chroma] = &self.kinds;
            let is_room = luma[2 * section] | luma[2 * section + 1] | chroma[section] == ROOM;
            let is_shown = std::mem::replace(&mut is_backdrop[section], is_room) && is_room;
            if !is_shown {
                start = start.or(Some(section));
            } else if let Some(start) = start.take() {
                self.push(start..section, width);
            }
        }
        if let Some(start) = start {
            self.push(start..sections, width);
        }
    }

    /// Reserves memory for as many ranges as so many sections may have, so that no later frame asks for it.
    fn clear(&mut self, sections: usize) {
        for ranges in [&mut self.of_luma, &mut self.of_chroma] {
            ranges.clear();
            ranges.reserve(sections.div_ceil(2));
        }
    }

    fn push(&mut self, sections: Range<usize>, width: usize) {
        let columns = |of_section: usize, width: usize| {
            sections.start * of_section..(sections.end * of_section).min(width)
        };
        self.of_luma.push(columns(2 * BLOCK, width));
        self.of_chroma.push(columns(BLOCK, width.div_ceil(2)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    /// Blocks of a plane with somebody at these samples of its last row.
    fn blocks(width_px: u32, rows: u32, person: Range<usize>) -> MatteBlocks {
        let mut blocks = MatteBlocks::new(SizePx::new(width_px, rows));
        for y in 0..rows as usize {
            let mut alpha = vec![0; width_px as usize];
            if y + 1 == rows as usize {
                alpha[person.clone()].fill(200);
            }
            blocks.draw_row(Isa::best(), y, &alpha);
        }
        blocks
    }

    #[test]
    fn what_shows_the_backdrop_already_is_left_out() {
        let mut damage = Damage::default();
        let mut is_backdrop = [false; 5];
        let mut find = |luma: Range<usize>, chroma: Range<usize>| {
            let matte = [blocks(300, 4, luma), blocks(150, 2, chroma)];
            damage.find(matte.each_ref(), [0..4, 0..2], &mut is_backdrop);
            let chroma = damage.of_luma.iter().map(|it| it.start / 2..it.end / 2);
            assert!(chroma.eq(damage.of_chroma.iter().cloned()));
            damage.of_luma.iter().map(|it| (it.start, it.end)).collect::<Vec<_>>()
        };
        assert_eq!(find(0..0, 0..0), [(0, 300)], "nothing is known yet");
        assert_eq!(find(0..0, 0..0), [], "all of it shows the backdrop");
        assert_eq!(find(70..130, 0..0), [(64, 192)], "somebody comes");
        assert_eq!(find(299..300, 0..0), [(64, 192), (256, 300)]);
        assert_eq!(find(0..0, 40..41), [(64, 128), (256, 300)]);
        assert_eq!(find(0..0, 0..0), [(64, 128)], "the last trace goes");
        assert_eq!(find(100..101, 0..0), [(64, 128)], "in the second block");
        assert_eq!(find(0..0, 0..0), [(64, 128)]);
        assert_eq!(find(0..0, 0..0), []);
    }
}
