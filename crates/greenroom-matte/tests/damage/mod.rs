//! What the tests of damaged model files share.

use std::fmt::Debug;

use greenroom_matte::MatteError;

/// The one sentence with which a file called model.tflite was refused.
pub fn sentence_of<T: Debug>(loaded: Result<T, MatteError>) -> String {
    let error = loaded.expect_err("this is no model");
    let sentence = error.to_string();
    assert!(sentence.contains("model.tflite") && !sentence.contains('\n'), "{sentence}");
    assert!(sentence.len() < 300, "{sentence}");
    sentence
}

/// How many damaged files, if `FUZZ_ROUNDS` does not say it.
pub fn rounds(usual: u32) -> u32 {
    std::env::var("FUZZ_ROUNDS").map_or(usual, |rounds| rounds.parse().unwrap())
}

/// Numbers that look like chance, and are the same each time.
pub struct Noise(pub u64);

impl Noise {
    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
