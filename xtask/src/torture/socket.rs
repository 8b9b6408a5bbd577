//! A place for the control socket that is none.

use super::case::Case;
use super::fault::{Effect, Fault};
use super::operation::Operation;
use super::socket_fault::SocketFault;

const FAULTS: [(&str, SocketFault, Effect); 14] = [
    ("folder-missing", SocketFault::FolderMissing, Effect::None),
    ("folder-not-writable", SocketFault::FolderNotWritable, Effect::None),
    ("folder-locked", SocketFault::FolderLocked, Effect::None),
    ("is-file", SocketFault::IsFile, Effect::None),
    ("is-folder", SocketFault::IsFolder, Effect::None),
    ("is-fifo", SocketFault::IsFifo, Effect::None),
    ("link-to-file", SocketFault::LinkToFile, Effect::None),
    ("link-to-nothing", SocketFault::LinkToNothing, Effect::None),
    ("too-long", SocketFault::TooLong, Effect::None),
    ("stale", SocketFault::Stale, Effect::None),
    ("silent", SocketFault::Silent, Effect::MustRefuse("runs already")),
    ("floods", SocketFault::Floods, Effect::MustRefuse("runs already")),
    ("hangs-up", SocketFault::HangsUp, Effect::MustRefuse("runs already")),
    ("taken", SocketFault::Taken, Effect::MustRefuse("runs already")),
];

/// Without a socket greenroom runs, and says so; where another runs, it does not begin.
pub fn cases(short: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, socket, effect) in FAULTS {
        let fault = Fault {
            socket,
            effect,
            is_unprivileged: socket == SocketFault::FolderNotWritable,
            ..Fault::new(format!("socket/{name}"))
        };
        cases.extend(Case::of_each(&fault, &[Operation::OnAir]));
        if !short || socket == SocketFault::Taken {
            cases.extend(Case::of_each(
                &fault,
                &[Operation::Record("y4m"), Operation::Record("mp4")],
            ));
        }
        if !short
            || matches!(socket, SocketFault::IsFifo | SocketFault::Silent | SocketFault::Floods)
        {
            let fault = Fault { effect: Effect::MustRefuse(""), ..fault };
            if !matches!(socket, SocketFault::FolderLocked | SocketFault::Taken) {
                cases.extend(Case::of_each(&fault, &[Operation::ClientsAlone]));
            }
        }
    }
    cases
}
