//! The plan that takes back what set-up did: from what of ours is there, and nothing else.

use super::Draft;
use super::explain;
use super::module;
use super::nodes;
use super::step::{Action, Actor, Check, Step, Undo, UnitScope};
use crate::facts::{Facts, Loaded, Node, OwnFile, PackageManager, Use};
use crate::files::{self, SetupRecord};
use crate::{Command, Generation, Known};

/// The steps that undo set-up.
pub(super) fn draft(facts: &Facts) -> Draft {
    let mut draft = Draft::default();
    user_unit(facts, &mut draft);
    boot_unit(facts, &mut draft);
    let nodes_go = remove_nodes(facts, &mut draft);
    if nodes_go && facts.own.run_record.is_and(Option::is_some) {
        let why = "No node that it lists is left";
        draft.steps.push(Step::remove(Actor::Root, files::RUN_RECORD, why));
    }
    let options = [(&facts.own.options, files::OPTIONS_FILE), (&facts.own.load, files::LOAD_FILE)];
    let options = options.iter().filter(|(file, _)| matches!(file, Known::Is(OwnFile::Ours(_))));
    let options: Vec<_> =
        options.map(|(_, path)| Step::remove(Actor::Root, *path, "Set-up wrote it")).collect();
    let was_set_up =
        !draft.steps.is_empty() || !options.is_empty() || facts.own.record.is_and(Option::is_some);
    if was_set_up && nodes_go && nobody_else_uses_the_module(facts, &draft) {
        let action = Action::UnloadModule { command: Command::words("modprobe -r v4l2loopback") };
        let why = "No node but ours needs it, and nobody uses it";
        let step = Step::new(Actor::Root, action, why).checked(Check::ModuleIsUnloaded);
        draft.steps.push(step);
    }
    // After the module: of one before 0.13, only these files say which nodes are ours.
    draft.steps.extend(options);
    if facts.own.record == Known::Unknown {
        let text = format!(
            "{} cannot be read, so set-up does not know what it has installed: packages stay.",
            files::SETUP_RECORD
        );
        draft.explanations.push(explain::stays(text));
    }
    if let Known::Is(Some(record)) = &facts.own.record {
        packages(facts, record, &mut draft);
        let why = "It lists what set-up had installed";
        draft.steps.push(Step::remove(Actor::Root, files::SETUP_RECORD, why));
    }
    draft
}

/// The unit with which greenroom runs in the session: set-up enables it, so undoing disables it; a
/// unit that the user has written is the user's.
fn user_unit(facts: &Facts, draft: &mut Draft) {
    let Known::Is(unit) = &facts.own.user_unit else { return };
    let Some(home) = &facts.session.home else { return };
    // With `sudo -E`, the home is another user's, whose session root cannot reach. Set-up as root enables nothing there.
    if facts.session.is_root {
        if unit.enabled || matches!(unit.in_home, OwnFile::Ours(_)) {
            let text = "This runs as root, and leaves your session alone, with which greenroom \
                        starts. Run this as yourself, without sudo.";
            draft.explanations.push(explain::stays(text).next("greenroom setup --undo"));
        }
        return;
    }
    let disable = Command::words("systemctl --user disable --now greenroom.service");
    if unit.enabled && unit.in_home == OwnFile::Foreign {
        let text = "greenroom still starts with your session, by a unit that set-up did not write; \
                    this ends that.";
        draft.explanations.push(explain::stays(text).next(disable.to_string()));
        return;
    }
    if unit.enabled {
        let name = files::USER_UNIT.to_owned();
        let enable = Command::words("systemctl --user enable --now greenroom.service");
        let scope = UnitScope::User;
        let action = Action::DisableUnit { unit: name.clone(), scope, command: disable };
        let step = Step::new(Actor::Program, action, "greenroom is not started with the session");
        let step = step.checked(Check::UnitIsDisabled { unit: name });
        draft.steps.push(step.undone(Undo::Run { command: enable }));
    }
    if matches!(unit.in_home, OwnFile::Ours(_)) {
        let path = files::user_unit_file(home);
        draft.steps.push(Step::remove(Actor::Program, path, "Set-up wrote it"));
    }
}

fn boot_unit(facts: &Facts, draft: &mut Draft) {
    let ours = matches!(facts.own.unit, Known::Is(OwnFile::Ours(_)));
    let shipped = facts.own.shipped_unit.is_and(Option::is_some);
    if facts.own.unit_is_enabled.is_true() && (ours || shipped) {
        let unit = files::UNIT.to_owned();
        let command = Command::words("systemctl disable --now").with([files::UNIT]);
        let action = Action::DisableUnit { unit: unit.clone(), scope: UnitScope::System, command };
        let step = Step::new(Actor::Root, action, "The camera is not added at the next start");
        let enable = Command::words("systemctl enable").with([files::UNIT]);
        let step = step.checked(Check::UnitIsDisabled { unit });
        draft.steps.push(step.undone(Undo::Run { command: enable }));
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
        let is_free = match node.usage() {
            Use::Nobody => true,
            // It is stopped by then.
            Use::Greenroom => stops_greenroom(draft),
            Use::Others(_) | Use::Unknown => false,
        };
        if !is_free {
            draft.explanations.push(explain::node_in_use(node, "greenroom setup --undo"));
            all = false;
        } else if dynamic {
            draft.steps.push(nodes::remove(facts, node, "Set-up added it"));
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

/// Whether an earlier step ends greenroom's service.
fn stops_greenroom(draft: &Draft) -> bool {
    let is_user =
        |action: &Action| matches!(action, Action::DisableUnit { scope: UnitScope::User, .. });
    draft.steps.iter().any(|step| is_user(&step.action))
}

/// The module can be unloaded: nobody has a node of it open (or only greenroom, which is stopped by
/// then), no node is somebody else's, and no file of somebody else's asks for it.
fn nobody_else_uses_the_module(facts: &Facts, draft: &Draft) -> bool {
    let Known::Is(Loaded::Yes { users, .. }) = &facts.module.loaded else { return false };
    let only_greenroom = || {
        let opened_by_it = |node: &Node| node.usage() == Use::Greenroom;
        stops_greenroom(draft) && nodes::ours(facts).any(opened_by_it)
    };
    (*users == Known::Is(0) || only_greenroom()) && nobody_else_wants_the_module(facts)
}

fn nobody_else_wants_the_module(facts: &Facts) -> bool {
    nodes::foreign(facts).next().is_none() && facts.configs.is_and(Vec::is_empty)
}

fn packages(facts: &Facts, record: &SetupRecord, draft: &mut Draft) {
    if let Some(certificate) = &record.certificate {
        let path = certificate.display().to_string();
        let text = "The firmware goes on trusting the key that signs modules on this machine, \
                    as other modules may be signed with it; this takes it back at the next start.";
        let command = module::delete_key(&path).as_root();
        draft.explanations.push(explain::stays(text).next(command));
    }
    let Known::Is(manager) = facts.system.package_manager else { return };
    // What an interrupted set-up had not installed yet is not there.
    let missing = match facts.packages.installed {
        Known::Is(_) => facts.packages.missing(&record.packages),
        Known::Unknown => Vec::new(),
    };
    let is_there = |package: &&String| !missing.contains(package);
    let packages: Vec<_> = record.packages.iter().filter(is_there).cloned().collect();
    if packages.is_empty() {
        return;
    }
    let command = module::remove_command(manager, &packages);
    if !nobody_else_wants_the_module(facts) {
        let text = format!(
            "Packages that set-up installed stay, since others have nodes of v4l2loopback or \
             options for it: {}.",
            packages.join(", ")
        );
        draft.explanations.push(explain::stays(text).next(command.as_root()));
        return;
    }
    let install = module::install_commands(facts, manager, &packages).pop();
    let check = Check::PackagesAreGone { packages: packages.clone() };
    let action = Action::RemovePackages { packages, command };
    let why = "Set-up installed them, and nobody else has a node of the module";
    let undo = install.map_or(Undo::Nothing, |command| Undo::Run { command });
    draft.steps.push(Step::new(Actor::Root, action, why).checked(check).undone(undo));
    let others = match manager {
        PackageManager::Apt => "sudo apt-get autoremove",
        PackageManager::Dnf => "sudo dnf autoremove",
        _ => return,
    };
    let text = "Packages that came along with those (compilers, DKMS) stay, since it cannot be \
                told which of them you use; this removes those that nothing needs.";
    draft.explanations.push(explain::stays(text).next(others));
}
