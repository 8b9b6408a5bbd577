//! The unit with which greenroom runs in the user's session.

use std::path::Path;

use super::step::{Action, Actor, Check, Step, Undo, UnitScope};
use super::{Draft, explain};
use crate::facts::{Facts, OwnFile, SystemKind};
use crate::{Command, Known, files};

/// Enables the unit, and starts it again if it was stopped.
pub(super) fn enable(facts: &Facts, draft: &mut Draft) {
    let Known::Is(unit) = &facts.own.user_unit else { return };
    let Some(home) = &facts.session.home else { return };
    let systemctl = |words: &str| Command::words("systemctl --user").with(words.split(' '));
    if draft.starts_service {
        let action = Action::StartService { command: systemctl("start greenroom.service") };
        let step = Step::new(Actor::Program, action, "It was stopped while its node was replaced");
        draft.steps.push(step.checked(Check::ServiceRuns));
    }
    if unit.enabled || !facts.system.systemd.is_true() {
        return;
    }
    if facts.session.is_root {
        draft.explanations.push(explain::user_unit());
        return;
    }
    if unit.shipped.is_none() && unit.in_home == OwnFile::Absent {
        if facts.system.kind == SystemKind::NixOs {
            // The program's path changes with each update there.
            return;
        }
        draft.steps.push(write_user_unit(home, &facts.session.program.path));
    }
    let commands = vec![systemctl("daemon-reload"), systemctl("enable --now greenroom.service")];
    let name = files::USER_UNIT.to_owned();
    let action = Action::EnableUnit { unit: name.clone(), scope: UnitScope::User, commands };
    let why = "greenroom shows its picture in the camera whenever a program opens it";
    let undo = Undo::Run { command: systemctl("disable --now greenroom.service") };
    let step = Step::new(Actor::Program, action, why);
    draft.steps.push(step.checked(Check::UnitIsEnabled { unit: name }).undone(undo));
}

fn write_user_unit(home: &Path, program: &Path) -> Step {
    let why = "No package has brought the unit with which greenroom runs in your session";
    let content = files::user_unit(program);
    Step::write(Actor::Program, files::user_unit_file(home), content, false, why)
}
