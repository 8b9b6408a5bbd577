//! Who may open device nodes.

use greenroom_setup::{Command, Known};

use super::{Context, error};
use crate::evidence::{Access, Device, NodeAccess};
use crate::{Finding, FindingId, Instruction};

/// A user whose name is not known, in the words of a shell.
const UNNAMED: &str = "$USER";

/// Only root may add nodes: chimera-linux/cports#2314.
pub(super) fn control_device(context: Context<'_>) -> Vec<Finding> {
    let Known::Is(Some(node)) = &context.evidence.control_device else { return Vec::new() };
    let may_not = node.access.is_and(|access| *access != Access::Granted);
    let unit = context.facts.own.unit_is_enabled.is_true();
    if !may_not || unit || !context.lacks_node() {
        return Vec::new();
    }
    let found = error(
        FindingId::ControlDeviceRootOnly,
        "There is no virtual camera, and greenroom may not add one.",
        format!(
            "You may not open {}, through which v4l2loopback adds cameras (its group is {}).",
            node.path.display(),
            node.group
        ),
        "Set-up installs a unit that adds the camera at every start, with root's rights.",
    );
    vec![found.by_setup()]
}

/// The user may not open a webcam, or the virtual camera.
pub(super) fn video_nodes(context: Context<'_>) -> Vec<Finding> {
    let ours: Vec<_> = context.our_nodes().map(|node| node.number).collect();
    let devices = context.evidence.devices.get().into_iter().flatten();
    let ours = devices.filter(|device| ours.contains(&device.number));
    let all = context.cameras().chain(ours);
    all.filter_map(|device| of_device(context, device)).collect()
}

fn of_device(context: Context<'_>, device: &Device) -> Option<Finding> {
    let NodeAccess { path, group, group_may, .. } = &device.node;
    let (path, title) = (path.display().to_string(), &device.name);
    let user = context.evidence.identity.name.as_deref().unwrap_or(UNNAMED);
    let symptom = format!("greenroom says that it may not open \"{title}\".");
    let access = match device.node.access {
        Known::Is(access) => access,
        Known::Unknown => {
            let cause = format!("The rights of {path} cannot be read from here.");
            let cure = "Look at them yourself: you, your group or its list must be able to read \
                        and write.";
            let found = error(FindingId::NoRights, symptom, cause, cure).undecided();
            return Some(found.command(Instruction::Run(Command::words("getfacl").with([path]))));
        }
    };
    let found = |cause: String, cure: &str| error(FindingId::NoRights, &*symptom, cause, cure);
    match access {
        Access::Granted => None,
        Access::DeniedUntilLogin => {
            let cause = format!(
                "{user} was added to the group {group} of {path} after this session began."
            );
            let found = found(cause, "Log out and in again.");
            Some(found.command(Instruction::ByHand("Log out and in again.".to_owned())))
        }
        Access::Denied if *group_may => {
            let cause = format!("{path} is for the group {group} alone, and {user} is not in it.");
            let found = found(cause, "Join that group, then log out and in again.");
            Some(found.command(as_root("usermod -aG", user, &[group, user])))
        }
        Access::Denied => {
            let cause = format!("{path} lets neither you nor its group {group} read and write.");
            let cure = "Give yourself the right, which lasts until the device is made anew.";
            let acl = format!("u:{user}:rw");
            Some(found(cause, cure).command(as_root("setfacl -m", user, &[&acl, &path])))
        }
    }
}

/// A command with root's rights. A user without a known name is left to the shell, which knows it.
fn as_root(words: &str, user: &str, arguments: &[&str]) -> Instruction {
    if user == UNNAMED {
        return Instruction::ByHand(format!("sudo {words} {}", arguments.join(" ")));
    }
    Instruction::RunAsRoot(Command::words(words).with(arguments.iter().copied()))
}
