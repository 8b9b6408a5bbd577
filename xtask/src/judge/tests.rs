//! The judge must tell these frames apart, right ones from wrong ones.

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx, pack};

use super::*;

const COLOUR: [u8; 3] = [120, 54, 34];

/// 40 x 20: the left half person, the right half room.
fn truth() -> Truth {
    let luma = |x: usize| if x % 40 < 20 { 220 - (x % 7) as u8 } else { 30 };
    let matte = |x: usize| if x % 40 < 20 { 255 } else { 0 };
    Truth { frames: vec![((0..800).map(luma).collect(), (0..800).map(matte).collect())] }
}

fn composed(truth: &Truth) -> Vec<u8> {
    let (picture, matte) = &truth.frames[0];
    let pixels = picture.iter().zip(matte).enumerate();
    pixels
        .flat_map(|(x, (&y, &alpha))| {
            let chroma = if x % 2 == 0 { COLOUR[1] } else { COLOUR[2] };
            if alpha == 255 { [y, 128] } else { [COLOUR[0], chroma] }
        })
        .collect()
}

#[test]
fn a_composed_frame_is_right_and_a_leak_is_not() {
    let truth = truth();
    let mut frame = composed(&truth);
    assert!(truth.judge(&frame, COLOUR).is_ok());
    // The raw room in one corner.
    for y in 0..4 {
        frame[y * 80 + 60..y * 80 + 80].fill(30);
    }
    assert!(truth.judge(&frame, COLOUR).is_err());
}

#[test]
fn an_empty_frame_and_the_raw_frame_are_wrong() {
    let truth = truth();
    let empty: Vec<u8> =
        (0..400).flat_map(|_| [COLOUR[0], COLOUR[1], COLOUR[0], COLOUR[2]]).collect();
    assert!(truth.judge(&empty, COLOUR).is_err());
    assert!(nobody(&empty, COLOUR).is_ok());
    let raw: Vec<u8> = truth.frames[0].0.iter().flat_map(|&y| [y, 128]).collect();
    assert!(truth.judge(&raw, COLOUR).is_err());
    assert!(nobody(&raw, COLOUR).is_err());
}

/// A judge over frames of 40 x 20, and three kinds of them: composed, the placeholder, raw.
fn judge() -> (Judge, [Vec<u8>; 3]) {
    let (truth, size) = (truth(), SizePx::new(40, 20));
    let raw = truth.frames[0].0.iter().flat_map(|&y| [y, 128]).collect();
    let mut packed = Frame::new(PixelFormat::Yuyv, size, Colour::WEBCAM).unwrap();
    let calm = greenroom_scene::placeholder(size, Colour::WEBCAM, "").unwrap();
    pack(calm.view(), &mut packed.view_mut()).unwrap();
    let frames = [composed(&truth), packed.bytes().to_vec(), raw];
    let placeholder = Plain::new(40, 20).unwrap();
    (Judge { placeholder, colour: COLOUR, truth: Some(truth) }, frames)
}

#[test]
fn placeholders_are_never_wrong_and_composed_frames_are_waited_for() {
    let (judge, [composed, calm, _]) = judge();
    // A machine that is so slow that forty placeholders come before each composed frame.
    let slow = [calm.repeat(40), composed.clone()].concat().repeat(3);
    let seen = judge.look(&slow[..], 1600, Some(3)).unwrap();
    let last = Some(Kind::Composed);
    assert_eq!(seen, Tally { composed: 3, placeholders: 120, wrong: 0, last });
    // Not read on when there were enough.
    let mut rest = &slow[..];
    assert_eq!(judge.look(&mut rest, 1600, Some(2)).unwrap().composed, 2);
    assert_eq!(rest.len(), 41 * 1600);
    // Too few, the last one cut off.
    let seen = judge.look(&slow[..slow.len() - 2], 1600, Some(3)).unwrap();
    let last = Some(Kind::Placeholder);
    assert_eq!(seen, Tally { composed: 2, placeholders: 120, wrong: 0, last });
}

#[test]
fn a_frame_that_is_neither_is_wrong_wherever_it_comes() {
    let (judge, [composed, calm, raw]) = judge();
    for at in 0..4 {
        let mut frames = [&calm[..], &composed, &calm, &composed].concat();
        frames.splice(at * 1600..at * 1600, raw.clone());
        let seen = judge.look(&frames[..], 1600, None).unwrap();
        assert_eq!((seen.composed, seen.placeholders, seen.wrong), (2, 2, 1), "at {at}");
    }
    // A few pixels of the room in the placeholder, a cleared buffer.
    let mut leak = calm.clone();
    leak[600..620].copy_from_slice(&raw[600..620]);
    for frame in [leak, vec![0; 1600]] {
        assert_eq!(judge.look(&frame[..], 1600, None).unwrap().wrong, 1);
    }
    assert_eq!(judge.look(&raw.repeat(9)[..], 1600, Some(1)).unwrap().wrong, MOST_WRONG);
}
