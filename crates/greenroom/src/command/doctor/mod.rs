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

use std::path::PathBuf;
use std::process::ExitCode;

use greenroom_doctor::evidence::CallProgram;
use greenroom_doctor::{
    Area, Evidence, Facts, Finding, FindingId, Folders, Probes, Report, findings,
};

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
        let probes = probes::probe(&self.system, &self.folders, self.socket.as_deref());
        let (facts, evidence) = evidence(&self.system, &self.folders, probes)?;
        let findings = findings(&facts, &evidence);
        Ok((facts, Report { findings }))
    }
}

fn evidence(
    system: &System,
    folders: &Folders,
    probes: Probes,
) -> anyhow::Result<(Facts, Evidence)> {
    let facts = system.facts()?;
    let evidence = Evidence::read(system.root(), &facts, folders, probes);
    Ok((facts, evidence))
}

/// The programs on this system in which people make calls.
pub(super) struct CallPrograms {
    /// Those that are installed, each once.
    pub(super) installed: Vec<CallProgram>,
    /// Why some of them will not list a camera that has just been made, or may not.
    pub(super) findings: Vec<Finding>,
}

/// Looks which programs are there, and which of them will not list a new camera. Changes nothing.
pub(super) fn call_programs(system: &System) -> anyhow::Result<CallPrograms> {
    let socket = SocketArgs::default().path().ok();
    let probes = probes::of_new_camera(system, socket.as_deref());
    let (facts, evidence) = evidence(system, &Folders::of_this_process(), probes)?;
    let mut installed: Vec<_> = evidence.programs.iter().map(|found| found.program).collect();
    installed.dedup();
    let mut findings = findings(&facts, &evidence);
    // PipeWire was not asked.
    let is_told = |id: FindingId| id.area() == Area::Programs && id != FindingId::PipeWireNode;
    findings.retain(|finding| is_told(finding.id));
    Ok(CallPrograms { installed, findings })
}
