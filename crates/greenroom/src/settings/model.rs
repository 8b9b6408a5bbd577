use std::path::PathBuf;
use std::str::FromStr;

use greenroom_matte::{MatteError, MatteMaker, Model};

use super::SettingsError;

/// Which network finds the person.
#[derive(Debug, Clone)]
pub enum ModelChoice {
    /// A built-in one.
    BuiltIn(Model),
    /// A user's file, read whole.
    File(PathBuf, Vec<u8>),
}

impl FromStr for ModelChoice {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        if let Ok(model) = text.parse() {
            return Ok(ModelChoice::BuiltIn(model));
        }
        let path = PathBuf::from(text);
        if !path.exists() {
            return Err(SettingsError::NoSuchModel(text.to_owned()));
        }
        let bytes = std::fs::read(&path);
        let bytes =
            bytes.map_err(|why| SettingsError::ModelUnreadable { path: path.clone(), why })?;
        Ok(ModelChoice::File(path, bytes))
    }
}

impl ModelChoice {
    /// The network, ready to run.
    ///
    /// # Errors
    /// When a user's file is not a whole model of the family.
    pub fn build(&self) -> Result<MatteMaker, MatteError> {
        match self {
            ModelChoice::BuiltIn(model) => MatteMaker::new(*model),
            ModelChoice::File(path, bytes) => {
                MatteMaker::from_tflite(&path.display().to_string(), bytes)
            }
        }
    }
}
