//! `cargo xtask torture`: the real greenroom with something wrong around it. Whatever is wrong, no frame shows the raw
//! room; a pause hides, or greenroom has ended; no old file is harmed and no part of a new one left; the exit code is 0, 1
//! or 2, with one sentence when it is not 0; and nothing hangs.
//!
//! The camera is a clip of an empty room, so that every frame must be of the background's colour alone. Nothing is judged
//! by time: what is waited for has a limit that only what hangs reaches.

mod bench;
mod case;
mod catalogue;
mod disk;
mod fake_ffmpeg;
mod fault;
mod ffmpeg;
mod files;
mod folder;
mod frames;
mod limits;
mod on_air;
mod operation;
mod program;
mod socket;
mod socket_fault;
mod stderr;
mod stderr_fault;

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::daemon::build;
use crate::places::Places;
use bench::Bench;
use case::{Case, Verdict};
use operation::Operation;

/// The command line of `cargo xtask torture`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only some cases of each kind
    #[arg(long)]
    short: bool,
    /// Only cases whose name contains this
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    /// Print the names of the cases
    #[arg(long)]
    list: bool,
    /// The greenroom to use, instead of building one
    #[arg(long)]
    greenroom: Option<PathBuf>,
    /// We are in a mount namespace of our own already
    #[arg(long, hide = true)]
    is_apart: bool,
}

/// Runs the cases one after another, and prints a line for each.
///
/// # Errors
/// If something other than greenroom fails.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let is_wanted = |case: &Case| {
        arguments.only.as_ref().is_none_or(|pattern| case.name().contains(pattern.as_str()))
    };
    let mut cases = catalogue::all(arguments.short);
    cases.retain(is_wanted);
    if arguments.list {
        cases.iter().for_each(|case| println!("{}", case.name()));
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(!cases.is_empty(), "no case is called so; cargo xtask torture --list shows all");
    if !arguments.is_apart {
        return start_apart(places, arguments);
    }
    if !program::can_become_unprivileged() {
        let all = cases.len();
        cases.retain(|case| !case.fault.is_unprivileged);
        println!("left out, as only root can start them: {} cases", all - cases.len());
    }
    let greenroom = arguments.greenroom.as_ref().context("a greenroom is named by now")?;
    let bench = Bench::new(greenroom)?;
    let mut failed = 0;
    for case in &cases {
        let Verdict { faults, note } = run_case(&bench, case).with_context(|| case.name())?;
        let word = if faults.is_empty() { "ok    " } else { "FAILED" };
        println!("{word} {:<60} {note}", case.name());
        faults.iter().for_each(|fault| println!("         {fault}"));
        failed += usize::from(!faults.is_empty());
    }
    println!("{} cases, {failed} failed", cases.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_case(bench: &Bench, case: &Case) -> Result<Verdict> {
    match case.operation {
        Operation::OnAir | Operation::SetClip | Operation::Clients => {
            on_air::run(bench, &case.fault, case.operation)
        }
        Operation::Record(_) | Operation::Render(_) => {
            files::write(bench, &case.fault, case.operation)
        }
        Operation::ClientsAlone => files::ask_nobody(bench, &case.fault),
    }
}

/// Builds greenroom and becomes the same command in a mount namespace of its own, whose small disks go with it.
fn start_apart(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.arg(env::current_exe()?).args(env::args_os().skip(1)).arg("--is-apart");
    if arguments.greenroom.is_none() {
        command.arg("--greenroom").arg(build(places)?);
    }
    Err(command.exec()).context("unshare, which makes a place for small disks")
}
