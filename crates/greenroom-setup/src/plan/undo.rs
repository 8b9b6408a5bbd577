//! The plan that takes back what set-up did: from what of ours is there, and nothing else.

use super::Draft;
use super::explain;
use super::module;
use super::nodes;
use super::step::{Action, Actor, Check, Step, Undo, UnitScope};
use crate::facts::{Facts, Loaded, OwnFile, PackageManager};
use crate::files::{self, SetupRecord};
use crate::{Command, Generation, Known};

/// The steps that undo set-up.
pub(super) fn draft(facts: &Facts) -> Draft {
    let mut draft = Draft::default();
    user_unit(facts, &mut draft);
    boot_unit(facts, &mut draft);
    let nodes_go = remove_nodes(facts, &mut draft);
    let module = [(&facts.own.options, files::OPTIONS_FILE), (&facts.own.load, files::LOAD_FILE)];
    for (file, path) in module {
        if matches!(file, Known::Is(OwnFile::Ours(_))) {
            draft.steps.push(Step::remove(Actor::Root, path, "Set-up wrote it"));
        }
    }
    let was_set_up = !draft.steps.is_empty() || facts.own.record.is_and(Option::is_some);
    if was_set_up && nodes_go && nobody_else_uses_the_module(facts) {
        let action = Action::UnloadModule { command: Command::words("modprobe -r v4l2loopback") };
        let why = "No node but ours needs it, and nobody uses it";
        let step = Step::new(Actor::Root, action, why).checked(Check::ModuleIsUnloaded);
        draft.steps.push(step);
    }
    if let Known::Is(Some(record)) = &facts.own.record {
        packages(facts, record, &mut draft);
        let why = "It lists what set-up had installed";
        draft.steps.push(Step::remove(Actor::Root, files::SETUP_RECORD, why));
    }
    draft
}

fn user_unit(facts: &Facts, draft: &mut Draft) {
    let Known::Is(unit) = &facts.own.user_unit else { return };
    let Some(home) = &facts.session.home else { return };
    // A unit that set-up did not write may have been enabled by the user.
    if !matches!(unit.in_home, OwnFile::Ours(_)) {
        if unit.enabled {
            let text = "greenroom still starts with your session; this ends that.";
            let command = "systemctl --user disable --now greenroom.service";
            draft.explanations.push(explain::stays(text).next(command));
        }
        return;
    }
    if unit.enabled {
        let name = files::USER_UNIT.to_owned();
        let command = Command::words("systemctl --user disable --now greenroom.service");
        let action = Action::DisableUnit { unit: name.clone(), scope: UnitScope::User, command };
        let step = Step::new(Actor::Program, action, "greenroom is not started with the session");
        draft.steps.push(step.checked(Check::UnitIsDisabled { unit: name }));
    }
    let why = "Set-up wrote it";
    draft.steps.push(Step::remove(Actor::Program, files::user_unit_file(home), why));
}

fn boot_unit(facts: &Facts, draft: &mut Draft) {
    let ours = matches!(facts.own.unit, Known::Is(OwnFile::Ours(_)));
    let shipped = facts.own.shipped_unit.is_and(Option::is_some);
    if facts.own.unit_is_enabled.is_true() && (ours || shipped) {
        let unit = files::UNIT.to_owned();
        let command = Command::words("systemctl disable --now").with([files::UNIT]);
        let action = Action::DisableUnit { unit: unit.clone(), scope: UnitScope::System, command };
        let step = Step::new(Actor::Root, action, "The camera is not added at the next start");
        draft.steps.push(step.checked(Check::UnitIsDisabled { unit }));
    }
    if ours {
        draft.steps.push(Step::remove(Actor::Root, files::UNIT_FILE, "Set-up wrote it"));
    }
}

/// Removes our nodes that nobody uses. Says whether all of ours go.
fn remove_nodes(facts: &Facts, draft: &mut Draft) -> bool {
    let dynamic = facts.loaded_generation() == Some(Generation::Dynamic);
    let mut all = true;
    for node in nodes::ours(facts) {
        let number = node.number;
        let users = node.users.get().map(Vec::as_slice);
        if users != Some(&[]) {
            let again = "greenroom setup --undo";
            draft.explanations.push(explain::node_in_use(node, users, again));
            all = false;
        } else if dynamic {
            let action = Action::RemoveNode { number };
            let step = Step::new(Actor::Root, action, "Set-up added it; nobody uses it");
            draft.steps.push(step.checked(Check::NodeIsGone { number }));
        } else if nodes::foreign(facts).next().is_some() {
            let text = format!(
                "/dev/video{number} stays until the next restart, since this version of \
                 v4l2loopback (before 0.13) removes all nodes at once and others have one."
            );
            draft.explanations.push(explain::stays(text));
            all = false;
        }
    }
    all
}

/// The module can be unloaded: nobody has a node of it open, no node is somebody else's, and no file
/// of somebody else's asks for it.
fn nobody_else_uses_the_module(facts: &Facts) -> bool {
    let unused = matches!(facts.module.loaded, Known::Is(Loaded::Yes { users: Known::Is(0), .. }));
    unused && nobody_else_wants_the_module(facts)
}

fn nobody_else_wants_the_module(facts: &Facts) -> bool {
    nodes::foreign(facts).next().is_none() && facts.configs.is_and(Vec::is_empty)
}

fn packages(facts: &Facts, record: &SetupRecord, draft: &mut Draft) {
    if let Some(certificate) = &record.certificate {
        let path = certificate.display().to_string();
        let text = "The firmware goes on trusting the key that signs modules on this machine, since \
                    other modules may be signed with it; this takes it back, at the next start.";
        let command = module::delete_key(&path).as_root();
        draft.explanations.push(explain::stays(text).next(command));
    }
    if record.packages.is_empty() {
        return;
    }
    let Known::Is(manager) = facts.system.package_manager else { return };
    let packages = record.packages.clone();
    let command = module::remove_command(manager, &packages);
    if !nobody_else_wants_the_module(facts) {
        let text = format!(
            "Packages that set-up installed stay, since others have nodes of v4l2loopback or options \
             for it: {}.",
            packages.join(", ")
        );
        draft.explanations.push(explain::stays(text).next(command.as_root()));
        return;
    }
    let check = Check::PackagesAreGone { packages: packages.clone() };
    let action = Action::RemovePackages { packages, command };
    let why = "Set-up installed them, and nobody else has a node of the module";
    let stays = Undo::Stays { why: "`greenroom setup` installs them again".to_owned() };
    draft.steps.push(Step::new(Actor::Root, action, why).checked(check).undone(stays));
    let others = match manager {
        PackageManager::Apt => "sudo apt-get autoremove",
        PackageManager::Dnf => "sudo dnf autoremove",
        _ => return,
    };
    let text = "Packages that came along with those (compilers, DKMS) stay, since it cannot be told \
                which of them you use; this removes those that nothing needs.";
    draft.explanations.push(explain::stays(text).next(others));
}
