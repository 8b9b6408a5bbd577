//! Distributions that have no module in the usual way.

use greenroom_setup::Distribution;
use greenroom_setup::facts::SystemKind;

use super::{Context, error};
use crate::{Finding, FindingId, Instruction};

/// Fedora's own repositories do not have the module.
pub(super) fn fedora_package(context: Context<'_>) -> Vec<Finding> {
    let system = &context.facts.system;
    let is_fedora = system.os.is_and(|os| Distribution::of(os) == Distribution::Fedora);
    let ordinary = system.kind == SystemKind::Ordinary;
    if !is_fedora || !ordinary || !context.lacks_module() {
        return Vec::new();
    }
    if context.facts.packages.rpm_fusion.is_true() {
        return Vec::new();
    }
    let found = error(
        FindingId::FedoraPackage,
        "dnf finds no package v4l2loopback.",
        "Fedora's own repositories do not have the module; RPM Fusion, a repository of other \
         makers, has it as akmod-v4l2loopback.",
        "Set-up adds RPM Fusion, and installs and builds the module.",
    );
    vec![found.by_setup()]
}

/// Images into which no module is installed: bluefin#1139, bazzite#2422.
pub(super) fn atomic(context: Context<'_>) -> Vec<Finding> {
    let is_image = matches!(
        context.facts.system.kind,
        SystemKind::Ostree
            | SystemKind::Transactional
            | SystemKind::SteamOs
            | SystemKind::UbuntuCore
    );
    if !is_image || !context.lacks_module() {
        return Vec::new();
    }
    let cure = "Use greenroom's PipeWire output, which needs no module.";
    let found = error(
        FindingId::AtomicSystem,
        "There is no virtual camera, and no module can be installed.",
        "The system is an image that comes without v4l2loopback.",
        cure,
    );
    vec![context.with_pipewire(found, false)]
}

/// The module is a line of NixOS' configuration.
pub(super) fn nixos(context: Context<'_>) -> Vec<Finding> {
    if context.facts.system.kind != SystemKind::NixOs || !context.lacks_node() {
        return Vec::new();
    }
    let found = error(
        FindingId::NixOs,
        "There is no virtual camera, and set-up does not make one.",
        "NixOS is made from its configuration, which does not have the module and its node.",
        "Add the lines that `greenroom setup --plan` prints to configuration.nix, rebuild, and \
         restart.",
    );
    let line = "boot.extraModulePackages = [ config.boot.kernelPackages.v4l2loopback ];";
    let found = found
        .command(Instruction::run("greenroom setup --plan"))
        .command(Instruction::ByHand(format!("{line}    # one of these lines")))
        .command(Instruction::root("nixos-rebuild boot"))
        .command(Instruction::run("systemctl reboot"));
    vec![found]
}
