use std::path::PathBuf;

use anyhow::bail;

use crate::cli::{ConfigArgs, ConfigCommand, RunArgs};
use crate::config::{ConfigFile, EXAMPLE};
use crate::log;
use crate::scenes::{SceneLibrary, SceneOptions};
use crate::settings::{RunSettings, SettingsError};
use crate::terminal::{Lines, print};

/// `greenroom config`.
pub(super) fn config(args: &ConfigArgs) -> anyhow::Result<()> {
    let mut lines = Lines::default();
    match &args.command {
        ConfigCommand::Check { file } => lines.push(check(file.clone())?),
        ConfigCommand::Path => lines.push(usual()?.display()),
        ConfigCommand::Example => return print(EXAMPLE),
    }
    lines.print()
}

fn usual() -> Result<PathBuf, SettingsError> {
    ConfigFile::usual_path().ok_or(SettingsError::NoHome)
}

/// What is right; every scene that is not has a line of its own on standard error.
fn check(file: Option<PathBuf>) -> anyhow::Result<String> {
    let path = file.map_or_else(usual, Ok)?;
    let config = ConfigFile::read(&path)?;
    // As `greenroom run` would, but for the scenes, which are all looked at.
    let settings = RunSettings::over(
        &RunArgs::default(),
        None,
        ConfigFile { scenes: Vec::new(), scene: None, ..config.clone() },
        None,
    )?;
    // `run` misses it only when a model needs it.
    if let Some(library) = config.onnx.library.filter(|library| !library.is_file()) {
        bail!(SettingsError::NoSuchLibrary(library));
    }
    let people = settings.scene.steps.people;
    let library = SceneLibrary::new(config.scenes, config.scene, &SceneOptions::default(), people)?;
    let mut wrong = 0;
    for (name, checked) in library.check_all(settings.size.height_px) {
        match checked {
            Ok(warning) => log::say(&format!("greenroom: [scenes.{name}]: warning: {warning}")),
            Err(error) => {
                wrong += 1;
                log::say(&format!("greenroom: [scenes.{name}]: {error:#}"));
            }
        }
    }
    if wrong > 0 {
        bail!(SettingsError::WrongScenes(wrong, path));
    }
    let count = match library.len() {
        1 => "1 scene".to_owned(),
        count => format!("{count} scenes"),
    };
    Ok(format!("{} is right: {count}", path.display()))
}
