use std::path::PathBuf;

use greenroom_frame::SizePx;

/// What the user wrote that makes no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Not a rate.
    #[error("\"{0}\" is not a frame rate; write a number from 1 to 240, for example 30")]
    NotARate(String),
    /// Not a time.
    #[error("{0} is not a time to stop after; write a number of seconds above 0")]
    NotATime(f64),
    /// Not a time to measure.
    #[error("{0} is not a time to measure; write a number of seconds from 0.5 to 600")]
    NotMeasuringTime(f64),
    /// Too small or too large to measure.
    #[error(
        "{0} is not a size to measure; write one from 64x64 to 4096x4096, for example 1280x720"
    )]
    NotMeasurableSize(SizePx),
    /// Not a time either.
    #[error("{0} is not a time after which to close the camera; write seconds from 0 to 86400")]
    NotIdleTime(f64),
    /// Not a share of the processor.
    #[error(
        "\"{0}\" is no budget of processor time; write a percentage of one core from 1% to 6400%, for example 50%, or auto"
    )]
    NotABudget(String),
    /// Neither a device nor a file.
    #[error(
        "no camera and no file is called \"{0}\"; `greenroom list` shows the cameras, demo is a \
         clip, and test-picture a photograph that moves"
    )]
    NoSuchCamera(String),
    /// The demo clip has not been fetched.
    #[error(
        "the demo clip is not there; get it with: cargo xtask assets; or use --camera test-picture"
    )]
    NoDemo,
    /// Neither a built-in model nor a file.
    #[error(
        "no model and no file is called \"{0}\"; write landscape, general or a path; `greenroom \
         model list` shows the models"
    )]
    NoSuchModel(String),
    /// No address of a mask server.
    #[error("{0}")]
    NotAMaskServer(String),
    /// A server's masks show everyone.
    #[error(
        "people = \"main\" of [cut] is for the network of this machine, and a mask server shows everyone; \
         take one of the two away (--mask-server none)"
    )]
    MainPersonOfServer,
    /// A key shows everyone who is before the screen.
    #[error(
        "people = \"main\" of [cut] shows one person, and key shows everyone before the screen; take one of the two \
         away"
    )]
    MainPersonOfKey,
    /// A model that is described, but whose file is not there.
    #[error("the file of the model {name} is not here; {next}")]
    ModelNotHere {
        /// The model.
        name: String,
        /// How to get it.
        next: String,
    },
    /// What does the arithmetic, unknown.
    #[error("{0}")]
    NoSuchProvider(String),
    /// No library at the place that the configuration names.
    #[error("[onnx] library: there is no file {}; correct it, or take it away", .0.display())]
    NoSuchLibrary(PathBuf),
    /// Not a number of threads.
    #[error("{0} is no number of threads for ONNX models; write 1 to 256")]
    NotThreads(i64),
    /// A model file that cannot be read.
    #[error("cannot read the model {}: {why}; name a file that can be read", path.display())]
    ModelUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        why: std::io::Error,
    },
    /// No home folder.
    #[error(
        "there is no home folder to look for a configuration in; set HOME, or name the file \
         (greenroom config check FILE)"
    )]
    NoHome,
    /// Scenes of a configuration that make no sense.
    #[error("{} of the scenes in {} cannot be shown; the lines above tell why", .0, .1.display())]
    WrongScenes(usize, PathBuf),
    /// Two outputs that requests could not tell apart.
    #[error(
        "two outputs are called \"{0}\"; give one of them another name, in an [[output]] of the configuration"
    )]
    SameName(String),
    /// One place for two pictures.
    #[error("two outputs would both be written to {0}; take one of them away")]
    SameOutput(String),
    /// Not a name of a camera on PipeWire.
    #[error(
        "\"{0}\" is no name for a camera on PipeWire; write up to 64 letters, digits, spaces and -_.() after pipewire:, or \
         pipewire alone"
    )]
    NotAPipewireName(String),
    /// PipeWire is not built in.
    #[error(
        "this greenroom was built without PipeWire; leave pipewire out, or build it with the feature pipewire"
    )]
    WithoutPipewire,
    /// More than can be served.
    #[error("{0} outputs are more than greenroom serves; name {1} at most")]
    ManyOutputs(usize, usize),
    /// What is read as an output.
    #[error("{0} would be read and written at once; give another name")]
    SameFile(String),
    /// One output for two things.
    #[error("the picture and the matte would both be written to {0}; give the matte another name")]
    SameTarget(String),
}
