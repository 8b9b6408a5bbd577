//! What comes from outside, as targets for a fuzzer: each takes any bytes and panics only when
//! greenroom breaks a promise. `fuzz/` runs them, and this crate's tests run what was found.

use crate::{camera, clip, file, loopback, mjpeg, v4l2};

/// A function for a fuzzer.
pub type Target = fn(&[u8]);

/// Every target of this crate, by the name of its folder below `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 8] = [
    ("mjpeg", mjpeg::fuzz::decode),
    ("v4l2_answer", v4l2::fuzz::answer),
    ("v4l2_camera", camera::fuzz::camera),
    ("v4l2_sink", loopback::fuzz::sink),
    ("sysfs_text", loopback::fuzz::text),
    ("ffprobe_json", file::fuzz::description),
    ("ffmpeg_log", file::fuzz::log),
    ("clip_demux", clip::fuzz::demux),
];

/// The target called `name`.
///
/// # Panics
/// If there is none.
pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("{name} is no target")).1
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Every file that a fuzzer found worth keeping, and every one that once broke something.
    #[test]
    fn the_corpus_holds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        for (name, target) in TARGETS {
            let corpus = files_in(&fuzz.join("corpus").join(name));
            assert!(!corpus.is_empty(), "fuzz/corpus/{name} is empty");
            for path in corpus.iter().chain(&files_in(&fuzz.join("mended").join(name))) {
                println!("{}", path.display());
                target(&fs::read(path).unwrap());
            }
        }
    }

    fn files_in(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}
