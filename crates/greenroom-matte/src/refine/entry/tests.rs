#![allow(clippy::unwrap_used)]

use greenroom_frame::{Colour, Frame, PixelFormat};

use super::*;

const PICTURE: SizePx = SizePx::new(640, 360);
const MASK: SizePx = SizePx::new(320, 224);

/// A finder and the thumbnails that it goes by.
struct Bench {
    finder: EntryFinder,
    thumbnails: Option<Thumbnails>,
    start: Instant,
    ms: u64,
}

impl Bench {
    /// After a picture of a dark room.
    fn new() -> Self {
        let finder = EntryFinder::new(MASK, false);
        let mut bench = Self { finder, thumbnails: None, start: Instant::now(), ms: 0 };
        bench.show([0, 0], 30);
        bench.show([0, 0], 30);
        bench
    }

    /// Adds a picture of a dark room that has this level in the columns `x`.
    fn show(&mut self, x: [usize; 2], level: u8) {
        let mut frame = Frame::new(PixelFormat::Grey, PICTURE, Colour::JPEG).unwrap();
        frame.bytes_mut().fill(30);
        for row in frame.bytes_mut().chunks_exact_mut(640) {
            row[x[0]..x[1]].fill(level);
        }
        Thumbnails::add(&mut self.thumbnails, &frame.view()).unwrap();
        self.ms += 33;
    }

    /// The side of the newest picture that is to be looked at, where the masks show somebody in these columns.
    fn find(&mut self, before: [usize; 2], now: [usize; 2]) -> Option<Side> {
        let mask = |[from, to]: [usize; 2]| -> Vec<u8> {
            let is_in = |at: usize| (from..to).contains(&(at % 320));
            (0..320 * 224).map(|at| if is_in(at) { 255 } else { 0 }).collect()
        };
        let at = self.start + Duration::from_millis(self.ms);
        self.finder.find(self.thumbnails.as_ref().unwrap(), [&mask(before), &mask(now)], at)
    }
}

const NOBODY: [usize; 2] = [0, 0];

#[test]
fn who_comes_in_unseen_is_looked_for_at_that_side() {
    let mut bench = Bench::new();
    assert_eq!(bench.find(NOBODY, NOBODY), None, "nothing has moved");
    bench.show([620, 640], 90);
    assert_eq!(bench.find(NOBODY, NOBODY), Some(Side::Right));
    let row = &bench.finder.near()[112 * 320..][..320];
    assert!(row[312..].iter().all(|&near| near == 255) && row[..280].iter().all(|&near| near == 0));
    // What was found of them meanwhile is near the side; they come further.
    bench.show([600, 640], 90);
    assert_eq!(bench.find([310, 320], NOBODY), Some(Side::Right));
    // They stand still, for a while.
    for _ in 0..5 {
        bench.show([600, 640], 90);
        assert_eq!(bench.find([300, 320], NOBODY), Some(Side::Right));
    }
    let mut longer = Bench::new();
    longer.show([620, 640], 90);
    assert_eq!(longer.find(NOBODY, NOBODY), Some(Side::Right));
    longer.show([620, 640], 90);
    assert_eq!(longer.find(NOBODY, NOBODY), None, "nobody was found");
    longer.ms += 200;
    longer.show([620, 640], 90);
    assert_eq!(longer.find([300, 320], NOBODY), None);
    bench.show([580, 640], 90);
    assert_eq!(bench.find([300, 320], NOBODY), Some(Side::Right));
    // Now the network sees them.
    bench.show([560, 640], 90);
    assert_eq!(bench.find([290, 320], [280, 320]), None);
    // On the other side.
    let mut bench = Bench::new();
    bench.show([0, 20], 90);
    assert_eq!(bench.find(NOBODY, NOBODY), Some(Side::Left));
}

#[test]
fn who_is_there_already_is_not_looked_for() {
    // An arm that is shown, and moves.
    let mut bench = Bench::new();
    bench.show([610, 640], 90);
    assert_eq!(bench.find([312, 320], [312, 320]), None);
    // In the middle of the picture.
    let mut bench = Bench::new();
    bench.show([400, 430], 90);
    assert_eq!(bench.find(NOBODY, NOBODY), None);
    // What is hardly there.
    let mut bench = Bench::new();
    bench.show([620, 640], 36);
    assert_eq!(bench.find(NOBODY, NOBODY), None);
}

#[test]
fn a_camera_that_moves_shows_nobody_who_comes_in() {
    let mut bench = Bench::new();
    bench.show([540, 640], 90);
    assert_eq!(bench.find(NOBODY, NOBODY), None);
}

#[test]
fn who_takes_too_long_is_not_looked_for_any_more() {
    let mut bench = Bench::new();
    let mut looks = 0;
    for frame in 0..150 {
        bench.show([620, 640], if frame % 2 == 0 { 90 } else { 120 });
        looks += u32::from(bench.find([310, 320], NOBODY).is_some());
        assert_eq!(looks, 0, "somebody was shown there before they came in");
    }
    bench.show([620, 640], 60);
    assert!(bench.find(NOBODY, NOBODY).is_some());
    let since = bench.ms;
    for frame in 0..150 {
        bench.show([620, 640], if frame % 2 == 0 { 90 } else { 120 });
        let is_found = bench.find([310, 320], NOBODY).is_some();
        assert_eq!(is_found, bench.ms - since <= 3000, "after {} ms", bench.ms - since);
    }
    // Another clip.
    bench.show([620, 640], 60);
    bench.finder.reset();
    assert_eq!(bench.find([310, 320], NOBODY), None);
}
