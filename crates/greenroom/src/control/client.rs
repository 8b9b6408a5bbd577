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

/// Time limit from the request to its reply. greenroom usually replies within milliseconds; on a very busy machine, the
/// reply may take seconds.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for requests that load or save media: a damaged video may take long to be recognized.
const MEDIA_REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for a background that the user chooses in a picker.
const PICKER_REPLY_TIMEOUT: Duration = Duration::from_secs(300);
/// Maximum length of a reply or event.
const MAX_REPLY_BYTES: usize = 1 << 20;

/// Sends `request` to the greenroom that listens at `path` and returns its reply. The time limit is 10 s, 30 s for
/// requests that may load media, or five minutes for a screen, which the user chooses.
///
/// # Errors
/// [`ControlError::NobodyThere`] if no greenroom listens there, or another [`ControlError`] if the connection fails. A
/// refused request is not an error here, but a [`Reply::Error`].
pub fn ask(path: &Path, request: &Request) -> Result<Reply, ControlError> {
    let mut stream = connect(path)?;
    let reply = exchange(&mut stream, request, &mut Vec::new());
    reply.map_err(|failure| failure.at(path))
}

/// Subscribes to the greenroom that listens at `path`, with numbers every `numbers_ms` milliseconds. Returns the
/// current status and the events that follow; the inner error is the sentence with which greenroom refuses.
///
/// # Errors
/// As with [`ask`].
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

/// The events of a running greenroom: an iterator that blocks until the next event, and ends when greenroom ends.
#[derive(Debug)]
pub struct Events {
    stream: UnixStream,
    /// Bytes that were read behind the last complete line.
    rest: Vec<u8>,
    path: PathBuf,
}

impl Iterator for Events {
    type Item = Result<SentEvent, ControlError>;

    fn next(&mut self) -> Option<Self::Item> {
        // There is no time limit, because events may be rare.
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

/// Connects to the socket. If greenroom hangs and accepts no connection, this fails after [`REPLY_TIMEOUT`].
fn connect(path: &Path) -> Result<UnixStream, ControlError> {
    let connected = || -> io::Result<UnixStream> {
        let address = SocketAddrUnix::new(path)?;
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        set_socket_timeout(&socket, Timeout::Send, Some(REPLY_TIMEOUT))?;
        rustix::net::connect(&socket, &address)?;
        Ok(socket.into())
    };
    connected().map_err(|why| match why.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NobodyThere,
        io::ErrorKind::WouldBlock => ControlError::NoAnswer { path: path.into() },
        _ => ControlError::Unreachable { path: path.into(), why },
    })
}

fn reply_timeout(request: &Request) -> Duration {
    match request {
        Request::Set(set) if set.options.background.as_deref() == Some("screen") => {
            PICKER_REPLY_TIMEOUT
        }
        // The scene may show one.
        Request::Scene { .. } | Request::Next { .. } => PICKER_REPLY_TIMEOUT,
        Request::Set(_) | Request::Record { .. } | Request::StopRecording { .. } => {
            MEDIA_REPLY_TIMEOUT
        }
        // After PAUSE_PATIENCE greenroom itself replies that an output does not show the placeholder.
        Request::Pause {} => 2 * PAUSE_PATIENCE,
        _ => REPLY_TIMEOUT,
    }
}

/// Sends the request and returns its reply. Bytes behind the reply are left in `rest`.
fn exchange(
    stream: &mut UnixStream,
    request: &Request,
    rest: &mut Vec<u8>,
) -> Result<Reply, Failure> {
    let mut line = serde_json::to_vec(request).map_err(|_| Failure::NotText)?;
    line.push(b'\n');
    let deadline = Instant::now() + reply_timeout(request);
    stream.set_write_timeout(Some(REPLY_TIMEOUT)).map_err(|_| Failure::NoAnswer)?;
    // The write may fail because greenroom has refused the connection already; its reply says why.
    let _ = stream.write_all(&line);
    let line = next_line(stream, rest, Some(deadline)).ok().flatten().ok_or(Failure::NoAnswer)?;
    serde_json::from_slice(&line).map_err(|_| Failure::OtherVersion)
}

/// The next line, without its line feed; `None` if it is incomplete at the deadline or at the end of the connection.
/// `rest` holds the bytes that were read behind the previous line.
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
