//! Cameras of PipeWire: the portal that grants them, and browsers that look for them.

use greenroom_setup::facts::Node;
use greenroom_setup::{Command, Known};

use super::{Context, device, note, warning};
use crate::evidence::{
    AccessBackend, Browser, BrowserKind, CHROMIUM_FLAG, FIREFOX_PREFERENCE, PipeWireCamera,
    PortalPermission,
};
use crate::{Finding, FindingId, Instruction};

/// A portal that was refused once stays refused.
pub(super) fn portal_denied(context: Context<'_>) -> Vec<Finding> {
    let permissions = context.evidence.probes.portal_permissions.get().into_iter().flatten();
    let denied = permissions.filter(|permission| !permission.allowed);
    let finding = |permission: &PortalPermission| {
        let app = permission.app.as_str();
        let title = if app.is_empty() { "A program outside of Flatpak" } else { app };
        let found = warning(
            FindingId::PortalDenied,
            format!("{title} gets no camera, and does not ask whether it may use one."),
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
    if !context.shows_in_pipewire() || evidence.probes.portal == Known::Is(Some(true)) {
        return Vec::new();
    }
    let finding = |cause: &str, cure: &str| {
        let symptom = "Firefox or a Flatpak lists no camera \"greenroom\", although greenroom runs \
                       with its PipeWire output.";
        warning(FindingId::NoCameraPortal, symptom, cause, cure)
    };
    let found = match (evidence.probes.portal, evidence.portals.access_backend) {
        (Known::Is(None) | Known::Unknown, Known::Is(AccessBackend::Missing)) => {
            let cause = "The desktop's portal offers no cameras, since none of its backends asks \
                         the user.";
            let cure = "Install the backend gtk, then log out and in again.";
            install_backend(context, finding(cause, cure))
        }
        (Known::Is(None) | Known::Unknown, Known::Is(AccessBackend::NotChosen)) => {
            let cause = "The desktop's portal offers no cameras, since its settings name no backend \
                         that asks the user.";
            let cure = "Name one in the section [preferred] of the file \
                        ~/.config/xdg-desktop-portal/portals.conf, then log out and in again.";
            let line = "org.freedesktop.impl.portal.Access=gtk";
            finding(cause, cure).command(Instruction::ByHand(line.to_owned()))
        }
        (Known::Is(Some(_)), _) => {
            let cause = "The camera portal says that there is no camera, although greenroom has one \
                         in PipeWire.";
            restart_portal(finding(cause, "Restart the portal."))
        }
        (Known::Is(None), _) => {
            let cause = "The desktop offers no camera portal, although it has what that needs.";
            restart_portal(finding(cause, "Restart the portal."))
        }
        (Known::Unknown, Known::Unknown) => {
            let cause = "The settings of the desktop's portal cannot be read.";
            let found = finding(cause, "Ask the portal whether it has a camera.").undecided();
            found.command(Instruction::run(
                "busctl --user get-property org.freedesktop.portal.Desktop \
                 /org/freedesktop/portal/desktop org.freedesktop.portal.Camera IsCameraPresent",
            ))
        }
        (Known::Unknown, Known::Is(AccessBackend::Chosen)) => return Vec::new(),
    };
    vec![found]
}

fn install_backend(context: Context<'_>, found: Finding) -> Finding {
    match context.install("xdg-desktop-portal-gtk") {
        Some(install) => found.by_root(install.command, Some(install.undo)),
        None => found.command(Instruction::ByHand("Install xdg-desktop-portal-gtk.".to_owned())),
    }
}

fn restart_portal(found: Finding) -> Finding {
    found.by_user(Command::words("systemctl --user restart xdg-desktop-portal.service"), None)
}

/// Browsers that look for cameras of V4L2 alone, where there is none of greenroom's.
pub(super) fn browser_flag(context: Context<'_>) -> Vec<Finding> {
    if !context.shows_in_pipewire() || !context.has_no_node() {
        return Vec::new();
    }
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
        let file = browser.file.display();
        let found = match looks_in_pipewire(context, browser) {
            Known::Is(true) => return None,
            Known::Is(false) => warning(FindingId::BrowserFlagOff, symptom, cause, cure),
            Known::Unknown => {
                let cause = format!("The settings of {title} cannot be read ({file}).");
                warning(FindingId::BrowserFlagOff, symptom, cause, cure).undecided()
            }
        };
        Some(found.command(Instruction::ByHand(switch)))
    };
    context.evidence.browsers.iter().filter_map(finding).collect()
}

/// Browsers that look for cameras of PipeWire alone, where there is none of greenroom's:
/// obs-studio#13873.
pub(super) fn browser_in_pipewire(context: Context<'_>) -> Vec<Finding> {
    if !context.is_missing_in_pipewire() || context.has_no_node() {
        return Vec::new();
    }
    let looks = |browser: &&Browser| looks_in_pipewire(context, browser).is_true();
    let mut browsers: Vec<_> = context.evidence.browsers.iter().filter(looks).collect();
    browsers.dedup_by_key(|browser| browser.program);
    let finding = |browser: &Browser| {
        let title = browser.program.title();
        let cure = "Run greenroom with its PipeWire output as well.";
        let found = warning(
            FindingId::BrowserInPipeWire,
            format!("{title} lists no camera \"greenroom\", and other programs do."),
            format!(
                "{title} takes cameras from PipeWire alone, and greenroom shows its picture in a \
                 camera of the kernel alone."
            ),
            cure,
        );
        context.with_pipewire(found, true)
    };
    browsers.into_iter().map(finding).collect()
}

/// Whether a browser looks for cameras of PipeWire, by its settings or by how it is built.
fn looks_in_pipewire(context: Context<'_>, browser: &Browser) -> Known<bool> {
    // Fedora and RHEL build Firefox with the preference on.
    let os = &context.facts.system.os;
    let by_default = browser.kind == BrowserKind::Firefox
        && os.is_and(|os| os.is_like("fedora") || os.is_like("rhel"));
    match browser.pipewire {
        Known::Is(set) => Known::Is(set.unwrap_or(by_default)),
        Known::Unknown => Known::Unknown,
    }
}

/// PipeWire has no node for the loopback, or one with a format of before: pipewire#3659.
pub(super) fn stale_node(context: Context<'_>) -> Vec<Finding> {
    let evidence = context.evidence;
    if evidence.desktop.hides_loopback || !evidence.desktop.pipewire_runs.is_true() {
        return Vec::new();
    }
    let finding = |node: &Node| {
        let path = device(node.number);
        let symptom = "OBS's PipeWire source, or a program of the desktop, lists no camera \"greenroom\", or \
                       shows no picture of it.";
        let cure = "Restart WirePlumber, which looks at all cameras again. Sound stops for a \
                    moment.";
        let cause = match &evidence.probes.pipewire {
            Known::Unknown => {
                let cause = "PipeWire was not asked for its cameras: pw-dump is missing, or does \
                             not answer.";
                let ask = "See whether \"greenroom\" is among PipeWire's video devices.";
                let found = note(FindingId::PipeWireNode, symptom, cause, ask).undecided();
                return Some(found.command(Instruction::run("wpctl status")));
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
