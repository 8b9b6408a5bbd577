//! How a running greenroom is reached: a Unix socket that takes one JSON object a line and answers each with one
//! ([`crate::protocol`] says which), and the dispatcher behind it, which has done what is asked for.

mod client;
mod connected;
mod dispatcher;
mod event_feed;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod lines;
mod replier;
mod server;
mod service;
mod socket;
mod subscriber;
mod tickets;

use std::io;
use std::path::PathBuf;

pub use client::{Events, ask, subscribe};
pub use connected::MAX_CLIENTS;
pub use dispatcher::{Dispatcher, Trust};
pub use event_feed::{EventFeed, EventReceiver};
pub use replier::{AskerWatch, Replier};
pub use server::{Claim, Server};
pub use service::StreamSources;

/// Why there is no control socket, or no answer from it. Every text is one sentence with the next
/// step to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No place for a socket.
    #[error(
        "there is no place for the control socket, as XDG_RUNTIME_DIR is not set; log in to a \
         session, which sets it, or name a place with --socket PATH"
    )]
    NoRuntimeDir,
    /// Another greenroom answers at this socket.
    #[error(
        "greenroom runs already{}; stop it first, or give this one a socket of its own with \
         --socket PATH", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    AlreadyRunning {
        /// Its process number, as far as it may be seen.
        pid: Option<u32>,
    },
    /// Something else lies where the socket should be.
    #[error("{} is there already and is no socket; name another place with --socket PATH", path.display())]
    NotASocket {
        /// The place.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("cannot make the control socket {}: {why}; name another place with --socket PATH", path.display())]
    Unusable {
        /// The place.
        path: PathBuf,
        /// The system's answer.
        why: io::Error,
    },
    /// Nobody to ask.
    #[error("no greenroom runs here; start one with: greenroom run")]
    NobodyThere,
    /// A file's name that JSON does not hold.
    #[error(
        "a name in this request is not UTF-8 text, so that greenroom cannot be told of it; name a \
         file whose path is"
    )]
    NotText,
    /// Somebody has locked the socket's folder.
    #[error(
        "cannot make the control socket {}: another program has locked its folder; name another \
         place with --socket PATH", path.display()
    )]
    Locked {
        /// The place.
        path: PathBuf,
    },
    /// The socket does not let us in.
    #[error("cannot reach greenroom at {}: {why}; ask as the user who runs it", path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// The system's answer.
        why: io::Error,
    },
    /// No answer in time, or not a whole one.
    #[error(
        "greenroom at {} does not answer; look at its log, and start it again if it hangs",
        path.display()
    )]
    NoAnswer {
        /// The socket.
        path: PathBuf,
    },
    /// The answer is none of this version.
    #[error(
        "what answers at {} does not speak this version's language; start greenroom again, so that \
         both are of one version", path.display()
    )]
    OtherVersion {
        /// The socket.
        path: PathBuf,
    },
}

/// Where the socket is when nobody says otherwise: `$XDG_RUNTIME_DIR/greenroom.sock`.
///
/// # Errors
/// [`ControlError::NoRuntimeDir`] when the variable is not set to an absolute path.
pub fn default_socket() -> Result<PathBuf, ControlError> {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.is_absolute()).ok_or(ControlError::NoRuntimeDir)?;
    Ok(folder.join("greenroom.sock"))
}
