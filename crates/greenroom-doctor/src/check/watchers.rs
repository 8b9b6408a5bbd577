//! Programs that watch the virtual camera.

use greenroom_setup::facts::{Node, User};
use greenroom_setup::{Command, Generation, Known};

use super::{Context, device, list, note};
use crate::evidence::{Control, Process, UsageEvent};
use crate::{Finding, FindingId, Instruction};

/// Programs of PipeWire open every camera for a moment.
const SESSION_PROGRAMS: [&str; 3] = ["greenroom", "pipewire", "wireplumber"];

/// From 0.13 on, one program streams from a node at a time: v4l2loopback#592.
pub(super) fn taken(context: Context<'_>) -> Vec<Finding> {
    if context.facts.loaded_generation() != Some(Generation::Dynamic) {
        return Vec::new();
    }
    let finding = |node: &Node| {
        let users = watchers(node);
        let names: Vec<_> =
            users.iter().map(|user| format!("{} (pid {})", user.name, user.pid)).collect();
        (!names.is_empty()).then(|| {
            let found = note(
                FindingId::VirtualCameraTaken,
                "A second program says that the camera \"greenroom\" is busy.",
                format!(
                    "{} is open in {}, and since v4l2loopback 0.13 one program at a time can show \
                     its picture.",
                    device(node.number),
                    list(&names)
                ),
                "Close that program, or have a second camera for the second one: set it up, \
                 and run greenroom with both.",
            );
            let found = found.command(Instruction::run("greenroom setup --nodes 2"));
            let line = "output = [{ to = \"greenroom\" }, { to = \"greenroom 2\" }]";
            let options = ["--output", "greenroom", "--output", "greenroom 2"];
            context.with_settings(found, line, &options)
        })
    };
    context.our_nodes().filter_map(finding).collect()
}

/// Who but greenroom has a node open, as far as that can be seen.
fn watchers(node: &Node) -> Vec<&User> {
    let users = node.users.get().into_iter().flatten();
    users.filter(|user| !SESSION_PROGRAMS.contains(&user.name.as_str())).collect()
}

/// The driver does not tell who watches by the event that greenroom waits for.
pub(super) fn no_usage_event(context: Context<'_>) -> Vec<Finding> {
    if context.facts.loaded_generation() != Some(Generation::Dynamic) {
        return Vec::new();
    }
    let finding = |node: &Node| {
        let event = context.evidence.probes.loopback(node.number)?.usage_event;
        let cause = match event {
            Known::Is(UsageEvent::Usual) | Known::Unknown => return None,
            Known::Is(UsageEvent::OtherNumber) => {
                "This build of v4l2loopback tells of watchers by an event of another number."
            }
            Known::Is(UsageEvent::None) => {
                "This build of v4l2loopback does not tell of watchers, although it is 0.13 or \
                 later."
            }
        };
        let found = note(
            FindingId::NoUsageEvent,
            "The picture may come a second late.",
            format!("{cause} greenroom then looks at who has the camera open."),
            "Install your distribution's updates, and restart. Meanwhile greenroom can show its \
             picture whether somebody watches or not.",
        );
        Some(context.with_settings(found, "always_on = true", &["--always-on"]))
    };
    context.our_nodes().filter_map(finding).collect()
}

/// Somebody watches, and nobody is seen: a program in a sandbox, or another user's.
pub(super) fn unseen(context: Context<'_>) -> Vec<Finding> {
    let watched = context
        .evidence
        .probes
        .control
        .is_and(|control| matches!(control, Control::Greenroom { watched: true, .. }));
    let mut nodes = context.our_nodes();
    let Some(node) = nodes.next().filter(|_| watched) else { return Vec::new() };
    if std::iter::once(node).chain(nodes).any(|node| !watchers(node).is_empty()) {
        return Vec::new();
    }
    let path = device(node.number);
    let found = note(
        FindingId::UnseenWatcher,
        "Your webcam is on, and no program seems to use it.",
        format!(
            "Somebody watches {path}: a sandboxed program, or one of another user. From here it \
             cannot be seen which."
        ),
        "Ask as root, who sees all programs.",
    );
    let command = Command::words("fuser -v").with([path]);
    vec![found.undecided().command(Instruction::RunAsRoot(command))]
}

/// Browsers list cameras when they are started.
pub(super) fn older_program(context: Context<'_>) -> Vec<Finding> {
    let Some(since) = context.our_nodes().filter_map(|node| camera_since(context, node)).min()
    else {
        return Vec::new();
    };
    let watching: Vec<u32> = context.our_nodes().flat_map(watchers).map(|user| user.pid).collect();
    let processes = &context.evidence.processes.found;
    let is_of_same = |process: &Process, other: u32| {
        processes.iter().any(|parent| parent.pid == other && parent.program == process.program)
    };
    // Browsers are many processes; the first of them is meant.
    let is_main = |process: &Process| {
        !process.parent.get().is_some_and(|parent| is_of_same(process, *parent))
    };
    let older = processes.iter().filter(|process| {
        process.program.is_some()
            && is_main(process)
            && !watching.contains(&process.pid)
            && process.started_at_s.is_and(|started| *started < since)
    });
    let names: Vec<_> = older.map(Process::title).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let found = note(
        FindingId::ProgramOlderThanCamera,
        "The call may not list the camera \"greenroom\", although greenroom runs.",
        format!(
            "{} started before the camera had a picture, and many programs look for cameras once.",
            list(&names)
        ),
        "If the camera is missing there, close the program with all of its windows, and start it \
         again.",
    );
    let close = format!("Close {}, and start it again.", list(&names));
    vec![found.command(Instruction::ByHand(close))]
}

/// Since when a node is a camera for programs: greenroom shows something in it.
fn camera_since(context: Context<'_>, node: &Node) -> Option<i64> {
    let devices = context.evidence.devices.get()?;
    let device = devices.iter().find(|device| device.number == node.number)?;
    let made = device.node.made_at_s?;
    let greenroom = context
        .evidence
        .processes
        .greenrooms()
        .find(|process| process.video_nodes.contains(&node.number))?;
    Some(made.max(*greenroom.started_at_s.get()?))
}
