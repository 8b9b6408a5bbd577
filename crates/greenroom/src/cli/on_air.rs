use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FitArg, SocketArgs};

/// Which output is meant.
#[derive(Debug, Args)]
pub struct OutputArg {
    /// The output that is meant, by its name in `greenroom status`; all of them, if none is named.
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
    /// What to stand before.
    Background {
        /// As `greenroom run --background` takes it.
        background: String,
        /// How a picture or video of another shape is fitted.
        #[arg(long, value_enum)]
        fit: Option<FitArg>,
    },
    /// The room behind you out of focus.
    Blur {
        /// How strongly, 1 to 100.
        strength: String,
    },
    /// A picture before you, or none.
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
    /// How you are lit by what is behind.
    Look {
        /// As `greenroom run --look` takes it.
        look: String,
    },
    /// For how long the camera stays open when nobody watches any more; of no output, but of the camera.
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

/// Arguments of `greenroom record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// A new file, .mkv, .mp4, .mov or .webm; or the word stop, which ends the recording. Without sound.
    #[arg(value_name = "FILE|stop")]
    pub file: PathBuf,
    /// The output that is recorded, by its name in `greenroom status`; the first, if none is named.
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,
    /// Open the camera for it, whoever watches.
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
    /// The output whose picture it is, by its name in `greenroom status`; the first, if none is named.
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}
