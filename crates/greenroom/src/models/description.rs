//! `FILE.toml` beside `FILE.onnx`: how a model is to be fed and read.

use std::path::{Path, PathBuf};

use greenroom_matte::onnx::OnnxDescription;

use super::description_file::words;
use super::known_models;
use crate::toml_file;

/// What is wrong with a description: one sentence, with the next step to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// There is none.
    #[error(
        "there is no description of {}: write {} beside it; `greenroom model check FILE` prints one \
         to begin with",
        model.display(),
        description.file_name().unwrap_or_default().display()
    )]
    None {
        /// The model.
        model: PathBuf,
        /// Where it should lie.
        description: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {}: {why}; make it a file that can be read", path.display())]
    Unreadable {
        /// The description.
        path: PathBuf,
        /// The system's answer.
        why: std::io::Error,
    },
    /// It makes no sense.
    #[error("{}: {why}", path.display())]
    Wrong {
        /// The description.
        path: PathBuf,
        /// What does not, and what to write.
        why: String,
    },
}

/// The description of the model at `model`: the one beside it, or that of a known model whose file
/// has this name.
///
/// # Errors
/// [`DescriptionError`].
pub fn read_description(model: &Path) -> Result<OnnxDescription, DescriptionError> {
    let path = model.with_extension("toml");
    if path.exists() {
        let text = toml_file::read(&path);
        let text = text.map_err(|why| DescriptionError::Unreadable { path: path.clone(), why })?;
        return parse_description(&text, &path);
    }
    let name = model.file_name().unwrap_or_default().to_string_lossy();
    let known = known_models().into_iter().find(|known| known.is_called(&name));
    known
        .map(|known| known.description)
        .ok_or(DescriptionError::None { model: model.to_owned(), description: path })
}

/// What `text` says, which lies at `path`.
///
/// # Errors
/// [`DescriptionError::Wrong`].
pub fn parse_description(text: &str, path: &Path) -> Result<OnnxDescription, DescriptionError> {
    let wrong = |why| DescriptionError::Wrong { path: path.to_owned(), why };
    words(text).and_then(|words| words.checked(path)).map_err(wrong)
}

#[cfg(test)]
#[path = "description_tests.rs"]
mod tests;
