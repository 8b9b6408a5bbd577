use std::ops::Range;

use crate::kernels::blocks::{BLOCK, MIXED, PERSON, ROOM, classify};
use crate::{Isa, SizePx};

/// Which blocks of each row of a matte's plane are all room, all person, or mixed. Whoever draws the plane fills it in, row by row; whoever
/// reads the plane then reads it only where it is mixed.
///
/// The drawer knows many columns before it draws them. Rows in which it knows the same columns form a group.
#[derive(Debug)]
pub struct MatteBlocks {
    /// Of the plane.
    size: SizePx,
    /// For each row what each block is: [`ROOM`], [`PERSON`] or [`MIXED`].
    kinds: Vec<u8>,
    /// The group of each row.
    groups: Vec<usize>,
    /// For each group the known kind of each block, or [`MIXED`] where none is known; one group behind the other.
    known: Vec<u8>,
    /// The blocks of each group whose kind is not known, and where those of each group begin.
    unknown: Vec<Range<usize>>,
    starts: Vec<usize>,
    /// 0 for each block.
    no_marks: Vec<u8>,
}

/// What the drawer knows of some columns.
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
    /// Blocks of a plane of `size`; all count as mixed.
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

    /// Sets each row's group. The groups have to be [added](Self::add_group) before a row is [drawn](Self::draw_row). All memory is
    /// asked for here.
    pub fn set_groups(&mut self, of_rows: impl Iterator<Item = usize>) {
        self.groups.clear();
        self.groups.extend(of_rows);
        let groups = 1 + self.groups.iter().max().unwrap_or(&Self::NOTHING_KNOWN);
        let blocks = self.no_marks.len();
        self.known.reserve(groups * blocks);
        self.unknown.reserve(groups * blocks.div_ceil(2));
        self.starts.reserve(groups);
    }

    /// Removes all groups but the one of which nothing is known.
    pub fn clear(&mut self) {
        self.known.clear();
        self.unknown.clear();
        self.starts.clear();
        self.add_group(std::iter::empty());
    }

    /// Adds the next group with what the drawer knows of its columns: stretches, from left to right. The first has number 1.
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

    /// Takes over row `y`, which has been drawn as `alpha`. The columns that its group knows are believed, the others are looked at.
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

    /// For each block of row `y` [`ROOM`], [`PERSON`] or [`MIXED`].
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        &self.kinds[y * self.no_marks.len()..][..self.no_marks.len()]
    }

    /// Whether a row of `alpha` is as these `kinds` say.
    pub(crate) fn are_true(kinds: &[u8], alpha: &[u8]) -> bool {
        let is_true = |(kind, alpha): (&u8, &[u8])| match *kind {
            ROOM => alpha.iter().all(|&alpha| alpha == 0),
            PERSON => alpha.iter().all(|&alpha| alpha == 255),
            _ => true,
        };
        kinds.iter().zip(alpha.chunks(BLOCK)).all(is_true)
    }
}
