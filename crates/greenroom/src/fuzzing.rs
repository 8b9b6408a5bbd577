//! What comes in at the control socket and from the configuration, as targets for a fuzzer: each
//! takes any bytes and panics only when greenroom breaks a promise. `fuzz/` runs them, and the tests here run what was found.

use crate::{config, control::fuzz};

/// One line of the control socket.
pub fn control_request(line: &[u8]) {
    fuzz::request(line);
}

/// What a client of the control socket sends, in pieces.
pub fn control_stream(data: &[u8]) {
    fuzz::stream(data);
}

/// A configuration file.
pub fn config_file(data: &[u8]) {
    config::fuzz::file(data);
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
        let run = |name: &str, target: fn(&[u8])| {
            let corpus = files_in(&fuzz.join("corpus").join(name));
            assert!(!corpus.is_empty(), "fuzz/corpus/{name} is empty");
            for path in corpus.iter().chain(&files_in(&fuzz.join("mended").join(name))) {
                println!("{}", path.display());
                target(&fs::read(path).unwrap());
            }
        };
        run("control_request", control_request);
        run("control_stream", control_stream);
        run("config_file", config_file);
    }

    fn files_in(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}
