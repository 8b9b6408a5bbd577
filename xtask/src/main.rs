//! How do we work on it? The chores that are more than one cargo command: third-party files, tests in a virtual
//! machine, scoring.
//!
//! `cargo xtask --help` lists them. A chore is one module and one line in [`Command`].
#![forbid(unsafe_code)]

mod busy;
mod choice;
mod clients;
mod cost;
mod daemon;
mod dist;
mod effort;
mod golden;
mod judge;
mod paced;
mod places;
mod remote;
mod rivals;
mod score;
mod sheets;
mod soak;
mod switch;
mod torture;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::places::Places;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "greenroom's chores")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Get the third-party files of assets.toml into assets/, checked, and write assets/NOTICE
    Assets {
        /// Also get what only tests need (an ONNX Runtime, models for it: 44 MB)
        #[arg(long)]
        tests: bool,
    },
    /// Run greenroom beside encoders that take every core, with and without the governor
    Busy(busy::Arguments),
    /// Measure which network is worth its time, and write the table of docs/cut.md
    Choice(choice::Arguments),
    /// Ask `greenroom serve-masks` for masks as the old program's client does (Python, PyPI opencv, requests)
    Clients(clients::Arguments),
    /// Measure what refinement costs, in inferences of the reference runtime (Python, PyPI ai-edge-litert)
    Cost(cost::Arguments),
    /// Make the packages: .deb, .rpm, a tarball with an install script, their checksums
    Dist(dist::Arguments),
    /// Measure what each way of doing less, which the governor may choose, gains and costs
    Effort(effort::Arguments),
    /// Make the engine's golden outputs anew with the reference runtime (Python, PyPI ai-edge-litert)
    Golden,
    /// Judge frames that a consumer read from the virtual camera
    Judge(judge::Arguments),
    /// Measure the processor time and the delay of all of greenroom at a camera's pace, in floors (Python, PyPI ai-edge-litert)
    Paced(paced::Arguments),
    /// Measure what mask servers of all kinds do to rate and latency
    Remote(remote::Arguments),
    /// Measure the processor time of other programs' ways beside greenroom's (Python, Node; PyPI, npm)
    Rivals(rivals::Arguments),
    /// Score the matte of clips against their true alpha and the reference runtime
    Score(score::Arguments),
    /// Make the pictures and tables of docs/scenes.md
    Sheets(sheets::Arguments),
    /// Run greenroom at full speed for long, and watch its memory and its account of frames
    Soak(soak::Arguments),
    /// Change scenes 200 times on air, and look at every frame
    Switch(switch::Arguments),
    /// Run greenroom with something wrong around it, in some 500 ways (as root)
    Torture(torture::Arguments),
    /// Run a script as root in a virtual machine with vivid and v4l2loopback
    Vm(vm::Arguments),
}

fn main() -> ExitCode {
    let places = Places::find();
    let outcome = match Arguments::parse().command {
        Command::Assets { tests } => {
            xtask_assets::get(&places.repository, tests).map(|()| ExitCode::SUCCESS)
        }
        Command::Busy(arguments) => busy::run(&places, &arguments),
        Command::Choice(arguments) => choice::run(&places, &arguments),
        Command::Clients(arguments) => clients::run(&places, &arguments),
        Command::Cost(arguments) => cost::run(&places, &arguments),
        Command::Dist(arguments) => dist::run(&places, &arguments),
        Command::Effort(arguments) => effort::run(&places, &arguments),
        Command::Golden => golden::run(&places).map(|()| ExitCode::SUCCESS),
        Command::Judge(arguments) => judge::run(&arguments),
        Command::Paced(arguments) => paced::run(&places, &arguments),
        Command::Remote(arguments) => remote::run(&places, &arguments),
        Command::Rivals(arguments) => rivals::run(&places, &arguments),
        Command::Score(arguments) => score::run(&places, &arguments),
        Command::Sheets(arguments) => sheets::run(&places, &arguments),
        Command::Soak(arguments) => soak::run(&places, &arguments),
        Command::Switch(arguments) => switch::run(&places, &arguments),
        Command::Torture(arguments) => torture::run(&places, &arguments),
        Command::Vm(arguments) => vm::run(&places, arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
