//! One client of the control socket: its requests in their order, and its replies.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_device::wait_readable;
use rustix::net::sockopt::socket_peercred;

use super::lines::{Lines, TooLong};
use super::replier::{Replier, Replies, Ticket};
use super::{BadRequest, Reply, Request};
use crate::terminal::printable_json;

/// Clients at once: whoever asks needs a moment only. For one more, the one that has been idle for the longest
/// time is let go.
pub(super) const MAX_CLIENTS: usize = 8;
/// Time for a line, from its first byte to its last.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes taken from one client before the others have their turn.
const TURN_BYTES: usize = 16 << 10;

/// Requests of one client that wait for their replies; more are refused, and no more is read until
/// some are answered.
const MAX_WAITING: usize = 32;

/// Sees to requests: each is replied to once, when it is done.
pub type Answerer = Box<dyn FnMut(Request, Replier) + Send>;

/// A program that is connected.
pub(super) struct Client {
    /// No two clients have the same.
    pub(super) number: u64,
    pub(super) stream: Arc<UnixStream>,
    pub(super) lines: Lines,
    /// The replies to its requests, from number `settled` on, as far as they are there.
    waiting: VecDeque<Option<Reply>>,
    settled: u64,
    /// Nothing more will come from it.
    is_read: bool,
    /// It has gone, or reads nothing.
    is_gone: bool,
    /// When something came from it last.
    pub(super) heard_at: Instant,
    /// It has one of the `PAUSE_PLACES`.
    pub(super) may_only_pause: bool,
}

impl Client {
    /// Only our own user (and root, who may do anything) is served. The socket's mode says the same;
    /// this holds also where somebody has changed that.
    pub(super) fn new(stream: UnixStream, number: u64) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let peer = socket_peercred(&stream)?.uid;
        if peer != rustix::process::geteuid() && !peer.is_root() {
            let why = format!("user {} is not the one who runs greenroom", peer.as_raw());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        Ok(Self {
            number,
            stream: Arc::new(stream),
            lines: Lines::default(),
            waiting: VecDeque::new(),
            settled: 0,
            is_read: false,
            is_gone: false,
            heard_at: Instant::now(),
            may_only_pause: false,
        })
    }

    /// It waits for nothing, and nothing that it has sent waits to be read.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.has_sent()
    }

    /// Something of it is to be read, if only that it has gone.
    pub(super) fn has_sent(&self) -> bool {
        self.takes_more() && wait_readable(&[self.stream.as_fd()], Some(Duration::ZERO)) != 0
    }

    pub(super) fn takes_more(&self) -> bool {
        !self.is_read && self.waiting.len() < MAX_WAITING
    }

    pub(super) fn stays(&self) -> bool {
        !(self.is_gone || self.is_read && self.waiting.is_empty())
    }

    /// Takes what came and sees to the lines that are whole.
    pub(super) fn serve(&mut self, now: Instant, answer: &mut Answerer, replies: &Replies) {
        let mut came = [0; TURN_BYTES];
        let read = match (&*self.stream).read(&mut came) {
            Ok(read) => read,
            Err(error) => {
                self.is_gone |=
                    !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
                return;
            }
        };
        self.heard_at = now;
        let may_only_pause = self.may_only_pause;
        let (waiting, settled, client) = (&mut self.waiting, self.settled, self.number);
        let stream = &self.stream;
        let each = |line: Result<&[u8], TooLong>| {
            let request = settled + waiting.len() as u64;
            waiting.push_back(None);
            let replier = replies.replier(Ticket { client, request }, stream);
            if waiting.len() > MAX_WAITING {
                let many = format!(
                    "{MAX_WAITING} requests wait for their replies already; wait for some, then ask"
                );
                return replier.reply(Reply::Error(many));
            }
            see_to(line, answer, replier, may_only_pause);
        };
        if read == 0 {
            self.is_read = true;
            self.lines.end(each);
        } else {
            self.lines.take(&came[..read], now, each);
        }
    }

    /// Takes the reply to its request number `request`, and sends what is next in turn.
    pub(super) fn settle(&mut self, request: u64, reply: Reply) {
        let place = (request - self.settled) as usize;
        if let Some(waiting) = self.waiting.get_mut(place) {
            *waiting = Some(reply);
        }
        while let Some(Some(reply)) = self.waiting.front() {
            // Who has gone, or reads nothing, is told nothing more.
            self.is_gone |= !send(&self.stream, reply);
            self.waiting.pop_front();
            self.settled += 1;
        }
    }

    /// Lets go of a client whose line does not come to its end.
    pub(super) fn is_in_time(&mut self, now: Instant) -> bool {
        let in_time = self.lines.deadline(PATIENCE).is_none_or(|deadline| now < deadline);
        if !in_time {
            let late = "the request's line did not end within 5 seconds; end it with a line feed";
            self.say(&Reply::Error(late.to_owned()));
        }
        in_time
    }

    pub(super) fn say(&mut self, reply: &Reply) {
        send(&self.stream, reply);
    }
}

pub(super) fn too_many() -> String {
    format!(
        "{MAX_CLIENTS} programs are connected already and wait for their replies, so that only a pause is \
         taken now; end one and ask again"
    )
}

/// Sees to one line. A panic on the way is our bug, and no reason to fall silent: the replier says
/// so when it is dropped.
fn see_to(
    line: Result<&[u8], TooLong>,
    answer: &mut Answerer,
    replier: Replier,
    may_only_pause: bool,
) {
    match line.map_err(|TooLong| BadRequest::TooLong).and_then(Request::parse) {
        Ok(request) if may_only_pause && request != (Request::Pause {}) => {
            replier.reply(Reply::Error(too_many()));
        }
        Ok(request) => {
            if catch_unwind(AssertUnwindSafe(|| answer(request, replier))).is_err() {
                tracing::error!("control: a request made greenroom fail");
            }
        }
        Err(bad) => replier.reply(Reply::Error(bad.to_string())),
    }
}

/// Writes a reply without ever waiting. A client that has left so much unread (about 200 KB) that it
/// does not fit is slow: `false`, let go of it.
fn send(mut stream: &UnixStream, reply: &Reply) -> bool {
    let line = serde_json::to_string(reply).expect("a reply has string keys only");
    stream.write_all((printable_json(&line) + "\n").as_bytes()).is_ok()
}
