//! Cameras of PipeWire: the portal that grants them, and browsers that look for them.

use greenroom_setup::facts::Node;
use greenroom_setup::{Command, Known};

use super::{Context, device, note, warning};
use crate::evidence::{
    Browser, BrowserKind, CHROMIUM_FLAG, FIREFOX_PREFERENCE, PipeWireCamera, PortalPermission,
};
use crate::{Finding, FindingId, Instruction};

/// A portal that was refused once stays refused.
pub(super) fn portal_denied(context: Context<'_>) -> Vec<Finding> {
    let permissions = context.evidence.probes.portal_permissions.get().into_iter().flatten();
    let denied = permissions.filter(|permission| !permission.allowed);
    let finding = |permission: &PortalPermission| {
        let app = permission.app.as_str();
        let title = if app.is_empty() { "Programs outside of Flatpak" } else { app };
        let found = warning(
            FindingId::PortalDenied,
            format!("{title}: no camera, and no question whether it may be used."),
            "The use of cameras was refused once, and the desktop's portal remembers that.",
            "Have the portal forget it. It asks again when the program next wants a camera.",
        );
        let forget = Command::words("flatpak permission-remove devices camera").with([app]);
        let refuse = Command::words("flatpak permission-set devices camera").with([app, "no"]);
        found.by_user(forget, Some(refuse))
    };
    denied.map(finding).collect()
}

/// The camera portal needs a backend that asks the user: xdg-desktop-portal-wlr#322.
pub(super) fn no_camera_portal(context: Context<'_>) -> Vec<Finding> {
    let evidence = context.evidence;
    if !context.shows_in_pipewire() {
        return Vec::new();
    }
    let symptom = "Firefox or a Flatpak lists no camera \"greenroom\", although greenroom runs with \
                   its PipeWire output.";
    let cure = "Install a backend that asks, log out and in again.";
    let (cause, decided) = match (evidence.probes.portal, evidence.portals.access_backend) {
        (Known::Is(Some(_)), _) | (Known::Unknown, Known::Is(true)) => return Vec::new(),
        (Known::Is(None), _) => ("The desktop offers no camera portal.", true),
        (Known::Unknown, Known::Is(false)) => (
            "No backend of the desktop's portal asks whether a program may use the camera, so \
             there is no camera portal.",
            true,
        ),
        (Known::Unknown, Known::Unknown) => {
            ("The settings of the desktop's portal cannot be read.", false)
        }
    };
    let found = warning(FindingId::NoCameraPortal, symptom, cause, cure);
    let found = if decided { found } else { found.undecided() };
    let install = context.install("xdg-desktop-portal-gtk");
    vec![match install {
        Some(install) if decided => found.by_root(install.command, Some(install.undo)),
        Some(install) => found.command(Instruction::RunAsRoot(install.command)),
        None => found.command(Instruction::ByHand("Install xdg-desktop-portal-gtk.".to_owned())),
    }]
}

/// Browsers that look for cameras of V4L2 alone, where there is none of greenroom's.
pub(super) fn browser_flag(context: Context<'_>) -> Vec<Finding> {
    if !context.shows_in_pipewire() || !context.has_no_node() {
        return Vec::new();
    }
    let os = &context.facts.system.os;
    // Fedora and RHEL build Firefox with the preference on.
    let firefox_default = os.is_and(|os| os.is_like("fedora") || os.is_like("rhel"));
    let finding = |browser: &Browser| {
        let title = browser.program.title();
        let symptom = format!("{title} lists no camera \"greenroom\".");
        let cause = format!(
            "greenroom shows its picture in a camera of PipeWire, and {title} does not look for \
             those unless it is told to."
        );
        let (cure, switch) = match browser.kind {
            BrowserKind::Firefox => (
                format!("Set the preference in about:config, and start {title} again."),
                format!("about:config: {FIREFOX_PREFERENCE} = true"),
            ),
            BrowserKind::Chromium => (
                format!("Open the page in {title}, choose \"Enabled\", and start it again."),
                format!("chrome://flags/#{CHROMIUM_FLAG}"),
            ),
        };
        let default = browser.kind == BrowserKind::Firefox && firefox_default;
        let file = browser.file.display();
        let found = match browser.pipewire {
            Known::Is(Some(true)) => return None,
            Known::Is(None) if default => return None,
            Known::Is(Some(false) | None) => {
                warning(FindingId::BrowserFlagOff, symptom, cause, cure)
            }
            Known::Unknown => {
                let cause = format!("The settings of {title} cannot be read ({file}).");
                warning(FindingId::BrowserFlagOff, symptom, cause, cure).undecided()
            }
        };
        Some(found.command(Instruction::ByHand(switch)))
    };
    context.evidence.browsers.iter().filter_map(finding).collect()
}

/// PipeWire has no node for the loopback, or one with a format of before: pipewire#3659.
pub(super) fn stale_node(context: Context<'_>) -> Vec<Finding> {
    let evidence = context.evidence;
    if evidence.desktop.hides_loopback || !evidence.desktop.pipewire_runs.is_true() {
        return Vec::new();
    }
    let finding = |node: &Node| {
        let path = device(node.number);
        let symptom = "OBS (with its PipeWire source) or a desktop program lists no camera \
                       \"greenroom\", or shows no picture of it.";
        let cure = "Restart WirePlumber, which looks at all cameras again. Sound stops for a \
                    moment.";
        let cause = match &evidence.probes.pipewire {
            Known::Unknown => {
                let cause = "PipeWire was not asked for its cameras: pw-dump is missing, or does \
                             not answer.";
                let found = note(FindingId::PipeWireNode, symptom, cause, cure).undecided();
                let ask = Instruction::run("pw-dump --no-colors Node");
                return Some(found.command(ask));
            }
            Known::Is(cameras) => {
                let of_node = |camera: &&PipeWireCamera| camera.number == Some(node.number);
                match cameras.iter().find(of_node) {
                    None => format!("PipeWire has no camera for {path}."),
                    Some(camera) if is_stale(context, node, camera) => {
                        format!("PipeWire has {path} with another format than it has now.")
                    }
                    Some(_) => return None,
                }
            }
        };
        let found = warning(FindingId::PipeWireNode, symptom, cause, cure);
        let restart = Command::words("systemctl --user restart wireplumber.service");
        Some(found.by_user(restart, None))
    };
    context.our_nodes().filter_map(finding).collect()
}

fn is_stale(context: Context<'_>, node: &Node, camera: &PipeWireCamera) -> bool {
    let size = context.evidence.probes.loopback(node.number).and_then(|probe| probe.size_px);
    let sizes = &camera.sizes_px;
    size.is_some_and(|size| !sizes.is_empty() && !sizes.contains(&size))
}
