//! A configuration of any bytes, as a target for a fuzzer.

use std::path::Path;

use greenroom_matte::People;

use super::ConfigFile;
use crate::scenes::{SceneLibrary, SceneOptions};

/// It is a configuration, whose scenes are right or refused, or it is refused in one short sentence.
pub(crate) fn file(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let config = match ConfigFile::parse(text, Path::new("/etc/greenroom/config.toml")) {
        Ok(config) => config,
        Err(error) => {
            // It may quote what was written.
            let sentence = error.to_string();
            assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
            let chars = sentence.chars().count();
            assert!(chars < 1000, "{chars} characters: {sentence}");
            return;
        }
    };
    for people in [People::All, People::Main] {
        let library =
            SceneLibrary::new(config.scenes.clone(), None, &SceneOptions::default(), people);
        let library = library.expect("no scene was named");
        library.check_all(720);
    }
}
