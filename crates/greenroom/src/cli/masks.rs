use std::path::PathBuf;

use clap::Args;

use super::OnnxArgs;

/// Arguments of `greenroom serve-masks`.
#[derive(Debug, Args)]
pub struct ServeMasksArgs {
    /// The address to listen at. If other machines can reach it, they can use the server.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:9000",
        env = "GREENROOM_LISTEN"
    )]
    pub listen: String,
    /// As `greenroom run --model`.
    #[arg(long, value_name = "MODEL", env = "GREENROOM_MODEL")]
    pub model: Option<String>,
    /// As `greenroom run --config`; only its model settings are used.
    #[arg(long, value_name = "FILE", env = "GREENROOM_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub onnx: OnnxArgs,
}
