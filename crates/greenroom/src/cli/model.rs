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
    List,
    /// Tell what a file is, what its description lacks, and how long one inference takes here.
    Check {
        /// A TFLite or ONNX file.
        file: PathBuf,
    },
}
