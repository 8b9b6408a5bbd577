//! `greenroom doctor --fix`.

use std::process::ExitCode;

use anyhow::bail;
use greenroom_doctor::{Facts, FindingId, Report, Verdict};
use greenroom_setup::apply::{Programs, carry_out};
use greenroom_setup::plan::{Actor, Step};

use super::record::RecordFile;
use super::work::{Work, WorkKind, Works, shown};
use super::{Doctor, DoctorRefused, exit_code, root, show};
use crate::command::setup;
use crate::log;
use crate::terminal::{Consent, consent, say};

/// Shows what can be done about the findings, asks, does it, and looks again.
pub(super) fn fix(
    doctor: &mut Doctor,
    facts: &Facts,
    report: &Report,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    let works = Works::of(doctor, facts, report)?;
    say("")?;
    works.lines().print()?;
    if works.list.is_empty() {
        say("There is nothing for --fix to do.")?;
        return Ok(exit_code(report));
    }
    if doctor.system.session.is_root && works.some_is_the_users() {
        return Err(DoctorRefused::IsRoot("--fix").into());
    }
    let mut record = RecordFile::open(doctor)?;
    if !yes {
        ask("--fix")?;
    }
    let mut failed = false;
    for work in &works.list {
        record.begin(work.done.clone())?;
        if let Err(error) = work.carry_out(doctor) {
            // Root's part of set-up may have been killed: its own undoing knows what is there.
            if !matches!(work.kind, WorkKind::Setup { .. }) {
                record.forget_newest()?;
            }
            log::say(&format!("greenroom: {} failed: {error:#}", work.done.what));
            failed = true;
        } else if work.done.undo.is_empty() {
            record.forget_newest()?;
        }
    }
    conclude(doctor, &works, failed)
}

/// Asks whether what was shown is to be done.
///
/// # Errors
/// When the answer is not yes, or there is nobody to answer.
pub(super) fn ask(option: &'static str) -> anyhow::Result<()> {
    match consent()? {
        Consent::Yes => Ok(()),
        Consent::No => bail!("nothing was done, as you did not say yes"),
        Consent::NobodyThere => Err(DoctorRefused::NobodyToAsk(option).into()),
    }
}

impl Work {
    fn carry_out(&self, doctor: &mut Doctor) -> anyhow::Result<()> {
        match &self.kind {
            WorkKind::Setup { wish, plan } => setup::fulfil(&mut doctor.system, wish, plan),
            WorkKind::Steps(steps) => do_steps(doctor, steps),
            WorkKind::Commands { actor, commands } => {
                for command in commands {
                    say(shown(*actor, command))?;
                    let done = match actor {
                        Actor::Root => root::run(&mut doctor.system, command),
                        _ => doctor.system.programs.run(command).map(drop),
                    };
                    done.map_err(anyhow::Error::msg)?;
                }
                Ok(())
            }
        }
    }
}

/// Does steps in the user's session, and undoes them if one fails.
pub(super) fn do_steps(doctor: &mut Doctor, steps: &[Step]) -> anyhow::Result<()> {
    let session = doctor.system.session.clone();
    let steps: Vec<_> = steps.iter().collect();
    let done = doctor.system.with(|machine| carry_out(machine, &session, Actor::Program, &steps));
    Ok(done.map(drop)?)
}

/// Looks again, and says what is left.
fn conclude(doctor: &Doctor, works: &Works, failed: bool) -> anyhow::Result<ExitCode> {
    let (_, after) = doctor.examine()?;
    say("")?;
    say("Afterwards:")?;
    show(&after)?;
    let done: Vec<FindingId> =
        works.list.iter().flat_map(|work| work.findings.iter().copied()).collect();
    let is_still = |id: &FindingId| {
        let mut all = after.findings.iter();
        all.any(|finding| finding.id == *id && finding.verdict == Verdict::Found)
    };
    let still: Vec<_> = done.iter().filter(|id| is_still(id)).map(|id| id.name()).collect();
    if !failed && !still.is_empty() {
        say(format_args!(
            "\nStill found, although its cure was carried out: {}. Log out and in again, then run \
             `greenroom doctor` once more.",
            still.join(", ")
        ))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { exit_code(&after) })
}
