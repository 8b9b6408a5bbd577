//! The plan that sets the virtual camera up.

use std::path::Path;

use super::Draft;
use super::explain::{self, Explanation};
use super::module;
use super::nodes::{self, State, Wanted};
use super::step::{Action, Actor, Check, Condition, NewNode, Step, Undo, UnitScope};
use crate::distribution::{
    ModuleSource, Signature, module_is_there, module_source, ubuntu_video_packages,
};
use crate::facts::{
    AKMODS_CERTIFICATE, DKMS_CERTIFICATE, Directive, Environment, Facts, Loaded, OwnFile,
    PackageManager, SystemKind,
};
use crate::{Command, Distribution, Generation, Known, Label, Wish, files};

/// What is known before the steps are made.
struct Setting<'f> {
    facts: &'f Facts,
    wanted: Vec<Wanted<'f>>,
    /// Where the module comes from; `None` if it is there.
    source: Option<ModuleSource>,
    /// How the module makes its nodes after the next start.
    generation: Generation,
    /// The certificate of a key that has to be imported.
    certificate: Option<&'static str>,
    /// Nothing can be loaded or added before the next start.
    waits_for_restart: bool,
}

impl Setting<'_> {
    fn numbers(&self) -> Vec<u32> {
        self.wanted.iter().map(|wanted| wanted.number).collect()
    }

    fn labels(&self) -> Vec<Label> {
        self.wanted.iter().map(|wanted| wanted.label.clone()).collect()
    }

    /// The label of the first node, of which the others are made.
    fn label(&self) -> Label {
        self.wanted.first().map_or_else(Label::default, |wanted| wanted.label.clone())
    }

    fn at_boot(&self) -> Command {
        files::at_boot_command(&self.facts.session.program.path, &self.label(), &self.numbers())
    }
}

/// The steps, or why there are none.
pub(super) fn draft(facts: &Facts, wish: &Wish) -> Result<Draft, Explanation> {
    match facts.system.environment {
        Environment::Container => return Err(explain::container()),
        Environment::Wsl => return Err(explain::wsl()),
        Environment::Machine => {}
    }
    let wanted = nodes::layout(facts, wish)?;
    let mut draft = Draft::default();
    for wanted in &wanted {
        if let State::Foreign(node, maker) = wanted.state {
            draft.explanations.push(explain::foreign_node_used(node, maker));
        }
    }
    // Somebody's file makes all of them at every start.
    if !wanted.iter().all(|wanted| matches!(wanted.state, State::Foreign(_, Some(_)))) {
        let setting = setting(facts, wanted)?;
        camera(&setting, &mut draft)?;
    }
    let is_last = |step: &Step| step.actor == Actor::Person;
    let last = draft.steps.iter().position(is_last).unwrap_or(draft.steps.len());
    let last = draft.steps.split_off(last);
    user_unit(facts, &mut draft)?;
    draft.steps.extend(last);
    Ok(draft)
}

/// Finds out what the steps depend on, and whether there can be any.
fn setting<'f>(facts: &'f Facts, wanted: Vec<Wanted<'f>>) -> Result<Setting<'f>, Explanation> {
    let is_there = module_is_there(facts);
    match facts.system.kind {
        SystemKind::NixOs => return Err(explain::nixos(nixos_lines(facts, &wanted))),
        SystemKind::UbuntuCore => return Err(explain::atomic_system(facts)),
        SystemKind::Ostree | SystemKind::Transactional | SystemKind::SteamOs if !is_there => {
            return Err(explain::atomic_system(facts));
        }
        _ => {}
    }
    let source = if is_there { None } else { Some(module_source(facts)?) };
    let generation = match &source {
        Some(source) => source.generation,
        None => facts.installed_generation().unwrap_or(Generation::Unknown),
    };
    let signature = match (&source, facts.loaded_generation()) {
        (Some(source), _) => source.signature,
        (None, Some(_)) => Signature::Distribution,
        (None, None) => signature_of_installed(facts),
    };
    if source.is_some()
        && signature == Signature::None
        && facts.security.signature_required().is_true()
    {
        return Err(explain::signature_required());
    }
    let certificate = module::key_to_import(facts, signature);
    let stale =
        facts.loaded_generation() == Some(Generation::Fixed) && generation == Generation::Dynamic;
    let for_successor =
        source.is_some() && facts.kernel.successor().is_some() && !facts.kernel.headers.is_true();
    let waits_for_restart =
        certificate.is_some() || stale || for_successor || facts.kernel.modules.is_false();
    let setting = Setting { facts, wanted, source, generation, certificate, waits_for_restart };
    if !facts.system.systemd.is_true() {
        return Err(explain::no_systemd(&by_hand(&setting)));
    }
    if facts.system.etc_is_read_only.is_true() {
        return Err(explain::read_only_etc(&setting.at_boot()));
    }
    Ok(setting)
}

/// Who signed a module that is installed and not loaded.
fn signature_of_installed(facts: &Facts) -> Signature {
    match facts.system.os.get().map(Distribution::of) {
        Some(Distribution::Debian) => Signature::OwnKey(DKMS_CERTIFICATE),
        Some(Distribution::Fedora) if facts.system.kind == SystemKind::Ordinary => {
            Signature::OwnKey(AKMODS_CERTIFICATE)
        }
        _ => Signature::Distribution,
    }
}

/// All steps but the user's unit.
fn camera(setting: &Setting<'_>, draft: &mut Draft) -> Result<(), Explanation> {
    let facts = setting.facts;
    module_steps(setting, draft)?;
    if let Some((config, _)) =
        facts.foreign_options().find(|(_, line)| line.directive == Directive::Install)
    {
        draft.explanations.push(explain::install_line(config));
    }
    // Which of the two it is may be known only when the module is installed.
    let (dynamic, fixed) = match setting.generation {
        Generation::Dynamic => (Some(Condition::Always), None),
        Generation::Fixed => (None, Some(Condition::Always)),
        Generation::Unknown => (Some(Condition::ModuleIsDynamic), Some(Condition::ModuleIsFixed)),
    };
    let mut waits_for_restart = setting.waits_for_restart;
    if let Some(condition) = dynamic {
        dynamic_steps(setting, condition, draft)?;
    }
    if let Some(condition) = fixed {
        waits_for_restart |= fixed_steps(setting, condition, draft)?;
    }
    if let Some(certificate) = setting.certificate {
        let state = facts.security.key(certificate);
        draft.steps.push(module::import_key(certificate, state));
    }
    let something_changes = draft.steps.iter().any(|step| step.actor == Actor::Root);
    if waits_for_restart && (something_changes || setting.wanted.iter().any(Wanted::is_missing)) {
        draft.steps.push(restart(setting));
    }
    Ok(())
}

fn module_steps(setting: &Setting<'_>, draft: &mut Draft) -> Result<(), Explanation> {
    let facts = setting.facts;
    let apt = facts.system.package_manager == Known::Is(PackageManager::Apt);
    let broken = apt && facts.packages.broken_dkms.is_true();
    let lacks_video = facts.loaded_generation().is_none() && facts.kernel.videodev.is_false();
    match &setting.source {
        Some(_) if broken => return Err(explain::broken_dkms()),
        Some(source) => {
            draft.steps.extend(module::install(facts, source, setting.certificate));
            if let (Signature::OwnKey(certificate), Known::Unknown) =
                (source.signature, facts.security.signature_required())
            {
                let lines = module::key_instructions(certificate, Known::Unknown);
                draft.explanations.push(explain::maybe_key_import(&lines));
            }
        }
        None if lacks_video => {
            if facts.system.os.get().map(Distribution::of) != Some(Distribution::Ubuntu) {
                let release = facts.kernel.release.get().map_or("", String::as_str);
                return Err(explain::kernel_without_video(release));
            }
            let why = "The module is there, but this kernel, made for clouds, has the video core \
                       that it needs in a package of its own";
            let packages = ubuntu_video_packages(facts);
            draft.steps.extend(module::install_packages(facts, &packages, why));
        }
        None if broken => draft.explanations.push(explain::broken_dkms()),
        None => {}
    }
    Ok(())
}

/// The boot unit, and the nodes now.
fn dynamic_steps(
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
    replace_nodes(setting, condition, draft);
    Ok(())
}

/// Removes nodes of ours that are outdated or not wanted any more, and adds the missing ones.
fn replace_nodes(setting: &Setting<'_>, condition: Condition, draft: &mut Draft) {
    let facts = setting.facts;
    let mut new = Vec::new();
    for wanted in &setting.wanted {
        let ready = match wanted.state {
            State::There | State::Foreign(..) => false,
            State::Missing => true,
            State::Outdated(node) => {
                let step = remove_node(node, "It was made with other settings", draft);
                step.map(|step| draft.steps.push(step.only_if(condition))).is_some()
            }
        };
        if ready {
            new.push(NewNode { number: wanted.number, label: wanted.label.to_string() });
        }
    }
    for node in nodes::unwanted(facts, &setting.wanted) {
        let step = remove_node(node, "It is not wanted any more", draft);
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

/// Removes a node, if certainly nobody uses it; else says who does.
fn remove_node(node: &crate::facts::Node, why: &str, draft: &mut Draft) -> Option<Step> {
    let users = node.users.get().map(Vec::as_slice);
    if users != Some(&[]) {
        draft.explanations.push(explain::node_in_use(node, users, "greenroom setup"));
        return None;
    }
    let number = node.number;
    let stays = Undo::Stays { why: "`greenroom setup` adds it again".to_owned() };
    Some(
        Step::new(Actor::Root, Action::RemoveNode { number }, format!("{why}; nobody uses it"))
            .checked(Check::NodeIsGone { number })
            .undone(stays),
    )
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

/// The options file, and the module loaded now. Says whether the system has to be restarted.
fn fixed_steps(
    setting: &Setting<'_>,
    condition: Condition,
    draft: &mut Draft,
) -> Result<bool, Explanation> {
    let facts = setting.facts;
    let certain = condition == Condition::Always;
    let options = files::options(&setting.labels(), &setting.numbers());
    let obstacle = if facts.configs == Known::Unknown {
        Some(explain::unreadable_configs())
    } else {
        let line = options.lines().last().unwrap_or_default();
        let mut foreign = facts.foreign_options();
        foreign.next().map(|(config, _)| explain::foreign_options(config, line, setting.generation))
    };
    match obstacle {
        Some(obstacle) if certain => return Err(obstacle),
        Some(obstacle) => {
            draft.explanations.push(obstacle);
            return Ok(false);
        }
        None => {}
    }
    let why = "This version of the module makes its nodes when it is loaded, and no other file gives \
               it options";
    let mut changed = own_file(&facts.own.options, files::OPTIONS_FILE, options, why)?;
    let why = "The module is loaded at every start";
    changed.extend(own_file(&facts.own.load, files::LOAD_FILE, files::load(), why)?);
    let changes = !changed.is_empty();
    draft.steps.extend(changed.into_iter().map(|step| step.only_if(condition)));
    if setting.waits_for_restart || !(changes || setting.wanted.iter().any(Wanted::is_missing)) {
        return Ok(false);
    }
    let load = Command::words("modprobe v4l2loopback");
    let commands = match &facts.module.loaded {
        Known::Is(Loaded::No) => vec![load],
        Known::Is(Loaded::Yes { users: Known::Is(0), .. })
            if nodes::foreign(facts).next().is_none() =>
        {
            vec![Command::words("modprobe -r v4l2loopback"), load]
        }
        _ => {
            draft.explanations.push(explain::module_in_use());
            return Ok(true);
        }
    };
    let labels = setting.labels().iter().map(Label::to_string).collect();
    let why = "The camera is there now, and not only after a restart";
    let step = Step::new(Actor::Root, Action::LoadModule { commands }, why)
        .checked(Check::NodesAreThere { labels })
        .undone(Undo::UnloadModule);
    draft.steps.push(step.only_if(condition));
    Ok(false)
}

/// Writes one of our files, if it is not there as it should be.
fn own_file(
    file: &Known<OwnFile>,
    path: &str,
    content: String,
    why: &str,
) -> Result<Vec<Step>, Explanation> {
    let before = match file {
        Known::Is(OwnFile::Foreign) => return Err(explain::foreign_file(path)),
        Known::Is(OwnFile::Ours(text)) if *text == content => return Ok(Vec::new()),
        Known::Is(OwnFile::Ours(_)) => true,
        Known::Is(OwnFile::Absent) | Known::Unknown => false,
    };
    Ok(vec![Step::write(Actor::Root, path, content, before, why)])
}

fn restart(setting: &Setting<'_>) -> Step {
    let why = if setting.certificate.is_some() {
        "The key is trusted, and the module loaded, only after a restart".to_owned()
    } else if setting.facts.kernel.modules.is_false() {
        "The running kernel was replaced by an update, and its modules are gone".to_owned()
    } else if let Some(successor) = setting.facts.kernel.successor() {
        format!("The module is installed for the newer kernel {successor}, which runs next")
    } else {
        "The module that is loaded is in use, or older than the one that is installed".to_owned()
    };
    Step::new(Actor::Person, Action::Restart, why)
}

/// The unit with which greenroom runs in the user's session.
fn user_unit(facts: &Facts, draft: &mut Draft) -> Result<(), Explanation> {
    let Known::Is(unit) = &facts.own.user_unit else { return Ok(()) };
    let Some(home) = &facts.session.home else { return Ok(()) };
    if unit.enabled || !facts.system.systemd.is_true() {
        return Ok(());
    }
    if facts.session.is_root {
        draft.explanations.push(explain::user_unit());
        return Ok(());
    }
    if unit.shipped.is_none() && unit.in_home == OwnFile::Absent {
        draft.steps.push(write_user_unit(home, &facts.session.program.path));
    }
    let systemctl = |words: &str| Command::words("systemctl --user").with(words.split(' '));
    let commands = vec![systemctl("daemon-reload"), systemctl("enable --now greenroom.service")];
    let name = files::USER_UNIT.to_owned();
    let action = Action::EnableUnit { unit: name.clone(), scope: UnitScope::User, commands };
    let why = "greenroom shows its picture in the camera whenever a program opens it";
    let undo = Undo::Run { command: systemctl("disable --now greenroom.service") };
    let step = Step::new(Actor::Program, action, why);
    draft.steps.push(step.checked(Check::UnitIsEnabled { unit: name }).undone(undo));
    Ok(())
}

fn write_user_unit(home: &Path, program: &Path) -> Step {
    let why = "No package has brought the unit with which greenroom runs in your session";
    let content = files::user_unit(program);
    Step::write(Actor::Program, files::user_unit_file(home), content, false, why)
}

/// The commands that a person runs where there is no systemd.
fn by_hand(setting: &Setting<'_>) -> Vec<String> {
    let facts = setting.facts;
    let install = setting
        .source
        .as_ref()
        .map(|source| module::install_commands(facts, source.manager, &source.packages));
    let mut lines: Vec<_> =
        install.into_iter().flatten().map(|command| command.as_root()).collect();
    if setting.generation == Generation::Fixed {
        let options = files::options(&setting.labels(), &setting.numbers());
        let options = options.lines().last().unwrap_or_default().to_owned();
        lines.push(format!("sudo modprobe{}", options.trim_start_matches("options")));
    } else {
        let somebody = facts.foreign_options().next().is_some();
        lines.push(files::load_command(somebody).as_root());
        lines.push(setting.at_boot().as_root());
    }
    lines
}

/// The lines of a NixOS configuration after which the nodes are there at every start.
fn nixos_lines(facts: &Facts, wanted: &[Wanted<'_>]) -> Vec<String> {
    let labels: Vec<_> = wanted.iter().map(|wanted| wanted.label.clone()).collect();
    let numbers: Vec<_> = wanted.iter().map(|wanted| wanted.number).collect();
    let mut lines = vec![
        "boot.extraModulePackages = [ config.boot.kernelPackages.v4l2loopback ];".to_owned(),
        "boot.kernelModules = [ \"v4l2loopback\" ];".to_owned(),
    ];
    if facts.foreign_options().next().is_some() {
        // Their options stay; our node is added beside theirs.
        let label = labels.first().cloned().unwrap_or_default();
        let program = Path::new("/run/current-system/sw/bin/greenroom");
        let command = files::at_boot_command(program, &label, &numbers);
        lines.extend([
            "systemd.services.greenroom-camera = {".to_owned(),
            "  wantedBy = [ \"multi-user.target\" ];".to_owned(),
            "  after = [ \"systemd-modules-load.service\" ];".to_owned(),
            "  serviceConfig = { Type = \"oneshot\"; RemainAfterExit = true; };".to_owned(),
            format!("  script = \"{}\";", command.to_string().replace('"', "\\\"")),
            "};".to_owned(),
        ]);
    } else {
        let options = files::options(&labels, &numbers);
        let options = options.lines().last().unwrap_or_default();
        lines.push(format!("boot.extraModprobeConfig = ''{options}'';"));
    }
    lines
}
