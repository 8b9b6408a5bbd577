//! The virtual camera: there, in sight of all programs, and in nobody's way.

use greenroom_setup::facts::{Installed, Loaded, Node, Origin};
use greenroom_setup::{Command, Generation, Known};

use super::{Context, device, error, known, warning};
use crate::evidence::CallProgram;
use crate::{Finding, FindingId, Instruction};

/// OBS gives its node this label (obs-studio#3929).
const OBS_LABEL: &str = "OBS Virtual Camera";

/// OBS looks at the nodes below this number.
const OBS_NUMBERS: u32 = 64;

/// There is no virtual camera, and no other finding says why.
pub(super) fn no_virtual_camera(context: Context<'_>) -> Vec<Finding> {
    let symptom = "Calls list no camera \"greenroom\".";
    if !known(&context.facts.nodes) {
        let cause = "/sys/class/video4linux cannot be read, so it cannot be seen which cameras \
                     there are.";
        let cure = "See what greenroom itself finds.";
        let found = error(FindingId::NoVirtualCamera, symptom, cause, cure).undecided();
        return vec![found.command(Instruction::run("greenroom list"))];
    }
    if context.has_no_node() && context.may_show_in_pipewire() {
        let cause = "greenroom runs without a camera of the kernel, and it was not asked whether \
                     it shows its picture in PipeWire.";
        let found = error(FindingId::NoVirtualCamera, symptom, cause, "Ask greenroom.").undecided();
        return vec![found.command(Instruction::run("greenroom status"))];
    }
    if !context.lacks_node() {
        return Vec::new();
    }
    let cause = match (&context.facts.module.loaded, &context.facts.module.installed) {
        (Known::Is(Loaded::Yes { .. }), _) => {
            "The kernel module v4l2loopback is loaded, but none of its cameras is greenroom's."
        }
        (_, Known::Is(Installed::Yes { .. } | Installed::BuiltIn)) => {
            "The kernel module v4l2loopback is installed, but it is not loaded."
        }
        (_, Known::Is(Installed::No | Installed::OnlyFor(_))) => {
            "The kernel module v4l2loopback is not installed for the running kernel."
        }
        (_, Known::Unknown) => {
            "There is no such camera; the files of the running kernel cannot be read, so it cannot \
             be seen whether the module v4l2loopback is installed."
        }
    };
    let cure = "Set-up makes the camera, now and after every restart.";
    vec![error(FindingId::NoVirtualCamera, symptom, cause, cure).by_setup()]
}

/// OBS loads the module with a node of its own: obs-studio#3929, #4200, #4347.
pub(super) fn obs_took_module(context: Context<'_>) -> Vec<Finding> {
    let of_obs = |node: &&Node| node.label == OBS_LABEL;
    let Some(node) = context.loopbacks().iter().find(of_obs) else { return Vec::new() };
    if !context.lacks_node() {
        return Vec::new();
    }
    let found = error(
        FindingId::ObsTookModule,
        format!("Calls list \"{OBS_LABEL}\" and no camera \"greenroom\"."),
        format!(
            "OBS has loaded v4l2loopback with {} for itself, since the module was not loaded yet.",
            device(node.number)
        ),
        "Set-up adds greenroom's camera at every start, before OBS is started.",
    );
    vec![found.by_setup()]
}

/// OBS ignores high numbers.
pub(super) fn hidden_from_obs(context: Context<'_>) -> Vec<Finding> {
    let has_obs =
        context.evidence.programs.iter().any(|program| program.program == CallProgram::Obs);
    if !has_obs {
        return Vec::new();
    }
    let high = context.our_nodes().filter(|node| node.number >= OBS_NUMBERS);
    let finding = |node: &Node| {
        let found = warning(
            FindingId::NodeHiddenFromObs,
            "OBS does not list the camera \"greenroom\".",
            format!("OBS looks at numbers below 64, and the camera is {}.", device(node.number)),
            "Give the camera a number from 10 to 63.",
        );
        remade(context, node, found)
    };
    high.map(finding).collect()
}

/// Chromium and Zoom take a node for a camera only if it is nothing else.
pub(super) fn no_exclusive_caps(context: Context<'_>) -> Vec<Finding> {
    let finding = |node: &Node| {
        let probe = context.evidence.probes.loopback(node.number);
        let exclusive = probe.map_or(Known::Unknown, |probe| probe.exclusive_caps);
        let exclusive = if known(&exclusive) { exclusive } else { node.exclusive_caps };
        let symptom =
            "Chrome and Zoom do not list the camera \"greenroom\", and other programs do.";
        let path = device(node.number);
        match exclusive {
            Known::Is(true) => None,
            Known::Is(false) => {
                let cause = format!("{path} was made without exclusive_caps=1.");
                let cure = "Have the camera made anew, with that option.";
                let found = error(FindingId::NoExclusiveCaps, symptom, cause, cure);
                Some(remade(context, node, found))
            }
            Known::Unknown => {
                let cause = format!(
                    "Set-up did not make {path}, and the kernel does not tell whether it has \
                     exclusive_caps=1."
                );
                let cure = "Ask the device: \"Device Caps\" must not have \"Video Output\" while \
                            greenroom runs.";
                let found = warning(FindingId::NoExclusiveCaps, symptom, cause, cure).undecided();
                let ask = Command::words("v4l2-ctl --info -d").with([path]);
                Some(found.command(Instruction::Run(ask)))
            }
        }
    };
    context.our_nodes().filter_map(finding).collect()
}

/// Programs that take the first camera: nixpkgs#261217.
pub(super) fn hides_camera(context: Context<'_>) -> Vec<Finding> {
    let Some(first) = context.cameras().map(|camera| camera.number).min() else {
        return Vec::new();
    };
    let before = context.loopbacks().iter().filter(|node| node.number < first);
    let finding = |node: &Node| {
        let found = warning(
            FindingId::NodeHidesCamera,
            "A program shows the virtual camera, or nothing, instead of your webcam.",
            format!(
                "The virtual camera \"{}\" is {}, before your webcam {}, and some programs take \
                 the first camera.",
                node.label,
                device(node.number),
                device(first)
            ),
            "Give the virtual camera a number from 10 on.",
        );
        remade(context, node, found)
    };
    before.map(finding).collect()
}

/// How a node comes to be made anew: by set-up, by the file that asks for it, or by hand.
fn remade(context: Context<'_>, node: &Node, found: Finding) -> Finding {
    if node.origin == Origin::Setup {
        return found.by_setup();
    }
    let configs = context.facts.configs.get().map_or(&[][..], Vec::as_slice);
    let maker = configs.iter().find(|config| config.makes_node(&node.label));
    if let Some(config) = maker {
        let edit = Command::words("nano").with([config.path.display().to_string()]);
        return found
            .command(Instruction::RunAsRoot(edit))
            .command(Instruction::run("systemctl reboot"));
    }
    let found = match context.facts.loaded_generation() {
        // The tool is in the package v4l2loopback-utils.
        Some(Generation::Dynamic) => {
            let delete = Command::words("v4l2loopback-ctl delete").with([device(node.number)]);
            // A node that is open stays.
            let mut greenrooms = context.evidence.processes.greenrooms();
            let is_open = greenrooms.any(|one| one.video_nodes.contains(&node.number));
            let stop = is_open.then(|| Instruction::run("systemctl --user stop greenroom.service"));
            stop.into_iter().fold(found, Finding::command).command(Instruction::RunAsRoot(delete))
        }
        _ => found.command(Instruction::run("systemctl reboot")),
    };
    found.command(Instruction::run("greenroom setup"))
}
