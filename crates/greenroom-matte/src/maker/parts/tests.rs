use greenroom_frame::{Colour, PixelFormat};

use super::*;
use crate::Layout;
use crate::refine::crop::LEVELS;

const SIZE: SizePx = SizePx::new(128, 96);

fn parts() -> Parts {
    let looks = [Look::new(SIZE, SIZE, Layout::Nhwc).unwrap()];
    let fit = MaskFit { whole: 0, again: 0, windows: [0; LEVELS], is_upright: false };
    let steps = RefineSteps { islands: true, smooth: true, crop: true, ..RefineSteps::NONE };
    Parts::new(steps, (fit, None), &looks, Isa::SCALAR).unwrap()
}

/// A mask of somebody, and of an island that is so sure.
fn mask(island: u8) -> Frame {
    let mut mask = Frame::new(PixelFormat::Grey, SIZE, Colour::JPEG).unwrap();
    mask.bytes_mut().fill(0);
    for (y, row) in mask.bytes_mut().chunks_exact_mut(SIZE.width_px as usize).enumerate() {
        row[60..110].fill(if y >= 20 { 250 } else { 0 });
        row[2..14].fill(if (60..74).contains(&y) { island } else { 0 });
    }
    mask
}

#[test]
fn answers_that_are_held_are_laid_as_if_they_were_laid_anew() {
    let ids: [InferenceId; 4] = std::array::from_fn(|_| InferenceId::new());
    // The island is sure at first, and wavers then; another look does not see it, and it is not kept any more.
    let answers =
        [(0, 230), (1, 170), (1, 170), (1, 170), (2, 20), (1, 170), (1, 170), (3, 170), (3, 170)];
    let (mut parts, mut others) = (parts(), self::parts());
    let (mut canvas, mut other) = (mask(0), mask(0));
    let mut before = None;
    let mut shown = Vec::new();
    for (id, island) in answers {
        let id = ids[id];
        // An inference is held from its second picture on; the look with the island is still there after the other.
        let is_held = before == Some(id) || shown.len() == 5;
        before = Some(id);
        parts.lay(&mask(island), is_held.then_some(id), &mut canvas);
        others.lay(&mask(island), None, &mut other);
        assert_eq!(canvas.bytes(), other.bytes(), "{}", shown.len());
        shown.push(canvas.bytes()[66 * SIZE.width_px as usize + 8]);
    }
    assert_eq!(shown, [230, 170, 170, 170, 0, 0, 0, 0, 0]);
}

#[test]
fn an_answer_that_is_held_is_laid_once() {
    let id = InferenceId::new();
    let (mut parts, mut canvas) = (parts(), mask(0));
    parts.lay(&mask(0), None, &mut canvas);
    parts.lay(&mask(0), Some(id), &mut canvas);
    // Nobody looks at what is said to be the same answer.
    parts.lay(&mask(250), Some(id), &mut canvas);
    assert_eq!(canvas.bytes(), mask(0).bytes());
    // Another call, another inference, and one of the newest picture.
    for held in [Some(InferenceId::new()), None] {
        parts.lay(&mask(250), held, &mut canvas);
        assert_eq!(canvas.bytes(), mask(250).bytes());
    }
    parts.lay(&mask(250), Some(id), &mut canvas);
    parts.reset();
    parts.lay(&mask(0), Some(id), &mut canvas);
    assert_eq!(canvas.bytes(), mask(0).bytes());
}
