//! Pieces of rows of the person, where a few large cells say what becomes of their samples.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
mod line;
mod scalar;

pub(crate) use self::line::{COLOURS, LIGHT, Line};
use crate::{Isa, dispatch};

/// Takes the room out of samples that are mixed with it: `out[x] = person + part * (row[x] - (room + part * (person -
/// room)))` of the line's [`COLOURS`], which are `person` and `room`. How much of the sample is person, `part`, is taken to
/// be less than its alpha, which is 0..=255: `part = alpha * (1 + alpha) / 2` of `alpha[x] / 255`. All in 64ths of a code:
/// less than a twentieth is rounded off.
///
/// # Panics
/// If something is shorter than `out`.
pub(crate) fn unmix(isa: Isa, out: &mut [u8], row: &[u8], alpha: &[u8], colours: Line<'_>) {
    assert!(row.len() >= out.len() && alpha.len() >= out.len() && colours.has(out.len()));
    dispatch!(isa, unsafe unmix(out, row, alpha, colours));
}

/// `out[x] = gain * row[x] + offset` of the line's [`LIGHT`], in 64ths of a code, rounded to the nearest.
///
/// # Panics
/// If something is shorter than `out`.
pub(crate) fn relight(isa: Isa, out: &mut [u8], row: &[u8], light: Line<'_>) {
    assert!(row.len() >= out.len() && light.has(out.len()));
    dispatch!(isa, unsafe relight(out, row, light));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::blocks::widen;

    fn bytes(len: usize, seed: usize) -> Vec<u8> {
        (0..len).map(|i| ((i + 1) * 7919 * (seed + 3) / 13 % 256) as u8).collect()
    }

    /// The values of a row of three cells along 130 samples, and of a place between two such rows.
    const LEN: usize = 130;

    fn shares() -> Vec<f32> {
        (0..LEN).map(|x| (x % 65) as f32 / 65.0).collect()
    }

    fn wide(cells: &[f32; 3], times: f32) -> Vec<i16> {
        let mut row = vec![0; LEN];
        widen(Isa::SCALAR, &mut row, cells, &shares(), &[(65, 0), (65, 1)], times);
        row
    }

    fn exact([above, below]: [[f32; 3]; 2], share: f32, x: usize) -> f32 {
        let along =
            |cells: [f32; 3]| cells[x / 65] + (cells[x / 65 + 1] - cells[x / 65]) * shares()[x];
        along(above) + (along(below) - along(above)) * share
    }

    /// Has `act` take `len` samples of a line between rows of cells of two maps.
    fn with_line(
        maps: [[[f32; 3]; 2]; 2],
        times: [f32; 2],
        share: f32,
        len: usize,
        act: &mut dyn FnMut(Line<'_>),
    ) {
        let [first, second] =
            [0, 1].map(|map| maps[map].each_ref().map(|cells| wide(cells, times[map])));
        let [above, below] = [0, 1].map(|row| [&first[row][..len], &second[row][..len]]);
        act(Line { above, below, share: (share * 32_768.0) as i16 });
    }

    const PERSON: [[f32; 3]; 2] = [[40.0, 255.0, 90.0], [250.0, 3.0, 120.0]];
    const ROOM: [[f32; 3]; 2] = [[0.0, 3.0, 220.0], [70.0, 255.0, 12.0]];
    const GAINS: [[f32; 3]; 2] = [[0.9, 1.9, 0.1], [1.0, 0.4, 1.2]];
    const OFFSETS: [[f32; 3]; 2] = [[-255.0, 3.0, 220.0], [70.0, 255.0, -12.0]];

    #[test]
    fn every_isa_gives_the_same_bits_at_every_width() {
        for len in 0..=129 {
            let (row, alpha) = (bytes(len, 7), bytes(len, 8));
            let run = |isa| {
                let (mut unmixed, mut lit) = (vec![0; len], vec![0; len]);
                with_line([PERSON, ROOM], COLOURS, 0.3, len, &mut |line| {
                    unmix(isa, &mut unmixed, &row, &alpha, line);
                });
                with_line([GAINS, OFFSETS], LIGHT, 0.3, len, &mut |line| {
                    relight(isa, &mut lit, &row, line);
                });
                (unmixed, lit)
            };
            let expected = run(Isa::SCALAR);
            for isa in Isa::available() {
                assert!(run(isa) == expected, "{isa:?} {len}");
            }
        }
    }

    #[test]
    fn samples_are_the_nearest_to_the_formulas() {
        let (row, alpha) = (bytes(LEN, 3), bytes(LEN, 11));
        for share in [0.0, 0.25, 0.9] {
            let mut out = vec![0; LEN];
            with_line([PERSON, ROOM], COLOURS, share, LEN, &mut |line| {
                unmix(Isa::SCALAR, &mut out, &row, &alpha, line);
            });
            for x in 0..LEN {
                let (person, room) = (exact(PERSON, share, x), exact(ROOM, share, x));
                let alpha = f32::from(alpha[x]) / 255.0;
                let part = alpha * (1.0 + alpha) / 2.0;
                let seen = person + part * (f32::from(row[x]) - room - part * (person - room));
                let off = f32::from(out[x]) - seen.clamp(0.0, 255.0);
                assert!(off.abs() < 0.55, "{share} {x}: {off}");
            }
            with_line([GAINS, OFFSETS], LIGHT, share, LEN, &mut |line| {
                relight(Isa::SCALAR, &mut out, &row, line);
            });
            for x in 0..LEN {
                let seen = exact(GAINS, share, x) * f32::from(row[x]) + exact(OFFSETS, share, x);
                let off = f32::from(out[x]) - seen.clamp(0.0, 255.0);
                assert!(off.abs() < 0.55, "{share} {x}: {off}");
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
                with_line([[[person; 3]; 2], [[room; 3]; 2]], COLOURS, 0.6, 20, &mut |line| {
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
                with_line([[[1.0; 3]; 2], [[offset; 3]; 2]], LIGHT, 0.6, 20, &mut |line| {
                    relight(isa, &mut out, &[100; 20], line);
                });
                assert_eq!(out, [expected; 20]);
            }
        }
    }
}
