//! `greenroom doctor --undo`: what the record has is taken back, the newest first.

use std::fmt;
use std::process::ExitCode;

use greenroom_setup::apply::Programs;
use greenroom_setup::plan::{Action, Actor, Check, Condition, Step, Undo};
use greenroom_setup::{Command, Wish};

use super::fix::{ask, do_steps};
use super::record::{Done, RecordFile, UndoStep};
use super::work::shown;
use super::{Doctor, DoctorRefused, root};
use crate::command::setup;
use crate::log;
use crate::terminal::{Lines, say};

/// Shows what `--fix` has done, asks, and takes it back.
pub(super) fn undo(doctor: &mut Doctor, yes: bool) -> anyhow::Result<ExitCode> {
    let mut file = RecordFile::open(doctor)?;
    let done = file.record.done.clone();
    if done.is_empty() {
        say(
            "There is nothing to take back: `greenroom doctor --fix` has done nothing that is still there.",
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    shown_lines(&done).print()?;
    let is_users = |step: &UndoStep| matches!(step, UndoStep::Run { .. } | UndoStep::File { .. });
    if doctor.system.session.is_root && done.iter().flat_map(|done| &done.undo).any(is_users) {
        return Err(DoctorRefused::IsRoot("--undo").into());
    }
    if !yes {
        ask("--undo")?;
    }
    let mut failed = false;
    for (index, done) in done.iter().enumerate().rev() {
        match done.undo.iter().try_for_each(|step| take_back(doctor, step)) {
            Ok(()) => file.forget(index)?,
            Err(error) => {
                let what = &done.what;
                log::say(&format!("greenroom: \"{what}\" could not be taken back: {error:#}"));
                failed = true;
            }
        }
    }
    if failed {
        say(format_args!(
            "What could not be taken back is still in {}; mend what is told above and run `greenroom \
             doctor --undo` again, or remove that file.",
            file.path().display()
        ))?;
        return Ok(ExitCode::FAILURE);
    }
    say("All of it is taken back.")?;
    Ok(ExitCode::SUCCESS)
}

fn shown_lines(done: &[Done]) -> Lines {
    let mut lines = Lines::default();
    lines.push("What --fix has done, and how it is taken back:");
    for (index, done) in done.iter().rev().enumerate() {
        lines.push(format_args!("  {}. {}", index + 1, done.what));
        for step in &done.undo {
            lines.push(format_args!("     undo: {step}"));
        }
    }
    lines
}

impl fmt::Display for UndoStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UndoStep::Setup {} => f.write_str("greenroom setup --undo"),
            UndoStep::Run { command } => {
                f.write_str(&shown(Actor::Program, &Command(command.clone())))
            }
            UndoStep::RunAsRoot { command } => {
                f.write_str(&shown(Actor::Root, &Command(command.clone())))
            }
            UndoStep::File { path, content: Some(_) } => {
                write!(f, "{} is written as it was", path.display())
            }
            UndoStep::File { path, content: None } => write!(f, "{} is removed", path.display()),
        }
    }
}

fn take_back(doctor: &mut Doctor, step: &UndoStep) -> anyhow::Result<()> {
    match step {
        UndoStep::Setup {} => {
            let wish = Wish::undo();
            let plan = setup::plan_of(&doctor.system, &wish)?;
            let mut lines = Lines::default();
            lines.push_all(&plan.to_string());
            lines.print()?;
            if setup::has_steps(&plan) {
                setup::fulfil(&mut doctor.system, &wish, &plan)?;
            }
            Ok(())
        }
        UndoStep::Run { command } => {
            let command = Command(command.clone());
            say(&command)?;
            doctor.system.programs.run(&command).map(drop).map_err(anyhow::Error::msg)
        }
        UndoStep::RunAsRoot { command } => {
            let command = Command(command.clone());
            say(command.as_root())?;
            root::run(&mut doctor.system, &command).map_err(anyhow::Error::msg)
        }
        UndoStep::File { path, content } => {
            let path = path.clone();
            let (action, check) = match content.clone() {
                Some(content) => (
                    Action::WriteFile { path: path.clone(), content, mode: 0o644 },
                    Check::FileIsAsWritten { path },
                ),
                None => (Action::RemoveFile { path: path.clone() }, Check::FileIsGone { path }),
            };
            let step = Step {
                action,
                why: "It was so before `greenroom doctor --fix`".to_owned(),
                actor: Actor::Program,
                condition: Condition::Always,
                check,
                undo: Undo::RestoreFile,
            };
            do_steps(doctor, &[step])
        }
    }
}
