//! The raw command line. Help, man page and completions all come from this one definition, and the
//! options of a scene from [`SceneOptions`]; [`settings`](crate::settings) works out what they mean.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::scenes::SceneOptions;
use crate::session::OnLock;

mod bench;
mod doctor;
mod environment;
#[cfg(feature = "mask-server")]
mod masks;
mod model;
mod on_air;
mod setup;

pub use bench::{BenchArgs, CameraColour, CameraFormat};
pub use doctor::DoctorArgs;
#[cfg(feature = "mask-server")]
pub use masks::ServeMasksArgs;
pub use model::{GetArg, ModelArgs, ModelCommand, ModelTools, OnnxArgs};
pub use on_air::{
    NextArgs, OutputArg, RecordArgs, SceneProperty, SetArgs, SetCommand, SnapshotArgs,
};
pub use setup::SetupArgs;

/// A virtual camera that puts you before another background.
#[derive(Debug, Parser)]
#[command(name = "greenroom", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Log more: once for decisions, twice for every frame.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the virtual camera until stopped.
    Run(RunArgs),
    /// Process a video file into another, frame by frame, in the same way.
    Render(RenderArgs),
    /// List cameras with their modes, and virtual cameras with their state.
    List(ListArgs),
    /// Show what the running greenroom is doing: camera, outputs, who watches, frames, times.
    Status(StatusArgs),
    /// Change what the running greenroom shows.
    Set(SetArgs),
    /// Show the next scene, or the next picture of a slideshow.
    Next(NextArgs),
    /// Show the placeholder and close the camera, until `greenroom resume`.
    Pause(SocketArgs),
    /// End the pause.
    Resume(SocketArgs),
    /// Pause, or end the pause if there is one: a command for a key.
    Toggle(SocketArgs),
    /// Save what is being shown as a picture.
    Snapshot(SnapshotArgs),
    /// Record what is being shown into a file, or stop the recording.
    Record(RecordArgs),
    /// Set the virtual camera up, now and for every start of the system, or take that back.
    Setup(SetupArgs),
    /// Find out why a call does not show your picture, and do something about it.
    Doctor(DoctorArgs),
    /// Check the configuration, print its place, or print an example.
    Config(ConfigArgs),
    /// Measure how greenroom runs on this machine: processor time, delay, and which size and quality fit.
    /// Needs no camera, and takes about a minute.
    Bench(BenchArgs),
    /// List, check or download the networks that find the person.
    Model(ModelArgs),
    /// Run a mask server: other programs send pictures over HTTP and get masks back.
    #[cfg(feature = "mask-server")]
    ServeMasks(ServeMasksArgs),
    /// Make a running greenroom fail, for tests.
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
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: SceneOptions,
    /// The scene of the configuration to start with; the options above override it.
    #[arg(long, value_name = "NAME", env = "GREENROOM_SCENE")]
    pub scene: Option<String>,
    /// The configuration file [default: ~/.config/greenroom/config.toml, if it is there].
    #[arg(long, value_name = "FILE", env = "GREENROOM_CONFIG")]
    pub config: Option<PathBuf>,
    /// The network that finds the person [default: general]: general, landscape (less work, misses
    /// more), or your own: an ONNX file, a TFLite file of the same family, or the name of a file in
    /// ~/.local/share/greenroom/models. `greenroom model list` shows them.
    #[arg(long, value_name = "MODEL", env = "GREENROOM_MODEL")]
    pub model: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub onnx: OnnxArgs,
}

/// Arguments of `greenroom run`.
#[derive(Debug, Default, Args)]
pub struct RunArgs {
    /// The camera [default: auto]: auto, /dev/videoN, a by-id path, a card name, pipewire (the best
    /// camera that PipeWire offers) or pipewire:NAME, portal or portal:NAME (the same, by the
    /// desktop's portal), a video file (played in a loop), demo (a clip; needs FFmpeg), or
    /// test-picture (a photograph that moves; needs nothing).
    #[arg(short, long, value_name = "CAMERA", env = "GREENROOM_CAMERA")]
    pub camera: Option<String>,
    /// Where the picture goes [default: auto]: auto (every virtual camera of ours), /dev/videoN (a v4l2loopback node), its
    /// card name, pipewire or pipewire:NAME (a camera on PipeWire), a file (.y4m, .mkv, .mp4, .mov, .webm), - (Y4M to standard output), or null (nowhere). May be given
    /// several times.
    #[arg(short, long, value_name = "OUTPUT", env = "GREENROOM_OUTPUT")]
    pub output: Option<Vec<OsString>>,
    /// Size to request from the camera [default: 1280x720].
    #[arg(long, value_name = "WIDTHxHEIGHT", env = "GREENROOM_SIZE")]
    pub size: Option<String>,
    /// Frames per second to request from the camera [default: 30].
    #[arg(long, value_name = "FPS", env = "GREENROOM_FPS")]
    pub fps: Option<String>,
    /// How much processor time greenroom may use, in percent of one core, for example 50% [default: auto, as much as it
    /// takes]. On battery it is half of that. The network then runs on fewer frames; the frame rate falls last. With auto,
    /// too, the network runs on fewer frames while the processor is busy.
    #[arg(long, value_name = "PERCENT", env = "GREENROOM_CPU_BUDGET")]
    pub cpu_budget: Option<String>,
    /// Do all the work for every frame, also when frames come late, for measuring.
    #[arg(long, hide = true)]
    pub no_governor: bool,
    /// Stop after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub stop_after: Option<f64>,
    /// Close the camera when nobody has watched for this many seconds [default: 3].
    #[arg(
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true,
        env = "GREENROOM_IDLE_AFTER"
    )]
    pub idle_after: Option<f64>,
    /// Keep the camera open even while nobody watches.
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "GREENROOM_ALWAYS_ON"
    )]
    pub always_on: Option<bool>,
    /// What is shown while your session is locked [default: placeholder].
    #[arg(long, value_enum, env = "GREENROOM_ON_LOCK")]
    pub on_lock: Option<OnLock>,
    /// Your own placeholder: a PNG, JPEG or WebP picture to show while there is nothing else to show.
    #[arg(long, value_name = "FILE", env = "GREENROOM_PLACEHOLDER")]
    pub placeholder: Option<PathBuf>,
    /// The control socket [default: greenroom.sock in $XDG_RUNTIME_DIR].
    #[arg(long, value_name = "PATH", env = "GREENROOM_SOCKET")]
    pub socket: Option<PathBuf>,
    /// Read a video file as fast as it can be processed, for measuring.
    #[arg(long, hide = true)]
    pub unpaced: bool,
    /// Let a mask server find the person: `http://HOST[:PORT][/PATH]`, or none. Pictures of what the camera
    /// sees are sent there. While it is slow or away, the local network takes over.
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
    /// Leave out the sound.
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
    /// The kinds of background.
    Backgrounds,
    /// The effects.
    Effects,
    /// The framings: which part of the camera's picture is used.
    Framings,
}

/// Arguments of `greenroom status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
    /// Print one line of JSON for a module of Waybar.
    #[arg(long, conflicts_with = "json")]
    pub waybar: bool,
    /// Go on: print a line whenever something changes.
    #[arg(short, long)]
    pub follow: bool,
    /// With --follow: also print numbers (frames a second, delays, drops) every so many seconds.
    #[arg(long, value_name = "SECONDS", requires = "follow", conflicts_with = "waybar")]
    pub numbers: Option<f64>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}

/// Which greenroom is meant.
#[derive(Debug, Default, Args)]
pub struct SocketArgs {
    /// The control socket of the running greenroom [default: greenroom.sock in $XDG_RUNTIME_DIR].
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
    /// Check the configuration: every key, every scene and its files.
    Check {
        /// The configuration file, if it is not the default one.
        file: Option<PathBuf>,
    },
    /// Print the path of the configuration file.
    Path,
    /// Print an example that explains every key.
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
