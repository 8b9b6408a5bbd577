//! One client of the control socket: its requests in their order, and its replies.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_device::wait_readable;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::lines::{Lines, TooLong};
use super::service::{ClientStreams, Service};
use super::subscriber::{Subscriber, Subscriptions, line_of};
use super::tickets::{Replies, Ticket, is_closed};
use crate::protocol::{BadRequest, Reply, Request, SentEvent};
use crate::terminal::printable_json;

/// Clients at once: whoever asks needs a moment only, and whoever gets events stays. For one more, the one that has been
/// idle for the longest time is let go.
pub const MAX_CLIENTS: usize = 32;
/// Time for a line, from its first byte to its last.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes taken from one client before the others have their turn.
const TURN_BYTES: usize = 16 << 10;

/// Requests of one client that wait for their replies; more are refused, and no more is read until
/// some are answered.
const MAX_WAITING: usize = 32;

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
    /// What goes on for it.
    streams: ClientStreams,
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
            streams: ClientStreams::default(),
        })
    }

    /// It waits for nothing, not even events or pictures, and nothing that it has sent waits to be read.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.streams.is_nothing() && !self.has_sent()
    }

    /// Something of it is to be read, if only that it has gone.
    pub(super) fn has_sent(&self) -> bool {
        self.takes_more() && wait_readable(&[self.stream.as_fd()], Some(Duration::ZERO)) != 0
    }

    pub(super) fn takes_more(&self) -> bool {
        !self.is_read && self.waiting.len() < MAX_WAITING
    }

    pub(super) fn stays(&self) -> bool {
        let is_served = !self.waiting.is_empty() || !self.streams.is_nothing();
        !self.is_gone && (is_served || !self.is_read)
    }

    /// Takes what came and sees to the lines that are whole.
    pub(super) fn serve(&mut self, now: Instant, service: &mut Service, replies: &Replies) {
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
        let (stream, streams) = (&self.stream, &mut self.streams);
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
            match line.map_err(|TooLong| BadRequest::TooLong).and_then(Request::parse) {
                Ok(request) if may_only_pause && request != (Request::Pause {}) => {
                    replier.reply(Reply::Error(too_many()));
                }
                Ok(Request::Subscribe { .. } | Request::Preview(_)) if waiting.len() > 1 => {
                    replier.reply(Reply::Error(ASK_FIRST.to_owned()));
                }
                Ok(asked) => service.see_to(asked, request, stream, streams, replier),
                Err(bad) => replier.reply(Reply::Error(bad.to_string())),
            }
        };
        if read == 0 {
            self.lines.end(each);
            self.is_read = true;
            // One that only says nothing more still gets events, but no pictures: its end would be noticed too late.
            self.streams.end_preview();
            self.is_gone |= is_closed(&self.stream);
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
            self.is_gone |= match self.streams.take_descriptors(self.settled) {
                Some(fds) => !send_with(&self.stream, &line_with(reply), &fds),
                None => !send(&self.stream, &line_with(reply)),
            };
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
        send(&self.stream, &line_with(reply));
    }

    pub(super) fn is_subscriber(&self) -> bool {
        self.streams.subscriber.is_some()
    }

    /// Lets go of a subscriber that has closed its connection for good, which only a write would tell.
    pub(super) fn look_whether_it_reads(&mut self) {
        self.is_gone |= self.is_read && is_closed(&self.stream);
    }

    /// When it must have sent the rest of a line, or is to get numbers.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let numbers = self.streams.subscriber.as_ref().and_then(Subscriber::deadline);
        self.lines.deadline(PATIENCE).into_iter().chain(numbers).min()
    }

    /// Sends `event`, whose line is `line`, if the client gets events and does not know it. Nobody waits for one that does
    /// not read.
    pub(super) fn tell(&mut self, event: &SentEvent, line: &str) {
        if self.streams.subscriber.as_ref().is_some_and(|subscriber| subscriber.wants(event)) {
            self.send_event(line);
        }
    }

    /// Sends the numbers that are due.
    pub(super) fn tell_numbers(&mut self, now: Instant, subscriptions: &Subscriptions) {
        if let (Some(subscriber), Some(feed)) = (&mut self.streams.subscriber, subscriptions.feed())
            && let Some(numbers) = subscriber.numbers(now, || feed.status())
        {
            self.send_event(&line_of(&numbers));
        }
    }

    fn send_event(&mut self, line: &str) {
        if !send(&self.stream, line) {
            tracing::debug!("control: a subscriber has gone or reads nothing; it is let go");
            self.is_gone = true;
        }
    }
}

/// What is told where a reply that others come before would come too late.
const ASK_FIRST: &str = "requests of this connection wait for their replies; wait for them, or ask over a connection \
                         of its own";

pub(super) fn too_many() -> String {
    format!(
        "{MAX_CLIENTS} programs are connected already and wait for their replies, so that only a pause is \
         taken now; end one and ask again"
    )
}

/// Writes a line without ever waiting. A client that has left so much unread (about 200 KB) that it
/// does not fit is slow: `false`, let go of it.
fn send(mut stream: &UnixStream, line: &str) -> bool {
    stream.write_all((printable_json(line) + "\n").as_bytes()).is_ok()
}

/// The same, with descriptors for the client.
fn send_with(stream: &UnixStream, line: &str, descriptors: &[OwnedFd; 2]) -> bool {
    let line = printable_json(line) + "\n";
    let fds = descriptors.each_ref().map(AsFd::as_fd);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    // There is room for two.
    ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    let parts = [IoSlice::new(line.as_bytes())];
    let sent = sendmsg(stream, &parts, &mut ancillary, SendFlags::NOSIGNAL);
    sent.is_ok_and(|sent| sent == line.len())
}

fn line_with(reply: &Reply) -> String {
    serde_json::to_string(reply).expect("a reply has string keys only")
}
