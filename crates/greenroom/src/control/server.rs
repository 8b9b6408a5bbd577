use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use greenroom_device::{Wake, wait_readable};
use rustix::net::sockopt::socket_peercred;

use super::lines::{Lines, TooLong};
use super::socket::Socket;
use super::{BadRequest, ControlError, Reply, Request};

/// Clients at once. More are told so and let go: whoever asks needs a moment only.
const MAX_CLIENTS: usize = 8;
/// Time for a line, from its first byte to its last.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time in which nobody is let in after the system had no descriptor left: it would have none in
/// the next microsecond either.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);
/// Bytes taken from one client before the others have their turn.
const TURN_BYTES: usize = 16 << 10;

/// Answers requests. Made from a request, once for each.
type Answerer = Box<dyn FnMut(Request) -> Reply + Send>;

/// The control socket and the thread "control" that answers at it. Dropping it ends the thread and
/// removes the socket.
#[derive(Debug)]
pub struct Server {
    stop: Wake,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers at `path` with what `answer` gives, one request after the other. While nobody asks,
    /// the thread sleeps.
    ///
    /// # Errors
    /// [`ControlError::AlreadyRunning`], or when the socket cannot be made.
    pub fn start(path: &Path, answer: Answerer) -> Result<Self, ControlError> {
        let unusable = |why: io::Error| ControlError::Unusable { path: path.into(), why };
        let stop = Wake::new().map_err(unusable)?;
        let socket = Socket::listen(path)?;
        let mut waiter =
            Waiter { socket, stop: stop.clone(), clients: Vec::new(), closed_until: None, answer };
        let thread = thread::Builder::new().name("control".into()).spawn(move || waiter.run());
        tracing::debug!("control: listens at {}", path.display());
        Ok(Self { stop, thread: Some(thread.map_err(unusable)?) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.ring();
        // Its panics were caught; there is nothing to tell.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// What the thread owns.
struct Waiter {
    socket: Socket,
    stop: Wake,
    clients: Vec<Client>,
    /// Nobody is let in before that.
    closed_until: Option<Instant>,
    answer: Answerer,
}

impl Waiter {
    fn run(&mut self) {
        loop {
            let ready = self.wait();
            if self.stop.is_ringing() {
                return;
            }
            let now = Instant::now();
            // Clients first: their places in the answer are those of before anyone was let in.
            let mut place = 1;
            let answer = &mut self.answer;
            self.clients.retain_mut(|client| {
                place += 1;
                let stays = ready & 1 << place == 0 || client.serve(now, answer);
                stays && client.is_in_time(now)
            });
            if self.closed_until.is_none() && ready & 0b10 != 0 {
                self.let_in();
            }
        }
    }

    /// Waits; bit 0 is the stop bell, bit 1 the listener, then the clients in their order.
    fn wait(&mut self) -> u64 {
        let now = Instant::now();
        self.closed_until = self.closed_until.filter(|until| *until > now);
        let deadlines = self.clients.iter().filter_map(|client| client.lines.deadline(PATIENCE));
        let deadline = deadlines.chain(self.closed_until).min();
        let patience = deadline.map(|deadline| deadline.saturating_duration_since(now));
        // A listener that must not be heard is not listened to: the bell stands in.
        let listener = match self.closed_until {
            Some(_) => self.stop.as_fd(),
            None => self.socket.listener.as_fd(),
        };
        let fixed = [self.stop.as_fd(), listener];
        let clients = self.clients.iter().map(|client| client.stream.as_fd());
        let fds: Vec<BorrowedFd<'_>> = fixed.into_iter().chain(clients).collect();
        wait_readable(&fds, patience)
    }

    fn let_in(&mut self) {
        match self.socket.listener.accept() {
            Ok((stream, _)) => match Client::new(stream) {
                Ok(mut client) if self.clients.len() >= MAX_CLIENTS => {
                    let many = format!(
                        "{MAX_CLIENTS} programs are connected already; end one and ask again"
                    );
                    client.reply(&Reply::Error(many));
                }
                Ok(client) => self.clients.push(client),
                Err(why) => tracing::warn!("control: somebody was turned away: {why}"),
            },
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::Interrupted
                | io::ErrorKind::ConnectionAborted => {}
                _ => {
                    tracing::warn!("control: nobody can be let in now: {error}");
                    self.closed_until = Some(Instant::now() + ACCEPT_AGAIN);
                }
            },
        }
    }
}

/// A program that is connected.
struct Client {
    stream: UnixStream,
    lines: Lines,
}

impl Client {
    /// Only our own user (and root, who may do anything) is served. The socket's mode says the same;
    /// this holds also where somebody has changed that.
    fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let peer = socket_peercred(&stream)?.uid;
        if peer != rustix::process::geteuid() && !peer.is_root() {
            let why = format!("user {} is not the one who runs greenroom", peer.as_raw());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        Ok(Self { stream, lines: Lines::default() })
    }

    /// Takes what came and answers the lines that are whole; `false` when it is done with.
    fn serve(&mut self, now: Instant, answer: &mut Answerer) -> bool {
        let mut came = [0; TURN_BYTES];
        let read = match self.stream.read(&mut came) {
            Ok(read) => read,
            Err(error) => {
                return matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                );
            }
        };
        let mut listens = true;
        let stream = &mut self.stream;
        let each = |line: Result<&[u8], TooLong>| {
            // Who has gone, or reads nothing, is asked for nothing more.
            if listens {
                listens = send(stream, &reply_to(line, answer));
            }
        };
        if read == 0 {
            self.lines.end(each);
            return false;
        }
        self.lines.take(&came[..read], now, each);
        listens
    }

    /// Lets go of a client whose line does not come to its end.
    fn is_in_time(&mut self, now: Instant) -> bool {
        let in_time = self.lines.deadline(PATIENCE).is_none_or(|deadline| now < deadline);
        if !in_time {
            let late = "the request's line did not end within 5 seconds; end it with a line feed";
            self.reply(&Reply::Error(late.to_owned()));
        }
        in_time
    }

    fn reply(&mut self, reply: &Reply) {
        send(&mut self.stream, reply);
    }
}

/// The reply to one line. A panic on the way is our bug, and no reason to fall silent.
fn reply_to(line: Result<&[u8], TooLong>, answer: &mut Answerer) -> Reply {
    let request = line.map_err(|TooLong| BadRequest::TooLong).and_then(Request::parse);
    match request {
        Ok(request) => catch_unwind(AssertUnwindSafe(|| answer(request))).unwrap_or_else(|_| {
            tracing::error!("control: a request made greenroom fail");
            let sorry = "greenroom failed over this request, which is our bug; its log tells \
                             where";
            Reply::Error(sorry.to_owned())
        }),
        Err(bad) => Reply::Error(bad.to_string()),
    }
}

/// Writes a reply without ever waiting. A client that has left so much unread (about 200 KB) that it
/// does not fit is slow: `false`, let go of it.
fn send(stream: &mut UnixStream, reply: &Reply) -> bool {
    let mut line = serde_json::to_vec(reply).expect("a reply has string keys only");
    line.push(b'\n');
    stream.write_all(&line).is_ok()
}
