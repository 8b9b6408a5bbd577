//! The commands, a file each.

mod bench;
mod config;
mod docs;
mod doctor;
mod list;
mod model;
mod render;
mod run;
#[cfg(feature = "mask-server")]
mod serve_masks;
mod set;
mod setup;
mod signals;
mod status;
mod waybar;

use std::io;
use std::process::ExitCode;

pub use doctor::DoctorRefused;
pub use setup::SetupRefused;
pub use signals::outlive_file_size_limit;

use greenroom_device::DeviceError;

use crate::cli::{Cli, Command};
use crate::protocol::Request;

/// Does what the command line asks for.
///
/// # Errors
/// Whatever stopped it; see [`exit_code`](crate::exit_code).
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let done = match cli.command {
        Command::Doctor(args) => return doctor::doctor(&args),
        Command::Run(args) => run::run(&args),
        Command::Render(args) => render::render(&args),
        Command::List(args) => list::list(&args),
        Command::Status(args) => status::status(&args),
        Command::Set(args) => set::set(args),
        Command::Next(args) => {
            set::ask(&args.socket, &Request::Next { output: args.output.output })
        }
        Command::Pause(socket) => set::ask(&socket, &Request::Pause {}),
        Command::Resume(socket) => set::ask(&socket, &Request::Resume {}),
        Command::Toggle(socket) => set::toggle(&socket),
        Command::Snapshot(args) => set::snapshot(&args),
        Command::Record(args) => set::record(&args),
        Command::Setup(args) => setup::setup(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::Config(args) => config::config(&args),
        Command::Model(args) => model::model(&args),
        #[cfg(feature = "mask-server")]
        Command::ServeMasks(args) => serve_masks::serve_masks(&args),
        #[cfg(feature = "faults")]
        Command::Fault(args) => set::ask(&args.socket, &Request::Fault { name: args.name }),
        Command::Man => docs::man(),
        Command::Completions { shell } => docs::completions(shell),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Whether whoever read our standard output has closed it.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
            || matches!(cause.downcast_ref(), Some(DeviceError::ReaderLeft { .. }))
    })
}
