use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// List the built-in models, those that are described, and what runs them.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        tools: ModelTools,
    },
    /// Tell what a file is, what its description lacks, and how long one inference takes here.
    Check {
        /// A TFLite or ONNX file, or the name of one in ~/.local/share/greenroom/models.
        #[arg(value_name = "FILE")]
        file: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        tools: ModelTools,
    },
}

/// What models are run with.
#[derive(Debug, Default, Args)]
pub struct ModelTools {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub onnx: OnnxArgs,
    /// As `greenroom run --config`; only what it says of models counts here.
    #[arg(long, value_name = "FILE", env = "GREENROOM_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Which ONNX Runtime runs ONNX models, and how.
#[derive(Debug, Default, Clone, Args)]
pub struct OnnxArgs {
    /// The ONNX Runtime for ONNX models: the path of libonnxruntime.so [default: looked for].
    #[arg(long, value_name = "PATH", env = "GREENROOM_ONNX_LIBRARY")]
    pub onnx_library: Option<PathBuf>,
    /// What shall run ONNX models, the first that can [default: cpu]: tensorrt, cuda, migraphx, rocm,
    /// openvino, webgpu, cpu.
    #[arg(
        long,
        value_name = "PROVIDER,…",
        value_delimiter = ',',
        env = "GREENROOM_ONNX_PROVIDERS"
    )]
    pub onnx_providers: Option<Vec<String>>,
    /// Threads for ONNX models on the CPU [default: a core each, 4 at most].
    #[arg(long, value_name = "COUNT", env = "GREENROOM_ONNX_THREADS")]
    pub onnx_threads: Option<u16>,
}
