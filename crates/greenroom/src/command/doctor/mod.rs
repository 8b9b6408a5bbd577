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

use greenroom_doctor::evidence::CallProgram;
use greenroom_doctor::{Area, Evidence, Facts, Finding, Folders, Report, findings};

use super::setup::System;
use crate::cli::{DoctorArgs, SetupArgs, SocketArgs};
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
        let examination = examine(&self.system, &self.folders, self.socket.as_deref())?;
        Ok((examination.facts, examination.report))
    }
}

/// What was seen, and what follows from it.
struct Examination {
    facts: Facts,
    evidence: Evidence,
    report: Report,
}

fn examine(
    system: &System,
    folders: &Folders,
    socket: Option<&Path>,
) -> anyhow::Result<Examination> {
    let facts = system.facts()?;
    let probes = probes::probe(system, folders, socket);
    let evidence = Evidence::read(system.root(), &facts, folders, probes);
    let report = Report { findings: findings(&facts, &evidence) };
    Ok(Examination { facts, evidence, report })
}

/// The programs on this system in which people make calls.
pub(super) struct CallPrograms {
    /// Those that are installed, each once.
    pub(super) installed: Vec<CallProgram>,
    /// Why some of them will not list the camera, or may not.
    pub(super) findings: Vec<Finding>,
}

/// Looks which programs are there, and which of them will not see the camera. Changes nothing.
pub(super) fn call_programs(system: &System) -> anyhow::Result<CallPrograms> {
    let socket = SocketArgs::default().path().ok();
    let seen = examine(system, &Folders::of_this_process(), socket.as_deref())?;
    let mut installed: Vec<_> = seen.evidence.programs.iter().map(|found| found.program).collect();
    installed.dedup();
    let mut findings = seen.report.findings;
    findings.retain(|finding| finding.id.area() == Area::Programs);
    Ok(CallPrograms { installed, findings })
}
