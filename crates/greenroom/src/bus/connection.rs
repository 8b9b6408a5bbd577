//! Connections to a bus: how one is opened, and what zbus needs for it.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use zbus::Address;
use zbus::address::Transport;
use zbus::address::transport::UnixSocket;
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;

/// Threads of zbus for one connection: those of its reactor and of its executor; and one more for luck.
const THREADS_OF_A_BUS: usize = 3;
/// Messages that may wait while an answer is waited for, which would not come if there were more.
const MOST_QUEUED: usize = 1024;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time until a bus is tried again that was there and has gone; doubled with each try up to [`LONGEST_RETRY`]. One that
/// is not there at the start never comes.
const RETRY: Duration = Duration::from_secs(1);
/// See [`RETRY`].
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Connects to the bus at `address`.
///
/// # Errors
/// When it is not there; see [`is_no_bus`].
pub(crate) fn connect(address: &Address) -> zbus::Result<Connection> {
    // zbus would start a thread to connect, and others, where there is nothing to connect to.
    let stream = match address.transport() {
        Transport::Unix(unix) => match unix.path() {
            UnixSocket::File(path) => UnixStream::connect(path)?,
            UnixSocket::Abstract(name) => {
                UnixStream::connect_addr(&SocketAddr::from_abstract_name(name.as_bytes())?)?
            }
            _ => return Err(zbus::Error::Unsupported),
        },
        _ => return Err(zbus::Error::Unsupported),
    };
    let connection = Builder::async_io_unix_stream(stream).method_timeout(PATIENCE);
    connection.max_queued(MOST_QUEUED).build()
}

/// Whether there is no bus to connect to, and will not be.
pub(crate) fn is_no_bus(error: &zbus::Error) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
    match error {
        zbus::Error::InputOutput(error) => {
            [ConnectionRefused, NotFound, PermissionDenied].contains(&error.kind())
        }
        zbus::Error::Unsupported | zbus::Error::Address(_) => true,
        _ => false,
    }
}

/// Whether the system gives us the threads that zbus needs: it ends the process where it gets none.
pub(crate) fn has_threads() -> bool {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let start = |_| {
        let gate = Arc::clone(&gate);
        thread::Builder::new().spawn(move || drop(gate.lock()))
    };
    let started: Vec<_> = (0..THREADS_OF_A_BUS).map(start).collect();
    drop(closed);
    let mut all = true;
    for thread in started {
        all &= thread.is_ok_and(|thread| thread.join().is_ok());
    }
    all
}

/// How long to wait before a bus is tried again.
#[derive(Debug)]
pub(crate) struct BusRetry(Duration);

impl Default for BusRetry {
    fn default() -> Self {
        Self(RETRY)
    }
}

impl BusRetry {
    /// The time after a connection that has lasted for `lasted`.
    pub(crate) fn after(&mut self, lasted: Duration) -> Duration {
        if lasted > LONGEST_RETRY {
            self.0 = RETRY;
        }
        let wait = self.0;
        self.0 = (2 * wait).min(LONGEST_RETRY);
        wait
    }
}
