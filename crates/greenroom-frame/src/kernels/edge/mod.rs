//! Pieces of rows of the person, where a few large cells say what becomes of their samples.

mod rows;
mod scalar;

pub(crate) use self::rows::RowPair;
use crate::dispatch_vectorised;

dispatch_vectorised! {
    /// `wide[x] = cells[left] + (cells[left + 1] - cells[left]) * shares[x]`. `stretches` tells for how
    /// many columns on end which is `left`: pairs of the count and that.
    pub(crate) fn widen(wide: &mut [f32], cells: &[f32], shares: &[f32], stretches: &[(u32, u32)]);
    /// Takes the room out of samples that are mixed with it: `row[x] = person + part * (row[x] - room -
    /// part * less)`, where `less` is the person's colour less the room's. Both lie between two rows:
    /// `person = person.above[x] + (person.below[x] - person.above[x]) * share`, and `less` likewise. How
    /// much of the sample is person, `part`, is taken to be less than its alpha, which is 0..=255:
    /// `part = alpha * (1 + alpha) / 2` of `alpha[x] / 255`.
    pub(crate) fn unmix(
        row: &mut [u8],
        alpha: &[u8],
        person: RowPair<'_>,
        less: RowPair<'_>,
        share: f32,
    );
    /// `row[x] = gain * row[x] + offset`, rounded to the nearest, both between two rows:
    /// `gain = gains.above[x] + (gains.below[x] - gains.above[x]) * share`, and the offset likewise.
    pub(crate) fn relight(row: &mut [u8], gains: RowPair<'_>, offsets: RowPair<'_>, share: f32);
    /// `row[x] = gain * row[x] + offset`, rounded to the nearest: a gain below 2 in 16384ths, an offset of
    /// at most 255 codes to either side in 64ths.
    pub(crate) fn grade(row: &mut [u8], gain: u16, offset: i16);
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

    fn pair<'a>(above: &'a [f32], below: &'a [f32]) -> RowPair<'a> {
        RowPair { above, below }
    }

    #[test]
    fn every_isa_gives_the_same_bits_at_every_width() {
        for len in (0..40usize).chain([64, 65]) {
            let run = |isa| {
                let stretches: Vec<(u32, u32)> = (0..len.div_ceil(11_usize))
                    .map(|at| ((len - 11 * at).min(11) as u32, at as u32))
                    .collect();
                let shares: Vec<f32> = (0..len).map(|x| (x % 11) as f32 / 11.0).collect();
                let mut wide = vec![0.0; len];
                widen(isa, &mut wide, &floats(len / 11 + 2, 1), &shares, &stretches);
                let f: [Vec<f32>; 4] = std::array::from_fn(|seed| floats(len, 2 + seed));
                let mut unmixed = bytes(len, 7);
                unmix(
                    isa,
                    &mut unmixed,
                    &bytes(len, 8),
                    pair(&f[0], &f[1]),
                    pair(&f[2], &f[3]),
                    0.3,
                );
                let gains = [&f[0], &f[1]].map(|row| row.iter().map(|x| x / 128.0).collect());
                let [g, h]: [Vec<f32>; 2] = gains;
                let mut lit = bytes(len, 9);
                relight(isa, &mut lit, pair(&g, &h), pair(&f[2], &f[3]), 0.7);
                let mut graded = bytes(len, 10);
                grade(isa, &mut graded, 18_514, -576);
                (wide, unmixed, lit, graded)
            };
            let expected = run(Isa::SCALAR);
            for isa in Isa::available() {
                assert_eq!(run(isa), expected, "{isa:?} {len}");
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
                let mut row = [(person * share + room * (1.0 - share)).round() as u8; 20];
                let (persons, less) = ([person; 20], [person - room; 20]);
                let (persons, less) = (pair(&persons, &persons), pair(&less, &less));
                unmix(isa, &mut row, &[alpha; 20], persons, less, 0.5);
                let off = row.iter().map(|&sample| (f32::from(sample) - person).abs());
                assert!(off.fold(0.0, f32::max) <= 1.0, "{isa:?} {alpha}: {row:?}");
            }
        }
    }

    #[test]
    fn light_rounds_and_clamps() {
        for isa in Isa::available() {
            for (offset, expected) in [(-200.0, 0), (0.4, 100), (0.6, 101), (200.0, 255)] {
                let mut row = [100; 20];
                grade(isa, &mut row, 16_384, (64.0 * offset) as i16);
                assert_eq!(row, [expected; 20]);
                let mut row = [100; 20];
                let (ones, offsets) = ([1.0; 20], [offset; 20]);
                relight(isa, &mut row, pair(&ones, &ones), pair(&offsets, &offsets), 0.5);
                assert_eq!(row, [expected; 20]);
            }
            let mut row = [255; 20];
            grade(isa, &mut row, 32_000, 255 * 64);
            assert_eq!(row, [255; 20], "what is too bright is white, and not black");
        }
    }
}
