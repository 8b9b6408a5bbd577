use std::path::{Path, PathBuf};

use super::{KnownModel, known_models};

/// Where greenroom's data lies: `$XDG_DATA_HOME/greenroom`, by default in `~/.local/share`.
pub fn data_folder() -> Option<PathBuf> {
    let set = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let folder = set.filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| {
        let home = std::env::home_dir().filter(|home| home.is_absolute())?;
        Some(home.join(".local/share"))
    })?;
    Some(folder.join("greenroom"))
}

/// Where users keep models: the folder `models` of the [`data_folder`].
pub fn model_folder() -> Option<PathBuf> {
    Some(data_folder()?.join("models"))
}

/// The file that `name` means: a path, or a file of the folder by its name, by its name without the
/// ending, or by the name of a known model.
pub fn find_file(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name);
    if path.exists() {
        return Some(path);
    }
    find_in_model_folder(name)
}

/// The file of the user's folder that `name` means, as in [`find_file`].
pub fn find_in_model_folder(name: &str) -> Option<PathBuf> {
    let (path, folder) = (Path::new(name), model_folder()?);
    let here = ["", ".onnx", ".tflite"].map(|ending| folder.join(format!("{name}{ending}")));
    // A name of several parts is a path, and there is no such file.
    let plain = path.components().count() == 1 && !path.is_absolute() && !name.is_empty();
    here.into_iter().find(|path| plain && path.is_file()).or_else(|| {
        let known = known_models().into_iter().find(|known| known.description.name == name)?;
        known.file_in(&folder)
    })
}

impl KnownModel {
    /// Its file in `folder`, if it lies there.
    pub fn file_in(&self, folder: &Path) -> Option<PathBuf> {
        let entries = std::fs::read_dir(folder).ok()?.flatten();
        let mut found: Vec<PathBuf> = entries
            .filter(|entry| self.is_called(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        found.into_iter().next()
    }
}
