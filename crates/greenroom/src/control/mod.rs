//! Control of a running greenroom: the dispatcher, which carries out requests, and the control socket, a Unix socket
//! that takes one JSON request per line and sends one JSON reply per line (see [`crate::protocol`]).

mod client;
mod connected;
mod dispatcher;
mod event_feed;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod lines;
mod replier;
mod replies;
mod server;
mod service;
mod socket;
mod subscriber;

use std::io;
use std::path::PathBuf;

pub use client::{Events, ask, subscribe};
pub use connected::MAX_CLIENTS;
pub use dispatcher::{Dispatcher, Trust};
pub use event_feed::{EventFeed, EventReceiver};
pub use replier::{ClientWatch, Replier};
pub use server::{Claim, Server};
pub use service::StreamSources;

/// Why the control socket cannot be made, or a request got no reply. Each error text is one sentence that names the
/// next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No path for the socket is known.
    #[error(
        "there is no place for the control socket, as XDG_RUNTIME_DIR is not set; log in to a \
         session, which sets it, or name a place with --socket PATH"
    )]
    NoRuntimeDir,
    /// Another greenroom already listens at this path.
    #[error(
        "greenroom runs already{}; stop it first, or give this one a socket of its own with \
         --socket PATH", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    AlreadyRunning {
        /// The process ID of the other greenroom, if it is known.
        pid: Option<u32>,
    },
    /// The path of the socket is taken by a file that is not a socket.
    #[error("{} is there already and is no socket; name another place with --socket PATH", path.display())]
    NotASocket {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("cannot make the control socket {}: {why}; name another place with --socket PATH", path.display())]
    Unusable {
        /// The path of the socket.
        path: PathBuf,
        /// The error of the system.
        why: io::Error,
    },
    /// No greenroom listens at the socket.
    #[error("no greenroom runs here; start one with: greenroom run")]
    NobodyThere,
    /// A file name in the request is not UTF-8, so it cannot be sent as JSON.
    #[error(
        "a file name in this request is not UTF-8 text, so it cannot be sent to greenroom; name a \
         file whose path is UTF-8"
    )]
    NotText,
    /// Another program has locked the folder of the socket.
    #[error(
        "cannot make the control socket {}: another program has locked its folder; name another \
         place with --socket PATH", path.display()
    )]
    Locked {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The connection to the socket fails.
    #[error("cannot reach greenroom at {}: {why}; run this command as the user who runs greenroom", path.display())]
    Unreachable {
        /// The path of the socket.
        path: PathBuf,
        /// The error of the system.
        why: io::Error,
    },
    /// greenroom sent no complete reply in time.
    #[error(
        "greenroom at {} does not answer; look at its log, and start it again if it hangs",
        path.display()
    )]
    NoAnswer {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The reply is not valid in this version of the protocol.
    #[error(
        "the program that listens at {} speaks another version of the protocol; start greenroom \
         again, so that both are of one version", path.display()
    )]
    OtherVersion {
        /// The path of the socket.
        path: PathBuf,
    },
}

/// The default path of the control socket: `$XDG_RUNTIME_DIR/greenroom.sock`.
///
/// # Errors
/// [`ControlError::NoRuntimeDir`] when the variable is not set to an absolute path.
pub fn default_socket() -> Result<PathBuf, ControlError> {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.is_absolute()).ok_or(ControlError::NoRuntimeDir)?;
    Ok(folder.join("greenroom.sock"))
}
