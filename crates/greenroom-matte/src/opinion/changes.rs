//! Where a thumbnail is another than an older one.

use crate::counting::count_pairs;
use crate::refine::thumbnails::Thumbnails;

/// Up to this difference in each plane a cell is as it was, in good light: in the dark all differences are less.
const SAME: f32 = 14.0;
/// Up to this one in any light: noise.
const NOISE: f32 = 3.0;

/// Makes `changed` 255 in cells where one of the planes differs, and 0 in others. The networks see both pictures brighter
/// by `gain`.
pub(super) fn mark(changed: &mut [u8], old: &[Vec<u8>; 3], new: [&[u8]; 3], gain: f32) {
    let same = same_at(gain);
    let [y, u, v] = [0, 1, 2].map(|plane| old[plane].iter().zip(new[plane]));
    for (((changed, y), u), v) in changed.iter_mut().zip(y).zip(u).zip(v) {
        let [y, u, v] = [y, u, v].map(|(old, new)| old.abs_diff(*new));
        *changed = if y.max(u).max(v) > same { 255 } else { 0 };
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
    let changed_cells = count_pairs(old, new, |old, new| old.abs_diff(new) > same);
    changed_cells as f32 > NEW_SCENE * new.len() as f32
}
