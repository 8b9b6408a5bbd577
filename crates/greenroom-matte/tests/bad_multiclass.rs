//! A damaged file of the multiclass network gives one sentence and never a panic.
#![allow(clippy::unwrap_used)]

mod damage;

use damage::{Noise, sentence_of};
use greenroom_matte::{AlphaMap, Engine, InputTensor, Isa, MatteError, Model, MulticlassEngine};

fn load(bytes: &[u8]) -> Result<MulticlassEngine, MatteError> {
    MulticlassEngine::from_tflite("model.tflite", bytes, Isa::best())
}

fn refusal(bytes: &[u8]) -> String {
    sentence_of(load(bytes))
}

/// How many damaged files; `FUZZ_ROUNDS=20000 cargo test --release` for a long run.
fn rounds() -> u32 {
    damage::rounds(150)
}

/// A place in the file. Three of four are where its tables lie, before and behind the weights.
fn place(noise: &mut Noise, len: usize) -> usize {
    match noise.below(4) {
        0 => noise.below(2_000),
        1 | 2 => len - 1 - noise.below(85_000),
        _ => noise.below(len),
    }
}

#[test]
fn other_networks_are_named_as_such() {
    for model in Model::ALL {
        let sentence = refusal(model.file());
        assert!(sentence.contains("not a MediaPipe selfie multiclass segmentation network"));
    }
    assert!(refusal(b"").contains("empty"));
    assert!(refusal("just a text file, nothing more\n".repeat(50).as_bytes()).contains("TFL3"));
}

#[test]
fn cut_files_are_refused() {
    let bytes = MulticlassEngine::file();
    assert!(refusal(&bytes[..bytes.len() / 2]).contains("cut short or damaged"));
    let mut noise = Noise(2);
    for _ in 0..100 {
        refusal(&bytes[..noise.below(bytes.len())]);
    }
    for left in [1, 2, 3, 4, 7, 8, 16, 32, 63] {
        // The file ends in padding or metadata; what is cut there may be of no account.
        let _ = load_checked(&bytes[..bytes.len() - left]);
    }
}

/// Loads; what loads must also run and give probabilities.
fn load_checked(bytes: &[u8]) -> Result<(), MatteError> {
    let mut engine = load(bytes)?;
    let input = InputTensor::new(engine.description());
    let mut alpha = AlphaMap::new(engine.description());
    engine.infer(&input, &mut alpha)?;
    assert!(alpha.values().iter().all(|value| (0.0..=1.0).contains(value)));
    Ok(())
}

#[test]
fn damaged_files_are_refused_or_run_but_never_panic() {
    let mut bytes = MulticlassEngine::file().to_vec();
    let mut noise = Noise(3);
    let (mut loaded, mut refused) = (0, 0);
    for round in 0..rounds() {
        let blows: Vec<(usize, u8)> = (0..1 + noise.below(3))
            .map(|_| {
                let at = place(&mut noise, bytes.len());
                let value = [noise.below(256) as u8, 0, 0xff, bytes[at] ^ 1][noise.below(4)];
                (at, value)
            })
            .collect();
        let saved: Vec<u8> = blows.iter().map(|&(at, _)| bytes[at]).collect();
        blows.iter().for_each(|&(at, value)| bytes[at] = value);
        match load(&bytes) {
            Ok(mut engine) => {
                loaded += 1;
                // Not on every round, for the time it takes.
                if round % 10 == 0 {
                    let input = InputTensor::new(engine.description());
                    let mut alpha = AlphaMap::new(engine.description());
                    engine.infer(&input, &mut alpha).unwrap();
                    assert!(alpha.values().iter().all(|value| (0.0..=1.0).contains(value)));
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
    assert_eq!(bytes, MulticlassEngine::file());
    assert!(loaded > 20 && refused > 20, "{loaded} loaded, {refused} refused");
}
