//! `config.toml`: what `greenroom run` and `render` take where the command line and the environment
//! say nothing.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::scenes::{SCENE_KEYS, SceneWords};

/// The shipped example, in which every key is told of.
pub const EXAMPLE: &str = include_str!("example.toml");

/// A configuration that is larger is none.
const MAX_BYTES: u64 = 1 << 20;

/// Keys outside of the scenes.
const KEYS: [&str; 11] = [
    "camera",
    "output",
    "size",
    "fps",
    "idle_after",
    "always_on",
    "placeholder",
    "model",
    "mask_server",
    "scene",
    "scenes",
];

/// A configuration, read and checked for keys and types; what the words mean is checked where they
/// are used. The options of the same names tell what each is.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)]
pub struct ConfigFile {
    pub camera: Option<String>,
    pub output: Option<String>,
    pub size: Option<String>,
    pub fps: Option<String>,
    pub idle_after: Option<f64>,
    pub always_on: Option<bool>,
    pub placeholder: Option<PathBuf>,
    pub model: Option<String>,
    pub mask_server: Option<String>,
    /// Name of the scene to begin with.
    pub scene: Option<String>,
    /// In the order of the file; paths are absolute.
    pub scenes: Vec<(String, SceneWords)>,
}

/// What is wrong with a configuration: one sentence, with the next step to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {why}; name another with --config FILE", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        why: std::io::Error,
    },
    /// It is no TOML.
    #[error("{} is not TOML: {why}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Where, and what the parser says.
        why: String,
    },
    /// A key that is none.
    #[error("{}: there is no key \"{key}\"{place}; {hint}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// In which table.
        place: String,
        /// The nearest right one, or all.
        hint: String,
    },
    /// A value of the wrong type.
    #[error("{}: {key} {why}", path.display())]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What it should be.
        why: String,
    },
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
        // Looked at before it is opened: a pipe would be waited for.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(unreadable(std::io::Error::other("it is no file")));
        }
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(unreadable(std::io::Error::other("it is larger than 1 MiB")));
        }
        Self::parse(&text, path)
    }

    /// Reads `text` as the configuration that lies at `path`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            let why = one_line(error.message());
            ConfigError::NotToml { path: path.to_owned(), why: format!("{line}{why}") }
        })?;
        check_keys(&table, &KEYS, "", path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let scenes = match table.remove("scenes") {
            None => Vec::new(),
            Some(Value::Table(scenes)) => scenes
                .into_iter()
                .map(|(name, words)| Ok((name.clone(), scene(&name, words, path, &folder)?)))
                .collect::<Result<_, ConfigError>>()?,
            Some(_) => return Err(wrong("scenes", "must be tables: [scenes.NAME]", path)),
        };
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
        let placeholder = text(&mut table, "placeholder")?;
        Ok(Self {
            camera: text(&mut table, "camera")?,
            output: text(&mut table, "output")?,
            size: text(&mut table, "size")?,
            fps: number(&mut table, "fps")?.map(|fps| fps.to_string()),
            idle_after: number(&mut table, "idle_after")?,
            always_on,
            placeholder: placeholder.map(|text| folder.join(text)),
            model: text(&mut table, "model")?,
            mask_server: text(&mut table, "mask_server")?,
            scene: text(&mut table, "scene")?,
            scenes,
        })
    }
}

fn scene(name: &str, words: Value, path: &Path, folder: &Path) -> Result<SceneWords, ConfigError> {
    let key = format!("[scenes.{name}]");
    let Value::Table(table) = &words else {
        return Err(wrong(&key, "must be a table", path));
    };
    check_keys(table, &SCENE_KEYS, &format!(" in {key}"), path)?;
    let words = SceneWords::deserialize(words)
        .map_err(|error| wrong(&key, &format!("has {}", one_line(error.message())), path))?;
    Ok(words.located_in(folder))
}

fn wrong(key: &str, why: &str, path: &Path) -> ConfigError {
    ConfigError::WrongType { path: path.to_owned(), key: key.to_owned(), why: why.to_owned() }
}

fn check_keys(table: &Table, known: &[&str], place: &str, path: &Path) -> Result<(), ConfigError> {
    let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else {
        return Ok(());
    };
    // A command line's word, and TOML's usual way to write it.
    let near = |name: &&&str| strsim::damerau_levenshtein(&key.replace('-', "_"), name);
    let nearest = known.iter().min_by_key(near).filter(|name| near(name) <= 1 + name.len() / 3);
    let hint = match nearest {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("there are {}", known.join(", ")),
    };
    let (path, place) = (path.to_owned(), place.to_owned());
    Err(ConfigError::UnknownKey { path, key: key.clone(), place, hint })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
