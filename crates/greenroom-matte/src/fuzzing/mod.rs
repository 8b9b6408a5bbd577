//! Model files from outside, as a target for a fuzzer: it panics only when greenroom breaks a
//! promise. `fuzz/` runs it, and this crate's tests run what was found.

mod tiny;

pub use self::tiny::{Fixture, tiny_model};

use crate::selfie::VALUES_MAX;
use crate::{AlphaMap, Engine, InputTensor, Isa, ModelDescription, SelfieEngine};

/// A file that somebody gave as a model.
///
/// It is refused in one sentence, or it loads, in bounded memory, and runs on every instruction
/// set of this machine: the output has the size that was told, and no probability is outside 0..=1.
pub fn model(file: &[u8]) {
    for isa in [Isa::SCALAR, Isa::best()] {
        let mut engine = match SelfieEngine::from_tflite("mine.tflite", file, isa) {
            Ok(engine) => engine,
            Err(error) => {
                let sentence = error.to_string();
                assert!(sentence.contains("mine.tflite") && sentence.len() < 500, "{sentence}");
                assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
                return;
            }
        };
        assert!(engine.map_values() <= VALUES_MAX, "{} values", engine.map_values());
        let ModelDescription { input_size, output_size, .. } = *engine.description();
        assert_eq!(input_size, output_size);
        // Larger maps are no other case and take their time.
        if input_size.area_px() > 64 * 64 || engine.map_values() > 1 << 18 {
            return;
        }
        let mut input = InputTensor::new(engine.description());
        for (index, value) in input.values_mut().iter_mut().enumerate() {
            *value = (index % 17) as f32 / 16.0;
        }
        let mut alpha = AlphaMap::new(engine.description());
        engine.infer(&input, &mut alpha).expect("input and output are of the engine's shape");
        let outside = alpha.values().iter().find(|value| **value < 0.0 || **value > 1.0);
        assert_eq!(outside, None, "a probability");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn the_made_model_loads_and_runs() {
        for repeats in [0, 3] {
            let file = tiny_model(Fixture { side: 16, channels: 8, repeats });
            SelfieEngine::from_tflite("tiny", &file, Isa::best()).unwrap();
            model(&file);
        }
    }

    /// Operators share weights, and could share maps: the file is small whatever it describes.
    #[test]
    fn a_small_file_cannot_ask_for_all_memory() {
        let refusal = |fixture| {
            let file = tiny_model(fixture);
            assert!(file.len() < 1 << 20, "{} bytes", file.len());
            SelfieEngine::from_tflite("huge", &file, Isa::best()).unwrap_err().to_string()
        };
        let large = refusal(Fixture { side: 1024, channels: 8, repeats: 60 });
        assert!(large.contains("it is too large"), "{large}");
        let long = refusal(Fixture { side: 16, channels: 8, repeats: 700 });
        assert!(long.contains("tensors"), "{long}");
    }

    /// Every file that a fuzzer found worth keeping, and every one that once broke something.
    #[test]
    fn the_corpus_holds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let corpus = files_in(&fuzz.join("corpus/tflite_model"));
        assert!(!corpus.is_empty(), "fuzz/corpus/tflite_model is empty");
        for path in corpus.iter().chain(&files_in(&fuzz.join("mended/tflite_model"))) {
            println!("{}", path.display());
            model(&fs::read(path).unwrap());
        }
    }

    fn files_in(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}
