//! The raw command line. Help, man page and completions all come from this one definition; what
//! the words mean is worked out in [`settings`](crate::settings).

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Tell what a running greenroom does: camera, outputs, who watches, frames, times.
    Status(StatusArgs),
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

/// What may stand behind the person, and who finds the person.
#[derive(Debug, Args)]
pub struct SceneArgs {
    /// What to stand before: #rrggbb, the path of a PNG, JPEG or WebP picture, blur (the room, out
    /// of focus), or none (the plain camera).
    #[arg(short, long, value_name = "BACKGROUND", default_value = "blur")]
    pub background: String,
    /// How a picture of another shape is fitted.
    #[arg(long, value_enum, default_value_t = FitArg::Cover)]
    pub fit: FitArg,
    /// The network that finds the person: general, landscape (less work, misses more), or the path
    /// of a TFLite file of the same family.
    #[arg(long, value_name = "MODEL", default_value = "general")]
    pub model: String,
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
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The camera: auto, /dev/videoN, a by-id path, a card name, a video file (played in a loop),
    /// or demo.
    #[arg(short, long, value_name = "CAMERA", default_value = "auto")]
    pub camera: String,
    /// Where the picture goes: auto, /dev/videoN (a v4l2loopback node), its card name, a file
    /// (.y4m, .mkv, .mp4, .mov, .webm), - (Y4M to standard output), or null (nowhere).
    #[arg(short, long, value_name = "OUTPUT", default_value = "auto")]
    pub output: OsString,
    /// Size to ask of the camera.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720")]
    pub size: String,
    /// Frames a second to ask of the camera.
    #[arg(long, value_name = "FPS", default_value = "30")]
    pub fps: String,
    /// Stop by itself after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub stop_after: Option<f64>,
    /// Close the camera when nobody has watched for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, allow_negative_numbers = true)]
    pub idle_after: f64,
    /// Keep the camera open also while nobody watches.
    #[arg(long)]
    pub always_on: bool,
    /// A PNG, JPEG or WebP picture to show in place of greenroom's own while there is no picture.
    #[arg(long, value_name = "FILE")]
    pub placeholder: Option<PathBuf>,
    /// Where `greenroom status` asks; by default greenroom.sock in $XDG_RUNTIME_DIR.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Read a video file as fast as it can be worked on, for measuring.
    #[arg(long, hide = true)]
    pub unpaced: bool,
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
    #[command(flatten)]
    #[allow(missing_docs)]
    pub scene: SceneArgs,
}

/// Arguments of `greenroom list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `greenroom status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
    /// The socket of the greenroom to ask; by default greenroom.sock in $XDG_RUNTIME_DIR.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

/// Arguments of `greenroom fault`.
#[cfg(feature = "faults")]
#[derive(Debug, Args)]
pub struct FaultArgs {
    /// Which fault.
    pub name: String,
    /// The socket of the greenroom to ask; by default greenroom.sock in $XDG_RUNTIME_DIR.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}
