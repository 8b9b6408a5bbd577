//! Sandboxes: doctor's own, and those of programs in which people make calls.

use greenroom_setup::facts::Environment;
use greenroom_setup::{Command, Known};

use super::{Context, error, note, to_file, warning};
use crate::evidence::{Confinement, Installed};
use crate::{Finding, FindingId, Instruction};

/// Doctor runs where the host cannot be seen.
pub(super) fn container(context: Context<'_>) -> Vec<Finding> {
    match context.facts.system.environment {
        Environment::Machine => Vec::new(),
        Environment::Container => {
            let found = note(
                FindingId::Sandboxed,
                "Doctor finds nothing wrong, and there may still be no virtual camera.",
                "This is a container or a sandbox: the kernel, its modules and the host's programs \
                 cannot be seen from here.",
                "Run doctor on the host.",
            );
            vec![found.undecided().command(Instruction::run("greenroom doctor"))]
        }
        Environment::Wsl => {
            let found = error(
                FindingId::Sandboxed,
                "There is no virtual camera, and set-up does not make one.",
                "This is the Windows Subsystem for Linux, whose kernel has no v4l2loopback.",
                "Write to a file instead.",
            );
            vec![found.command(to_file())]
        }
    }
}

/// Flatpaks that may not open devices.
pub(super) fn flatpak(context: Context<'_>) -> Vec<Finding> {
    let finding = |installed: &Installed| {
        let Confinement::Flatpak { id, devices } = &installed.confinement else { return None };
        let title = installed.program.title();
        let symptom = format!("{title} (Flatpak) lists no camera \"greenroom\".");
        let by_portal = installed.program.flatpak_uses_portal();
        match devices {
            Known::Is(true) => None,
            Known::Is(false) if by_portal && !context.is_missing_in_pipewire() => None,
            Known::Is(false) if by_portal => {
                let cause = format!(
                    "{title} takes cameras from the desktop's portal, which has those of PipeWire \
                     alone."
                );
                let cure = "Run greenroom with its PipeWire output as well.";
                let found = warning(FindingId::FlatpakNoDevices, symptom, cause, cure);
                Some(context.with_pipewire(found, true))
            }
            Known::Is(false) => {
                let cause = format!("The Flatpak {id} may not open devices.");
                let cure = format!("Allow it, then start {title} again.");
                let change = |what: &str| {
                    Command::words("flatpak override --user").with([what, id.as_str()])
                };
                let found = warning(FindingId::FlatpakNoDevices, symptom, cause, cure);
                Some(found.by_user(change("--device=all"), Some(change("--nodevice=all"))))
            }
            Known::Unknown => {
                let cause = format!("The permissions of the Flatpak {id} cannot be read.");
                let cure = "See whether its line \"devices\" has \"all\".";
                let found = warning(FindingId::FlatpakNoDevices, symptom, cause, cure).undecided();
                let show = Command::words("flatpak info --show-permissions").with([id]);
                Some(found.command(Instruction::Run(show)))
            }
        }
    };
    context.evidence.programs.iter().filter_map(finding).collect()
}

/// Snaps that are not connected to cameras: zoom-snap#49.
pub(super) fn snap(context: Context<'_>) -> Vec<Finding> {
    let finding = |installed: &Installed| {
        let Confinement::Snap { name, has_plug, connected } = &installed.confinement else {
            return None;
        };
        let title = installed.program.title();
        let symptom = format!("{title} (snap) lists no camera at all.");
        let plug = format!("{name}:camera");
        match (has_plug, connected) {
            (_, Known::Is(true)) => None,
            (Known::Is(false), _) => {
                let cause = format!("The snap {name} does not ask for cameras.");
                let cure = format!("Install {title} from another source.");
                let found = warning(FindingId::SnapNoCamera, symptom, cause, cure);
                let remove = Command::words("snap remove").with([name]);
                Some(found.command(Instruction::RunAsRoot(remove)))
            }
            (Known::Is(true), Known::Is(false)) => {
                let cause = format!("The snap {name} is not connected to cameras.");
                let cure = format!("Connect it, then start {title} again.");
                let connect = Command::words("snap connect").with([&plug]);
                let undo = Command::words("snap disconnect").with([&plug]);
                let found = warning(FindingId::SnapNoCamera, symptom, cause, cure);
                Some(found.by_root(connect, Some(undo)))
            }
            (_, Known::Unknown) | (Known::Unknown, Known::Is(false)) => {
                let cause = format!("It cannot be seen whether the snap {name} has cameras.");
                let cure = "See whether its line \"camera\" has a slot.";
                let found = warning(FindingId::SnapNoCamera, symptom, cause, cure).undecided();
                let show = Command::words("snap connections").with([name]);
                Some(found.command(Instruction::Run(show)))
            }
        }
    };
    context.evidence.programs.iter().filter_map(finding).collect()
}
