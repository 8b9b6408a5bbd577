use std::borrow::Cow;
use std::sync::mpsc::{Receiver, Sender, channel};

use greenroom_frame::{Colour, PixelFormat, SizePx};

use super::*;
use crate::refine::thumbnails::Thumbnails;
use crate::{AlphaMap, InputTensor};

const SIZE: SizePx = SizePx::new(320, 180);
const MASK: SizePx = SizePx::new(64, 36);
const INPUT: SizePx = SizePx::new(32, 32);

/// Says that the left fourth is room; when it is told to, if it has to be told.
struct LeftIsRoom {
    description: ModelDescription,
    go_on: Option<Receiver<()>>,
    panics: bool,
}

fn description() -> ModelDescription {
    ModelDescription::selfie(Cow::Borrowed("left is room"), INPUT)
}

impl Engine for LeftIsRoom {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, _: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        assert!(!self.panics, "a network that panics, as a test wants");
        if let Some(go_on) = &self.go_on {
            go_on.recv().unwrap();
        }
        for row in alpha.values_mut().chunks_exact_mut(INPUT.width_px as usize) {
            row[..8].fill(0.0);
            row[8..].fill(1.0);
        }
        Ok(())
    }
}

fn networks(go_on: Option<Receiver<()>>, panics: bool) -> Networks {
    of(LeftIsRoom { description: description(), go_on, panics })
}

fn of(large: impl Engine + 'static) -> Networks {
    Networks::new(Box::new(large), FaceFinder::built_in().unwrap()).unwrap()
}

/// Turns of 5 ms each that a thread is given to come to its work: two minutes, for a machine that has other things to do.
const LONG_TURNS: u64 = 24_000;

/// Shows frames to a second opinion.
struct Room {
    opinion: SecondOpinion,
    thumbnails: Option<Thumbnails>,
    start: Instant,
    gain: f32,
}

impl Room {
    fn new(opinion: SecondOpinion) -> Self {
        Self { opinion, thumbnails: None, start: Instant::now(), gain: 1.0 }
    }

    fn at_once() -> Self {
        let asking = Asking::AtOnce(Box::new(networks(None, false)));
        Self::new(SecondOpinion::new(asking, (&description(), &[])).unwrap())
    }

    /// With a large network that sees a person with this probability everywhere.
    fn everywhere(person: f32) -> Self {
        let asking = Asking::AtOnce(Box::new(of(Everywhere(description(), person))));
        Self::new(SecondOpinion::new(asking, (&description(), &[])).unwrap())
    }

    fn late(panics: bool) -> (Self, Sender<()>) {
        let (say, go_on) = channel();
        let load = Box::new(move || Ok(networks(Some(go_on), panics)));
        (Self::new(SecondOpinion::of_thread((&description(), &[]), load, || true).unwrap()), say)
    }

    /// What is left, in the middle row, of a mask of one level of the frame with this luma at a time.
    fn left_of(&mut self, level: u8, luma: impl Fn(usize, usize) -> u8, at_ms: u64) -> Vec<u8> {
        self.left_in(SIZE, level, luma, at_ms)
    }

    fn left_in(
        &mut self,
        size: SizePx,
        level: u8,
        luma: impl Fn(usize, usize) -> u8,
        at_ms: u64,
    ) -> Vec<u8> {
        let mut frame = Frame::new(PixelFormat::I420, size, Colour::WEBCAM).unwrap();
        frame.bytes_mut().fill(128);
        for (y, row) in frame.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
            row.iter_mut().enumerate().for_each(|(x, sample)| *sample = luma(x, y));
        }
        let at = self.start + Duration::from_millis(at_ms);
        frame.set_captured_at(at);
        let mut mask = Frame::new(PixelFormat::Grey, MASK, Colour::JPEG).unwrap();
        mask.bytes_mut().fill(level);
        mask.set_captured_at(at);
        let thumbnails = Thumbnails::add(&mut self.thumbnails, &frame.view()).unwrap();
        self.opinion.apply(&frame.view(), (thumbnails, self.gain), &mut mask).unwrap();
        mask.bytes()[18 * 64..19 * 64].to_vec()
    }
}

/// A man in the left two thirds of the picture, his face at 80..165, 63..148.
fn man() -> impl Fn(usize, usize) -> u8 {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/photos/franck_01829.jpg");
    let photo = image::open(path).unwrap().into_luma8();
    move |x, y| match x < 225 {
        true => photo.get_pixel(x as u32 * 16 / 5, y as u32 * 16 / 5).0[0],
        false => 90,
    }
}

fn still(x: usize, y: usize) -> u8 {
    (60 + x / 4 + y / 4) as u8
}

#[test]
fn what_is_room_is_struck_out_and_nothing_is_added() {
    let mut room = Room::at_once();
    let left = room.left_of(255, still, 0);
    assert!(left[..13].iter().all(|&level| level == 0), "{left:?}");
    assert!(left[19..].iter().all(|&level| level == 255), "{left:?}");
    let left = room.left_of(7, still, 40);
    assert!(left.iter().all(|&level| level <= 7) && left[19..] == [7; 45], "{left:?}");
    assert_eq!(room.left_of(0, still, 80), [0; 64]);
}

#[test]
fn what_has_changed_since_is_left_alone() {
    let mut room = Room::at_once();
    room.left_of(255, still, 0);
    // A stripe in the room; nobody is asked about it yet.
    let stripe = |x, y| if x < 40 { 250 } else { still(x, y) };
    let left = room.left_of(255, stripe, 40);
    assert!(left[..7].iter().all(|&level| level == 255), "{left:?}");
    assert!(left[11..13].iter().all(|&level| level == 0), "{left:?}");
}

#[test]
fn who_comes_has_no_holes_where_they_look_as_the_room() {
    /// The answer's picture, and somebody in all of it who looks as the room in a small place at the left side.
    const PLACE: [std::ops::Range<usize>; 2] = [16..52, 72..108];
    let came = |x: usize, y: usize| match PLACE[0].contains(&x) && PLACE[1].contains(&y) {
        true => still(x, y),
        false => still(x, y) + 60,
    };
    let in_the_place = |mask: &[u8]| mask[PLACE[0].start / 5 + 4];
    // The network saw nobody there when it was asked about.
    let mut room = Room::at_once();
    room.left_of(0, still, 0);
    assert_eq!(in_the_place(&room.left_of(255, came, 100)), 255);
    // It was not sure that there was nobody: a chair, before which somebody moves.
    let mut room = Room::at_once();
    room.left_of(150, still, 0);
    assert_eq!(in_the_place(&room.left_of(255, came, 100)), 0);
}

#[test]
fn it_is_asked_the_sooner_the_more_of_the_picture_is_another() {
    // Nothing moves; then one cell in twenty is another; then all are.
    let little =
        |x: usize, y: usize| if x < SIZE.width_px as usize / 20 { 250 } else { still(x, y) };
    let all = |x: usize, y: usize| 255 - still(x, y);
    let mut room = Room::at_once();
    let mut asked = Vec::new();
    for at_ms in (0..24_000).step_by(40) {
        match at_ms {
            0..10_000 => room.left_of(255, still, at_ms),
            10_000..20_000 => room.left_of(255, little, at_ms),
            _ => room.left_of(255, all, at_ms),
        };
        let asked_at = room.opinion.asked_at.unwrap().duration_since(room.start).as_millis();
        if asked.last() != Some(&asked_at) {
            asked.push(asked_at);
        }
    }
    // The answer of 12 s is about the little that is another, and stays right.
    assert_eq!(asked, [0, 9000, 12_000, 20_000]);
}

#[test]
fn who_moves_where_they_were_does_not_make_the_picture_another() {
    // Where the answer sees a person; the fast network is sure of one there, too, or is not any more.
    let moved = |x: usize, y: usize| if (200..216).contains(&x) { 250 } else { still(x, y) };
    for (level, wanted) in [(255, [0, 9000]), (200, [0, 3000])] {
        let mut room = Room::at_once();
        room.left_of(255, still, 0);
        let mut asked = vec![0];
        for at_ms in (40..10_000).step_by(40) {
            room.left_of(level, moved, at_ms);
            asked.push(room.opinion.asked_at.unwrap().duration_since(room.start).as_millis());
        }
        asked.dedup();
        assert_eq!(asked, wanted, "{level}");
    }
    // A machine that has less time asks no less often than every nine seconds all the same.
    let mut room = Room::at_once();
    room.opinion.set_interval_times(2);
    room.left_of(255, still, 0);
    for at_ms in (40..10_000).step_by(40) {
        room.left_of(255, moved, at_ms);
    }
    assert_eq!(room.opinion.asked_at, Some(room.start + Duration::from_secs(9)));
}

/// Shows a second opinion frames at these times: first one in which nothing has moved, then others. Gives when it was asked.
fn asked_ms(room: &mut Room, at_ms: impl Iterator<Item = u64>, moved: usize) -> Vec<u128> {
    let with_stripe = |x: usize, y: usize| if x < moved { 250 } else { still(x, y) };
    let mut asked = Vec::new();
    for (index, at_ms) in at_ms.enumerate() {
        match index {
            0 => room.left_of(255, still, at_ms),
            _ => room.left_of(255, with_stripe, at_ms),
        };
        asked.push(room.opinion.asked_at.unwrap().duration_since(room.start).as_millis());
    }
    asked.dedup();
    asked
}

#[test]
fn the_first_question_is_soon_followed_by_another_if_much_has_moved() {
    let width = SIZE.width_px as usize;
    let mut room = Room::at_once();
    assert_eq!(asked_ms(&mut room, (0..800).step_by(40), width / 5), [0, 200]);
    // Also in the next call, where little is no reason; and later on the less often, the less time the machine has.
    room.opinion.reset();
    assert_eq!(asked_ms(&mut room, (10_000..10_800).step_by(40), width / 20), [10_000]);
    room.opinion.reset();
    room.opinion.set_interval_times(2);
    assert_eq!(asked_ms(&mut room, (20_000..20_800).step_by(40), width / 5), [20_000, 20_400]);
}

#[test]
fn another_scene_is_asked_about_at_once() {
    let mut room = Room::at_once();
    let asked_at = |room: &Room| room.opinion.asked_at.map(|at| at - room.start);
    for at_ms in [0, 300, 600, 900] {
        room.left_of(255, still, at_ms);
    }
    assert_eq!(asked_at(&room), Some(Duration::ZERO));
    room.left_of(255, |x, y| still(x, y) + 60, 933);
    assert_eq!(asked_at(&room), Some(Duration::from_millis(933)));
    // Lamps that flicker are no reason to ask all the time.
    room.left_of(255, still, 966);
    assert_eq!(asked_at(&room), Some(Duration::from_millis(933)));
    room.left_of(255, still, 1_133);
    assert_eq!(asked_at(&room), Some(Duration::from_millis(1_133)));
}

#[test]
fn nobody_waits_for_an_answer() {
    let (mut room, say) = Room::late(false);
    for at_ms in [0, 40, 80] {
        assert_eq!(room.left_of(255, still, at_ms), [255; 64]);
    }
    say.send(()).unwrap();
    // It comes at some time.
    let is_struck = |at_ms| {
        std::thread::sleep(Duration::from_millis(5));
        room.left_of(255, still, at_ms)[0] == 0
    };
    assert!((0..LONG_TURNS).map(|_| 120).any(is_struck));
}

#[test]
fn a_machine_that_saves_power_is_asked_half_as_often() {
    let (mut room, say) = Room::late(false);
    say.send(()).unwrap();
    room.left_of(255, still, 0);
    // Asked whether it does with each answer.
    for turn in 0..LONG_TURNS {
        room.left_of(255, still, 40);
        if room.opinion.saves_power {
            let asked_at = |room: &Room| room.opinion.asked_at.unwrap().duration_since(room.start);
            room.left_of(255, still, 17_900);
            assert_eq!(asked_at(&room), Duration::ZERO);
            room.left_of(255, still, 18_000);
            assert_eq!(asked_at(&room), Duration::from_secs(18));
            say.send(()).unwrap();
            return;
        }
        assert!(turn + 1 < LONG_TURNS, "it never answers");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn it_is_asked_anew_when_frames_are_clearer() {
    let mut room = Room::at_once();
    room.left_of(255, still, 0);
    room.left_of(255, still, 40);
    assert_eq!(room.opinion.asked_at, Some(room.start));
    room.opinion.ask_anew();
    room.left_of(255, still, 80);
    assert_eq!(room.opinion.asked_at, Some(room.start + Duration::from_millis(80)));
}

#[test]
fn an_answer_from_before_a_reset_is_not_used() {
    let (mut room, say) = Room::late(false);
    room.left_of(255, still, 0);
    room.opinion.reset();
    say.send(()).unwrap();
    // It comes back without being believed; only then is this life's own question asked.
    while room.opinion.asked_at.is_none() {
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(room.left_of(255, still, 40), [255; 64]);
    }
    say.send(()).unwrap();
}

#[test]
fn a_network_that_panics_is_gone_and_frames_go_on() {
    let (mut room, _say) = Room::late(true);
    // It ends at some time, which is found out by listening.
    for turn in 0..LONG_TURNS {
        assert_eq!(room.left_of(255, still, 40 * turn), [255; 64]);
        if matches!(room.opinion.asking, Asking::Nobody) {
            assert_eq!(room.left_of(255, still, 40 * turn + 4000), [255; 64]);
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{:?}", room.opinion.asking);
}

#[test]
fn who_moves_is_somebody_and_what_stands_still_is_not() {
    // The fast network is sure of a person at the left only, and all of that is denied.
    let left_of = |room: &mut Room, luma: fn(usize, usize) -> u8, at_ms| {
        room.opinion.asking = Asking::AtOnce(Box::new(of(Everywhere(description(), 0.0))));
        room.left_of(255, luma, at_ms)
    };
    let mut room = Room::at_once();
    assert_eq!(left_of(&mut room, still, 0), [255; 64], "it is not believed at once");
    assert_eq!(left_of(&mut room, still, 1040), [0; 64], "nothing has moved for a second");
    let mut room = Room::at_once();
    left_of(&mut room, still, 0);
    let moved = |x, y| if (40..100).contains(&x) { 250 } else { still(x, y) };
    left_of(&mut room, moved, 40);
    assert_eq!(left_of(&mut room, still, 1040), [255; 64], "something has moved");
}

/// Sees a person with this probability everywhere.
struct Everywhere(ModelDescription, f32);

impl Engine for Everywhere {
    fn description(&self) -> &ModelDescription {
        &self.0
    }

    fn infer(&mut self, _: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        alpha.values_mut().fill(self.1);
        Ok(())
    }
}

/// Says that what is not white is room, and that grey lies around the picture.
struct WhiteIsPerson(ModelDescription);

impl Engine for WhiteIsPerson {
    fn description(&self) -> &ModelDescription {
        &self.0
    }

    fn infer(&mut self, picture: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        let red = &picture.values()[..INPUT.area_px() as usize];
        for (row, alpha) in red.chunks_exact(32).zip(alpha.values_mut().chunks_exact_mut(32)) {
            // 9:16 in 4:3 is 13.5 of 32 columns.
            assert!(row[..9].iter().chain(&row[23..]).all(|&value| value == 0.0), "{row:?}");
            for (alpha, value) in alpha.iter_mut().zip(row) {
                *alpha = if *value > 0.6 { 1.0 } else { 0.0 };
            }
        }
        Ok(())
    }
}

#[test]
fn an_upright_picture_is_shown_in_the_middle_of_a_wide_one() {
    let asking = Asking::AtOnce(Box::new(of(WhiteIsPerson(description()))));
    let mut room = Room::new(SecondOpinion::new(asking, (&description(), &[])).unwrap());
    // White from a quarter of it on.
    let luma = |x, _| if x < 45 { 80 } else { 235 };
    let left = room.left_in(SizePx::new(180, 320), 255, luma, 0);
    assert!(left[..12].iter().all(|&level| level == 0), "{left:?}");
    assert!(left[20..].iter().all(|&level| level == 255), "{left:?}");
}

#[test]
fn in_the_dark_small_changes_are_changes() {
    let mut room = Room::at_once();
    let dark = |x, y| still(x, y) / 8;
    let moved = |x, y| if x < 40 { dark(x, y) + 6 } else { dark(x, y) };
    for (gain, is_left) in [(1.0, false), (4.0, true)] {
        room.opinion.reset();
        room.gain = gain;
        assert_eq!(room.left_of(255, dark, 0)[3], 0);
        assert_eq!(room.left_of(255, moved, 40)[3] == 255, is_left, "gain {gain}");
    }
}

#[test]
fn a_head_is_not_struck_out_whatever_the_large_network_says() {
    let (man, mut room) = (&man(), Room::everywhere(0.0));
    room.left_of(255, man, 0);
    // By then it is believed that all else is room, for nothing has moved.
    let left = room.left_of(255, man, 1040);
    assert!(left[18..31].iter().all(|&level| level == 255), "{left:?}");
    assert!(left[..11].iter().chain(&left[38..]).all(|&level| level == 0), "{left:?}");
    // What is not there is not added, and only the head of who is half sure is raised.
    assert_eq!(room.left_of(0, man, 1080), [0; 64]);
    let row = row_18(&room.opinion);
    assert_eq!((row[24], row[5], row[50]), (255, 0, 0));
    // Too little for the networks to be asked anew.
    let moved = |x, y| if x >= 300 { 250 } else { man(x, y) };
    room.left_of(0, moved, 1120);
    let row = row_18(&room.opinion);
    assert_eq!((row[24], row[5], row[62]), (255, 0, 255));
}

#[test]
fn a_head_that_both_networks_are_unsure_of_stays() {
    let man = &man();
    for person in [0.0, 0.7] {
        let mut room = Room::everywhere(person);
        room.left_of(128, man, 0);
        let left = room.left_of(128, man, 1040);
        assert!(left[18..31].iter().all(|&level| level == 128), "{person}: {left:?}");
        assert!(
            left[..11].iter().chain(&left[38..]).all(|&level| level == 0),
            "{person}: {left:?}"
        );
    }
}

/// How much the samples of a row amid the last mask may be raised by.
fn row_18(opinion: &SecondOpinion) -> [u8; 64] {
    let [one, other] = opinion.raisable().unwrap().map(|shares| &shares[18 * 64..][..64]);
    std::array::from_fn(|x| one[x].max(other[x]))
}

/// Says in its first answer whether the left fourth is room, and later that all is a person.
struct LeftWasRoom {
    description: ModelDescription,
    was_room: bool,
    has_answered: bool,
}

impl Engine for LeftWasRoom {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, _: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        alpha.values_mut().fill(1.0);
        if self.was_room && !self.has_answered {
            let rows = alpha.values_mut().chunks_exact_mut(INPUT.width_px as usize);
            rows.for_each(|row| row[..8].fill(0.0));
        }
        self.has_answered = true;
        Ok(())
    }
}

/// What is left after the second answer, which is about a frame with this luma.
fn left_of_what_was_room(
    was_room: bool,
    between: impl FnOnce(&mut Room),
    luma: impl Fn(usize, usize) -> u8,
) -> Vec<u8> {
    let large = LeftWasRoom { description: description(), was_room, has_answered: false };
    let asking = Asking::AtOnce(Box::new(of(large)));
    let mut room = Room::new(SecondOpinion::new(asking, (&description(), &[])).unwrap());
    assert_eq!(room.left_of(255, still, 0)[5] == 0, was_room);
    between(&mut room);
    room.opinion.ask_anew();
    room.left_of(255, luma, 80)
}

/// Somebody has come behind the left fourth, so that all else is another picture.
fn behind(x: usize, y: usize) -> u8 {
    if x < 90 { still(x, y) } else { 250 - still(x, y) }
}

#[test]
fn what_was_room_and_never_changed_is_room_while_the_person_moves() {
    let left = left_of_what_was_room(true, |_| {}, behind);
    assert!(left[..13].iter().all(|&level| level == 0), "{left:?}");
    assert!(left[19..].iter().all(|&level| level == 255), "{left:?}");
    assert_eq!(left_of_what_was_room(false, |_| {}, behind), [255; 64], "it was a person");
}

#[test]
fn an_answer_about_who_sits_still_counts_for_more_than_the_one_before() {
    assert_eq!(left_of_what_was_room(true, |_| {}, still), [255; 64]);
}

#[test]
fn who_comes_and_looks_like_the_room_is_no_room() {
    let between = |room: &mut Room| {
        room.left_of(255, |x, y| if x < 90 { 250 } else { still(x, y) }, 40);
    };
    assert_eq!(left_of_what_was_room(true, between, behind), [255; 64]);
}

#[test]
fn room_is_not_remembered_after_a_reset() {
    assert_eq!(left_of_what_was_room(true, |room| room.opinion.reset(), behind), [255; 64]);
}

#[test]
fn a_thing_that_is_moved_is_room_no_more() {
    let moved = |x, y| if x < 90 { 250 } else { behind(x, y) };
    assert_eq!(left_of_what_was_room(true, |_| {}, moved), [255; 64]);
}
