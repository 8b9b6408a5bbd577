//! The running kernel: its modules, its headers, and which modules it accepts.

use greenroom_setup::facts::{Installed, KeyState};
use greenroom_setup::{Command, Distribution, Known};

use super::{Context, error};
use crate::{Finding, FindingId, Instruction};

/// An update has replaced the running kernel, and its modules are gone.
pub(super) fn updated(context: Context<'_>) -> Vec<Finding> {
    let gone = context.facts.kernel.modules.is_false();
    if !gone || context.module_is_loaded() || !context.lacks_node() {
        return Vec::new();
    }
    let found = error(
        FindingId::KernelUpdated,
        "The virtual camera is missing since the last update.",
        format!(
            "The update replaced the running kernel {}, whose modules are gone until the next \
             start.",
            context.kernel_release()
        ),
        "Restart the computer.",
    );
    vec![found.command(Instruction::run("systemctl reboot"))]
}

/// DKMS has the module's sources and cannot build them: v4l2loopback#674.
pub(super) fn headers_missing(context: Context<'_>) -> Vec<Finding> {
    let kernel = &context.facts.kernel;
    let wants_it = context.has_dkms_sources();
    if !wants_it || !context.lacks_module() || !kernel.headers.is_false() {
        return Vec::new();
    }
    let is_ubuntu =
        context.facts.system.os.is_and(|os| Distribution::of(os) == Distribution::Ubuntu);
    let cure = match kernel.package() {
        _ if is_ubuntu => {
            "Set-up installs the module that Ubuntu has built, which needs no headers.".to_owned()
        }
        Some(package) => {
            format!("Set-up installs linux-headers-{} and has the module built.", package.flavour)
        }
        None => "Set-up installs the headers and has the module built.".to_owned(),
    };
    let found = error(
        FindingId::HeadersMissing,
        "modprobe says \"Module v4l2loopback not found\".",
        format!(
            "DKMS has not built the module for the kernel {}, whose headers are not installed.",
            context.kernel_release()
        ),
        cure,
    );
    vec![found.by_setup()]
}

/// The kernel takes only signed modules: v4l2loopback#394, #546.
pub(super) fn secure_boot(context: Context<'_>) -> Vec<Finding> {
    let facts = context.facts;
    let built_here =
        matches!(facts.module.installed, Known::Is(Installed::Yes { built_here: true, .. }));
    if !built_here || context.module_is_loaded() || !context.lacks_node() {
        return Vec::new();
    }
    let keys = || facts.security.keys.iter();
    let of_state = |state| keys().find(|key| key.state == Known::Is(state));
    if of_state(KeyState::Enrolled).is_some() || facts.security.signature_required().is_false() {
        return Vec::new();
    }
    let symptom = "modprobe says \"Key was rejected by service\", or the virtual camera is missing \
                   for no visible reason.";
    if facts.security.signature_required() == Known::Unknown {
        let cause = "The module was built on this machine, and it cannot be seen whether the \
                     kernel asks for a signature that it trusts.";
        let cure = "See whether Secure Boot is on. If it is, set-up tells how the firmware comes to \
                    trust the key of the module.";
        let found = error(FindingId::SecureBoot, symptom, cause, cure).undecided();
        let found = found.command(Instruction::run("mokutil --sb-state"));
        return vec![found.command(Instruction::run("greenroom setup --plan"))];
    }
    let found = error(
        FindingId::SecureBoot,
        symptom,
        "Secure Boot is on, and the firmware does not know the key with which the module was \
         signed on this machine.",
        "Have the firmware trust that key: choose a password at the first command, and type it in \
         the blue screen that comes at the next start.",
    );
    let key = of_state(KeyState::NotEnrolled);
    let import = key.map(|key| {
        let path = key.certificate.display().to_string();
        Instruction::RunAsRoot(Command::words("mokutil --import").with([path]))
    });
    let steps = "At the next start choose \"Enroll MOK\", \"Continue\" and \"Yes\".";
    let restart = [Instruction::run("systemctl reboot"), Instruction::ByHand(steps.to_owned())];
    vec![import.into_iter().chain(restart).fold(found, Finding::command)]
}

impl Context<'_> {
    /// Whether the module is neither loaded nor installed for the running kernel, and a node is
    /// wanted.
    pub(super) fn lacks_module(self) -> bool {
        let missing =
            matches!(self.facts.module.installed, Known::Is(Installed::No | Installed::OnlyFor(_)));
        missing && !self.module_is_loaded() && self.lacks_node()
    }

    /// Whether DKMS has the module's sources.
    pub(super) fn has_dkms_sources(self) -> bool {
        let has_package =
            self.facts.packages.installed.is_and(|all| all.contains("v4l2loopback-dkms"));
        has_package || self.evidence.kernel.dkms_sources.is_and(|sources| !sources.is_empty())
    }
}
