//! Where a thumbnail is another than an older one.

use greenroom_frame::SizePx;

use super::cells::blur;
use crate::refine::thumbnails::Thumbnails;

/// Up to this difference in each plane a cell is as it was, in good light: in the dark all differences are less.
const SAME: f32 = 14.0;
/// Up to this one in any light: noise.
const NOISE: f32 = 3.0;
/// What has changed in more than half of the cells that are so near has changed as a whole.
const NEAR_CELLS: usize = 4;

/// Makes `changed` 255 in cells where one of the planes differs, and 0 in others. The networks see both pictures brighter
/// by `gain`.
pub(super) fn mark(changed: &mut [u8], old: &[Vec<u8>; 3], new: [&[u8]; 3], gain: f32) {
    let same = same_at(gain);
    changed.fill(0);
    for (old, new) in old.iter().zip(new) {
        for ((changed, old), new) in changed.iter_mut().zip(old).zip(new) {
            *changed |= if old.abs_diff(*new) > same { 255 } else { 0 };
        }
    }
}

/// Up to this difference a cell is as it was, where the networks see pictures brighter by `gain`.
fn same_at(gain: f32) -> u8 {
    (SAME / gain).max(NOISE) as u8
}

/// Share of a picture's cells that change from one frame to the next where the scene does: a cut, or a light that is switched on.
/// People who move change up to 0.27 of it in 29 clips, and a cat before the lens 0.32.
const NEW_SCENE: f32 = 0.4;

/// Whether the newest picture shows another scene than the one before.
pub(super) fn is_new_scene(thumbnails: &Thumbnails, gain: f32) -> bool {
    let same = same_at(gain);
    let [old, new] = [&thumbnails.old, &thumbnails.new].map(|thumbnail| thumbnail.bytes()[0]);
    let changed = old.iter().zip(new).map(|(old, new)| u32::from(old.abs_diff(*new) > same));
    changed.sum::<u32>() as f32 > NEW_SCENE * new.len() as f32
}

/// Makes cells amid changed ones 255, too: flat colours look unchanged whatever goes on. Both of `spare` are as long as
/// `changed`.
pub(super) fn fill(changed: &mut [u8], spare: &mut [Vec<u8>; 2], cells: SizePx) {
    let [rows, around] = spare;
    around.copy_from_slice(changed);
    blur(around, rows, cells, NEAR_CELLS);
    for (changed, around) in changed.iter_mut().zip(around.iter()) {
        *changed |= if *around > 127 { 255 } else { 0 };
    }
}
