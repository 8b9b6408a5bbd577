use super::*;

const CELLS: SizePx = SizePx::new(160, 90);
const MASK: SizePx = SizePx::new(320, 288);

/// What is drawn on a person, at a place in cells.
fn texture(x: f32, y: f32) -> f32 {
    128.0 + 50.0 * (x * 0.31).sin() + 40.0 * (y * 0.23 + x * 0.07).cos()
}

fn is_in(x: f32, y: f32) -> bool {
    (60.0..100.0).contains(&x) && (20.0..90.0).contains(&y)
}

/// A flat room with a person who has gone by `way`.
fn luma(way: [f32; 2]) -> Vec<u8> {
    let cell = |at: u32| {
        let [x, y] = [(at % CELLS.width_px) as f32 - way[0], (at / CELLS.width_px) as f32 - way[1]];
        if is_in(x, y) { texture(x, y) as u8 } else { 90 }
    };
    (0..CELLS.area_px() as u32).map(cell).collect()
}

/// Whether a sample of the mask was of the person before they went.
fn was_person(at: usize) -> bool {
    let [x, y] = [at % 320, at / 320].map(|at| at as f32);
    is_in(x / 2.0, y * 90.0 / 288.0)
}

fn find(isa: Isa, way: [f32; 2]) -> Option<[f32; 2]> {
    let (new, old) = (luma(way), luma([0.0, 0.0]));
    Motion::new(MASK, CELLS).find(isa, was_person, &new, &old)
}

#[test]
fn it_finds_the_way_in_parts_of_a_cell() {
    for isa in Isa::available() {
        for way in [[1.0, 0.0], [-3.5, 0.0], [0.4, 2.0], [6.3, -1.2], [-7.0, 4.0]] {
            let found = find(isa, way).unwrap();
            let error = [0, 1].map(|axis| (found[axis] - way[axis]).abs());
            assert!(error[0] < 0.25 && error[1] < 0.25, "{isa} {way:?}: {found:?}");
        }
    }
}

#[test]
fn who_stands_still_or_is_gone_goes_nowhere() {
    assert_eq!(find(Isa::best(), [0.0, 0.0]), None);
    assert_eq!(find(Isa::best(), [0.05, 0.0]), None);
    let mut motion = Motion::new(MASK, CELLS);
    let (empty, old) = (vec![90; CELLS.area_px() as usize], luma([0.0, 0.0]));
    // As flat wherever they are looked for: no way is better than another.
    assert_eq!(motion.find(Isa::best(), was_person, &empty, &old), None);
    assert_eq!(motion.find(Isa::best(), |_| false, &empty, &old), None);
    assert_eq!(motion.extent(), None);
}

#[test]
fn an_arm_that_moves_is_no_way() {
    // A torso that stands still, and beside it a bright arm that has gone down by four cells.
    let picture = |arm: u32| -> Vec<u8> {
        let mut cells = luma([0.0, 0.0]);
        for y in arm..arm + 12 {
            cells[(y * 160 + 70) as usize..][..30].fill(220);
        }
        cells
    };
    assert_eq!(
        Motion::new(MASK, CELLS).find(Isa::best(), was_person, &picture(44), &picture(40)),
        None
    );
}

#[test]
fn the_smallest_pictures_are_looked_at_in_bounds() {
    for (mask, cells) in
        [((1, 1), (1, 1)), ((2, 2), (3, 1)), ((256, 144), (2, 7)), ((1, 9), (9, 9))]
    {
        let [mask, cells] = [mask, cells].map(|(width, height)| SizePx::new(width, height));
        let luma = |seed: u32| -> Vec<u8> {
            (0..cells.area_px() as u32).map(|at| (at * 97 + seed * 51) as u8).collect()
        };
        let mut motion = Motion::new(mask, cells);
        for seed in 1..20 {
            motion.find(Isa::best(), |_| true, &luma(seed), &luma(seed + 1));
        }
    }
}
