use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use super::ControlError;
use crate::protocol::{Answer, EventLine, Reply, Request, SentEvent};
use crate::scenes::PAUSE_PATIENCE;
use crate::status::Status;

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
    let mut stream = connect(path)?;
    let reply = exchange(&mut stream, request, &mut Vec::new());
    reply.map_err(|failure| failure.at(path))
}

/// Asks the greenroom that listens at `path` for events, with numbers every `numbers_ms` milliseconds; what is going on
/// now, and what follows.
///
/// # Errors
/// As with [`ask`]; with a sentence where greenroom refuses.
pub fn subscribe(
    path: &Path,
    numbers_ms: Option<u64>,
) -> Result<Result<(Box<Status>, Events), String>, ControlError> {
    let mut stream = connect(path)?;
    let mut rest = Vec::new();
    let reply = exchange(&mut stream, &Request::Subscribe { numbers_ms }, &mut rest);
    match reply.map_err(|failure| failure.at(path))? {
        Reply::Ok(Answer::Subscribed { status, .. }) => {
            let events = Events { stream, rest, path: path.into() };
            Ok(Ok((status, events)))
        }
        Reply::Ok(_) => Err(ControlError::OtherVersion { path: path.into() }),
        Reply::Error(sentence) => Ok(Err(sentence)),
    }
}

/// The events of a running greenroom, as they come, until it ends.
#[derive(Debug)]
pub struct Events {
    stream: UnixStream,
    /// What was read and is no whole line yet.
    rest: Vec<u8>,
    path: PathBuf,
}

impl Iterator for Events {
    type Item = Result<SentEvent, ControlError>;

    fn next(&mut self) -> Option<Self::Item> {
        // It may be long until something happens.
        let line = match next_line(&mut self.stream, &mut self.rest, None) {
            Ok(Some(line)) => line,
            Ok(None) => return None,
            Err(_) => return Some(Err(ControlError::NoAnswer { path: self.path.clone() })),
        };
        let event = serde_json::from_slice::<EventLine>(&line);
        let other = |_| ControlError::OtherVersion { path: self.path.clone() };
        Some(event.map(|line| line.event).map_err(other))
    }
}

/// Why a request got no reply.
enum Failure {
    NotText,
    NoAnswer,
    OtherVersion,
}

impl Failure {
    fn at(self, path: &Path) -> ControlError {
        match self {
            Self::NotText => ControlError::NotText,
            Self::NoAnswer => ControlError::NoAnswer { path: path.into() },
            Self::OtherVersion => ControlError::OtherVersion { path: path.into() },
        }
    }
}

/// Connects. A greenroom that hangs lets nobody in: that is waited for as long as for an answer.
fn connect(path: &Path) -> Result<UnixStream, ControlError> {
    let connected = || -> io::Result<UnixStream> {
        let address = SocketAddrUnix::new(path)?;
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
        rustix::net::connect(&socket, &address)?;
        Ok(socket.into())
    };
    connected().map_err(|why| match why.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NobodyThere,
        io::ErrorKind::WouldBlock => ControlError::NoAnswer { path: path.into() },
        _ => ControlError::Unreachable { path: path.into(), why },
    })
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

/// Sends the request; the reply to it. What came behind that is left in `rest`.
fn exchange(
    stream: &mut UnixStream,
    request: &Request,
    rest: &mut Vec<u8>,
) -> Result<Reply, Failure> {
    let mut line = serde_json::to_vec(request).map_err(|_| Failure::NotText)?;
    line.push(b'\n');
    let deadline = Instant::now() + patience(request);
    stream.set_write_timeout(Some(PATIENCE)).map_err(|_| Failure::NoAnswer)?;
    // Who turns us away at the door says why, and may be gone before it has heard us.
    let _ = stream.write_all(&line);
    let line = next_line(stream, rest, Some(deadline)).ok().flatten().ok_or(Failure::NoAnswer)?;
    serde_json::from_slice(&line).map_err(|_| Failure::OtherVersion)
}

/// The next line, without its line feed; `None` if it does not come whole and in time. `rest` is what came behind the
/// line before.
fn next_line(
    stream: &mut UnixStream,
    rest: &mut Vec<u8>,
    deadline: Option<Instant>,
) -> io::Result<Option<Vec<u8>>> {
    let mut came = [0; 4096];
    loop {
        if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let behind = rest.split_off(end + 1);
            let mut line = std::mem::replace(rest, behind);
            line.truncate(end);
            return Ok(Some(line));
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) || rest.len() > MAX_REPLY_BYTES {
            return Ok(None);
        }
        stream.set_read_timeout(left)?;
        match stream.read(&mut came) {
            Ok(0) => return Ok(None),
            Ok(read) => rest.extend_from_slice(&came[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
