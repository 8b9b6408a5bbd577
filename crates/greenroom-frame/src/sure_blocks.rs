use std::ops::Range;

use crate::SizePx;
use crate::kernels::blocks::{BLOCK, MIXED, PERSON, ROOM};

/// Where a plane of a matte is known to be all room or all person, in blocks of a row. Who draws the plane knows it, and who
/// reads it need not look there.
///
/// Rows that are alike belong to one group.
#[derive(Debug, Clone)]
pub struct SureBlocks {
    /// Of the plane.
    size: SizePx,
    /// For each group what each block of a row is, one group behind the other; in the first nothing is known.
    kinds: Vec<u8>,
    /// The blocks of each group of which nothing is known, and where those of each group begin.
    unknown: Vec<Range<usize>>,
    starts: Vec<usize>,
    /// The group of each row.
    of_rows: Vec<usize>,
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

/// The blocks of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SureRow<'a> {
    /// [`ROOM`], [`PERSON`] or [`MIXED`]: the last is to be looked at.
    pub(crate) kinds: &'a [u8],
    /// The blocks that are to be looked at.
    pub(crate) unknown: &'a [Range<usize>],
}

impl SureBlocks {
    /// Nothing is known of a plane of `size`.
    pub fn new(size: SizePx) -> Self {
        let rows = size.height_px as usize;
        let mut new = Self {
            size,
            kinds: Vec::new(),
            unknown: Vec::new(),
            starts: Vec::new(),
            of_rows: vec![Self::ROWS_APART; rows],
        };
        new.clear();
        new
    }

    /// The group of rows of which nothing is known.
    pub const ROWS_APART: usize = 0;

    /// Tells each row's group; the groups are to be [added](Self::add_group) before it is used.
    pub fn set_rows(&mut self, of_rows: impl Iterator<Item = usize>) {
        self.of_rows.clear();
        self.of_rows.extend(of_rows);
    }

    /// Forgets all groups.
    pub fn clear(&mut self) {
        self.kinds.clear();
        self.unknown.clear();
        self.starts.clear();
        self.add_group(std::iter::empty());
    }

    /// Adds the next group, of which these columns are known: stretches one behind the other. The first is group 1.
    pub fn add_group(&mut self, stretches: impl Iterator<Item = (Range<usize>, Known)>) {
        let width = self.size.width_px as usize;
        let start = self.kinds.len();
        self.kinds.resize(start + width.div_ceil(BLOCK), MIXED);
        self.starts.push(self.unknown.len());
        let kinds = &mut self.kinds[start..];
        for (columns, known) in stretches {
            let kind = match known {
                Known::Room => ROOM,
                Known::Person => PERSON,
                Known::Nothing => continue,
            };
            // The last block may be shorter.
            let end = if columns.end >= width { kinds.len() } else { columns.end / BLOCK };
            if let Some(whole) = kinds.get_mut(columns.start.div_ceil(BLOCK)..end) {
                whole.fill(kind);
            }
        }
        let mut at = 0;
        for alike in kinds.chunk_by(|kind, next| (*kind == MIXED) == (*next == MIXED)) {
            if alike[0] == MIXED {
                self.unknown.push(at..at + alike.len());
            }
            at += alike.len();
        }
    }

    /// The size of the plane.
    pub fn size(&self) -> SizePx {
        self.size
    }

    pub(crate) fn row(&self, y: usize) -> SureRow<'_> {
        let (group, blocks) = (self.of_rows[y], (self.size.width_px as usize).div_ceil(BLOCK));
        let end = self.starts.get(group + 1).copied().unwrap_or(self.unknown.len());
        SureRow {
            kinds: &self.kinds[group * blocks..][..blocks],
            unknown: &self.unknown[self.starts[group]..end],
        }
    }
}
