//! The module v4l2loopback: which of its versions is loaded, and which could be.

use greenroom_setup::facts::{Installed, Loaded};
use greenroom_setup::{Command, Generation, Known, ModuleVersion, builds_for};

use super::{Context, error, list, warning};
use crate::{Finding, FindingId, Instruction};

/// Two files of the module for one kernel: v4l2loopback#517.
pub(super) fn copies(context: Context<'_>) -> Vec<Finding> {
    let Known::Is(files) = &context.evidence.kernel.module_files else { return Vec::new() };
    if files.len() < 2 {
        return Vec::new();
    }
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let found = warning(
        FindingId::ModuleCopies,
        "An older v4l2loopback may be loaded than the one you installed.",
        format!("The running kernel has {} files of the module: {}.", names.len(), list(&names)),
        "Keep one of them. If you do not need your own build, remove it.",
    );
    let sources = context.evidence.kernel.dkms_sources.get().map_or(&[][..], Vec::as_slice);
    let found = match sources {
        [] => {
            let own = names.iter().find(|name| !name.contains("/kernel/")).or(names.first());
            own.into_iter().fold(found, |found, file| {
                found.command(Instruction::RunAsRoot(Command::words("rm").with([file])))
            })
        }
        sources => sources.iter().fold(found, |found, source| {
            let module = format!("v4l2loopback/{}", source.name);
            let remove = Command::words("dkms remove").with([module, "--all".to_owned()]);
            found.command(Instruction::RunAsRoot(remove))
        }),
    };
    vec![found.command(Instruction::root("depmod"))]
}

/// The module was updated since it was loaded.
pub(super) fn outdated(context: Context<'_>) -> Vec<Finding> {
    let (
        Known::Is(Loaded::Yes { version: Known::Is(loaded), .. }),
        Known::Is(Installed::Yes { version: Known::Is(installed), .. }),
    ) = (&context.facts.module.loaded, &context.facts.module.installed)
    else {
        return Vec::new();
    };
    // Modules before 0.13 do not tell which they are.
    let both_old = [loaded, installed].iter().all(|of| Generation::from(**of) == Generation::Fixed);
    if loaded == installed || both_old {
        return Vec::new();
    }
    let found = warning(
        FindingId::ModuleOutdated,
        "An update of v4l2loopback has had no effect.",
        format!(
            "The loaded module is {}, and the installed one is {}.",
            version(*loaded),
            version(*installed)
        ),
        "Restart the computer. It then loads the installed module.",
    );
    vec![found.command(Instruction::run("systemctl reboot"))]
}

fn version(version: ModuleVersion) -> String {
    match version {
        ModuleVersion::BEFORE_CONTROL => "a version before 0.13".to_owned(),
        version => format!("version {version}"),
    }
}

/// The sources are too old for the kernel: v4l2loopback#575, #637, #655.
pub(super) fn too_old(context: Context<'_>) -> Vec<Finding> {
    // Without headers it is not built anyway.
    let headers_missing = context.facts.kernel.headers.is_false();
    if !context.lacks_module() || headers_missing || !context.has_dkms_sources() {
        return Vec::new();
    }
    let sources = context.evidence.kernel.dkms_sources.get().map_or(&[][..], Vec::as_slice);
    let newest = sources.iter().filter_map(|source| source.version.get()).max();
    let kernel = ModuleVersion::parse(context.kernel_release());
    let (Some(newest), Some(kernel)) = (newest, kernel) else { return Vec::new() };
    if builds_for(*newest, kernel) {
        return Vec::new();
    }
    let cure = "Upgrade the distribution, or start the kernel that it began with. greenroom's PipeWire \
                output works without the module.";
    let found = error(
        FindingId::ModuleTooOld,
        "modprobe says \"Module v4l2loopback not found\", although the package is installed.",
        format!(
            "v4l2loopback {newest} does not build for the kernel {}.",
            context.kernel_release()
        ),
        cure,
    );
    vec![context.with_pipewire(found, false)]
}
