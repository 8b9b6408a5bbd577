use super::*;

const SIZE: SizePx = SizePx::new(128, 96);

/// A mask with rectangles `(left, top, width, height, alpha)`, later ones over earlier ones.
fn mask(parts: &[(usize, usize, usize, usize, u8)]) -> Vec<u8> {
    let width = SIZE.width_px as usize;
    let mut mask = vec![0; SIZE.area_px() as usize];
    for &(left, top, wide, high, alpha) in parts {
        for row in mask.chunks_exact_mut(width).skip(top).take(high) {
            row[left..left + wide].fill(alpha);
        }
    }
    mask
}

fn at(mask: &[u8], x: usize, y: usize) -> u8 {
    mask[y * SIZE.width_px as usize + x]
}

fn sense(people: People) -> ComponentFilter {
    ComponentFilter::new(SIZE, RefineSteps { islands: true, people, ..RefineSteps::NONE }).unwrap()
}

/// A body that stands on the lower border.
const BODY: (usize, usize, usize, usize, u8) = (40, 20, 50, 76, 250);
/// Another, smaller one at the right border.
const OTHER: (usize, usize, usize, usize, u8) = (110, 40, 18, 56, 240);

#[test]
fn nothing_to_do_is_not_done() {
    assert!(ComponentFilter::new(SIZE, RefineSteps::NONE).is_none());
    let (before, mut after) = (mask(&[BODY]), mask(&[BODY]));
    sense(People::All).apply(&mut after);
    assert_eq!(before, after);
    let mut nobody = mask(&[]);
    sense(People::All).apply(&mut nobody);
    sense(People::Main).apply(&mut nobody);
    assert!(nobody.iter().all(|&alpha| alpha == 0));
}

#[test]
fn the_room_between_arm_and_body_stays_room() {
    let parts = [BODY, (50, 40, 4, 14, 100), (70, 40, 3, 3, 30)];
    let mut seen = mask(&parts);
    sense(People::All).apply(&mut seen);
    assert_eq!(seen, mask(&parts));
}

#[test]
fn an_unsure_island_is_dropped_and_a_hand_and_a_second_person_are_not() {
    // A ghost in the corner, a sure hand far up, an unsure one near the head, a second person.
    let parts = [BODY, (2, 80, 12, 14, 170), (8, 8, 5, 5, 235), (92, 24, 4, 4, 150), OTHER];
    let mut mask = mask(&parts);
    sense(People::All).apply(&mut mask);
    assert_eq!(at(&mask, 8, 86), 0);
    assert_eq!([at(&mask, 9, 9), at(&mask, 93, 25), at(&mask, 120, 60)], [235, 150, 240]);
    assert_eq!(at(&mask, 60, 60), 250);
}

#[test]
fn an_island_that_was_sure_stays_while_it_wavers() {
    let mut sense = sense(People::All);
    for (alpha, stays) in
        [(170, false), (230, true), (170, true), (190, true), (40, false), (170, false)]
    {
        let mut mask = mask(&[BODY, (2, 60, 12, 14, alpha)]);
        sense.apply(&mut mask);
        // What is fainter than anything to be seen is left to the guide.
        let seen = at(&mask, 8, 66) >= SOMEONE;
        assert_eq!(seen, stays, "{alpha}");
    }
    sense.apply(&mut mask(&[BODY, (2, 60, 12, 14, 230)]));
    sense.reset();
    let mut wavers = mask(&[BODY, (2, 60, 12, 14, 170)]);
    sense.apply(&mut wavers);
    assert_eq!(at(&wavers, 8, 66), 0, "a new clip knows nothing of the one before");
}

#[test]
fn a_few_sure_samples_make_no_person() {
    // As the lamp of the demo clip has them now and then.
    for left in [2, 17] {
        let mut seen = mask(&[BODY, (left, 60, 20, 30, 120), (left + 2, 70, 6, 3, 255)]);
        sense(People::All).apply(&mut seen);
        assert_eq!([at(&seen, left + 3, 71), at(&seen, left + 13, 80)], [0, 0], "{left}");
    }
}

#[test]
fn what_is_too_faint_for_a_hand_is_dropped_beside_a_person_too() {
    for people in [People::All, People::Main] {
        for (alpha, stays) in [(70, false), (85, true)] {
            let mut seen = mask(&[BODY, (92, 24, 6, 6, alpha)]);
            sense(people).apply(&mut seen);
            assert_eq!(at(&seen, 94, 26), if stays { alpha } else { 0 }, "{people:?} {alpha}");
        }
        // It was of the person a moment ago.
        let mut sense = sense(people);
        sense.apply(&mut mask(&[BODY, (90, 24, 8, 6, 70)]));
        let mut seen = mask(&[BODY, (92, 24, 6, 6, 70)]);
        sense.apply(&mut seen);
        assert_eq!(at(&seen, 94, 26), 0, "{people:?}");
    }
}

#[test]
fn a_person_who_is_alone_stays_however_unsure() {
    let mut mask = mask(&[(0, 60, 12, 36, 120)]);
    sense(People::All).apply(&mut mask);
    assert_eq!(at(&mask, 5, 80), 120);
}

#[test]
fn main_shows_one_person_with_their_hand() {
    let parts = [BODY, OTHER, (92, 24, 6, 6, 235), (108, 60, 2, 10, 50)];
    let mut mask = mask(&parts);
    sense(People::Main).apply(&mut mask);
    assert_eq!([at(&mask, 60, 60), at(&mask, 94, 26)], [250, 235]);
    assert_eq!(at(&mask, 120, 60), 0, "the other one");
    assert_eq!(at(&mask, 109, 65), 0, "and the skirt of the other one");
}

#[test]
fn main_keeps_a_head_that_comes_off_and_all_of_a_hand() {
    let mut sense = sense(People::Main);
    let neck = (56, 30, 18, 4, 250);
    let (body, head) = ((40, 34, 50, 62, 250), (50, 4, 30, 26, 250));
    sense.apply(&mut mask(&[body, head, neck]));
    for _ in 0..3 {
        let mut seen = mask(&[body, head, (92, 40, 20, 4, 250)]);
        sense.apply(&mut seen);
        assert_eq!([at(&seen, 60, 10), at(&seen, 93, 41), at(&seen, 111, 41)], [250; 3]);
    }
}

#[test]
fn main_does_not_swap_when_the_other_one_becomes_larger() {
    let mut sense = sense(People::Main);
    let shown = |sense: &mut ComponentFilter, parts: &[_]| {
        let mut mask = mask(parts);
        sense.apply(&mut mask);
        [at(&mask, 60, 70) > 0, at(&mask, 120, 70) > 0]
    };
    assert_eq!(shown(&mut sense, &[BODY, OTHER]), [true, false]);
    let smaller = (50, 50, 30, 46, 250);
    let larger = (90, 10, 38, 86, 250);
    for _ in 0..60 {
        assert_eq!(shown(&mut sense, &[smaller, larger]), [true, false]);
    }
    // Gone for a moment: nobody is shown in their place, and they are the one when they are back.
    for _ in 0..5 {
        assert_eq!(shown(&mut sense, &[larger]), [false, false]);
    }
    assert_eq!(shown(&mut sense, &[smaller, larger]), [true, false]);
    // Gone for good: then it is the other one, and stays so.
    for _ in 0..=PATIENCE_FRAMES {
        shown(&mut sense, &[larger]);
    }
    assert_eq!(shown(&mut sense, &[larger]), [false, true]);
    assert_eq!(shown(&mut sense, &[smaller, larger]), [false, true]);
}

#[test]
fn the_worst_mask_is_no_trouble() {
    let width = SIZE.width_px as usize;
    let chess: Vec<u8> = (0..SIZE.area_px() as usize)
        .map(|at| if (at % width + at / width).is_multiple_of(2) { 255 } else { 0 })
        .collect();
    for people in [People::All, People::Main] {
        let mut sense = sense(people);
        let [runs, all] = [sense.components.runs.capacity(), sense.components.all.capacity()];
        for shift in 0..3 {
            let mut mask = chess.clone();
            mask.rotate_left(shift);
            sense.apply(&mut mask);
        }
        let stripes =
            (0..SIZE.area_px() as usize).map(|at| if at.is_multiple_of(2) { 255 } else { 0 });
        sense.apply(&mut stripes.collect::<Vec<u8>>());
        assert_eq!(sense.components.runs.capacity(), runs, "no memory was asked for");
        assert_eq!(sense.components.all.capacity(), all);
    }
}

#[test]
fn components_are_what_they_are() {
    // A ring that closes late, with a dot in it; corners count.
    let ring =
        mask(&[(10, 10, 30, 30, 200), (12, 12, 26, 26, 0), (20, 20, 2, 2, 90), (22, 22, 2, 2, 90)]);
    let mut components = Components::new(SIZE);
    components.find(&ring, 64, 100);
    let areas: Vec<_> = components.all.iter().map(|it| (it.area, it.certain)).collect();
    assert_eq!(areas, [(30 * 30 - 26 * 26, 30 * 30 - 26 * 26), (8, 0)]);
    // A comb: its teeth are joined by the last row.
    let comb = mask(&[(4, 4, 3, 10, 80), (9, 4, 3, 10, 80), (14, 6, 3, 8, 80), (4, 14, 13, 1, 80)]);
    components.find(&comb, 64, 100);
    assert_eq!(components.all.len(), 1);
    assert_eq!(components.all[0].mass, 80 * (30 + 30 + 24 + 13));
}
