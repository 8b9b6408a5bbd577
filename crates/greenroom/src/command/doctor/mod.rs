//! `greenroom doctor`: why a call does not show the picture, and what greenroom can do about it.
//!
//! [`greenroom_doctor`] finds; here devices and programs are [asked](probes), the report is printed, and
//! what greenroom can do is [done](fix), [written down](record) and [taken back](undo).

mod error;
mod fix;
mod probes;
mod record;
mod root;
mod setup_wish;
mod undo;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use greenroom_doctor::{Evidence, Facts, Folders, Report, findings};

use super::setup::System;
use crate::cli::{DoctorArgs, SetupArgs};
use crate::terminal::{Lines, print, printable_json};
pub use error::DoctorRefused;

/// `greenroom doctor`.
pub(super) fn doctor(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut doctor = Doctor::of_this_process(args);
    if args.undo {
        return undo::undo(&mut doctor, args.yes);
    }
    let (facts, report) = doctor.examine()?;
    if args.json {
        print(&printable_json(&report.to_json()))?;
        return Ok(exit_code(&report));
    }
    show(&report)?;
    if args.fix {
        return fix::fix(&mut doctor, &facts, &report, args.yes);
    }
    Ok(exit_code(&report))
}

/// 0 if nothing is wrong, 1 if something is.
fn exit_code(report: &Report) -> ExitCode {
    ExitCode::from(u8::from(!report.is_healthy()))
}

fn show(report: &Report) -> anyhow::Result<()> {
    let mut lines = Lines::default();
    lines.push_all(report.to_string().trim_start_matches('\n'));
    lines.print()
}

/// The system that is looked at, and whose it is.
struct Doctor {
    system: System,
    folders: Folders,
    /// The control socket of the running greenroom, if there is a place for it.
    socket: Option<PathBuf>,
}

impl Doctor {
    fn of_this_process(args: &DoctorArgs) -> Self {
        Self {
            system: System::of_this_process(&SetupArgs::default()),
            folders: Folders::of_this_process(),
            socket: args.socket.path().ok(),
        }
    }

    /// Looks for all that may be wrong. Changes nothing.
    fn examine(&self) -> anyhow::Result<(Facts, Report)> {
        let facts = self.system.facts()?;
        let probes = probes::probe(self);
        let evidence = Evidence::read(self.system.root(), &facts, &self.folders, probes);
        let findings = findings(&facts, &evidence);
        Ok((facts, Report { findings }))
    }

    /// Where a path of the system is for this process.
    fn path(&self, path: &Path) -> PathBuf {
        self.system.root().join(path.strip_prefix("/").unwrap_or(path))
    }
}
