use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use super::{ControlError, Reply, Request};
use crate::scenes::PAUSE_PATIENCE;

/// Time for the whole exchange. A greenroom that is well answers within milliseconds; on a machine that is very busy the
/// answer may still take seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time for one in which media are loaded: a video may take long to tell that it is none.
const LOADING_PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer that is taken.
const MAX_REPLY_BYTES: usize = 1 << 20;

/// Asks the greenroom that listens at `path`, and gives up after 10 s, or 30 s where media may have to
/// be loaded.
///
/// # Errors
/// [`ControlError::NobodyThere`] when there is none, or what went wrong on the way. A request that
/// greenroom refuses is no error here, but a [`Reply::Error`].
pub fn ask(path: &Path, request: &Request) -> Result<Reply, ControlError> {
    let mut line = serde_json::to_vec(request).map_err(|_| ControlError::NotText)?;
    line.push(b'\n');
    let mut stream = connect(path).map_err(|why| match why.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NobodyThere,
        io::ErrorKind::WouldBlock => ControlError::NoAnswer { path: path.into() },
        _ => ControlError::Unreachable { path: path.into(), why },
    })?;
    let line = exchange(&mut stream, line, patience(request)).ok().flatten();
    let line = line.ok_or_else(|| ControlError::NoAnswer { path: path.into() })?;
    serde_json::from_slice(&line).map_err(|_| ControlError::OtherVersion { path: path.into() })
}

/// Connects. A greenroom that hangs lets nobody in: that is waited for as long as for an answer.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
    rustix::net::connect(&socket, &address)?;
    Ok(socket.into())
}

fn patience(request: &Request) -> Duration {
    match request {
        Request::Set(_)
        | Request::Scene { .. }
        | Request::Next { .. }
        | Request::Record { .. }
        | Request::StopRecording { .. } => LOADING_PATIENCE,
        // Before that, greenroom itself says that it cannot show the placeholder.
        Request::Pause {} => 2 * PAUSE_PATIENCE,
        _ => PATIENCE,
    }
}

/// Sends the request's line; the line that comes back, `None` if it does not come whole and in time.
fn exchange(
    stream: &mut UnixStream,
    line: Vec<u8>,
    patience: Duration,
) -> io::Result<Option<Vec<u8>>> {
    let deadline = Instant::now() + patience;
    stream.set_write_timeout(Some(PATIENCE))?;
    // Who turns us away at the door says why, and may be gone before it has heard us.
    let _ = stream.write_all(&line);
    let mut reply = Vec::new();
    let mut came = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || reply.len() > MAX_REPLY_BYTES {
            return Ok(None);
        }
        stream.set_read_timeout(Some(left))?;
        let read = match stream.read(&mut came) {
            Ok(read) => &came[..read],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        reply.extend_from_slice(read);
        if read.contains(&b'\n') {
            return Ok(Some(reply));
        }
        if read.is_empty() {
            return Ok(None);
        }
    }
}
