//! Modules from 0.13 on: the boot unit adds nodes at run time.

use super::nodes::{self, State};
use super::setup::Setting;
use super::step::{Action, Actor, Check, Condition, NewNode, Step, Undo, UnitScope};
use super::{Draft, Explanation, explain};
use crate::facts::{Facts, Node, OwnFile, Use};
use crate::{Command, Generation, Known, files};

/// The boot unit, and the nodes now.
pub(super) fn steps(
    setting: &Setting<'_>,
    condition: Condition,
    draft: &mut Draft,
) -> Result<(), Explanation> {
    let facts = setting.facts;
    let program = &facts.session.program;
    let unit = files::boot_unit(&program.path, &setting.label(), &setting.numbers());
    let starts_the_same = |other: &str| files::exec_start(other) == files::exec_start(&unit);
    let shipped =
        facts.own.shipped_unit.is_and(|shipped| shipped.as_deref().is_some_and(starts_the_same));
    let write = match &facts.own.unit {
        Known::Is(OwnFile::Foreign) => return Err(explain::foreign_file(files::UNIT_FILE)),
        Known::Is(OwnFile::Ours(text)) => *text != unit,
        Known::Is(OwnFile::Absent) | Known::Unknown => !shipped,
    };
    let before = matches!(facts.own.unit, Known::Is(OwnFile::Ours(_)));
    if write {
        if !program.only_root_can_change.is_true() {
            return Err(explain::program_not_safe(facts));
        }
        let why = "It adds the camera at every start, without options for the module, which other \
                   programs' options would mix with";
        let step = Step::write(Actor::Root, files::UNIT_FILE, unit, before, why);
        draft.steps.push(step.only_if(condition));
    }
    if write || !facts.own.unit_is_enabled.is_true() {
        draft.steps.push(enable_boot_unit().only_if(condition));
    }
    if condition == Condition::Always {
        // From the time of an older module.
        let files =
            [(&facts.own.options, files::OPTIONS_FILE), (&facts.own.load, files::LOAD_FILE)];
        for (_, path) in
            files.iter().filter(|(file, _)| matches!(file, Known::Is(OwnFile::Ours(_))))
        {
            let why = "This version of the module needs it no more";
            draft.steps.push(Step::remove(Actor::Root, *path, why));
        }
    }
    replace_nodes(setting, condition, draft);
    Ok(())
}

/// Removes nodes of ours that are outdated or not wanted any more, and adds the missing ones.
fn replace_nodes(setting: &Setting<'_>, condition: Condition, draft: &mut Draft) {
    let facts = setting.facts;
    if facts.loaded_generation() == Some(Generation::Fixed) {
        // The module that is loaded now can neither add nor remove a node.
        return;
    }
    let mut new = Vec::new();
    for wanted in &setting.wanted {
        let ready = match wanted.state {
            State::There | State::Foreign(..) => false,
            State::Missing => true,
            State::Outdated(node) => {
                let step = remove_node(facts, node, "It was made with other settings", draft);
                step.map(|step| draft.steps.push(step.only_if(condition))).is_some()
            }
        };
        if ready {
            new.push(NewNode { number: wanted.number, label: wanted.label.to_string() });
        }
    }
    for node in nodes::unwanted(facts, &setting.wanted) {
        let step = remove_node(facts, node, "It is not wanted any more", draft);
        draft.steps.extend(step.map(|step| step.only_if(condition)));
    }
    if new.is_empty() || setting.waits_for_restart {
        return;
    }
    let labels = new.iter().map(|node| node.label.clone()).collect();
    let command = Command::words("systemctl restart").with([files::UNIT]);
    let why = "The camera is there now, and not only after a restart: exclusive_caps=1, so that \
               Chrome and Zoom list it, and 4 buffers";
    let step = Step::new(Actor::Root, Action::AddNodes { nodes: new, command }, why)
        .checked(Check::NodesAreThere { labels })
        .undone(Undo::RemoveNodes);
    draft.steps.push(step.only_if(condition));
}

/// Removes a node if certainly nobody but greenroom uses it; else says who does.
fn remove_node(facts: &Facts, node: &Node, why: &str, draft: &mut Draft) -> Option<Step> {
    let stop = match node.usage() {
        Use::Nobody => None,
        Use::Greenroom if facts.own.user_unit.is_and(|unit| unit.enabled) => {
            let words = "systemctl --user stop greenroom.service";
            let action = Action::StopService { command: Command::words(words) };
            let undo = Command::words("systemctl --user start greenroom.service");
            let why = "greenroom has the node open, and nobody watches";
            Some(
                Step::new(Actor::Program, action, why)
                    .checked(Check::ServiceIsStopped)
                    .undone(Undo::Run { command: undo }),
            )
        }
        Use::Greenroom | Use::Others(_) | Use::Unknown => {
            draft.explanations.push(explain::node_in_use(node, "greenroom setup"));
            return None;
        }
    };
    if let (Some(stop), false) = (stop, draft.starts_service) {
        // First of all, so that the steps of root are together.
        draft.steps.insert(0, stop);
        draft.starts_service = true;
    }
    Some(nodes::remove(facts, node, why))
}

fn enable_boot_unit() -> Step {
    let commands = vec![
        Command::words("systemctl daemon-reload"),
        Command::words("systemctl enable").with([files::UNIT]),
    ];
    let unit = files::UNIT.to_owned();
    let undo = Undo::Run { command: Command::words("systemctl disable").with([files::UNIT]) };
    let action = Action::EnableUnit { unit: unit.clone(), scope: UnitScope::System, commands };
    Step::new(Actor::Root, action, "The camera is to be there after every start")
        .checked(Check::UnitIsEnabled { unit })
        .undone(undo)
}
