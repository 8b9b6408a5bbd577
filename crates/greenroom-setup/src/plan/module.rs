//! The steps after which the module is there.

use std::path::PathBuf;

use super::step::{Action, Actor, Check, Step, Undo};
use crate::distribution::{Builder, ModuleSource, Signature};
use crate::facts::{Facts, Installed, KeyState, PackageManager};
use crate::files::{self, SetupRecord};
use crate::{Command, Known};

/// The steps that install the module. `certificate` is that of the key that signs it, where the
/// kernel asks for a signature.
pub(super) fn install(
    facts: &Facts,
    source: &ModuleSource,
    certificate: Option<&str>,
) -> Vec<Step> {
    let mut packages = source.packages.clone();
    let mut first = Vec::new();
    let akmods = source.builds == Some(Builder::Akmods);
    if certificate.is_some() && akmods {
        // The key has to be there before the module is built with it.
        first = ["akmods", "kmodtool", "mokutil", "openssl"].map(str::to_owned).to_vec();
    } else if certificate.is_some() && !facts.security.mokutil {
        packages.push("mokutil".to_owned());
    }
    let all: Vec<_> = first.iter().chain(&packages).cloned().collect();
    let mut steps: Vec<_> = record(facts, &all, certificate).into_iter().collect();
    if source.manager == PackageManager::Dnf && !facts.packages.rpm_fusion.is_true() {
        steps.push(rpm_fusion(facts));
    }
    let why = "They make the key and have it imported; the key has to be there before the module \
               is built";
    steps.extend(packages_step(facts, source.manager, &first, why));
    if let (Some(certificate), true) = (certificate, akmods) {
        steps.push(make_key(certificate));
    }
    steps.extend(packages_step(facts, source.manager, &packages, &source.why));
    steps.extend(build(facts, source));
    steps
}

/// Installs packages of the kernel alone, for a module that is there.
pub(super) fn install_packages(facts: &Facts, packages: &[String], why: &str) -> Vec<Step> {
    let record = record(facts, packages, None);
    let install = packages_step(facts, PackageManager::Apt, packages, why);
    record.into_iter().chain(install).collect()
}

/// The commands that install packages.
pub(super) fn install_commands(
    facts: &Facts,
    manager: PackageManager,
    packages: &[String],
) -> Vec<Command> {
    let command = |words: &str| Command::words(words).with(packages.iter().cloned());
    match manager {
        PackageManager::Apt => {
            let known = packages.iter().all(|package| facts.packages.has(package).is_true());
            let update = (!known).then(|| Command::words("apt-get update"));
            // --no-remove: nothing of the user's is removed for it.
            let install = "env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-remove";
            update.into_iter().chain([command(install)]).collect()
        }
        PackageManager::Dnf => vec![command("dnf install --assumeyes")],
        // No -y: new lists without an upgrade of everything is what Arch warns of.
        PackageManager::Pacman => vec![command("pacman -S --needed --noconfirm")],
        PackageManager::Zypper => vec![command("zypper --non-interactive install")],
        PackageManager::Apk => vec![command("apk add")],
    }
}

/// The command that removes packages.
pub(super) fn remove_command(manager: PackageManager, packages: &[String]) -> Command {
    let words = match manager {
        PackageManager::Apt => "env DEBIAN_FRONTEND=noninteractive apt-get purge --yes",
        PackageManager::Dnf => "dnf remove --assumeyes --noautoremove",
        PackageManager::Pacman => "pacman -R --noconfirm",
        PackageManager::Zypper => "zypper --non-interactive remove",
        PackageManager::Apk => "apk del",
    };
    Command::words(words).with(packages.iter().cloned())
}

/// What the person does so that the firmware trusts a key.
pub(super) fn key_instructions(certificate: &str, state: Known<KeyState>) -> Vec<String> {
    let import = format!(
        "Run `sudo mokutil --import {certificate}` and choose a password, which is asked for once, \
         at the next start"
    );
    let rest = [
        "At the next start, a blue screen, \"Perform MOK management\", comes before the system: \
         press a key within ten seconds",
        "Choose \"Enroll MOK\", \"Continue\", \"Yes\", and type the password (as on a US keyboard)",
        "Choose \"Reboot\"",
    ];
    let import = (state != Known::Is(KeyState::Requested)).then_some(import);
    import.into_iter().chain(rest.map(str::to_owned)).collect()
}

/// The step in which the person has the firmware trust a key.
pub(super) fn import_key(certificate: &str, state: Known<KeyState>) -> Step {
    let action = Action::ImportKey {
        certificate: certificate.into(),
        instructions: key_instructions(certificate, state),
    };
    let why = "Secure Boot is on: the kernel loads a module that was built here only if the \
               firmware trusts the key that signed it, which only a person at the keyboard can say";
    Step::new(Actor::Person, action, why)
        .checked(Check::KeyIsEnrolled { certificate: certificate.into() })
        .undone(Undo::Run { command: delete_key(certificate) })
}

/// The command that takes the import of a key back, with the same blue screen.
pub(super) fn delete_key(certificate: &str) -> Command {
    Command::words("mokutil --delete").with([certificate])
}

/// What is installed is written down first, so that an interrupted run can be undone.
fn record(facts: &Facts, packages: &[String], certificate: Option<&str>) -> Option<Step> {
    let before = facts.own.record.get().cloned().flatten();
    let is_there = before.is_some();
    let before = SetupRecord { in_progress: None, ..before.unwrap_or_default() };
    let mut record = before.clone();
    for package in facts.packages.missing(packages) {
        if !record.packages.contains(&package) {
            record.packages.push(package);
        }
    }
    record.certificate = certificate.map(PathBuf::from).or(record.certificate);
    if record == before {
        return None;
    }
    let why = match facts.packages.installed {
        Known::Is(_) => {
            "It lists what set-up installs, so that `--undo` removes that and nothing else"
        }
        Known::Unknown => {
            "It lists what set-up installs, so that `--undo` removes that and nothing else; the \
             helper leaves out packages that are installed already"
        }
    };
    Some(Step::write(Actor::Root, files::SETUP_RECORD, record.to_json(), is_there, why))
}

/// The package that sets RPM Fusion up, as rpmfusion.org/Configuration names it.
fn rpm_fusion(facts: &Facts) -> Step {
    let version = facts.system.os.get().and_then(|os| os.version.clone()).unwrap_or_default();
    let package = format!(
        "https://mirrors.rpmfusion.org/free/fedora/rpmfusion-free-release-{version}.noarch.rpm"
    );
    let commands = vec![Command::words("dnf install --assumeyes").with([package])];
    let path = PathBuf::from("/etc/yum.repos.d/rpmfusion-free.repo");
    let why = "Fedora itself has no package of the module; RPM Fusion, a repository of other \
               makers, has one";
    let stays = "other programs may have been installed from it since";
    Step::new(
        Actor::Root,
        Action::AddRepository { name: "RPM Fusion free".to_owned(), commands },
        why,
    )
    .checked(Check::FileIsThere { path })
    .undone(Undo::Stays { why: stays.to_owned() })
}

fn make_key(certificate: &str) -> Step {
    let action = Action::MakeKey {
        certificate: certificate.into(),
        command: Command::words("kmodgenca -a"),
    };
    let why = "akmods signs modules with this key; a key that is there is kept";
    Step::new(Actor::Root, action, why)
        .checked(Check::FileIsThere { path: certificate.into() })
        .undone(Undo::Stays { why: "other modules may have been signed with it since".to_owned() })
}

/// Installs those of `packages` that are missing.
fn packages_step(
    facts: &Facts,
    manager: PackageManager,
    packages: &[String],
    why: &str,
) -> Option<Step> {
    let packages = facts.packages.missing(packages);
    if packages.is_empty() {
        return None;
    }
    let commands = install_commands(facts, manager, &packages);
    let undo = Undo::Run { command: remove_command(manager, &packages) };
    let check = Check::PackagesAreInstalled { packages: packages.clone() };
    let action = Action::InstallPackages { manager, packages, commands };
    Some(Step::new(Actor::Root, action, why).checked(check).undone(undo))
}

/// Builds the module where installing its package may not: akmods builds in the background, and
/// DKMS does not build again for a kernel that came with headers while it failed.
fn build(facts: &Facts, source: &ModuleSource) -> Option<Step> {
    let kernel = facts.kernel.release.get()?.clone();
    let runs_on = facts.kernel.modules.is_true() && facts.kernel.successor().is_none();
    let only_for_others = matches!(facts.module.installed, Known::Is(Installed::OnlyFor(_)));
    let (command, why) = match source.builds? {
        Builder::Akmods if runs_on => (
            Command::words("akmods --force --akmod v4l2loopback --kernels").with([&kernel]),
            "It waits until the module is built, which the package itself does in the background",
        ),
        Builder::Dkms if only_for_others && facts.kernel.modules.is_true() => (
            Command::words("dkms autoinstall -k").with([&kernel]),
            "The module was built for other kernels only",
        ),
        Builder::Akmods | Builder::Dkms => return None,
    };
    let check = Check::ModuleIsInstalled { kernel };
    Some(Step::new(Actor::Root, Action::BuildModule { command }, why).checked(check))
}

/// The certificate of the key whose import the kernel asks for.
pub(super) fn key_to_import(facts: &Facts, signature: Signature) -> Option<&'static str> {
    let Signature::OwnKey(certificate) = signature else { return None };
    let enrolled = facts.security.key(certificate) == Known::Is(KeyState::Enrolled);
    (facts.security.signature_required().is_true() && !enrolled).then_some(certificate)
}
