//! Pieces of rows of the person, where a few large cells say what becomes of their samples.

mod line;
mod scalar;

pub(crate) use self::line::Line;
use crate::dispatch_vectorised;

/// Samples of a row that are told apart: about as many as an edge is wide. With 64, what is done to the
/// edge takes half as long again.
pub(crate) const BLOCK: usize = 32;

/// What a block of a row of the matte is.
pub(crate) const ROOM: u8 = 0;
pub(crate) const PERSON: u8 = 1;
pub(crate) const MIXED: u8 = 2;

dispatch_vectorised! {
    /// What each [`BLOCK`] of a row of alpha is; the last may be shorter.
    pub(crate) fn classify(kinds: &mut [u8], alpha: &[u8]);
    /// `out[x] = above[x] + (below[x] - above[x]) * share`.
    pub(crate) fn between(out: &mut [f32], above: &[f32], below: &[f32], share: f32);
    /// Takes the room out of samples that are mixed with it: `out[x] = person + part * (row[x] - room -
    /// part * less)`, where the line's values are `person` and `less`, the person's colour less the
    /// room's. How much of the sample is person, `part`, is taken to be less than its alpha, which is
    /// 0..=255: `part = alpha * (1 + alpha) / 2` of `alpha[x] / 255`.
    pub(crate) fn unmix(out: &mut [u8], row: &[u8], alpha: &[u8], colours: Line<'_>);
    /// `out[x] = gain * row[x] + offset`, rounded to the nearest, of the line's values.
    pub(crate) fn relight(out: &mut [u8], row: &[u8], light: Line<'_>);
    /// `out[x] = gain * row[x] + offset`, rounded to the nearest: a gain below 2 in 16384ths, an offset of
    /// at most 255 codes to either side in 64ths.
    pub(crate) fn grade(out: &mut [u8], row: &[u8], gain: u16, offset: i16);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    fn bytes(len: usize, seed: usize) -> Vec<u8> {
        (0..len).map(|i| ((i + 1) * 7919 * (seed + 3) / 13 % 256) as u8).collect()
    }

    fn floats(len: usize, seed: usize) -> Vec<f32> {
        bytes(len, seed).into_iter().map(f32::from).collect()
    }

    /// A line for `len` samples with a cell for so many of them.
    fn with_line<T>(
        len: usize,
        of_cell: usize,
        [first, second]: [&[f32]; 2],
        act: impl FnOnce(Line<'_>) -> T,
    ) -> T {
        let stretches: Vec<(u32, u32)> = (0..len.div_ceil(of_cell))
            .map(|at| ((len - of_cell * at).min(of_cell) as u32, at as u32))
            .collect();
        let shares: Vec<f32> = (0..len).map(|x| (x % of_cell) as f32 / of_cell as f32).collect();
        act(Line { first, second, shares: &shares, stretches: &stretches })
    }

    #[test]
    fn every_isa_gives_the_same_bits_at_every_width() {
        for (len, of_cell) in (0..=129usize).flat_map(|len| [(len, 11), (len, 16), (len, 3)]) {
            let run = |isa| {
                let cells = len / of_cell + 2;
                let f: [Vec<f32>; 4] = std::array::from_fn(|seed| floats(cells, 2 + seed));
                let mut lines = [vec![0.0; cells], vec![0.0; cells]];
                between(isa, &mut lines[0], &f[0], &f[1], 0.3);
                between(isa, &mut lines[1], &f[2], &f[3], 0.7);
                let (row, alpha) = (bytes(len, 7), bytes(len, 8));
                let mut out = [vec![0; len], vec![0; len], vec![0; len]];
                let [unmixed, lit, graded] = &mut out;
                with_line(len, of_cell, [&lines[0], &lines[1]], |line| {
                    unmix(isa, unmixed, &row, &alpha, line);
                });
                let gains: Vec<f32> = lines[0].iter().map(|x| x / 128.0).collect();
                with_line(len, of_cell, [&gains, &lines[1]], |line| relight(isa, lit, &row, line));
                grade(isa, graded, &row, 18_514, -576);
                (lines, out)
            };
            let expected = run(Isa::SCALAR);
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
                    let mut kinds = vec![9; len.div_ceil(BLOCK)];
                    classify(isa, &mut kinds, alpha);
                    kinds
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
    fn what_was_mixed_comes_apart() {
        let (person, room) = (40.0, 220.0);
        for isa in Isa::available() {
            for alpha in 0..=255u8 {
                let share = f32::from(alpha) / 255.0;
                let share = share * (1.0 + share) / 2.0;
                let row = [(person * share + room * (1.0 - share)).round() as u8; 20];
                let mut out = [0; 20];
                with_line(20, 9, [&[person; 4], &[person - room; 4]], |line| {
                    unmix(isa, &mut out, &row, &[alpha; 20], line);
                });
                let off = out.iter().map(|&sample| (f32::from(sample) - person).abs());
                assert!(off.fold(0.0, f32::max) <= 1.0, "{isa:?} {alpha}: {out:?}");
            }
        }
    }

    #[test]
    fn light_rounds_and_clamps() {
        for isa in Isa::available() {
            for (offset, expected) in [(-200.0, 0), (0.4, 100), (0.6, 101), (200.0, 255)] {
                let mut out = [7; 20];
                grade(isa, &mut out, &[100; 20], 16_384, (64.0 * offset) as i16);
                assert_eq!(out, [expected; 20]);
                let mut out = [7; 20];
                with_line(20, 9, [&[1.0; 4], &[offset; 4]], |line| {
                    relight(isa, &mut out, &[100; 20], line);
                });
                assert_eq!(out, [expected; 20]);
            }
            let mut out = [7; 20];
            grade(isa, &mut out, &[255; 20], 32_000, 255 * 64);
            assert_eq!(out, [255; 20], "what is too bright is white, and not black");
        }
    }
}
