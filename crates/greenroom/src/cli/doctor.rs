use clap::Args;

use super::SocketArgs;

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing is wrong (notes, and what cannot be decided, do not count)
  1  something is wrong, or is still wrong after --fix, or a fix failed, or you said no
  2  nothing was done, and the message says what you can do about that";

/// Arguments of `greenroom doctor`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXIT_CODES)]
pub struct DoctorArgs {
    /// Print JSON, for programs.
    #[arg(long, conflicts_with = "change")]
    pub json: bool,
    /// Show what greenroom can do about the findings, ask, and do it. Without this, nothing is changed.
    #[arg(long, group = "change")]
    pub fix: bool,
    /// Take back what --fix has done, after asking.
    #[arg(long, group = "change")]
    pub undo: bool,
    /// With --fix or --undo: do it without asking first.
    #[arg(short, long, requires = "change")]
    pub yes: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub socket: SocketArgs,
}
