//! `config.toml`: what `greenroom run` and `render` use where the command line and the environment
//! say nothing.

mod cut;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod output;
mod privacy;

use std::path::{Path, PathBuf};

use greenroom_matte::RefineSteps;
use serde::Deserialize;
use toml::{Table, Value};

pub use error::ConfigError;
use error::{check_keys, wrong};
pub use output::OutputTable;
pub use privacy::PrivacyTable;

use crate::scenes::{SCENE_KEYS, SceneOptions};
use crate::toml_file::{self, one_line};

/// The shipped example, which explains every key.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Keys outside of the scenes.
const KEYS: [&str; 16] = [
    "camera",
    "output",
    "size",
    "fps",
    "cpu_budget",
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

/// A configuration, checked for keys and types. What the texts mean is checked where they are used.
/// The command-line options of the same names explain each field.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)]
pub struct ConfigFile {
    pub camera: Option<String>,
    /// `output = "TO"` or `[[output]]`, in the order of the file.
    pub outputs: Vec<OutputTable>,
    pub size: Option<String>,
    pub fps: Option<String>,
    pub cpu_budget: Option<String>,
    pub idle_after: Option<f64>,
    pub always_on: Option<bool>,
    pub placeholder: Option<PathBuf>,
    pub model: Option<String>,
    pub mask_server: Option<String>,
    pub onnx: OnnxConfig,
    /// `[cut]`: the steps that refine the network's mask.
    pub cut: RefineSteps,
    /// When the picture is hidden.
    pub privacy: PrivacyTable,
    /// The look of scenes that name none themselves; [`parse`](Self::parse) has put it into them.
    pub look: Option<String>,
    /// Name of the scene to begin with.
    pub scene: Option<String>,
    /// The scenes in the order of the file, with absolute paths.
    pub scenes: Vec<(String, SceneOptions)>,
}

/// `[onnx]`: which ONNX Runtime runs users' models, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct OnnxConfig {
    /// The path of the library, absolute.
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
                .map(|(name, value)| Ok((name.clone(), scene(&name, value, path, &folder)?)))
                .collect::<Result<_, ConfigError>>()?,
            Some(_) => return Err(wrong("scenes", "must be tables: [scenes.NAME]", path)),
        };
        let onnx = table.remove("onnx").map(|value| onnx(value, path, &folder)).transpose()?;
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
        let cut = table.remove("cut").map(|value| cut::read(&value, path)).transpose()?;
        let privacy =
            table.remove("privacy").map(|value| privacy::read(value, path)).transpose()?;
        let placeholder = text(&mut table, "placeholder")?;
        let look = text(&mut table, "look")?;
        for (_, options) in &mut scenes {
            options.look = options.look.take().or_else(|| look.clone());
        }
        Ok(Self {
            camera: text(&mut table, "camera")?,
            outputs: table
                .remove("output")
                .map_or(Ok(Vec::new()), |value| output::read(value, path))?,
            size: text(&mut table, "size")?,
            fps: number(&mut table, "fps")?.map(|fps| fps.to_string()),
            cpu_budget: text(&mut table, "cpu_budget")?,
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
    value: Value,
    path: &Path,
    folder: &Path,
) -> Result<SceneOptions, ConfigError> {
    let key = format!("[scenes.{}]", one_line(name));
    let Value::Table(table) = &value else {
        return Err(wrong(&key, "must be a table", path));
    };
    check_keys(table, SCENE_KEYS, &format!(" in {key}"), path)?;
    let options = SceneOptions::deserialize(value)
        .map_err(|error| wrong(&key, &format!("has {}", one_line(error.message())), path))?;
    Ok(options.located_in(folder))
}

fn onnx(value: Value, path: &Path, folder: &Path) -> Result<OnnxConfig, ConfigError> {
    let Value::Table(table) = &value else {
        return Err(wrong("onnx", "must be a table: [onnx]", path));
    };
    check_keys(table, &ONNX_KEYS, " in [onnx]", path)?;
    let onnx = OnnxConfig::deserialize(value)
        .map_err(|error| wrong("[onnx]", &format!("has {}", one_line(error.message())), path))?;
    Ok(OnnxConfig { library: onnx.library.map(|library| folder.join(library)), ..onnx })
}

#[cfg(test)]
mod tests;
