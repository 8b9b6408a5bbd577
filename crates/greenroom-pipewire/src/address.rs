//! Where the session's PipeWire listens.

use std::path::{Path, PathBuf};

/// The name of the socket unless `PIPEWIRE_REMOTE` says otherwise.
const SOCKET: &str = "pipewire-0";

/// The socket that libpipewire connects to, by its own rules; `None` without a runtime folder.
pub(crate) fn socket() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let remote = set("PIPEWIRE_REMOTE").unwrap_or_else(|| SOCKET.into());
    if Path::new(&remote).is_absolute() {
        return Some(remote.into());
    }
    let folder = set("PIPEWIRE_RUNTIME_DIR").or_else(|| set("XDG_RUNTIME_DIR"))?;
    Some(Path::new(&folder).join(remote))
}

/// Whether PipeWire could be running: there is a folder for its socket.
pub fn may_run() -> bool {
    socket().is_some_and(|socket| socket.parent().is_some_and(Path::is_dir))
}

/// Whether PipeWire has a socket in this session. Nothing is connected to.
pub fn is_running() -> bool {
    socket().is_some_and(|socket| socket.exists())
}
