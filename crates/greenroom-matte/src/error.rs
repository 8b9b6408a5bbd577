use greenroom_frame::{FrameError, PixelFormat};

/// What can go wrong between a picture and its matte, by remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MatteError {
    /// The bytes are not a TFLite model at all. Give another file.
    #[error("{model} is not a TFLite model: {reason}; get the file again")]
    NotAModel {
        /// Name of the model.
        model: String,
        /// What was seen.
        reason: String,
    },
    /// The file begins as a TFLite model, but something in it points nowhere: cut short or
    /// altered. Get the file again.
    #[error("the model {model} is cut short or damaged: {reason}; get the file again")]
    DamagedModel {
        /// Name of the model.
        model: String,
        /// What was seen, with the place.
        reason: String,
    },
    /// A sound TFLite file, but not a network this engine runs. Use a model of the family.
    #[error("the model {model} is not a {family} network: {reason}; use one of that family")]
    OtherNetwork {
        /// Name of the model.
        model: String,
        /// The networks that the engine runs.
        family: &'static str,
        /// The first difference that was found.
        reason: String,
    },
    /// The file is no ONNX model. Give another file.
    #[error("{model} is not an ONNX model: {reason}; get the file again, or name another")]
    NotOnnx {
        /// The file.
        model: String,
        /// What was seen.
        reason: String,
    },
    /// There is no ONNX Runtime on this machine. Install one.
    #[error(
        "an ONNX model needs ONNX Runtime, which is not on this machine; get it with `{get}`, or \
         install your distribution's package of it"
    )]
    NoRuntime {
        /// The command that gets it.
        get: &'static str,
    },
    /// What should be an ONNX Runtime cannot be used. Give another.
    #[error("the ONNX Runtime {library} cannot be used: {reason}; get another with `{get}`")]
    BadRuntime {
        /// Its path.
        library: String,
        /// What was seen.
        reason: String,
        /// The command that gets one.
        get: &'static str,
    },
    /// The file is not what its description says. Correct the description.
    #[error("the description of {model} does not fit the file: {mismatch}")]
    Mismatch {
        /// The file.
        model: String,
        /// Both sides of the first difference that was found, and what to write.
        mismatch: String,
    },
    /// ONNX Runtime knows the file for a model, and cannot run it. Export it in another way.
    #[error(
        "ONNX Runtime {version} cannot run {model}: {reason}; try a newer ONNX Runtime, or export \
         the model for an older one"
    )]
    Unrunnable {
        /// The file.
        model: String,
        /// Version of ONNX Runtime.
        version: String,
        /// What it says.
        reason: String,
    },
    /// A run of the network failed. The next may not.
    #[error("{model} failed to run: {reason}")]
    RunFailed {
        /// The file.
        model: String,
        /// What the engine says.
        reason: String,
    },
    /// The picture is in a format that is not planar. Unpack it first.
    #[error("a matte needs a planar picture, not {format}; unpack it first")]
    UnsupportedFrame {
        /// Format of the picture.
        format: PixelFormat,
    },
    /// A tensor or map does not fit the engine. A bug in the caller.
    #[error("{what} is {have} where the model needs {want}")]
    WrongShape {
        /// Which tensor.
        what: &'static str,
        /// What was given.
        have: String,
        /// What was needed.
        want: String,
    },
    /// An alpha is one grey plane. A bug in the caller.
    #[error("an alpha is a GREY picture, not {format}")]
    UnsupportedAlpha {
        /// Format that was given.
        format: PixelFormat,
    },
    /// A picture could not be described.
    #[error(transparent)]
    Frame(#[from] FrameError),
}
