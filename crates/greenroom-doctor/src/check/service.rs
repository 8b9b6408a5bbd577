//! greenroom as a service: its units, and the greenrooms that run.

use std::path::Path;

use greenroom_setup::facts::OwnFile;
use greenroom_setup::plan::{Action, Actor, Check, Condition, Step, Undo, UnitScope};
use greenroom_setup::{Command, Known, files};

use super::{Context, error, list, warning};
use crate::evidence::{Control, Unit};
use crate::{Finding, FindingId, Fix, Instruction};

const RESTART: &str = "systemctl --user restart greenroom.service";

/// The unit in the user's session starts a program that is gone, or is an old one of set-up's.
pub(super) fn user_unit(context: Context<'_>) -> Vec<Finding> {
    let (Known::Is(found), Known::Is(Some(unit))) =
        (&context.facts.own.user_unit, &context.evidence.own.user_unit)
    else {
        return Vec::new();
    };
    let path = unit.path.display();
    let symptom = "greenroom does not start with your session, or not as you expect.";
    let finding =
        |cause: String, cure: &str| warning(FindingId::UserUnitStale, symptom, cause, cure);
    let edit = "systemctl --user edit --full greenroom.service";
    let gone = unit.program_is_there.is_false();
    let here = &context.facts.session.program.path;
    // A greenroom in another place than this one is not wrong.
    let program = if gone { here.as_path() } else { Path::new(&unit.program) };
    let found = match (&found.in_home, &found.shipped) {
        (OwnFile::Ours(_), Some(shipped)) => {
            let cause = format!(
                "{path}, which set-up wrote, comes before {} of greenroom's package.",
                shipped.display()
            );
            let remove = Command::words("rm").with([path.to_string()]);
            finding(cause, "Remove the unit of set-up.")
                .command(Instruction::Run(remove))
                .command(Instruction::run("systemctl --user daemon-reload"))
                .command(Instruction::run(RESTART))
                .fixed_by(removed(unit))
        }
        (OwnFile::Ours(text), None) if gone || *text != files::user_unit(program) => {
            let cause = if gone {
                format!("{path} starts {}, which is not there.", unit.program)
            } else {
                format!("An older set-up of greenroom wrote {path}.")
            };
            finding(cause, "Have the unit written anew.")
                .command(Instruction::run("greenroom doctor --fix"))
                .fixed_by(rewritten(unit, files::user_unit(program)))
        }
        _ if gone => {
            let cause = format!("{path} starts {}, which is not there.", unit.program);
            finding(cause, "Name the right program in its line ExecStart.")
                .command(Instruction::run(edit))
                .command(Instruction::run(RESTART))
        }
        _ => return Vec::new(),
    };
    vec![found]
}

/// The unit of set-up goes, and the package's comes into force.
fn removed(unit: &Unit) -> Fix {
    let step = Step {
        action: Action::RemoveFile { path: unit.path.clone() },
        why: "The unit of greenroom's package takes its place".to_owned(),
        actor: Actor::Program,
        condition: Condition::Always,
        check: Check::FileIsGone { path: unit.path.clone() },
        undo: Undo::RestoreFile,
    };
    Fix::Steps { steps: vec![step, reload()] }
}

/// The unit of set-up is written anew.
fn rewritten(unit: &Unit, content: String) -> Fix {
    let step = Step {
        action: Action::WriteFile { path: unit.path.clone(), content, mode: 0o644 },
        why: "The unit of another version is replaced".to_owned(),
        actor: Actor::Program,
        condition: Condition::Always,
        check: Check::FileIsAsWritten { path: unit.path.clone() },
        undo: Undo::RestoreFile,
    };
    Fix::Steps { steps: vec![step, reload()] }
}

fn reload() -> Step {
    let commands = ["systemctl --user daemon-reload", "systemctl --user enable greenroom.service"];
    let commands = commands.into_iter().chain([RESTART]).map(Command::words).collect();
    let unit = files::USER_UNIT.to_owned();
    Step {
        action: Action::EnableUnit { unit: unit.clone(), scope: UnitScope::User, commands },
        why: "The service manager reads the unit again, and greenroom runs by it".to_owned(),
        actor: Actor::Program,
        condition: Condition::Always,
        check: Check::UnitIsEnabled { unit },
        undo: Undo::Nothing,
    }
}

/// The boot unit starts a program that is gone.
pub(super) fn boot_unit(context: Context<'_>) -> Vec<Finding> {
    let Known::Is(Some(unit)) = &context.evidence.own.boot_unit else { return Vec::new() };
    let enabled = context.facts.own.unit_is_enabled.is_true();
    if !enabled || !unit.program_is_there.is_false() {
        return Vec::new();
    }
    let found = warning(
        FindingId::BootUnitStale,
        "The virtual camera will be missing after the next restart.",
        format!("{} starts {}, which is not there.", unit.path.display(), unit.program),
        "Set-up writes the unit anew, with the program that runs now.",
    );
    vec![if unit.by_setup {
        found.by_setup()
    } else {
        found.command(Instruction::root("systemctl edit --full greenroom-camera.service"))
    }]
}

/// Two greenrooms get in each other's way.
pub(super) fn another(context: Context<'_>) -> Vec<Finding> {
    let running: Vec<_> = context.evidence.processes.greenrooms().collect();
    // A child of one is a part of it.
    let is_child = |parent: &Known<u32>| {
        parent.get().is_some_and(|parent| running.iter().any(|other| other.pid == *parent))
    };
    let running: Vec<_> =
        running.iter().filter(|process| !is_child(&process.parent)).copied().collect();
    // Each user has a greenroom and a socket.
    let owner = running.first().and_then(|process| process.owner.get());
    let running: Vec<_> =
        running.iter().filter(|process| process.owner.get() == owner).copied().collect();
    if running.len() < 2 {
        return Vec::new();
    }
    let answering = match &context.evidence.probes.control {
        Known::Is(Control::Greenroom { pid, .. }) => Some(*pid),
        _ => running.first().map(|process| process.pid),
    };
    let names: Vec<_> = running.iter().map(|process| process.title()).collect();
    let found = warning(
        FindingId::AnotherGreenroom,
        "greenroom says that its camera, or its socket, is in use.",
        format!("{} run at the same time.", list(&names)),
        "End all but one.",
    );
    let others = running.iter().filter(|process| Some(process.pid) != answering);
    vec![others.fold(found, |found, process| {
        found.command(Instruction::Run(Command::words("kill").with([process.pid.to_string()])))
    })]
}

/// The running greenroom's program was replaced by an update.
pub(super) fn outdated(context: Context<'_>) -> Vec<Finding> {
    let mut running = context.evidence.processes.greenrooms();
    let Some(process) = running.find(|process| process.program_is_gone) else {
        return Vec::new();
    };
    let found = warning(
        FindingId::GreenroomOutdated,
        "An update of greenroom has had no effect.",
        format!("{} was started before the update, and still runs.", process.title()),
        "Restart it. A call goes on meanwhile.",
    );
    vec![if context.is_service() {
        found.by_user(Command::words(RESTART), None)
    } else {
        found
            .command(Instruction::Run(Command::words("kill").with([process.pid.to_string()])))
            .command(Instruction::run("greenroom run"))
    }]
}

/// greenroom is to run with the session, and does not.
pub(super) fn not_running(context: Context<'_>) -> Vec<Finding> {
    let runs = context.evidence.processes.greenrooms().next().is_some()
        || matches!(context.evidence.probes.control, Known::Is(Control::Greenroom { .. }));
    if !context.is_service() || runs || context.facts.session.is_root {
        return Vec::new();
    }
    let found = error(
        FindingId::ServiceNotRunning,
        "Calls do not list the camera \"greenroom\", or it shows nothing.",
        "greenroom is to run with your session, and does not run: it was stopped, or it failed.",
        "Start it. If it fails again, its log says why.",
    );
    let start = Command::words("systemctl --user start greenroom.service");
    let log = Command::words("journalctl --user -u greenroom.service -n 20");
    let step = Step {
        action: Action::StartService { command: start.clone() },
        why: "It is to run with the session".to_owned(),
        actor: Actor::Program,
        condition: Condition::Always,
        check: Check::ServiceRuns,
        undo: Undo::Run { command: Command::words("systemctl --user stop greenroom.service") },
    };
    let found = found.command(Instruction::Run(start)).command(Instruction::Run(log));
    vec![found.fixed_by(Fix::Steps { steps: vec![step] })]
}
