//! A damaged file of the network that finds faces gives one sentence and never a panic.
#![allow(clippy::unwrap_used)]

mod damage;

use damage::{Noise, sentence_of};
use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};
use greenroom_matte::{FaceFinder, Isa, MatteError, Model, MulticlassEngine};

fn load(bytes: &[u8]) -> Result<FaceFinder, MatteError> {
    FaceFinder::from_tflite("model.tflite", bytes, Isa::best())
}

fn refusal(bytes: &[u8]) -> String {
    sentence_of(load(bytes))
}

/// A place in the file. Three of four are where its tables lie, before and behind the weights.
fn place(noise: &mut Noise, len: usize) -> usize {
    match noise.below(4) {
        0 => noise.below(2_000),
        1 | 2 => len - 1 - noise.below(30_000),
        _ => noise.below(len),
    }
}

/// Shows it a picture; whatever it finds are faces.
fn run(finder: &mut FaceFinder) {
    let size = SizePx::new(160, 90);
    let mut frame = Frame::new(PixelFormat::I420, size, Colour::WEBCAM).unwrap();
    let mut noise = Noise(5);
    frame.bytes_mut().iter_mut().for_each(|byte| *byte = noise.below(256) as u8);
    let faces = finder.find(&frame.view(), 1.0).unwrap();
    assert!(faces.len() <= 8);
    for face in faces {
        assert!((0.5..=1.0).contains(&face.score), "{face:?}");
        assert!(face.width > 0.0 && face.height > 0.0, "{face:?}");
        assert!(face.left.is_finite() && face.top.is_finite(), "{face:?}");
    }
}

#[test]
fn other_networks_are_named_as_such() {
    for file in Model::ALL.map(Model::file).into_iter().chain([MulticlassEngine::file()]) {
        let sentence = refusal(file);
        assert!(sentence.contains("not a MediaPipe short-range face detection network"));
    }
    assert!(refusal(b"").contains("empty"));
    assert!(refusal("just a text file, nothing more\n".repeat(50).as_bytes()).contains("TFL3"));
}

#[test]
fn cut_files_are_refused() {
    let bytes = FaceFinder::file();
    assert!(refusal(&bytes[..bytes.len() / 2]).contains("cut short or damaged"));
    let mut noise = Noise(2);
    for _ in 0..100 {
        refusal(&bytes[..noise.below(bytes.len() - 64)]);
    }
    for left in [1, 2, 3, 4, 7, 8, 16, 32, 63] {
        // The file ends in padding or metadata; what is cut there may be of no account.
        if let Ok(mut finder) = load(&bytes[..bytes.len() - left]) {
            run(&mut finder);
        }
    }
}

#[test]
fn damaged_files_are_refused_or_run_but_never_panic() {
    let mut bytes = FaceFinder::file().to_vec();
    let mut noise = Noise(3);
    let (mut loaded, mut refused) = (0, 0);
    for round in 0..damage::rounds(300) {
        let blows: Vec<(usize, u8)> = (0..1 + noise.below(3))
            .map(|_| {
                let at = place(&mut noise, bytes.len());
                (at, [noise.below(256) as u8, 0, 0xff, bytes[at] ^ 1][noise.below(4)])
            })
            .collect();
        let saved: Vec<u8> = blows.iter().map(|&(at, _)| bytes[at]).collect();
        blows.iter().for_each(|&(at, value)| bytes[at] = value);
        match load(&bytes) {
            Ok(mut finder) => {
                loaded += 1;
                // Not on every round, for the time it takes.
                if round % 4 == 0 {
                    run(&mut finder);
                }
            }
            Err(_) => {
                refusal(&bytes);
                refused += 1;
            }
        }
        // Backwards, in case two blows hit the same place.
        blows.iter().zip(saved).rev().for_each(|(&(at, _), value)| bytes[at] = value);
    }
    println!("{loaded} loaded, {refused} refused");
    assert_eq!(bytes, FaceFinder::file());
    assert!(loaded > 20 && refused > 20, "{loaded} loaded, {refused} refused");
}
