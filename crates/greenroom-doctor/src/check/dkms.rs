//! The package v4l2loopback-dkms, which builds the module on this machine.

use greenroom_setup::Distribution;

use super::{Context, error, note};
use crate::{Finding, FindingId, Instruction};

/// It did not build for a kernel, and was left half installed.
pub(super) fn half_installed(context: Context<'_>) -> Vec<Finding> {
    if !context.facts.packages.broken_dkms.is_true() {
        return Vec::new();
    }
    let found = error(
        FindingId::DkmsHalfInstalled,
        "apt stops with an error about v4l2loopback-dkms, and there may be no virtual camera.",
        "The module did not build for a kernel, so apt left v4l2loopback-dkms half installed.",
        "Remove that package, and set the camera up again.",
    );
    let purge = Instruction::root("apt-get purge v4l2loopback-dkms");
    vec![found.command(purge).command(Instruction::run("greenroom setup"))]
}

/// Ubuntu has the module prebuilt: linuxmint/linuxmint#896, v4l2loopback#667.
pub(super) fn on_ubuntu(context: Context<'_>) -> Vec<Finding> {
    let is_ubuntu =
        context.facts.system.os.is_and(|os| Distribution::of(os) == Distribution::Ubuntu);
    let installed = &context.facts.packages.installed;
    let has_it = installed.is_and(|all| all.contains("v4l2loopback-dkms"));
    if !is_ubuntu || !has_it || context.facts.packages.broken_dkms.is_true() {
        return Vec::new();
    }
    let found = note(
        FindingId::DkmsOnUbuntu,
        "The virtual camera may be gone after a kernel update.",
        "v4l2loopback-dkms has to build the module anew for each kernel, and old versions do not \
         build for new kernels; apt then stops.",
        "Use the module that Ubuntu has built and signed: remove the package, and set the camera \
         up again.",
    );
    let purge = Instruction::root("apt-get purge v4l2loopback-dkms");
    vec![found.command(purge).command(Instruction::run("greenroom setup"))]
}
