//! Where nothing moves but inside of a person, the network's answer stays as it is: it is not asked again.

use std::time::{Duration, Instant};

use super::InferenceId;
use crate::refine::crop::Window;

/// An answer is not used for longer, however still it is: a change that is too slow or too faint to be noticed shows within
/// this time.
const MOST_STALE: Duration = Duration::from_millis(500);
/// Side of the blocks that are compared, in cells of the picture's thumbnail.
const BLOCK: usize = 4;
/// A block has changed if its mean has by more codes than that, as the network sees it: noise of 5 codes a sample moves it by
/// 0.4.
const MOST_OF_MEAN: f32 = 1.5;
/// Or if one of its cells has by more codes than that: what moves within a block leaves its mean. An edge of 100 codes does so
/// when it moves to the side by a twelfth of a cell, or up or down past a row that the thumbnail reads (half a cell); noise of
/// 4 codes a sample does not.
const MOST_OF_CELL: f32 = 8.0;
/// In the dark all differences are less, but those of the noise. So many codes are noise in any light, of a mean and of a cell.
const NOISE: [f32; 2] = [0.5, 3.0];
/// What moves inside of a person may be so much of the picture: a face that talks is. Where more has changed, a person may have
/// moved away from the lens.
const MOST_INSIDE: f32 = 0.05;

/// What a network is about to see, or saw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'a> {
    /// Y, U and V of the frame's thumbnail.
    pub planes: [&'a [u8]; 3],
    /// Cells of a row.
    pub width: usize,
    /// How much brighter the network sees it.
    pub gain: f32,
    /// The part of the frame that it sees; `None` for all of it.
    pub window: Option<Window>,
    pub captured_at: Instant,
}

/// What it saw when it was asked last.
#[derive(Debug)]
struct Seen {
    inference_id: InferenceId,
    /// Of the thumbnail.
    planes: [Vec<u8>; 3],
    width: usize,
    gain: f32,
    window: Option<Window>,
    captured_at: Instant,
}

/// Remembers, for each size of input, what the network saw when it was asked last. Its answer is still in that look.
#[derive(Debug)]
pub(super) struct StillGate {
    seen: Vec<Option<Seen>>,
    /// Sums of a row of blocks.
    sums: Vec<i16>,
    /// 0 for each cell: none is inside of a person.
    nowhere: Vec<u8>,
}

impl StillGate {
    /// For inputs of so many sizes.
    pub(super) fn new(looks: usize) -> Self {
        Self { seen: (0..looks).map(|_| None).collect(), sums: Vec::new(), nowhere: Vec::new() }
    }

    /// The next picture has nothing to do with those before.
    pub(super) fn reset(&mut self) {
        self.seen.iter_mut().for_each(|seen| *seen = None);
    }

    /// The answer in `look` is another one by now.
    pub(super) fn forget(&mut self, look: usize) {
        self.seen[look] = None;
    }

    /// The inference that was made in `look`, if its answer holds for `sight`, too: nothing has moved, or only a little, in cells that
    /// are inside of a person. `inside` gives 255 for these and 0 for others, `None` where that is not known; it is called only if
    /// something has moved.
    pub(super) fn holds<'a>(
        &mut self,
        look: usize,
        sight: Sight<'_>,
        inside: impl FnOnce() -> Option<&'a [u8]>,
    ) -> Option<InferenceId> {
        let Self { seen, sums, nowhere } = self;
        let seen = seen[look].as_ref()?;
        let age = sight.captured_at.checked_duration_since(seen.captured_at);
        let is_fresh = age.is_some_and(|age| age < MOST_STALE);
        let of_same =
            (seen.gain, seen.window, seen.width) == (sight.gain, sight.window, sight.width);
        let most = [MOST_OF_MEAN, MOST_OF_CELL].map(|codes| codes / sight.gain);
        let most = [most[0].max(NOISE[0]), most[1].max(NOISE[1])];
        if !(is_fresh && of_same) {
            return None;
        }
        nowhere.resize(sight.planes[0].len(), 0);
        let mut is_same = |inside: &[u8]| {
            let mut planes = seen.planes.iter().zip(sight.planes);
            planes.all(|(old, new)| is_same([old, new], inside, sight.width, most, sums))
        };
        let holds = is_same(nowhere) || inside().is_some_and(is_same);
        holds.then_some(seen.inference_id)
    }

    /// The network was asked about `sight` in `look`, by that inference. Asks for memory only for the first of each look.
    pub(super) fn note(&mut self, look: usize, sight: Sight<'_>, inference_id: InferenceId) {
        let Sight { planes, width, gain, window, captured_at } = sight;
        match &mut self.seen[look] {
            Some(seen) if (seen.planes[0].len(), seen.width) == (planes[0].len(), width) => {
                for (old, new) in seen.planes.iter_mut().zip(planes) {
                    old.copy_from_slice(new);
                }
                (seen.gain, seen.window, seen.captured_at) = (gain, window, captured_at);
                seen.inference_id = inference_id;
            }
            seen => {
                let planes = planes.map(<[u8]>::to_vec);
                *seen = Some(Seen { inference_id, planes, width, gain, window, captured_at });
            }
        }
    }
}

/// Whether no block of two planes, an `old` and a `new` one of `width` cells a row, has changed by more than that in the mean or in
/// one cell, but for cells that are `inside`, of which few have. `sums` is memory.
fn is_same(
    [old, new]: [&[u8]; 2],
    inside: &[u8],
    width: usize,
    [most_of_mean, most_of_cell]: [f32; 2],
    sums: &mut Vec<i16>,
) -> bool {
    if old.len() != new.len() || inside.len() != new.len() {
        return false;
    }
    sums.resize(width, 0);
    let most_of_cell = most_of_cell as u8;
    let mut left_inside = (MOST_INSIDE * new.len() as f32) as u32;
    let rows = old.chunks(BLOCK * width).zip(new.chunks(BLOCK * width));
    for ((old, new), inside) in rows.zip(inside.chunks(BLOCK * width)) {
        let cells = old.iter().zip(new).zip(inside);
        let changes = cells.map(|((old, new), inside)| (old.abs_diff(*new), *inside));
        let moved =
            changes.clone().map(|(change, inside)| u32::from(change & inside > most_of_cell));
        let Some(left) = left_inside.checked_sub(moved.sum()) else { return false };
        left_inside = left;
        if changes.map(|(change, inside)| change & !inside).fold(0, u8::max) > most_of_cell {
            return false;
        }
        sums.fill(0);
        let rows = old.chunks_exact(width).zip(new.chunks_exact(width));
        for ((old, new), inside) in rows.zip(inside.chunks_exact(width)) {
            for (((sum, &old), &new), &inside) in sums.iter_mut().zip(old).zip(new).zip(inside) {
                let outside = i16::from(inside) / 255 - 1;
                *sum += (i16::from(new) - i16::from(old)) & outside;
            }
        }
        let cells = (old.len() / width * BLOCK) as f32;
        let most_of_sum = (most_of_mean * cells) as i32;
        let has_changed = |block: &[i16]| {
            block.iter().map(|&sum| i32::from(sum)).sum::<i32>().abs() > most_of_sum
        };
        if sums.chunks(BLOCK).any(has_changed) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 40;

    /// A plane of a thumbnail of a grey wall, with a sensor's noise.
    fn noise(of: u8, seed: u32) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state % 3) as u8
        };
        (0..WIDTH * 30).map(|_| of + next() - 1).collect()
    }

    fn sight(planes: [&[u8]; 3], captured_at: Instant) -> Sight<'_> {
        Sight { planes, width: WIDTH, gain: 1.0, window: None, captured_at }
    }

    /// A gate and a network that is asked where it does not hold.
    struct Asked(StillGate);

    impl Asked {
        fn holds(&mut self, look: usize, sight: Sight<'_>) -> bool {
            let holds = self.0.holds(look, sight, || None).is_some();
            if !holds {
                self.0.note(look, sight, InferenceId::new());
            }
            holds
        }
    }

    #[test]
    fn noise_is_still_and_what_moves_or_grows_old_is_not() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let (first, second, grey) = (noise(100, 1), noise(100, 2), noise(128, 3));
        let mut gate = Asked(StillGate::new(2));
        assert!(!gate.holds(0, sight([&first, &grey, &grey], at(0))), "nothing was seen before");
        assert!(gate.holds(0, sight([&second, &grey, &grey], at(33))));
        assert!(!gate.holds(1, sight([&second, &grey, &grey], at(33))), "another look");
        // A finger that moves within its block.
        let mut finger = second.clone();
        (finger[5 * WIDTH + 3], finger[5 * WIDTH + 6]) = (140, 60);
        assert!(!gate.holds(0, sight([&finger, &grey, &grey], at(66))));
        // Another answer was put in the place of one look's.
        assert!(gate.holds(1, sight([&second, &grey, &grey], at(66))));
        gate.0.forget(1);
        assert!(!gate.holds(1, sight([&second, &grey, &grey], at(66))));
        // What was seen last is what counts.
        assert!(gate.holds(0, sight([&finger, &grey, &grey], at(100))));
        // A cloud before the sun, a code at a time.
        let mut held = 0;
        for step in 1..=6 {
            let darker: Vec<u8> = finger.iter().map(|sample| sample - step).collect();
            held += u32::from(gate.holds(0, sight([&darker, &grey, &grey], at(100 + 33))));
        }
        assert_eq!(held, 3, "every second one");
        // A change of colour alone.
        let green: Vec<u8> = grey.iter().map(|sample| sample - 4).collect();
        assert!(!gate.holds(1, sight([&second, &green, &grey], at(40))));
        assert!(gate.holds(1, sight([&second, &green, &grey], at(500))));
        assert!(!gate.holds(1, sight([&second, &green, &grey], at(540))), "it has grown old");
        assert!(!gate.holds(1, Sight { gain: 1.2, ..sight([&second, &green, &grey], at(550)) }));
        gate.0.reset();
        assert!(!gate.holds(1, sight([&second, &green, &grey], at(560))));
        // The clock goes back with another camera.
        assert!(!gate.holds(1, sight([&second, &green, &grey], at(500))));
    }

    #[test]
    fn what_moves_inside_holds_and_nothing_else_does() {
        let start = Instant::now();
        let (first, grey) = (noise(100, 1), noise(128, 3));
        // Cells of columns 10..20 are inside.
        let inside: Vec<u8> = (0..first.len())
            .map(|at| if (10..20).contains(&(at % WIDTH)) { 255 } else { 0 })
            .collect();
        let changed = |at: usize| {
            let mut changed = first.clone();
            changed[at] = 200;
            changed
        };
        let mut gate = StillGate::new(1);
        gate.note(0, sight([&first, &grey, &grey], start), InferenceId::new());
        let mut holds = |luma: &[u8], inside: Option<&[u8]>| {
            gate.holds(0, sight([luma, &grey, &grey], start), || inside).is_some()
        };
        for row in [0, 3, 29] {
            for (column, is_inside) in [(9, false), (10, true), (19, true), (20, false)] {
                let luma = changed(row * WIDTH + column);
                assert!(!holds(&luma, None), "{row} {column}");
                assert_eq!(holds(&luma, Some(&inside)), is_inside, "{row} {column}");
            }
        }
        // All of it becomes a little darker: what is outside counts.
        let darker: Vec<u8> = first.iter().map(|level| level - 4).collect();
        assert!(!holds(&darker, Some(&inside)));
        let cells = first.iter().zip(&darker).zip(&inside);
        let darker_inside: Vec<u8> = cells
            .map(|((first, darker), inside)| if *inside == 0 { *first } else { *darker })
            .collect();
        assert!(holds(&darker_inside, Some(&inside)));
        assert!(!holds(&darker_inside, Some(&inside[..WIDTH])), "of another size");
        // Of what is inside, much is new: somebody may have moved away from the lens.
        let everywhere = vec![255; first.len()];
        let with_new = |cells: usize| {
            let mut luma = first.clone();
            luma[..cells].fill(200);
            luma
        };
        let most = (MOST_INSIDE * first.len() as f32) as usize;
        assert!(holds(&with_new(most), Some(&everywhere)));
        assert!(!holds(&with_new(most + 1), Some(&everywhere)));
        assert!(!holds(&vec![200; first.len()], Some(&everywhere)));
        let no_one_asks = || unreachable!("nothing has moved");
        assert!(gate.holds(0, sight([&first, &grey, &grey], start), no_one_asks).is_some());
    }
}
