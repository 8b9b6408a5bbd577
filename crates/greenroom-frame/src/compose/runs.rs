use std::ops::Range;

use crate::Isa;
use crate::kernels::blocks::{BLOCK, ROOM, classify};
use crate::matte_blocks::MatteBlocks;

/// What a row is made of. Most rows are as the one above.
#[derive(Debug, Default)]
pub(super) struct RowRuns {
    /// What the blocks of the newest row are. [`UNUSUAL`](crate::cells::UNUSUAL) marks those of a person in unusual light.
    kinds: Vec<u8>,
    /// The same for the row that the runs are of.
    known: Vec<u8>,
    /// The marks of a plane without light.
    no_marks: Vec<u8>,
    /// The columns of blocks on end that are treated alike.
    pub(super) runs: Vec<(u8, Range<usize>)>,
}

impl RowRuns {
    /// Starts with a plane of rows of so many samples.
    pub(super) fn aim(&mut self, width: usize) {
        let blocks = width.div_ceil(BLOCK);
        for kinds in [&mut self.kinds, &mut self.known, &mut self.no_marks] {
            kinds.clear();
            kinds.resize(blocks, 0);
        }
        self.runs.clear();
        self.runs.reserve(blocks);
    }

    /// Finds the runs of a row with this `alpha`, of whose `blocks` the kinds may be known already; `marks` are those of [`classify`].
    pub(super) fn find(
        &mut self,
        isa: Isa,
        alpha: &[u8],
        blocks: Option<&[u8]>,
        marks: Option<&[u8]>,
    ) {
        let marks = marks.unwrap_or(&self.no_marks);
        if let Some(blocks) = blocks {
            debug_assert!(MatteBlocks::are_true(blocks, alpha), "the blocks are of another matte");
            for ((kind, &block), mark) in self.kinds.iter_mut().zip(blocks).zip(marks) {
                // Without a branch, so that it is done for many at a time.
                *kind = block | (mark & u8::from(block == ROOM).wrapping_sub(1));
            }
        } else {
            classify(isa, &mut self.kinds, alpha, marks);
        }
        if self.kinds == self.known && !self.runs.is_empty() {
            return;
        }
        self.known.copy_from_slice(&self.kinds);
        self.runs.clear();
        let mut start = 0;
        for alike in self.kinds.chunk_by(|kind, next| kind == next) {
            let end = alpha.len().min(start + alike.len() * BLOCK);
            self.runs.push((alike[0], start..end));
            start = end;
        }
    }
}
