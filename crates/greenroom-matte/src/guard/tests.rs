use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use greenroom_frame::{Colour, PixelFormat, SizePx};

use super::*;
use crate::{AlphaMap, Engine, InputTensor, Isa, ModelDescription};

const CELLS: SizePx = SizePx::new(80, 45);
const FRAME: SizePx = SizePx::new(320, 180);
const MASK: SizePx = SizePx::new(160, 90);
/// The person's width and height in pixels of a mask, and the margin round them: four cells, and one
/// where the cells' edges are not the person's.
const PERSON: [usize; 2] = [40, 50];
const MARGIN: usize = 2 * (4 + 1);

/// What is bright is the person; counts how often it is asked.
struct Brightness {
    description: ModelDescription,
    looks: Arc<AtomicU32>,
}

impl Engine for Brightness {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        self.looks.fetch_add(1, Relaxed);
        let bright = input.values().iter().map(|value| f32::from(u8::from(*value > 0.5)));
        alpha.values_mut().iter_mut().zip(bright).for_each(|(alpha, value)| *alpha = value);
        Ok(())
    }
}

struct Bench {
    guard: RoomGuard,
    looks: Arc<AtomicU32>,
    start: Instant,
    frames: u32,
}

/// Whether the pixel of a mask belongs to the person whose left edge is at `left`.
fn is_person(left: usize, x: usize, y: usize) -> bool {
    (left..left + PERSON[0]).contains(&x) && y >= MASK.height_px as usize - PERSON[1]
}

/// Whether the pixel is the person's or close to them.
fn is_near(left: usize, x: usize, y: usize) -> bool {
    (left.saturating_sub(MARGIN)..left + PERSON[0] + MARGIN).contains(&x)
        && y + MARGIN >= MASK.height_px as usize - PERSON[1]
}

fn mask(shown: impl Fn(usize, usize) -> bool) -> Frame {
    let mut mask = Frame::new(PixelFormat::Grey, MASK, Colour::JPEG).unwrap();
    let width = MASK.width_px as usize;
    for (at, byte) in mask.bytes_mut().iter_mut().enumerate() {
        *byte = if shown(at % width, at / width) { 255 } else { 0 };
    }
    mask
}

fn shown(mask: &Frame) -> impl Iterator<Item = (usize, usize)> + '_ {
    let width = MASK.width_px as usize;
    let bytes = mask.bytes().iter().enumerate();
    bytes.filter(|(_, byte)| **byte > 0).map(move |(at, _)| (at % width, at / width))
}

impl Bench {
    fn new() -> Self {
        let looks: Arc<AtomicU32> = Arc::default();
        let description = ModelDescription::selfie("brightness".into(), CELLS);
        let engine = Brightness { description, looks: Arc::clone(&looks) };
        let network = MatteMaker::with_engine(Box::new(engine), Isa::best()).unwrap();
        let guard = RoomGuard::with_network(network);
        Self { guard, looks, start: Instant::now(), frames: 0 }
    }

    /// The next frame, 33 ms after the one before; the person's left edge is at `left`, if there is one.
    fn frame(&mut self, left: Option<usize>) -> Frame {
        let mut frame = Frame::new(PixelFormat::I420, FRAME, Colour::JPEG).unwrap();
        // Grey: both chroma planes are all 128.
        frame.bytes_mut().fill(128);
        let width = FRAME.width_px as usize;
        let luma = frame.bytes_mut()[..FRAME.area_px() as usize].iter_mut();
        for (at, byte) in luma.enumerate() {
            let bright = left.is_some_and(|left| is_person(left, at % width / 2, at / width / 2));
            *byte = if bright { 255 } else { 0 };
        }
        frame.set_captured_at(self.start + Duration::from_millis(33) * self.frames);
        self.frames += 1;
        frame
    }

    /// What the guard leaves of a mask of the next frame, and what it says.
    fn cut(&mut self, left: Option<usize>, mut mask: Frame) -> (Frame, Comparison) {
        let frame = self.frame(left);
        self.guard.look_if_due(&frame.view()).unwrap();
        let found = self.guard.cut(&frame.view(), &mut mask).unwrap();
        (mask, found)
    }
}

type Shown = fn(usize, usize) -> bool;

/// Masks of a person whose left edge is at 60, none of which is one.
const HOSTILE: [(&str, Shown); 8] = [
    ("all ones", |_, _| true),
    ("31 of 32", |x, _| x < 155),
    ("inverted", |x, y| !is_person(60, x, y)),
    ("shifted by half", |x, y| is_person(140, x + 160, y) || is_person(140, x, y)),
    ("checkerboard", |x, y| (x / 4 + y / 4) % 2 == 0),
    ("noise", |x, y| (x * 7919 + y * 104_729) % 251 > 125),
    ("the upper half", |_, y| y < 45),
    ("the person in a large box", |x, y| (30..130).contains(&x) && y > 10),
];

/// Which masks are hostile, by their number.
type When = (&'static str, fn(u32) -> bool);

#[test]
fn hostile_masks_are_found_out_in_their_first_frame_and_show_no_room() {
    for (name, hostile) in HOSTILE {
        // At once; after a hundred honest ones, between two looks; one in ten.
        let when: [When; 3] =
            [("always", |_| true), ("later", |nth| nth >= 102), ("at times", |nth| nth % 10 == 9)];
        for (when_name, is_hostile) in when {
            let mut bench = Bench::new();
            for nth in 0..130 {
                let honest = mask(|x, y| is_person(60, x, y));
                let sent = if is_hostile(nth) { mask(hostile) } else { honest.clone() };
                let (left, found) = bench.cut(Some(60), sent);
                let room = shown(&left).filter(|(x, y)| !is_near(60, *x, *y)).count();
                assert_eq!(room, 0, "{name}, {when_name}, frame {nth}");
                assert_eq!(
                    found.agrees(),
                    !is_hostile(nth),
                    "{name}, {when_name}, {nth}: {found:?}"
                );
                assert!(is_hostile(nth) || left.bytes() == honest.bytes(), "{name}, frame {nth}");
            }
        }
    }
}

#[test]
fn a_mask_that_grows_shows_no_more_than_a_margin_and_is_found_out() {
    let mut bench = Bench::new();
    let mut agreed = 0;
    for grown in 0..80 {
        let sent = mask(|x, y| {
            (60usize.saturating_sub(grown)..100 + grown).contains(&x) && y + grown >= 40
        });
        let (left, found) = bench.cut(Some(60), sent);
        assert!(shown(&left).all(|(x, y)| is_near(60, x, y)), "{grown}");
        agreed += usize::from(found.agrees());
    }
    assert!((2..12).contains(&agreed), "{agreed}");
}

#[test]
fn nobody_there_is_nobody_shown() {
    let mut bench = Bench::new();
    for (nth, sent) in [mask(|x, y| is_person(60, x, y)), mask(|_, _| true)].iter().enumerate() {
        let (left, found) = bench.cut(None, sent.clone());
        assert!(shown(&left).next().is_none() && found.shows_room(), "{nth}: {found:?}");
    }
    let (_, found) = bench.cut(None, mask(|_, _| false));
    assert!(found.agrees());
}

#[test]
fn who_is_surely_there_is_not_left_out() {
    let mut bench = Bench::new();
    let (_, found) = bench.cut(Some(60), mask(|_, _| false));
    assert!(found.misses_person() && !found.shows_room(), "{found:?}");
    // A part of them will do.
    let (_, found) = bench.cut(Some(60), mask(|x, y| is_person(60, x, y) && x < 75));
    assert!(found.agrees(), "{found:?}");
}

#[test]
fn looks_are_few_where_all_agree_and_are_taken_where_somebody_moves() {
    let mut bench = Bench::new();
    for _ in 0..108 {
        bench.cut(Some(60), mask(|x, y| is_person(60, x, y)));
    }
    assert_eq!(bench.looks.load(Relaxed), FIRST_LOOKS + 100 / LOOK_EVERY_FRAMES);
    // Nothing of a person is lost, however fast they are.
    for left in (0..120).step_by(15).chain((0..120).step_by(40)).chain([60; 5]) {
        let sent = mask(|x, y| is_person(left, x, y));
        let (left_over, found) = bench.cut(Some(left), sent.clone());
        assert!(found.agrees() && left_over.bytes() == sent.bytes(), "{left}: {found:?}");
    }
    // Another camera: each frame is looked at again.
    bench.guard.reset();
    let before = bench.looks.load(Relaxed);
    for _ in 0..FIRST_LOOKS {
        bench.cut(Some(60), mask(|x, y| is_person(60, x, y)));
    }
    assert_eq!(bench.looks.load(Relaxed), before + FIRST_LOOKS);
}

#[test]
fn a_mask_of_long_ago_shows_the_place_left_for_a_few_frames_at_most() {
    let mut bench = Bench::new();
    let old = mask(|x, y| is_person(20, x, y));
    for _ in 0..50 {
        bench.cut(Some(20), old.clone());
    }
    // They are at the other side now, and the server goes on sending where they were.
    let mut shown_frames = 0;
    for _ in 0..60 {
        let (left, found) = bench.cut(Some(110), old.clone());
        let room = shown(&left).filter(|(x, y)| !is_near(110, *x, *y)).count();
        shown_frames += u32::from(room > 0);
        assert!(room == 0 || found.agrees());
    }
    assert!(shown_frames < LOOK_EVERY_FRAMES, "{shown_frames}");
}

#[test]
fn masks_of_any_size_are_compared() {
    let mut bench = Bench::new();
    let frame = bench.frame(Some(60));
    bench.guard.look(&frame.view()).unwrap();
    for size in [SizePx::new(1, 1), SizePx::new(33, 17), SizePx::new(640, 360), CELLS] {
        let mut all = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        all.bytes_mut().fill(255);
        let found = bench.guard.compare(&all);
        assert!(found.room <= 1.0 && found.person <= 1.0 && found.found <= found.person);
        bench.guard.cut(&frame.view(), &mut all).unwrap();
        if size.width_px > 30 {
            let kept = all.bytes().iter().filter(|byte| **byte > 0).count() as f32;
            let kept = kept / all.bytes().len() as f32;
            assert!((0.1..0.35).contains(&kept), "{size}: {kept}");
        }
    }
}
