use std::path::Path;

use greenroom_doctor::Known;
use greenroom_doctor::evidence::{Control, OutputKind};
use tracing::debug;

use crate::control::{ControlError, ask};
use crate::protocol::{Answer, Reply, Request};
use crate::status::{OutputState, OutputStatus, Status};

/// The status of the running greenroom; `Is(None)` if none runs.
pub(super) fn status(socket: Option<&Path>) -> Known<Option<Status>> {
    let Some(socket) = socket else { return Known::Unknown };
    match ask(socket, &Request::Status {}) {
        Ok(Reply::Ok(Answer::Status(status))) => Known::Is(Some(*status)),
        Ok(_) => Known::Unknown,
        Err(ControlError::NobodyThere) => Known::Is(None),
        Err(error) => {
            debug!(%error, "greenroom was not asked");
            Known::Unknown
        }
    }
}

pub(super) fn probe(status: &Known<Option<Status>>) -> Known<Control> {
    match status {
        Known::Is(Some(status)) => Known::Is(Control::Greenroom {
            pid: status.pid,
            version: status.version.clone(),
            outputs: status.outputs.iter().map(kind).collect(),
            watched: status.outputs.iter().any(is_watched),
        }),
        Known::Is(None) => Known::Is(Control::Nobody),
        Known::Unknown => Known::Unknown,
    }
}

/// By what an output writes to: `greenroom (/dev/video10)`, `greenroom (PipeWire)`, or a file.
fn kind(output: &OutputStatus) -> OutputKind {
    if output.sink.contains("(/dev/video") || output.sink.starts_with("/dev/video") {
        OutputKind::Loopback
    } else if output.sink.ends_with(" (PipeWire)") || output.sink.starts_with("pipewire") {
        OutputKind::PipeWire
    } else {
        OutputKind::File
    }
}

/// Nobody is counted who reads a file.
fn is_watched(output: &OutputStatus) -> bool {
    kind(output) != OutputKind::File && output.state == OutputState::Watched
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(sink: &str) -> OutputStatus {
        let state = OutputState::Watched;
        OutputStatus { sink: sink.to_owned(), state, ..OutputStatus::default() }
    }

    #[test]
    fn a_watched_virtual_camera_is_told_from_a_file() {
        let outputs = vec![output("call.mkv"), output("greenroom (/dev/video10)")];
        let status = Status { pid: 7, outputs, ..Status::default() };
        let Known::Is(Control::Greenroom { pid: 7, outputs, watched: true, .. }) =
            probe(&Known::Is(Some(status)))
        else {
            panic!()
        };
        assert_eq!(outputs, [OutputKind::File, OutputKind::Loopback]);
        assert_eq!(kind(&output("greenroom (PipeWire)")), OutputKind::PipeWire);
        let status = Status { outputs: vec![output("call.mkv")], ..Status::default() };
        assert!(matches!(
            probe(&Known::Is(Some(status))),
            Known::Is(Control::Greenroom { watched: false, .. })
        ));
    }

    #[test]
    fn where_nobody_listens_nobody_is() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("greenroom.sock");
        assert_eq!(probe(&status(Some(&socket))), Known::Is(Control::Nobody));
        assert_eq!(probe(&status(None)), Known::Unknown);
    }
}
