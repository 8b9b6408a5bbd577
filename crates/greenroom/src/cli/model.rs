use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `greenroom model`.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ModelCommand,
}

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List the built-in models, the models that greenroom knows, and the library that runs them.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        tools: ModelTools,
    },
    /// Download a model, or the ONNX Runtime that runs models: asks first, downloads with pip, checks the file.
    Get {
        /// What to download.
        name: GetArg,
        /// Accept the size and the licence without being asked.
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        tools: ModelTools,
    },
    /// Examine a model file: what it is, what its description lacks, how long one inference takes here.
    Check {
        /// A TFLite or ONNX file, or the name of one in ~/.local/share/greenroom/models.
        #[arg(value_name = "FILE")]
        file: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        tools: ModelTools,
    },
}

/// What `greenroom model get` gets. Of what is hidden it only tells why there is nothing to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GetArg {
    /// Robust Video Matting, the best edges (GPL-3.0, 14 MB).
    Rvm,
    /// U2NetP, finds what stands out (Apache-2.0, 4 MB).
    U2netp,
    /// ONNX Runtime, which runs ONNX models (MIT, 19 MB).
    Onnxruntime,
    /// MediaPipe's large network: built in, for the second opinion.
    Multiclass,
    /// Built in.
    #[value(hide = true)]
    General,
    /// Built in.
    #[value(hide = true)]
    Landscape,
    /// Published in a form that ONNX Runtime does not run.
    #[value(hide = true)]
    BodyPix,
}

/// What models are run with.
#[derive(Debug, Default, Args)]
pub struct ModelTools {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub onnx: OnnxArgs,
    /// As `greenroom run --config`; only its model settings are used.
    #[arg(long, value_name = "FILE", env = "GREENROOM_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Which ONNX Runtime runs ONNX models, and how.
#[derive(Debug, Default, Clone, Args)]
pub struct OnnxArgs {
    /// The ONNX Runtime: the path of libonnxruntime.so [default: searched for].
    #[arg(long, value_name = "PATH", env = "GREENROOM_ONNX_LIBRARY")]
    pub onnx_library: Option<PathBuf>,
    /// What runs ONNX models; the first that is able to [default: cpu]: tensorrt, cuda, migraphx, rocm,
    /// openvino, webgpu, cpu.
    #[arg(
        long,
        value_name = "PROVIDER,…",
        value_delimiter = ',',
        env = "GREENROOM_ONNX_PROVIDERS"
    )]
    pub onnx_providers: Option<Vec<String>>,
    /// Threads for ONNX models on the CPU [default: one per core, at most 4].
    #[arg(long, value_name = "COUNT", env = "GREENROOM_ONNX_THREADS")]
    pub onnx_threads: Option<u16>,
}
