//! `config.toml`: what `greenroom run` and `render` take where the command line and the environment
//! say nothing.

mod cut;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod output;
mod privacy;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

pub use cut::CutWords;
pub use error::ConfigError;
use error::{check_keys, wrong};
pub use output::OutputWords;
pub use privacy::PrivacyWords;

use crate::scenes::{SCENE_KEYS, SceneOptions};
use crate::toml_file::{self, one_line};

/// The shipped example, in which every key is told of.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Keys outside of the scenes.
const KEYS: [&str; 15] = [
    "camera",
    "output",
    "size",
    "fps",
    "idle_after",
    "always_on",
    "placeholder",
    "model",
    "mask_server",
    "onnx",
    "cut",
    "look",
    "privacy",
    "scene",
    "scenes",
];

/// Keys of `[onnx]`.
const ONNX_KEYS: [&str; 3] = ["library", "providers", "threads"];

/// A configuration, read and checked for keys and types; what the words mean is checked where they
/// are used. The options of the same names tell what each is.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)]
pub struct ConfigFile {
    pub camera: Option<String>,
    /// `output = "TO"` or `[[output]]`, in the order of the file.
    pub outputs: Vec<OutputWords>,
    pub size: Option<String>,
    pub fps: Option<String>,
    pub idle_after: Option<f64>,
    pub always_on: Option<bool>,
    pub placeholder: Option<PathBuf>,
    pub model: Option<String>,
    pub mask_server: Option<String>,
    pub onnx: OnnxConfig,
    /// What is done about the network's mask.
    pub cut: CutWords,
    /// When the picture is hidden.
    pub privacy: PrivacyWords,
    /// The look of scenes that say none themselves; they have it already.
    pub look: Option<String>,
    /// Name of the scene to begin with.
    pub scene: Option<String>,
    /// In the order of the file; paths are absolute.
    pub scenes: Vec<(String, SceneOptions)>,
}

/// `[onnx]`: which ONNX Runtime runs users' models, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct OnnxConfig {
    /// Absolute.
    pub library: Option<PathBuf>,
    pub providers: Option<Vec<String>>,
    pub threads: Option<i64>,
}

impl ConfigFile {
    /// Where a configuration is looked for: `$XDG_CONFIG_HOME/greenroom/config.toml`, by default
    /// in `~/.config`.
    pub fn usual_path() -> Option<PathBuf> {
        let set = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let folder = set.filter(|folder| folder.is_absolute());
        let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".config")))?;
        Some(folder.join("greenroom/config.toml"))
    }

    /// Reads the one at `path`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |why| ConfigError::Unreadable { path: path.to_owned(), why };
        let text = toml_file::read(path).map_err(unreadable)?;
        Self::parse(&text, path)
    }

    /// Reads `text` as the configuration that lies at `path`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let not_toml = |why| ConfigError::NotToml { path: path.to_owned(), why };
        let mut table = toml_file::table(text).map_err(not_toml)?;
        check_keys(&table, &KEYS, "", path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let mut scenes: Vec<(String, SceneOptions)> = match table.remove("scenes") {
            None => Vec::new(),
            Some(Value::Table(scenes)) => scenes
                .into_iter()
                .map(|(name, words)| Ok((name.clone(), scene(&name, words, path, &folder)?)))
                .collect::<Result<_, ConfigError>>()?,
            Some(_) => return Err(wrong("scenes", "must be tables: [scenes.NAME]", path)),
        };
        let onnx = table.remove("onnx").map(|words| onnx(words, path, &folder)).transpose()?;
        let text = |table: &mut Table, key: &str| -> Result<Option<String>, ConfigError> {
            match table.remove(key) {
                None => Ok(None),
                Some(Value::String(text)) => Ok(Some(text)),
                Some(_) => Err(wrong(key, "must be a text in quotation marks", path)),
            }
        };
        let number = |table: &mut Table, key: &str| match table.remove(key) {
            None => Ok(None),
            Some(Value::Integer(number)) => Ok(Some(number as f64)),
            Some(Value::Float(number)) => Ok(Some(number)),
            Some(_) => Err(wrong(key, "must be a number", path)),
        };
        let always_on = match table.remove("always_on") {
            None => None,
            Some(Value::Boolean(always_on)) => Some(always_on),
            Some(_) => return Err(wrong("always_on", "must be true or false", path)),
        };
        let cut = table.remove("cut").map(|words| cut::read(words, path)).transpose()?;
        let privacy =
            table.remove("privacy").map(|words| privacy::read(words, path)).transpose()?;
        let placeholder = text(&mut table, "placeholder")?;
        let look = text(&mut table, "look")?;
        for (_, words) in &mut scenes {
            words.look = words.look.take().or_else(|| look.clone());
        }
        Ok(Self {
            camera: text(&mut table, "camera")?,
            outputs: table
                .remove("output")
                .map_or(Ok(Vec::new()), |words| output::read(words, path))?,
            size: text(&mut table, "size")?,
            fps: number(&mut table, "fps")?.map(|fps| fps.to_string()),
            idle_after: number(&mut table, "idle_after")?,
            always_on,
            placeholder: placeholder.map(|text| folder.join(text)),
            model: text(&mut table, "model")?,
            mask_server: text(&mut table, "mask_server")?,
            onnx: onnx.unwrap_or_default(),
            cut: cut.unwrap_or_default(),
            privacy: privacy.unwrap_or_default(),
            look,
            scene: text(&mut table, "scene")?,
            scenes,
        })
    }
}

fn scene(
    name: &str,
    words: Value,
    path: &Path,
    folder: &Path,
) -> Result<SceneOptions, ConfigError> {
    let key = format!("[scenes.{}]", one_line(name));
    let Value::Table(table) = &words else {
        return Err(wrong(&key, "must be a table", path));
    };
    check_keys(table, &SCENE_KEYS, &format!(" in {key}"), path)?;
    let words = SceneOptions::deserialize(words)
        .map_err(|error| wrong(&key, &format!("has {}", one_line(error.message())), path))?;
    Ok(words.located_in(folder))
}

fn onnx(words: Value, path: &Path, folder: &Path) -> Result<OnnxConfig, ConfigError> {
    let Value::Table(table) = &words else {
        return Err(wrong("onnx", "must be a table: [onnx]", path));
    };
    check_keys(table, &ONNX_KEYS, " in [onnx]", path)?;
    let onnx = OnnxConfig::deserialize(words)
        .map_err(|error| wrong("[onnx]", &format!("has {}", one_line(error.message())), path))?;
    Ok(OnnxConfig { library: onnx.library.map(|library| folder.join(library)), ..onnx })
}

#[cfg(test)]
mod tests;
