//! Connections to a D-Bus message bus, and the retries when a bus is lost.

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

/// Threads that zbus starts for one connection: its reactor and its executor; one more is counted as a reserve.
const BUS_THREADS: usize = 3;
/// Capacity of the queue of received messages. If it were full, zbus would not read the reply that a call waits for.
const MAX_QUEUED: usize = 1024;
/// Time limit for the reply to a method call.
const METHOD_TIMEOUT: Duration = Duration::from_secs(10);
/// Time before a lost bus is tried again; it doubles with each try up to [`MAX_RETRY`]. A bus that does not exist at
/// the start is not tried again.
const MIN_RETRY: Duration = Duration::from_secs(1);
/// See [`MIN_RETRY`].
const MAX_RETRY: Duration = Duration::from_secs(60);

/// Connects to the bus at `address`.
///
/// # Errors
/// When the bus cannot be reached; [`is_no_bus`] tells whether it exists at all.
pub(crate) fn connect(address: &Address) -> zbus::Result<Connection> {
    // Connect without zbus, which would start threads even if there is no bus.
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
    let connection = Builder::async_io_unix_stream(stream).method_timeout(METHOD_TIMEOUT);
    connection.max_queued(MAX_QUEUED).build()
}

/// Whether the error means that there is no bus, so that another try is pointless.
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

/// Whether the system can start the threads that zbus needs. zbus ends the process when it cannot start a thread.
pub(crate) fn has_threads() -> bool {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let start = |_| {
        let gate = Arc::clone(&gate);
        thread::Builder::new().spawn(move || drop(gate.lock()))
    };
    let started: Vec<_> = (0..BUS_THREADS).map(start).collect();
    drop(closed);
    let mut all = true;
    for thread in started {
        all &= thread.is_ok_and(|thread| thread.join().is_ok());
    }
    all
}

/// The waiting times between attempts to connect to a bus.
#[derive(Debug)]
pub(crate) struct BusRetry(Duration);

impl Default for BusRetry {
    fn default() -> Self {
        Self(MIN_RETRY)
    }
}

impl BusRetry {
    /// The time to wait after a connection that lasted for `lasted`.
    pub(crate) fn after(&mut self, lasted: Duration) -> Duration {
        // A bus that was there may be tried again soon; one that refuses connections at once may not.
        if lasted > MIN_RETRY {
            self.0 = MIN_RETRY;
        }
        let wait = self.0;
        self.0 = (2 * wait).min(MAX_RETRY);
        wait
    }
}
