//! The raw command line. Help, man page and completions all come from this one definition; what
//! the words mean is worked out in [`settings`](crate::settings).

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::session::OnLock;

mod environment;
#[cfg(feature = "mask-server")]
mod masks;
mod model;
mod on_air;

#[cfg(feature = "mask-server")]
pub use masks::ServeMasksArgs;
pub use model::{GetArg, ModelArgs, ModelCommand, ModelTools, OnnxArgs};
pub use on_air::{NextArgs, OutputArg, RecordArgs, SetArgs, SetCommand, SnapshotArgs};

/// A virtual camera that puts you before another background.
#[derive(Debug, Parser)]
#[command(name = "greenroom", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Say more: once for decisions, twice for every frame.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the camera, composed, as a virtual camera until stopped.
    Run(RunArgs),
    /// Compose a video file into another, every frame, the same way.
    Render(RenderArgs),
    /// List cameras with their modes and virtual cameras with their state.
    List(ListArgs),
    /// Show what the running greenroom is doing: camera, outputs, who watches, frames, times.
    Status(StatusArgs),
    /// Change what the running greenroom shows.
    Set(SetArgs),
    /// Have the running greenroom show the next scene, or the next picture of a slideshow.
    Next(NextArgs),
    /// Have a running greenroom show the placeholder and close the camera.
    Pause(SocketArgs),
    /// End the pause.
    Resume(SocketArgs),
    /// Write what a running greenroom shows into a picture.
    Snapshot(SnapshotArgs),
    /// Have a running greenroom record what it shows into a file, or end that.
    Record(RecordArgs),
    /// The configuration: whether it is right, where it lies, an example.
    Config(ConfigArgs),
    /// The networks that find the person: which there are, what a file is.
    Model(ModelArgs),
    /// Find the person for other programs: answer pictures over HTTP with masks.
    #[cfg(feature = "mask-server")]
    ServeMasks(ServeMasksArgs),
    /// Ask a running greenroom for a fault, for tests.
    #[cfg(feature = "faults")]
    #[command(hide = true)]
    Fault(FaultArgs),
    /// Print the manual page.
    #[command(hide = true)]
    Man,
    /// Print completions for a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What is shown, and who finds the person.
#[derive(Debug, Default, Args)]
pub struct SceneArgs {
    /// What to stand before [default: blur]: blur, #rrggbb, a picture, a video, a folder of pictures,
    /// none (the plain camera), … `greenroom list backgrounds` tells all.
    #[arg(short, long, value_name = "BACKGROUND", env = "GREENROOM_BACKGROUND")]
    pub background: Option<String>,
    /// How a picture or video of another shape is fitted [default: cover].
    #[arg(long, value_enum, env = "GREENROOM_FIT")]
    pub fit: Option<FitArg>,
    /// A picture before you: `PATH[,PLACE[,WIDTH%[,OPACITY%]]]`, or none.
    #[arg(long, value_name = "PICTURE", env = "GREENROOM_FOREGROUND")]
    pub foreground: Option<String>,
    /// An effect, `[person:|background:|all:]NAME[=VALUE,…]`; several make a chain. `greenroom list
    /// effects` tells all.
    #[arg(
        long = "effect",
        value_name = "EFFECT",
        value_delimiter = ' ',
        env = "GREENROOM_EFFECTS"
    )]
    pub effects: Option<Vec<String>>,
    /// Which part of the camera's picture is used [default: whole]: whole, `zoom=FACTOR[,X,Y]`, or
    /// auto, which follows you. `greenroom list framings` tells all.
    #[arg(long, value_name = "FRAMING", env = "GREENROOM_FRAMING")]
    pub framing: Option<String>,
    /// How you are lit by what is behind [default: usual]: off, usual, or `wrap=PERCENT,match=PERCENT`:
    /// light of the background on your edge, and your brightness and colour following it.
    #[arg(long, value_name = "LOOK", env = "GREENROOM_LOOK")]
    pub look: Option<String>,
    /// The scene of the configuration to begin with; the options above lie over it.
    #[arg(long, value_name = "NAME", env = "GREENROOM_SCENE")]
    pub scene: Option<String>,
    /// The configuration [default: ~/.config/greenroom/config.toml, if it is there].
    #[arg(long, value_name = "FILE", env = "GREENROOM_CONFIG")]
    pub config: Option<PathBuf>,
    /// The network that finds the person [default: general]: general, landscape (less work, misses
    /// more), or your own: an ONNX file, a TFLite file of the same family, or the name of a file in
    /// ~/.local/share/greenroom/models. `greenroom model` tells more.
    #[arg(long, value_name = "MODEL", env = "GREENROOM_MODEL")]
    pub model: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub onnx: OnnxArgs,
}

/// How a picture of another shape is fitted.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FitArg {
    /// Fill the frame and cut off what stands out.
    Cover,
    /// Show all of the picture, with black bars.
    Contain,
    /// Distort the picture to the frame.
    Stretch,
}

/// Arguments of `greenroom run`.
#[derive(Debug, Default, Args)]
pub struct RunArgs {
    /// The camera [default: auto]: auto, /dev/videoN, a by-id path, a card name, a video file
    /// (played in a loop), or demo.
    #[arg(short, long, value_name = "CAMERA", env = "GREENROOM_CAMERA")]
    pub camera: Option<String>,
    /// Where the picture goes [default: auto]: auto, /dev/videoN (a v4l2loopback node), its card
    /// name, a file (.y4m, .mkv, .mp4, .mov, .webm), - (Y4M to standard output), or null (nowhere). May be given
    /// several times.
    #[arg(short, long, value_name = "OUTPUT", env = "GREENROOM_OUTPUT")]
    pub output: Option<Vec<OsString>>,
    /// Size to ask of the camera [default: 1280x720].
    #[arg(long, value_name = "WIDTHxHEIGHT", env = "GREENROOM_SIZE")]
    pub size: Option<String>,
    /// Frames a second to ask of the camera [default: 30].
    #[arg(long, value_name = "FPS", env = "GREENROOM_FPS")]
    pub fps: Option<String>,
    /// Stop by itself after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub stop_after: Option<f64>,
    /// Close the camera when nobody has watched for so many seconds [default: 3].
    #[arg(
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true,
        env = "GREENROOM_IDLE_AFTER"
    )]
    pub idle_after: Option<f64>,
    /// Keep the camera open also while nobody watches.
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "GREENROOM_ALWAYS_ON"
    )]
    pub always_on: Option<bool>,
    /// What becomes of the picture when your session is locked [default: placeholder].
    #[arg(long, value_enum, env = "GREENROOM_ON_LOCK")]
    pub on_lock: Option<OnLock>,
    /// A PNG, JPEG or WebP picture to show in place of greenroom's own while there is no picture.
    #[arg(long, value_name = "FILE", env = "GREENROOM_PLACEHOLDER")]
    pub placeholder: Option<PathBuf>,
    /// Where `greenroom status` asks; by default greenroom.sock in $XDG_RUNTIME_DIR.
    #[arg(long, value_name = "PATH", env = "GREENROOM_SOCKET")]
    pub socket: Option<PathBuf>,
    /// Read a video file as fast as it can be worked on, for measuring.
    #[arg(long, hide = true)]
    pub unpaced: bool,
    /// Have the person found by a mask server, `http://HOST[:PORT][/PATH]`: what the camera sees is
    /// sent there. When it is slow or away, the network of this machine takes over; or none.
    #[arg(long, value_name = "URL", env = "GREENROOM_MASK_SERVER")]
    pub mask_server: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub scene: SceneArgs,
}

/// Arguments of `greenroom render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The video to read: any file FFmpeg reads, or demo.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The video to write (.mp4, .mkv, .mov, .webm, .y4m, or - for Y4M to standard output).
    #[arg(value_name = "OUT")]
    pub output: OsString,
    /// Also write the matte: a grey video of the same size and number of frames (.mkv or .y4m).
    #[arg(long, value_name = "OUT_GREY")]
    pub matte: Option<OsString>,
    /// Leave the video's sound out.
    #[arg(long)]
    pub no_sound: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub scene: SceneArgs,
}

/// Arguments of `greenroom list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list.
    #[arg(value_enum, default_value_t = Listed::Cameras)]
    pub what: Listed,
    /// Print JSON, for programs (cameras only).
    #[arg(long)]
    pub json: bool,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Cameras with their modes and virtual cameras with their state.
    Cameras,
    /// What one may stand before.
    Backgrounds,
    /// What can be done to the picture.
    Effects,
    /// Which part of the camera's picture can be used.
    Framings,
}

/// Arguments of `greenroom status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}

/// Which greenroom is meant.
#[derive(Debug, Args)]
pub struct SocketArgs {
    /// The socket of the greenroom to ask; by default greenroom.sock in $XDG_RUNTIME_DIR.
    #[arg(long, value_name = "PATH", env = "GREENROOM_SOCKET", global = true)]
    pub socket: Option<PathBuf>,
}

/// Arguments of `greenroom config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Tell whether it is right, every scene with its files.
    Check {
        /// The configuration, if not the usual one.
        file: Option<PathBuf>,
    },
    /// Print where it is looked for.
    Path,
    /// Print an example in which every key is told of.
    Example,
}

/// Arguments of `greenroom fault`.
#[cfg(feature = "faults")]
#[derive(Debug, Args)]
pub struct FaultArgs {
    /// Which fault.
    pub name: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}
