use std::ops::Range;

use crate::kernels::blocks::{BLOCK, MIXED, PERSON, ROOM, classify};
use crate::{Isa, SizePx};

/// What a plane of a matte is in blocks of each row: all room, all person, or something else. Who draws the plane tells it, row by row,
/// so that who reads it looks only where it is mixed.
///
/// Of some columns it is known without a look; rows in which these are the same belong to one group.
#[derive(Debug, Clone)]
pub struct MatteBlocks {
    /// Of the plane.
    size: SizePx,
    /// For each row what each block is: [`ROOM`], [`PERSON`] or [`MIXED`].
    kinds: Vec<u8>,
    /// The group of each row.
    groups: Vec<usize>,
    /// For each group what is known of each block, one group behind the other; what is not is [`MIXED`].
    known: Vec<u8>,
    /// The blocks of each group of which nothing is known, and where those of each group begin.
    unknown: Vec<Range<usize>>,
    starts: Vec<usize>,
    /// 0 for each block.
    no_marks: Vec<u8>,
}

/// What is known of some columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// All alphas are 0.
    Room,
    /// All alphas are 255.
    Person,
    /// Nothing.
    Nothing,
}

impl MatteBlocks {
    /// Of a plane of `size` of which nothing is known.
    pub fn new(size: SizePx) -> Self {
        let (blocks, rows) = ((size.width_px as usize).div_ceil(BLOCK), size.height_px as usize);
        let mut new = Self {
            size,
            kinds: vec![MIXED; blocks * rows],
            groups: vec![Self::NOTHING_KNOWN; rows],
            known: Vec::new(),
            unknown: Vec::new(),
            starts: Vec::new(),
            no_marks: vec![0; blocks],
        };
        new.clear();
        new
    }

    /// The group of rows of which nothing is known.
    pub const NOTHING_KNOWN: usize = 0;

    /// Tells each row's group; the groups are to be [added](Self::add_group) before a row is [drawn](Self::draw_row).
    pub fn set_groups(&mut self, of_rows: impl Iterator<Item = usize>) {
        self.groups.clear();
        self.groups.extend(of_rows);
    }

    /// Forgets what was known.
    pub fn clear(&mut self) {
        self.known.clear();
        self.unknown.clear();
        self.starts.clear();
        self.add_group(std::iter::empty());
    }

    /// Adds the next group, of which these columns are known: stretches one behind the other. The first is group 1.
    pub fn add_group(&mut self, stretches: impl Iterator<Item = (Range<usize>, Known)>) {
        let width = self.size.width_px as usize;
        let start = self.known.len();
        self.known.resize(start + self.no_marks.len(), MIXED);
        self.starts.push(self.unknown.len());
        let known = &mut self.known[start..];
        for (columns, of_columns) in stretches {
            let kind = match of_columns {
                Known::Room => ROOM,
                Known::Person => PERSON,
                Known::Nothing => continue,
            };
            // The last block may be shorter.
            let end = if columns.end >= width { known.len() } else { columns.end / BLOCK };
            if let Some(whole) = known.get_mut(columns.start.div_ceil(BLOCK)..end) {
                whole.fill(kind);
            }
        }
        let mut at = 0;
        for alike in known.chunk_by(|kind, next| (*kind == MIXED) == (*next == MIXED)) {
            if alike[0] == MIXED {
                self.unknown.push(at..at + alike.len());
            }
            at += alike.len();
        }
    }

    /// Row `y` was drawn: `alpha`, of which what is known of its group is so.
    pub fn draw_row(&mut self, isa: Isa, y: usize, alpha: &[u8]) {
        let (group, blocks) = (self.groups[y], self.no_marks.len());
        let kinds = &mut self.kinds[y * blocks..][..blocks];
        kinds.copy_from_slice(&self.known[group * blocks..][..blocks]);
        let end = self.starts.get(group + 1).copied().unwrap_or(self.unknown.len());
        for unknown in &self.unknown[self.starts[group]..end] {
            let columns = unknown.start * BLOCK..alpha.len().min(unknown.end * BLOCK);
            let marks = &self.no_marks[unknown.clone()];
            classify(isa, &mut kinds[unknown.clone()], &alpha[columns], marks);
        }
    }

    /// The size of the plane.
    pub fn size(&self) -> SizePx {
        self.size
    }

    /// What each block of row `y` is: [`ROOM`], [`PERSON`] or [`MIXED`].
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        &self.kinds[y * self.no_marks.len()..][..self.no_marks.len()]
    }
}
