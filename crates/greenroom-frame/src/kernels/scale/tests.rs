//! Every instruction set gives the bits of the scalar kernels.

use super::*;

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7919 % 256) as u8).collect()
}

fn between(len: usize) -> Vec<i16> {
    bytes(len).iter().map(|&byte| i16::from(byte) << BETWEEN_BITS).collect()
}

#[test]
fn rows_are_scaled_along_themselves_exactly_at_every_width() {
    for width in (1..=130).chain([255, 256, 640]) {
        for to in [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 256, 257] {
            let tables = [
                Some(TapTable::new(width, to)),
                (to <= width).then(|| TapTable::of_means(width, to)),
            ];
            for table in tables.into_iter().flatten() {
                let (row, wide_row) = (bytes(width as usize), between(width as usize));
                let run = |isa| {
                    let (mut q7, mut out) = (vec![-1; to as usize], vec![7; to as usize]);
                    row_to_between(isa, &mut q7, &row, &table);
                    row_to_bytes(isa, &mut out, &wide_row, &table);
                    (q7, out)
                };
                for isa in Isa::available() {
                    assert_eq!(run(isa), run(Isa::SCALAR), "{isa:?} {width} to {to}");
                }
            }
        }
    }
}

#[test]
fn rows_are_summed_exactly_at_every_width() {
    for width in 1..=130_usize {
        for (from, to) in [(1, 1), (2, 3), (9, 4), (10, 2), (11, 4), (5, 12)] {
            let table = TapTable::new(from, to);
            let stride = width + width % 3;
            // The last row ends with its last sample, as a plane does.
            let plane = bytes(stride * (from as usize - 1) + width);
            let rows = between(width * from as usize);
            for index in 0..to as usize {
                let taps = table.taps(index);
                let run = |isa| {
                    let (mut q7, mut out) = (vec![-1; width], vec![7; width]);
                    rows_to_between(isa, &mut q7, &plane, stride, taps);
                    rows_to_bytes(isa, &mut out, &rows, width, taps);
                    (q7, out)
                };
                for isa in Isa::available() {
                    assert_eq!(run(isa), run(Isa::SCALAR), "{isa:?} {width} {from} to {to}");
                }
            }
        }
    }
}
