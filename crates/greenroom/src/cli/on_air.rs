use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SocketArgs;
use crate::scenes::{SceneOptions, fit_values};

/// Which output is meant.
#[derive(Debug, Args)]
pub struct OutputArg {
    /// The output to change, by its name in `greenroom status` [default: all outputs].
    #[arg(long, value_name = "NAME", global = true)]
    pub output: Option<String>,
}

/// Arguments of `greenroom next`.
#[derive(Debug, Args)]
pub struct NextArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}

/// Arguments of `greenroom set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// What to change.
    #[command(subcommand)]
    pub change: SetCommand,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}

/// What can be set on air.
#[derive(Debug, Subcommand)]
pub enum SetCommand {
    /// A property of the scene.
    #[command(flatten)]
    Property(SceneProperty),
    /// How long the camera stays open when nobody watches any more; for all outputs.
    IdleAfter {
        /// As `greenroom run --idle-after` takes them.
        #[arg(allow_negative_numbers = true)]
        seconds: f64,
    },
    /// A scene of the configuration.
    Scene {
        /// Its name.
        name: String,
    },
}

/// A property of the scene that is set on air.
#[derive(Debug, Subcommand)]
pub enum SceneProperty {
    /// The background behind you.
    Background {
        /// As `greenroom run --background` takes it.
        background: String,
        /// How a picture or video of another shape is fitted.
        #[arg(long, value_parser = fit_values())]
        fit: Option<String>,
    },
    /// Blur the room behind you.
    Blur {
        /// The strength, 1 to 100.
        strength: String,
    },
    /// A picture in front of you, or none.
    Foreground {
        /// As `greenroom run --foreground` takes it.
        foreground: String,
    },
    /// The chain of effects, or none.
    #[command(visible_alias = "effects")]
    Effect {
        /// As `greenroom run --effect` takes them.
        #[arg(required = true, value_delimiter = ' ')]
        effects: Vec<String>,
    },
    /// Which part of the camera's picture is used.
    Framing {
        /// As `greenroom run --framing` takes it.
        framing: String,
    },
    /// How the background lights you.
    Look {
        /// As `greenroom run --look` takes it.
        look: String,
    },
}

impl From<SceneProperty> for SceneOptions {
    fn from(property: SceneProperty) -> Self {
        let mut options = Self::default();
        match property {
            SceneProperty::Background { background, fit } => {
                options.background = Some(background);
                options.fit = fit;
            }
            SceneProperty::Blur { strength } => {
                options.background = Some(format!("blur={strength}"));
            }
            SceneProperty::Foreground { foreground } => options.foreground = Some(foreground),
            SceneProperty::Effect { effects } => {
                let effects = effects.into_iter().filter(|text| !text.is_empty());
                options.effects = Some(effects.collect());
            }
            SceneProperty::Framing { framing } => options.framing = Some(framing),
            SceneProperty::Look { look } => options.look = Some(look),
        }
        options
    }
}

/// Arguments of `greenroom record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// A new file (.mkv, .mp4, .mov or .webm), or the word stop, which ends the recording. There is no sound.
    #[arg(value_name = "FILE|stop")]
    pub file: PathBuf,
    /// The output to record, by its name in `greenroom status` [default: the first].
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,
    /// Open the camera for the recording even if nobody watches.
    #[arg(long)]
    pub open_camera: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}

/// Arguments of `greenroom snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// The picture to write: .png, .jpg or .webp.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The output to save, by its name in `greenroom status` [default: the first].
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::cli::Cli;
    use crate::scenes::SCENE_KEYS;

    #[test]
    fn every_property_of_a_scene_can_be_set_on_air() {
        let mut cli = Cli::command();
        cli.build();
        let set = cli.find_subcommand("set").unwrap();
        for key in SCENE_KEYS {
            let is_argument = |command: &clap::Command| {
                command.get_arguments().any(|argument| argument.get_id() == key)
            };
            assert!(set.get_subcommands().any(is_argument), "{key}");
        }
    }
}
