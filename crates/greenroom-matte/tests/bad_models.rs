//! A model file that is not whole gives one sentence and never a panic.
#![allow(clippy::unwrap_used)]

mod damage;

use damage::{Noise, sentence_of};
use greenroom_matte::{AlphaMap, Engine, InputTensor, Isa, MatteError, Model, SelfieEngine};

fn load(bytes: &[u8]) -> Result<SelfieEngine, MatteError> {
    SelfieEngine::from_tflite("model.tflite", bytes, Isa::best())
}

fn refusal(bytes: &[u8]) -> String {
    sentence_of(load(bytes))
}

/// How many damaged files; `FUZZ_ROUNDS=200000 cargo test --release` for a long run.
fn rounds() -> u32 {
    damage::rounds(1000)
}

#[test]
fn other_files_are_refused_as_such() {
    assert!(refusal(b"").contains("empty"));
    assert!(refusal(b"TFL3").contains("not a TFLite model"));
    assert!(refusal("just a text file, nothing more\n".repeat(50).as_bytes()).contains("TFL3"));
    let mut noise = Noise(1);
    for len in [1, 8, 9, 100, 10_000] {
        let mut bytes: Vec<u8> = (0..len).map(|_| noise.below(256) as u8).collect();
        refusal(&bytes);
        // With the mark in place the reader goes further.
        if let Some(mark) = bytes.get_mut(4..8) {
            mark.copy_from_slice(b"TFL3");
            refusal(&bytes);
        }
    }
}

#[test]
fn another_tflite_network_is_named_as_such() {
    // The same file with one operator's number changed: RELU (19) to RELU6 (21).
    let mut bytes = Model::Landscape.file().to_vec();
    let whole = bytes.clone();
    let mut refused = 0;
    for at in 0..bytes.len() {
        if bytes[at] == 19 {
            bytes[at] = 21;
            if let Err(MatteError::OtherNetwork { reason, .. }) = load(&bytes) {
                refused += usize::from(reason.contains("TFLite operator 21"));
            }
            bytes[at] = whole[at];
        }
    }
    assert!(refused >= 1);
}

#[test]
fn cut_files_are_refused() {
    for model in Model::ALL {
        let bytes = model.file();
        assert!(refusal(&bytes[..bytes.len() / 2]).contains("cut short or damaged"));
        let mut noise = Noise(2);
        for _ in 0..100 {
            refusal(&bytes[..noise.below(bytes.len())]);
        }
        for left in 1..64 {
            // The file ends in padding or constants; what is cut there must be noticed as well.
            let _ = load(&bytes[..bytes.len() - left]);
        }
    }
}

#[test]
fn damaged_files_are_refused_or_run_but_never_panic() {
    let model = Model::Landscape;
    let mut bytes = model.file().to_vec();
    let mut noise = Noise(3);
    let input = InputTensor::new(&model.description());
    let (mut loaded, mut refused) = (0, 0);
    // The tables lie behind the constants; half of the blows aim there.
    let structure = bytes.len() - 40_000;
    for round in 0..rounds() {
        let blows: Vec<(usize, u8)> = (0..1 + noise.below(3))
            .map(|_| {
                let from = if noise.below(2) == 0 { structure } else { 0 };
                let at = from + noise.below(bytes.len() - from);
                let value = [noise.below(256) as u8, 0, 0xff, bytes[at] ^ 1][noise.below(4)];
                (at, value)
            })
            .collect();
        let saved: Vec<u8> = blows.iter().map(|&(at, _)| bytes[at]).collect();
        blows.iter().for_each(|&(at, value)| bytes[at] = value);
        match load(&bytes) {
            Ok(mut engine) => {
                loaded += 1;
                // What loads must also run; not on every round, for the time it takes.
                if round % 20 == 0 && engine.description().input_size == input.size() {
                    let mut alpha = AlphaMap::new(engine.description());
                    engine.infer(&input, &mut alpha).unwrap();
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
    assert_eq!(bytes, model.file());
    assert!(loaded > 100 && refused > 50, "{loaded} loaded, {refused} refused");
}
