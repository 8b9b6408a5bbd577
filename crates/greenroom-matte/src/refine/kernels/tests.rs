use super::*;
use crate::Isa;

fn noise(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|i| ((i + 1) * 7919 * (seed + 3) / 13 % 256) as u8).collect()
}

fn floats(len: usize, seed: usize) -> Vec<f32> {
    noise(len, seed).into_iter().map(|byte| f32::from(byte) / 64.0 - 2.0).collect()
}

/// Every instruction set gives the same bits, at every width.
fn same_bits<T: PartialEq + std::fmt::Debug>(run: impl Fn(Isa, usize) -> T) {
    for len in (0..=130).chain([160, 161]) {
        let expected = run(Isa::SCALAR, len);
        for isa in Isa::available() {
            assert_eq!(run(isa, len), expected, "{isa} {len}");
        }
    }
}

#[test]
fn every_isa_gives_the_same_bits() {
    same_bits(|isa, len| {
        let mut sums = floats(len, 0);
        add_row(isa, &mut sums, &floats(len, 1));
        let rows = [2, 3, 4, 5].map(|seed| floats(len, seed));
        let [a, b, c, d] = rows.each_ref().map(Vec::as_slice);
        add_product(isa, &mut sums, Product { a, b });
        slide(isa, &mut sums, c, d);
        slide_product(isa, &mut sums, Product { a, b: c }, Product { a: b, b: d });
        let mut out = vec![0.0; len];
        spread(isa, &mut out, &floats(len + 12, 4), 1.0 / 169.0);
        (sums, out)
    });
    same_bits(|isa, len| {
        let mut out = vec![0.0; 4 * len];
        solve(isa, &mut out, &floats(13 * len, 5), 1e-3);
        out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    });
    same_bits(|isa, len| {
        let [mut luma, mut small, mut mixed, mut slopes, mut offsets] =
            [0; 5].map(|_: u8| vec![0.0; len]);
        let chroma = noise(2 * len, 20);
        to_floats(isa, &mut luma, &chroma[..len]);
        quarter(isa, &mut small, &chroma, &noise(2 * len, 22), 0.25 / 255.0);
        mix(isa, &mut mixed, &luma, &small);
        let mut twice = vec![0.0; 2 * len];
        double(isa, &mut twice, &floats(len + 2, 23));
        let line = LineRowsMut { slopes: &mut slopes, offsets: &mut offsets };
        let (factors, ramp) = (floats(4 * len, 21), Ramp { room: 0.2, person: 0.7 });
        fold(isa, line, &factors, ChromaRows { u: &chroma[..len], v: &chroma[len..] }, ramp);
        let mut classes = vec![0; len];
        classify(isa, &mut classes, &slopes, &offsets);
        (luma, small, mixed, twice, slopes, offsets, classes)
    });
    same_bits(|isa, len| {
        let rows: Vec<Vec<f32>> = (6..10).map(|seed| floats(len, seed)).collect();
        let offsets = rows.iter().map(|row| row.iter().map(|x| x * 90.0).collect::<Vec<_>>());
        let offsets: Vec<Vec<f32>> = offsets.collect();
        let mut out = vec![7; len];
        let [above, below] =
            [0, 1].map(|line| LineRows { slopes: &rows[line], offsets: &offsets[2 + line] });
        apply(isa, &mut out, &noise(len, 11), above, below, 0.3);
        let place = |x: usize| Place { column: 3 * x as u32, share: 0.1 };
        let places: Vec<Place> = (0..=len.div_ceil(3)).map(place).collect();
        let line = floats(places.len() + 1, 12);
        // As many columns as a vector, which has a way of its own, and more.
        let wide = [1, 3].map(|lanes| {
            let mut wide = vec![0.0; len + 3 + lanes * WIDEN_LANES];
            let growth = Growth { step: 0.25, columns: lanes * WIDEN_LANES };
            widen(isa, &mut wide, &line, &places, growth);
            for (x, &wide) in wide[..len].iter().enumerate() {
                let (left, right) = (line[x / 3], line[x / 3 + 1]);
                let share = 0.1 + 0.25 * (x % 3) as f32;
                let want = left + (right - left) * share;
                assert!((wide - want).abs() < 1e-4 * left.abs().max(1.0));
            }
            wide
        });
        (out, wide)
    });
    same_bits(|isa, len| {
        let mut half = vec![0; len];
        halve(isa, &mut half, &noise(2 * len, 13), &noise(2 * len, 14));
        let mut sums = vec![3; len];
        add_difference(isa, &mut sums, &noise(len, 15), &noise(len, 16));
        let rows = [30, 31, 32].map(|seed| {
            noise(len + 2, seed).into_iter().map(|change| u16::from(change) * 3).collect::<Vec<_>>()
        });
        let (mut most, mut columns) = (vec![0; len], vec![0; len + 2]);
        let changes = rows.each_ref().map(Vec::as_slice);
        most_around(isa, &mut most, &mut columns, changes);
        for (x, most) in most.iter().enumerate() {
            let want = changes.iter().flat_map(|row| &row[x..x + 3]).max();
            assert_eq!(Some(most), want);
        }
        let mut sum = 7;
        sum_difference(isa, &mut sum, &noise(len, 33), &noise(len, 34));
        let mut between_them = vec![0; len];
        let (above, below) = (noise(len + 1, 35), noise(len + 1, 36));
        between(isa, &mut between_them, &above, &below, Shift { across: 77, down: 200 });
        let states = [37, 38].map(|seed| {
            noise(len + 1, seed).into_iter().map(|x| u16::from(x) << 7).collect::<Vec<u16>>()
        });
        let mut carried = vec![0; len];
        let shift = Shift { across: 255, down: 0 };
        between_states(isa, &mut carried, &states[0], &states[1], shift);
        let mut weights_of = vec![0; len];
        let ramp = WeightRamp { low: 6, high: 20, least: 51, most: 255 };
        weights(isa, &mut weights_of, &most, ramp);
        for (weight, &change) in weights_of.iter().zip(&most) {
            let moved = f32::from(change.clamp(6, 20) - 6) / 14.0;
            assert!((f32::from(*weight) - (51.0 + 204.0 * moved)).abs() <= 0.501);
        }
        let mut state: Vec<u16> = noise(len, 17).into_iter().map(|x| u16::from(x) << 7).collect();
        let mut new = noise(len, 18);
        let room = SureRoom { level: 40, least: 100 };
        follow(isa, &mut state, &mut new, &noise(len, 19), room);
        (half, sums, state, new, sum, between_them, carried, weights_of)
    });
    same_bits(|isa, len| {
        let rows: Vec<Vec<f32>> = (20..23).map(|seed| floats(len, seed)).collect();
        let mut sums = floats(8 * len, 25);
        let colours_of = ColourRows { y: &rows[0], u: &rows[1], v: &rows[2] };
        let factors = floats(4 * len, 26);
        let [by_y, by_u, by_v, constant] = [0, 1, 2, 3].map(|row| &factors[row * len..][..len]);
        let factors = FactorRows { by_y, by_u, by_v, constant };
        weigh(isa, &mut sums, colours_of, factors, Ramp { room: 0.15, person: 0.75 });
        let mut shares_of = [vec![0.0; len], vec![0.0; len], vec![0.0; len]];
        let [p, r] = [0, 4].map(|channel| &sums[channel * len..][..len]);
        let [mixed, person, room] = shares_of.each_mut().map(Vec::as_mut_slice);
        let found = ShareRowsMut { mixed, person, room };
        // Weights are positive.
        let weights = [27, 28, 29, 30].map(|seed| {
            floats(len, seed).into_iter().map(|weight| weight.abs() + 0.1).collect::<Vec<_>>()
        });
        let [a, b, c, d] = weights.each_ref().map(Vec::as_slice);
        let (cell, around) = (SideRows { person: a, room: b }, SideRows { person: c, room: d });
        shares(isa, found, cell, around, 0.5);
        let (mut persons, mut rooms) = (vec![0.0; len], vec![0.0; len]);
        let [mixed, person_shares, room] = shares_of.each_ref().map(Vec::as_slice);
        let found = ShareRows { mixed, person: person_shares, room };
        let (cell, around) =
            (SideRows { person: p, room: r }, SideRows { person: &rows[1], room: &rows[2] });
        colours(isa, &mut persons, &mut rooms, cell, around, found);
        (sums, shares_of, persons, rooms)
    });
    same_bits(|isa, len| {
        let chroma = [40, 41].map(|seed| noise(len, seed));
        let maps = [42, 43, 44, 45].map(|seed| noise(len, seed));
        let [u, v] = chroma.each_ref().map(Vec::as_slice);
        let [screen_u, screen_v, room, person] = maps.each_ref().map(Vec::as_slice);
        let [mut distance, mut alpha] = [vec![0; len], vec![0; len]];
        screen_distance(
            isa,
            KeyRowsMut { distance: &mut distance, alpha: &mut alpha },
            ChromaRows { u, v },
            ScreenRows { u: screen_u, v: screen_v, room, person },
            &noise(len, 46),
            DistanceScale { neutral: 64.0, screen: 192.0, across: 1.0, certain: 144.0 },
        );
        let rows = |seed| [0, 1, 2, 3, 4].map(|row: usize| floats(len + 4, seed + row));
        let (lumas, alphas) = (rows(47), rows(52));
        let [mut slopes, mut offsets] = [vec![0.0; len], vec![0.0; len]];
        fit_luma(
            isa,
            LineRowsMut { slopes: &mut slopes, offsets: &mut offsets },
            lumas.each_ref().map(Vec::as_slice),
            alphas.each_ref().map(Vec::as_slice),
            &mut vec![0.0; 5 * (len + 4)],
            1.4,
        );
        let (mut sums, mut squares) = ([3; 6].map(|it: u16| vec![it; len]), vec![5; len]);
        let rows = TallyRows { u, v, distance: &distance, alpha: &alpha };
        let [near, solid, clear, u, v, distances] = sums.each_mut().map(Vec::as_mut_slice);
        let squares_of = &mut squares[..];
        let columns =
            TallyMut { near, solid, clear, u, v, distance: distances, squares: squares_of };
        tally(isa, columns, rows, TallyLevels { near: 128, solid: 140, clear: 115 });
        (distance, alpha, slopes, offsets, sums, squares)
    });
}

#[test]
fn apply_rounds_and_clamps() {
    let cases = [(-5.0, 0), (0.49, 0), (0.51, 1), (127.2, 127), (254.6, 255), (900.0, 255)];
    for isa in Isa::available() {
        for (offset, expected) in cases {
            let (mut out, zeros, offsets) = ([9; 20], [0.0; 20], [offset; 20]);
            let line = LineRows { slopes: &zeros, offsets: &offsets };
            apply(isa, &mut out, &[77; 20], line, line, 0.5);
            assert_eq!(out, [expected; 20], "{isa} {offset}");
        }
    }
}

#[test]
fn solve_finds_the_map_that_was_put_in() {
    // Alpha is 0.5 * y - 0.25 * u + 0.125 * v + 0.3 for independent colours of variance 0.04.
    let (mean, variance) = ([0.4f32, 0.5, 0.6], 0.04f32);
    let factors = [0.5f32, -0.25, 0.125];
    let p = 0.3 + mean.iter().zip(factors).map(|(m, f)| m * f).sum::<f32>();
    let product = |a: usize, b: usize| mean[a] * mean[b] + if a == b { variance } else { 0.0 };
    let with_p = |a: usize| mean[a] * p + factors[a] * variance;
    let moments = [
        mean[0],
        mean[1],
        mean[2],
        p,
        product(0, 0),
        product(0, 1),
        product(0, 2),
        product(1, 1),
        product(1, 2),
        product(2, 2),
        with_p(0),
        with_p(1),
        with_p(2),
    ];
    for isa in Isa::available() {
        let mut out = [0.0; 4];
        solve(isa, &mut out, &moments, 1e-6);
        for (seen, expected) in out.into_iter().zip([0.5, -0.25, 0.125, 0.3]) {
            assert!((seen - expected).abs() < 1e-3, "{isa} {out:?}");
        }
    }
}

#[test]
fn follow_arrives_and_does_not_stick() {
    for isa in Isa::available() {
        let nowhere = SureRoom { level: 0, least: 0 };
        let mut state = vec![0u16; 3];
        let mut seen = vec![0; 3];
        for _ in 0..40 {
            seen.copy_from_slice(&[255, 3, 0]);
            follow(isa, &mut state, &mut seen, &[51, 51, 255], nowhere);
        }
        assert!(seen[0] >= 254 && seen[1] == 3 && seen[2] == 0, "{isa} {seen:?}");
        seen.copy_from_slice(&[9, 9, 9]);
        follow(isa, &mut state, &mut seen, &[255; 3], nowhere);
        assert_eq!(seen, [9; 3], "{isa}: all of the new one");
        let (mut state, mut seen) = (vec![200 << 7; 3], vec![0, 8, 9]);
        follow(isa, &mut state, &mut seen, &[0; 3], SureRoom { level: 8, least: 128 });
        assert!(
            seen[0] < 101 && seen[1] < 105 && seen[2] == 200,
            "{isa} {seen:?}: sure of the room"
        );
    }
}
