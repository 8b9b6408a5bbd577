//! The webcam: free, fast enough, and with enough of the USB bus.

use greenroom_setup::facts::Environment;
use greenroom_setup::{Command, Known};

use super::{Context, device, list, warning};
use crate::evidence::{CameraMode, CameraState, Device, Process, Usb};
use crate::{Finding, FindingId, Instruction};

/// A mode is good enough for a call from this size and rate on.
const ENOUGH: (u32, u32, f64) = (640, 360, 20.0);

/// USB 1 carries 12 million bits a second: not one picture of 640x360 a second without MJPEG.
const USB_1_MBPS: f64 = 12.0;

/// PipeWire's own programs open every camera to look at it.
const SESSION_PROGRAMS: [&str; 2] = ["pipewire", "wireplumber"];

/// There is no webcam.
pub(super) fn none(context: Context<'_>) -> Vec<Finding> {
    let asked = context.evidence.probes.cameras.is_and(Vec::is_empty);
    // A container has the devices that it was given.
    let is_machine = context.facts.system.environment == Environment::Machine;
    if !asked || !is_machine || context.cameras().next().is_some() {
        return Vec::new();
    }
    let found = warning(
        FindingId::NoCamera,
        "greenroom shows the placeholder, and no program finds a webcam.",
        "The kernel has no camera: none is connected, a switch or key has turned it off, or its \
         driver is missing.",
        "See whether the camera is among the USB devices. If it is not, switch it on, or use \
         another cable and port.",
    );
    vec![found.command(Instruction::run("lsusb"))]
}

/// Another program uses the webcam.
pub(super) fn busy(context: Context<'_>) -> Vec<Finding> {
    let finding = |camera: &Device| {
        let state = context.evidence.probes.camera(camera.number);
        let state = state.map_or(Known::Unknown, |probe| probe.state);
        let processes = &context.evidence.processes;
        let ours = processes.found.iter().any(|process| {
            process.name == "greenroom" && process.video_nodes.contains(&camera.number)
        });
        let holders = processes.holders(camera.number);
        let holds = |process: &&&Process| !SESSION_PROGRAMS.contains(&process.name.as_str());
        let names: Vec<_> = match state {
            Known::Is(CameraState::Busy) => holders.iter().map(|holder| holder.title()).collect(),
            Known::Is(CameraState::Free | CameraState::NoBandwidth) => return None,
            Known::Unknown if ours => return None,
            Known::Unknown => holders.iter().filter(holds).map(|holder| holder.title()).collect(),
        };
        let symptom = format!("The placeholder says that the camera \"{}\" is used.", camera.name);
        let path = device(camera.number);
        if !names.is_empty() {
            let names = list(&names);
            let cause =
                format!("{path} is open in {names}, and a webcam serves one program at a time.");
            let cure = "Close that program, or choose the camera \"greenroom\" in it. The picture \
                        appears by itself.";
            let found = warning(FindingId::CameraBusy, symptom, cause, cure);
            return Some(found.command(Instruction::ByHand(format!("Close {names}."))));
        }
        (state == Known::Is(CameraState::Busy)).then(|| {
            let cause = format!(
                "A program uses {path} that cannot be seen from here: it is in a sandbox, or \
                 another user's."
            );
            let cure = "Ask as root, who sees all programs.";
            let found = warning(FindingId::CameraBusy, symptom, cause, cure).undecided();
            found.command(Instruction::RunAsRoot(Command::words("fuser -v").with([path])))
        })
    };
    context.cameras().filter_map(finding).collect()
}

/// The webcam has no mode that is good enough for a call.
pub(super) fn slow_modes(context: Context<'_>) -> Vec<Finding> {
    let finding = |camera: &Device| {
        // A camera that is busy does not always tell.
        let modes = context.evidence.probes.camera(camera.number)?.modes.get()?;
        let fits = |mode: &&CameraMode| mode.width_px >= ENOUGH.0 && mode.height_px >= ENOUGH.1;
        let unknown = modes.iter().filter(fits).any(|mode| mode.fps.get().is_none());
        let fastest = modes
            .iter()
            .filter(fits)
            .filter_map(|mode| mode.fps.get())
            .fold(0.0_f64, |fastest, fps| fastest.max(*fps));
        if modes.is_empty() || fastest >= ENOUGH.2 || unknown {
            return None;
        }
        let cause = match fits_any(modes) {
            true => format!(
                "\"{}\" gives at most {fastest} pictures a second in a size of 640x360 or more.",
                camera.name
            ),
            false => format!("\"{}\" has no size of 640x360 or more.", camera.name),
        };
        let found = warning(
            FindingId::SlowModes,
            "The picture is jerky or blurred, on an idle computer too.",
            cause,
            "Plug the camera into a faster USB port, not into a hub. If it is no faster there, use \
             another camera.",
        );
        Some(found.command(Instruction::run("greenroom list")))
    };
    context.cameras().filter_map(finding).collect()
}

fn fits_any(modes: &[CameraMode]) -> bool {
    modes.iter().any(|mode| mode.width_px >= ENOUGH.0 && mode.height_px >= ENOUGH.1)
}

/// The USB bus has no room for the webcam's pictures.
pub(super) fn usb_bandwidth(context: Context<'_>) -> Vec<Finding> {
    let finding = |camera: &Device| {
        let usb = camera.usb.as_ref()?;
        let state = context.evidence.probes.camera(camera.number);
        let state = state.map_or(Known::Unknown, |probe| probe.state);
        let no_room = state == Known::Is(CameraState::NoBandwidth);
        let slow = usb.speed_mbps.is_and(|speed| *speed <= USB_1_MBPS);
        if !no_room && !slow {
            return None;
        }
        let title = &camera.name;
        let cause = if slow {
            format!("\"{title}\" is connected at the speed of USB 1.")
        } else {
            match neighbours(context, camera, usb) {
                others if others.is_empty() => {
                    format!("The USB bus of \"{title}\" has no room left for its pictures.")
                }
                others => format!(
                    "The USB bus of \"{title}\" has no room left for its pictures. On the same bus \
                     is {}.",
                    list(&others)
                ),
            }
        };
        let cure = "Plug the camera into another port of the computer itself, or ask for smaller \
                    pictures.";
        let symptom = format!("The camera \"{title}\" does not start, or is very slow.");
        let found = warning(FindingId::UsbBandwidth, symptom, cause, cure);
        let found = found.command(Instruction::run("lsusb -t"));
        Some(context.with_settings(found, "size = \"640x360\"", &["--size", "640x360"]))
    };
    context.cameras().filter_map(finding).collect()
}

/// Other webcams of the same bus.
fn neighbours(context: Context<'_>, camera: &Device, usb: &Usb) -> Vec<String> {
    let shares = |other: &&Device| {
        let bus = other.usb.as_ref().and_then(|usb| usb.bus.get());
        other.number != camera.number && bus.is_some() && bus == usb.bus.get()
    };
    context.cameras().filter(shares).map(|other| format!("\"{}\"", other.name)).collect()
}
