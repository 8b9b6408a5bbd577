//! The plan that sets the virtual camera up.

use super::nodes::{self, State, Wanted};
use super::step::{Action, Actor, Condition, Step};
use super::{Draft, Explanation, by_hand, dynamic, explain, fixed, module, user_unit};
use crate::distribution::{
    ModuleSource, Signature, module_is_there, module_source, ubuntu_video_packages,
};
use crate::facts::{
    AKMODS_CERTIFICATE, DKMS_CERTIFICATE, Directive, Environment, Facts, Installed, PackageManager,
    SystemKind, UBUNTU_CERTIFICATE,
};
use crate::files::SetupRecord;
use crate::{Command, Distribution, Generation, Known, Label, Wish, files};

/// What is known before the steps are made.
pub(super) struct Setting<'f> {
    pub(super) facts: &'f Facts,
    pub(super) wanted: Vec<Wanted<'f>>,
    /// Where the module comes from; `None` if it is there.
    pub(super) source: Option<ModuleSource>,
    /// How the module makes its nodes after the next start.
    pub(super) generation: Generation,
    /// The certificate of a key that has to be imported.
    pub(super) certificate: Option<&'static str>,
    /// Nothing can be loaded or added before the next start.
    pub(super) waits_for_restart: bool,
}

impl Setting<'_> {
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.wanted.iter().map(|wanted| wanted.number).collect()
    }

    pub(super) fn labels(&self) -> Vec<Label> {
        self.wanted.iter().map(|wanted| wanted.label.clone()).collect()
    }

    /// The label of the first node, of which the others are made.
    pub(super) fn label(&self) -> Label {
        self.wanted.first().map_or_else(Label::default, |wanted| wanted.label.clone())
    }

    pub(super) fn at_boot(&self) -> Command {
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
    // Somebody's file makes all of them at every start, or the configuration of NixOS does.
    let of_somebody = |wanted: &Wanted<'_>| matches!(wanted.state, State::Foreign(_, Some(_)));
    let of_nixos = facts.system.kind == SystemKind::NixOs && !wanted.iter().any(Wanted::is_missing);
    if !of_nixos && !wanted.iter().all(of_somebody) {
        let setting = setting(facts, wanted)?;
        camera(&setting, &mut draft)?;
    }
    end_interrupted_run(facts, &mut draft);
    let is_last = |step: &Step| step.actor == Actor::Person;
    let last = draft.steps.iter().position(is_last).unwrap_or(draft.steps.len());
    let last = draft.steps.split_off(last);
    user_unit::enable(facts, &mut draft);
    draft.steps.extend(last);
    Ok(draft)
}

/// The record of a run that was interrupted after its last step is put right: every other run does
/// that at its end.
fn end_interrupted_run(facts: &Facts, draft: &mut Draft) {
    let Known::Is(Some(record)) = &facts.own.record else { return };
    if record.in_progress.is_none() || draft.steps.iter().any(|step| step.actor == Actor::Root) {
        return;
    }
    let why = "An earlier run was interrupted when everything was done";
    let record = SetupRecord { in_progress: None, ..record.clone() };
    draft.steps.push(if record == SetupRecord::default() {
        Step::remove(Actor::Root, files::SETUP_RECORD, why)
    } else {
        Step::write(Actor::Root, files::SETUP_RECORD, record.to_json(), true, why)
    });
}

/// Finds out what the steps depend on, and whether there can be any.
fn setting<'f>(facts: &'f Facts, wanted: Vec<Wanted<'f>>) -> Result<Setting<'f>, Explanation> {
    let is_there = module_is_there(facts);
    match facts.system.kind {
        SystemKind::NixOs => return Err(explain::nixos(by_hand::nixos_lines(facts, &wanted))),
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
        return Err(explain::no_systemd(&by_hand::commands(&setting)));
    }
    if facts.system.etc_is_read_only.is_true() {
        return Err(explain::read_only_etc(&by_hand::commands(&setting)));
    }
    Ok(setting)
}

/// Who signed a module that is installed and not loaded.
fn signature_of_installed(facts: &Facts) -> Signature {
    let built_here =
        matches!(facts.module.installed, Known::Is(Installed::Yes { built_here: true, .. }));
    match facts.system.os.get().map(Distribution::of) {
        _ if !built_here => Signature::Distribution,
        Some(Distribution::Ubuntu) => Signature::OwnKey(UBUNTU_CERTIFICATE),
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
        dynamic::steps(setting, condition, draft)?;
    }
    if let Some(condition) = fixed {
        waits_for_restart |= fixed::steps(setting, condition, draft)?;
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

fn restart(setting: &Setting<'_>) -> Step {
    let why = if setting.certificate.is_some() {
        "The key is trusted, and the module loaded, only after a restart".to_owned()
    } else if setting.facts.kernel.modules.is_false() {
        "The running kernel was replaced by an update, and its modules are gone".to_owned()
    } else if let Some(successor) = setting.facts.kernel.successor() {
        format!("The module is installed for the newer kernel {successor}, which runs next")
    } else if setting.facts.installed_generation() != setting.facts.loaded_generation() {
        "The module that is loaded is older than the one that is installed".to_owned()
    } else {
        "The module is loaded with other options, and is loaded anew only with the system"
            .to_owned()
    };
    Step::new(Actor::Person, Action::Restart, why)
}
