use std::time::{Duration, Instant};

use greenroom_frame::SizePx;

use super::thumbnails::Thumbnails;
use crate::counting::count_pairs;

/// A side over which people come into the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Finds at which side of the picture something comes in that the mask does not show.
///
/// Of a person who is half out of the picture, a network that sees all of it often finds nothing at first: of a man who slides in,
/// six frames show a shoulder that it does not see. In a window of that half of the picture, it finds the shoulder.
#[derive(Debug)]
pub(crate) struct EntryFinder {
    /// Of the masks.
    size: SizePx,
    /// 255 where who comes in may be.
    near: Vec<u8>,
    /// Whoever comes in while somebody is shown is not shown.
    shows_one_person: bool,
    entry: Option<Entry>,
}

/// Something is coming in.
#[derive(Debug, Clone, Copy)]
struct Entry {
    side: Side,
    since: Instant,
    moved_at: Instant,
}

/// What is in one half of a picture, in cells of the thumbnail.
#[derive(Debug, Clone, Copy, Default)]
struct Half {
    /// Near the side, what has changed and is not in the mask.
    moving: u32,
    /// Near the side, the person of the mask before.
    shown: u32,
    /// Near the side, what was in the mask before and is not any more.
    fading: u32,
    /// In all of the half, the person of the mask.
    seen: u32,
}

/// Change of a cell's luma from one frame to the next from which on something moves there: with 20, dark clothes before a dark
/// room are looked for less (IoU of `mdn_b_inout` 0.9623 instead of 0.9631).
const MOVES: u8 = 12;
/// The part of the picture's width that is near a side: one of so many. With 4, hands in front of the body are looked for.
const BAND: usize = 8;
/// The part of the picture that has to move near the side: one of so many.
const MOVING_SHARE: u32 = 400;
/// From this part of the picture on that moves, it is the camera that does: one of so many.
const SHAKEN_SHARE: u32 = 10;
/// Nobody is near a side where the mask before shows less than this part of the picture: one of so many. Whoever moves there
/// without having come in is known already, and the floor between the legs of who walks out is not to be shown.
const FREE_SHARE: u32 = 500;
/// Whoever fills this part of the picture is found without help: one of so many. Without that limit, the bed beside a child is
/// shown (IoU of `bedroom_kids` 0.812 instead of 0.825).
const ENOUGH_SHARE: u32 = 20;
/// Who stands still on the way is looked for if the mask would lose this part of the picture: one of so many.
const FADING_SHARE: u32 = 1000;
/// Who comes in may stand still so long on the way.
const LONGEST_STOP: Duration = Duration::from_millis(200);
/// So long somebody may take to come in. A curtain or a television at a side moves for longer.
const LONGEST: Duration = Duration::from_secs(3);
/// Cells around one that moves that may be of the same person.
const REACH_CELLS: usize = 2;
/// Alpha from which on a sample is of a person.
const PERSON: u8 = 128;

impl EntryFinder {
    /// For masks of `size`, which show all people or one person.
    pub(crate) fn new(size: SizePx, shows_one_person: bool) -> Self {
        Self { size, near: vec![0; size.area_px() as usize], shows_one_person, entry: None }
    }

    /// The next picture has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.entry = None;
    }

    /// The side at which somebody comes in whom `mask` does not show, by the `thumbnails` of its picture, which was captured `at`
    /// this time, and of the one before; `before` is the mask of that.
    pub(crate) fn find(
        &mut self,
        thumbnails: &Thumbnails,
        [before, mask]: [&[u8]; 2],
        at: Instant,
    ) -> Option<Side> {
        let cells = thumbnails.new.size().area_px() as u32;
        let is_part = |count: u32, share: u32| count * share >= cells;
        if self.entry.is_none() {
            let is_somebody_shown = || before.iter().any(|&level| level >= PERSON);
            if !is_part(moving_at_sides(thumbnails), MOVING_SHARE)
                || self.shows_one_person && is_somebody_shown()
            {
                return None;
            }
        }
        let (halves, moving) = self.count(thumbnails, [before, mask]);
        let is_going_on =
            |entry: &Entry| at.saturating_duration_since(entry.moved_at) <= LONGEST_STOP;
        let entry = self.entry.take().filter(is_going_on);
        self.entry = entry;
        let moves = |half: Half| is_part(half.moving, MOVING_SHARE);
        let side = match halves {
            // Who stands still on the way, or hardly moves.
            [left, right] if !moves(left) && !moves(right) => entry?.side,
            [left, right] if left.moving >= right.moving => Side::Left,
            _ => Side::Right,
        };
        let half = halves[side as usize];
        let known = entry.filter(|entry| entry.side == side);
        let is_over = |entry: &Entry| at.saturating_duration_since(entry.since) > LONGEST;
        if let Some(over) = known.filter(is_over) {
            // Whatever moves there for so long is looked for again only after it has stood still.
            let moved_at = if moves(half) { at } else { over.moved_at };
            self.entry = Some(Entry { moved_at, ..over });
            return None;
        }
        let is_new = !is_part(half.shown, FREE_SHARE);
        let goes_on = known.is_some() && is_part(half.fading, FADING_SHARE);
        if is_part(moving, SHAKEN_SHARE)
            || is_part(half.seen, ENOUGH_SHARE)
            || !(moves(half) && (is_new || known.is_some()) || goes_on)
        {
            return None;
        }
        let moved_at = known.filter(|_| !moves(half)).map_or(at, |entry| entry.moved_at);
        let since = known.map_or(at, |entry| entry.since);
        self.entry = Some(Entry { side, since, moved_at });
        match known {
            // Where they were found, and have not moved since.
            Some(_) => (self.near.iter_mut().zip(before))
                .for_each(|(near, &before)| *near &= if before >= PERSON { 255 } else { 0 }),
            None => self.near.fill(0),
        }
        self.mark_near(thumbnails);
        Some(side)
    }

    /// What is in the left and the right half, and how many cells of the whole picture have changed.
    fn count(&self, thumbnails: &Thumbnails, [before, mask]: [&[u8]; 2]) -> ([Half; 2], u32) {
        let SizePx { width_px, height_px } = thumbnails.new.size();
        let (width, height) = (width_px as usize, height_px as usize);
        let [columns, rows] = [self.size.width_px, self.size.height_px].map(|side| side as usize);
        let band = width.div_ceil(BAND);
        let (mut halves, mut moving) = ([Half::default(); 2], 0);
        for (at, has_moved) in moves(thumbnails).enumerate() {
            let (x, y) = (at % width, at / width);
            let centre =
                (2 * y + 1) * rows / (2 * height) * columns + (2 * x + 1) * columns / (2 * width);
            let is_seen = mask[centre] >= PERSON;
            let half = &mut halves[usize::from(2 * x >= width)];
            half.seen += u32::from(is_seen);
            if x < band || x >= width - band {
                half.moving += u32::from(has_moved && !is_seen);
                let was_shown = before[centre] >= PERSON;
                half.shown += u32::from(was_shown);
                half.fading += u32::from(was_shown && !is_seen);
            }
            moving += u32::from(has_moved);
        }
        (halves, moving)
    }

    /// Marks where something has moved, and a little around.
    fn mark_near(&mut self, thumbnails: &Thumbnails) {
        let SizePx { width_px, height_px } = thumbnails.new.size();
        let (width, height) = (width_px as usize, height_px as usize);
        let [columns, rows] = [self.size.width_px, self.size.height_px].map(|side| side as usize);
        for (at, _) in moves(thumbnails).enumerate().filter(|(_, has_moved)| *has_moved) {
            // The samples of the cells around.
            let around = |cell: usize, cells: usize, samples: usize| {
                let end = (cell + REACH_CELLS + 1).min(cells);
                cell.saturating_sub(REACH_CELLS) * samples / cells..end * samples / cells
            };
            let x = around(at % width, width, columns);
            for y in around(at / width, height, rows) {
                self.near[y * columns..][x.clone()].fill(255);
            }
        }
    }

    /// 255 in samples in which who comes in may be, after somebody was [found](Self::find).
    pub(crate) fn near(&self) -> &[u8] {
        &self.near
    }
}

/// How many cells near both sides have changed.
fn moving_at_sides(thumbnails: &Thumbnails) -> u32 {
    let width = thumbnails.new.size().width_px as usize;
    let band = width.div_ceil(BAND);
    let [old, new] = [&thumbnails.old, &thumbnails.new].map(|thumbnail| thumbnail.bytes()[0]);
    let mut moving = 0;
    for (old, new) in old.chunks_exact(width).zip(new.chunks_exact(width)) {
        for columns in [0..band, width - band..width] {
            let [old, new] = [&old[columns.clone()], &new[columns]];
            moving += count_pairs(old, new, |old, new| old.abs_diff(new) >= MOVES) as u32;
        }
    }
    moving
}

/// For each cell, whether something has moved there.
fn moves(thumbnails: &Thumbnails) -> impl Iterator<Item = bool> {
    let [old, new] = [&thumbnails.old, &thumbnails.new].map(|thumbnail| thumbnail.bytes()[0]);
    old.iter().zip(new).map(|(old, new)| old.abs_diff(*new) >= MOVES)
}

#[cfg(test)]
mod tests;
