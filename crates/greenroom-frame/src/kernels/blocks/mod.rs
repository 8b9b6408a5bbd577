//! Blocks of rows: what they are, what a few large cells come to along them, and one light for all of a block.

mod scalar;

use crate::dispatch_vectorised;

/// Samples of a row that are told apart: about as many as an edge is wide. With 64, what is done to the
/// edge takes half as long again.
pub(crate) const BLOCK: usize = 32;

/// What a block of a row of the matte is.
pub(crate) const ROOM: u8 = 0;
pub(crate) const PERSON: u8 = 1;
pub(crate) const MIXED: u8 = 2;

dispatch_vectorised! {
    /// What each [`BLOCK`] of a row of alpha is; the last may be shorter. Where it is not all [`ROOM`], `marks` are added: as
    /// many as there are kinds, and bits that these have not.
    pub(crate) fn classify(kinds: &mut [u8], alpha: &[u8], marks: &[u8]);
    /// What lies between the values of a row of cells, times `times`, to the nearest and in 16 bits. For each sample there
    /// is the share of the cell to its right; `stretches` say how many samples on end lie between the same two cells, and
    /// which is the left one.
    pub(crate) fn widen(
        out: &mut [i16],
        cells: &[f32],
        shares: &[f32],
        stretches: &[(u32, u32)],
        times: f32,
    );
    /// `out[x] = gain * row[x] + offset`, rounded to the nearest: a gain below 2 in 16384ths, an offset of
    /// at most 255 codes to either side in 64ths.
    pub(crate) fn grade(out: &mut [u8], row: &[u8], gain: u16, offset: i16);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_isa_gives_the_same_bits_at_every_width() {
        for (len, of_cell) in (0..=129usize).flat_map(|len| [(len, 11), (len, 16), (len, 3)]) {
            let row: Vec<u8> = (0..len).map(|x| (x * 7919 % 256) as u8).collect();
            let cells: Vec<f32> =
                (0..len / of_cell + 2).map(|cell| (cell * 7919 % 600) as f32 - 300.0).collect();
            let stretches: Vec<(u32, u32)> = (0..len.div_ceil(of_cell))
                .map(|at| ((len - of_cell * at).min(of_cell) as u32, at as u32))
                .collect();
            let shares: Vec<f32> =
                (0..len).map(|x| (x % of_cell) as f32 / of_cell as f32).collect();
            let run = |isa| {
                let (mut graded, mut wide) = (vec![0; len], vec![0; len]);
                grade(isa, &mut graded, &row, 18_514, -576);
                widen(isa, &mut wide, &cells, &shares, &stretches, 64.0);
                (graded, wide)
            };
            let expected = run(Isa::SCALAR);
            for (x, &wide) in expected.1.iter().enumerate() {
                let left = x / of_cell;
                let exact = cells[left] + (cells[left + 1] - cells[left]) * shares[x];
                assert!((f32::from(wide) / 64.0 - exact).abs() < 0.01, "{len} {of_cell} {x}");
            }
            for isa in Isa::available() {
                assert!(run(isa) == expected, "{isa:?} {len} {of_cell}");
            }
        }
    }

    #[test]
    fn blocks_are_told_apart() {
        for isa in Isa::available() {
            for len in 1..=129usize {
                let kinds_of = |alpha: &[u8]| {
                    let (mut kinds, marks) =
                        (vec![9; len.div_ceil(BLOCK)], vec![4; len.div_ceil(BLOCK)]);
                    classify(isa, &mut kinds, alpha, &marks);
                    let is_marked = |&kind: &u8| (kind & 4 != 0) == (kind != ROOM);
                    assert!(kinds.iter().all(is_marked), "{isa:?} {len}");
                    kinds.iter().map(|kind| kind & 3).collect::<Vec<u8>>()
                };
                for (level, kind) in [(0, ROOM), (255, PERSON), (7, MIXED)] {
                    let mut alpha = vec![level; len];
                    assert!(kinds_of(&alpha).iter().all(|&seen| seen == kind), "{isa:?} {len}");
                    for at in 0..len {
                        alpha[at] = level ^ 1;
                        let seen = kinds_of(&alpha);
                        let others =
                            seen.iter().enumerate().filter(|(block, _)| *block != at / BLOCK);
                        assert_eq!(
                            // A sample that is a block of its own may be anything but its old self.
                            (seen[at / BLOCK] == MIXED, others.clone().all(|(_, it)| *it == kind)),
                            (true, true),
                            "{isa:?} {len} {at}"
                        );
                        alpha[at] = level;
                    }
                }
            }
        }
    }

    #[test]
    fn one_light_rounds_and_clamps() {
        for isa in Isa::available() {
            for (offset, expected) in [(-200.0, 0), (0.4, 100), (0.6, 101), (200.0, 255)] {
                let mut out = [7; 20];
                grade(isa, &mut out, &[100; 20], 16_384, (64.0 * offset) as i16);
                assert_eq!(out, [expected; 20]);
            }
            let mut out = [7; 20];
            grade(isa, &mut out, &[255; 20], 32_000, 255 * 64);
            assert_eq!(out, [255; 20], "what is too bright is white, and not black");
        }
    }
}
