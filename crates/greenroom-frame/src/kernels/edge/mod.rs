//! Pieces of rows of the person, where a few large cells say what becomes of their samples.

mod scalar;

use crate::kernels::dispatch;

dispatch! {
    /// `wide[x]` becomes the value between two `cells`: `shares[x]` of the right one. `stretches` tells
    /// for how many columns on end which is the left one.
    fn widen(wide: &mut [f32], cells: &[f32], shares: &[f32], stretches: &[(u32, u32)]);
    /// Takes the room out of samples that are mixed with it: `person + part * (sample - room - part *
    /// less)`, where `less` is the person's colour less the room's; both lie between two rows:
    /// `share` of the second. How much of the sample is person, `part`, is taken to be less than its
    /// alpha: `alpha * (1 + alpha) / 2`.
    fn unmix(
        row: &mut [u8],
        alpha: &[u8],
        person: [&[f32]; 2],
        less: [&[f32]; 2],
        share: f32,
    );
    /// `row = gain * row + offset`, both between two rows.
    fn relight(row: &mut [u8], gains: [&[f32]; 2], offsets: [&[f32]; 2], share: f32);
    /// `row = gain * row + offset`, rounded to the nearest: a gain below 2 in 16384ths, an offset of
    /// at most 255 codes to either side in 64ths.
    fn grade(row: &mut [u8], gain: u16, offset: i16);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Isa;

    fn bytes(len: usize, seed: usize) -> Vec<u8> {
        (0..len).map(|i| ((i + 1) * 7919 * (seed + 3) / 13 % 256) as u8).collect()
    }

    fn floats(len: usize, seed: usize) -> Vec<f32> {
        bytes(len, seed).into_iter().map(f32::from).collect()
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
                unmix(isa, &mut unmixed, &bytes(len, 8), [&f[0], &f[1]], [&f[2], &f[3]], 0.3);
                let gains = [&f[0], &f[1]].map(|row| row.iter().map(|x| x / 128.0).collect());
                let [g, h]: [Vec<f32>; 2] = gains;
                let mut lit = bytes(len, 9);
                relight(isa, &mut lit, [&g, &h], [&f[2], &f[3]], 0.7);
                let mut graded = bytes(len, 10);
                grade(isa, &mut graded, 18_514, -576);
                (wide, unmixed, lit, graded)
            };
            let expected = run(Isa::Scalar);
            for isa in Isa::all() {
                assert_eq!(run(isa), expected, "{isa:?} {len}");
            }
        }
    }

    #[test]
    fn what_was_mixed_comes_apart() {
        let (person, room) = (40.0, 220.0);
        for isa in Isa::all() {
            for alpha in 0..=255u8 {
                let share = f32::from(alpha) / 255.0;
                let share = share * (1.0 + share) / 2.0;
                let mut row = [(person * share + room * (1.0 - share)).round() as u8; 20];
                let (persons, less) = ([person; 20], [person - room; 20]);
                unmix(isa, &mut row, &[alpha; 20], [&persons; 2], [&less; 2], 0.5);
                let off = row.iter().map(|&sample| (f32::from(sample) - person).abs());
                assert!(off.fold(0.0, f32::max) <= 1.0, "{isa:?} {alpha}: {row:?}");
            }
        }
    }

    #[test]
    fn light_rounds_and_clamps() {
        for isa in Isa::all() {
            for (offset, expected) in [(-200.0, 0), (0.4, 100), (0.6, 101), (200.0, 255)] {
                let mut row = [100; 20];
                grade(isa, &mut row, 16_384, (64.0 * offset) as i16);
                assert_eq!(row, [expected; 20]);
                let mut row = [100; 20];
                relight(isa, &mut row, [&[1.0; 20]; 2], [&[offset; 20]; 2], 0.5);
                assert_eq!(row, [expected; 20]);
            }
            let mut row = [255; 20];
            grade(isa, &mut row, 32_000, 255 * 64);
            assert_eq!(row, [255; 20], "what is too bright is white, and not black");
        }
    }
}
