//! One client of the control socket: its requests, and their replies in the same order.

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
use super::replies::{Replies, RequestId, is_closed};
use super::service::{ClientStreams, Service};
use super::subscriber::{Subscriber, Subscriptions, event_line};
use crate::protocol::{BadRequest, Reply, Request, SentEvent};
use crate::terminal::printable_json;

/// Maximum number of clients. Beyond it, the client that has been idle for the longest time is disconnected to make
/// room for a new one.
pub const MAX_CLIENTS: usize = 32;
/// Time limit for a line, from its first byte to its last.
pub(super) const LINE_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of bytes read from one client before the others are served.
const MAX_READ_BYTES: usize = 16 << 10;

/// Maximum number of requests of one client that wait for their replies. Further requests are refused, but for a pause.
const MAX_WAITING: usize = 32;
/// Maximum number of replies that one client waits for, refusals among them. Beyond it, nothing more is read until some are
/// sent.
const MAX_UNANSWERED: usize = 4 * MAX_WAITING;

/// A connected client.
pub(super) struct Client {
    /// A unique number, which is never used again.
    pub(super) number: u64,
    pub(super) stream: Arc<UnixStream>,
    pub(super) lines: Lines,
    /// The replies to the requests from number `answered` on; `None` for requests that are not done.
    waiting: VecDeque<Option<Reply>>,
    /// Number of requests whose replies were sent.
    answered: u64,
    /// The client has shut down its sending side.
    has_ended_input: bool,
    /// The client has disconnected, or does not read.
    is_gone: bool,
    /// When data last came from the client.
    pub(super) last_input_at: Instant,
    /// The client has one of the `PAUSE_PLACES`.
    pub(super) may_only_pause: bool,
    /// The events and the preview of the client.
    streams: ClientStreams,
}

impl Client {
    /// Accepts a client of our own user or of root, and refuses others. The mode of the socket's file enforces the
    /// same, but another program may have changed the mode.
    ///
    /// # Errors
    /// When the client is of another user, or the system refuses a call.
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
            answered: 0,
            has_ended_input: false,
            is_gone: false,
            last_input_at: Instant::now(),
            may_only_pause: false,
            streams: ClientStreams::default(),
        })
    }

    /// Whether the client waits for no reply, has no events and no preview, and has sent nothing that is still unread.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.streams.is_empty() && !self.has_input()
    }

    /// Whether there is unread data, or an unread end of the connection.
    pub(super) fn has_input(&self) -> bool {
        self.accepts_input() && wait_readable(&[self.stream.as_fd()], Some(Duration::ZERO)) != 0
    }

    pub(super) fn accepts_input(&self) -> bool {
        !self.has_ended_input && self.waiting.len() < MAX_UNANSWERED
    }

    pub(super) fn stays_open(&self) -> bool {
        let is_served = !self.waiting.is_empty() || !self.streams.is_empty();
        !self.is_gone && (is_served || !self.has_ended_input)
    }

    /// Reads available data and handles the complete lines in it.
    pub(super) fn read_requests(&mut self, now: Instant, service: &mut Service, replies: &Replies) {
        let mut came = [0; MAX_READ_BYTES];
        let read = match (&*self.stream).read(&mut came) {
            Ok(read) => read,
            Err(error) => {
                self.is_gone |=
                    !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
                return;
            }
        };
        self.last_input_at = now;
        let may_only_pause = self.may_only_pause;
        let (waiting, answered, client) = (&mut self.waiting, self.answered, self.number);
        let (stream, streams) = (&self.stream, &mut self.streams);
        let each = |line: Result<&[u8], TooLong>| {
            let request = answered + waiting.len() as u64;
            waiting.push_back(None);
            let replier = replies.replier(RequestId { client, request }, stream);
            match line.map_err(|TooLong| BadRequest::TooLong).and_then(Request::parse) {
                // Nothing stands in the way of hiding.
                Ok(Request::Pause {}) => {
                    service.handle(Request::Pause {}, request, stream, streams, replier);
                }
                _ if waiting.len() > MAX_WAITING => {
                    replier.reply(Reply::Error(format!(
                        "{MAX_WAITING} requests of this connection wait for their replies already; wait for \
                         some, then try again"
                    )));
                }
                Ok(request) if may_only_pause && !request.is_about_a_pause() => {
                    replier.reply(Reply::Error(too_many_clients()));
                }
                Ok(Request::Subscribe { .. } | Request::Preview(_)) if waiting.len() > 1 => {
                    replier.reply(Reply::Error(EARLIER_REQUESTS_WAIT.to_owned()));
                }
                Ok(parsed) => service.handle(parsed, request, stream, streams, replier),
                Err(bad) => replier.reply(Reply::Error(bad.to_string())),
            }
        };
        if read == 0 {
            self.lines.end(each);
            self.has_ended_input = true;
            // A client that has shut down its sending side still gets events. Its preview ends, because greenroom would
            // notice too late that the client has disconnected.
            self.streams.end_preview();
            self.is_gone |= is_closed(&self.stream);
        } else {
            self.lines.take(&came[..read], now, each);
        }
    }

    /// Stores the reply to request number `request`, then sends all replies that are next in the order of the requests.
    pub(super) fn add_reply(&mut self, request: u64, reply: Reply) {
        let place = (request - self.answered) as usize;
        if let Some(waiting) = self.waiting.get_mut(place) {
            *waiting = Some(reply);
        }
        while let Some(Some(reply)) = self.waiting.front() {
            // A failed send means that the client has disconnected or does not read.
            self.is_gone |= match self.streams.take_descriptors(self.answered) {
                Some(fds) => !send_with(&self.stream, &line_with(reply), &fds),
                None => !send(&self.stream, &line_with(reply)),
            };
            self.waiting.pop_front();
            self.answered += 1;
        }
    }

    /// Whether no line has exceeded its time limit; otherwise the client is told why it is disconnected.
    pub(super) fn is_in_time(&mut self, now: Instant) -> bool {
        let in_time = self.lines.deadline(LINE_TIMEOUT).is_none_or(|deadline| now < deadline);
        if !in_time {
            let late = "the request's line did not end within 5 seconds; end it with a line feed";
            self.send_reply(&Reply::Error(late.to_owned()));
        }
        in_time
    }

    pub(super) fn send_reply(&mut self, reply: &Reply) {
        send(&self.stream, &line_with(reply));
    }

    pub(super) fn is_subscriber(&self) -> bool {
        self.streams.subscriber.is_some()
    }

    /// Notices when a client that had shut down its sending side disconnects. No read would report that.
    pub(super) fn check_disconnected(&mut self) {
        self.is_gone |= self.has_ended_input && is_closed(&self.stream);
    }

    /// When the time limit of a line ends or the next numbers are due, whichever comes first.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let numbers = self.streams.subscriber.as_ref().and_then(Subscriber::deadline);
        self.lines.deadline(LINE_TIMEOUT).into_iter().chain(numbers).min()
    }

    /// Sends `event`, serialized as `line`, if the client is subscribed and the event is new to it. Never waits for the
    /// client.
    pub(super) fn send_event(&mut self, event: &SentEvent, line: &str) {
        if self.streams.subscriber.as_ref().is_some_and(|subscriber| subscriber.wants(event)) {
            self.send_event_line(line);
        }
    }

    /// Sends numbers if they are due.
    pub(super) fn send_due_numbers(&mut self, now: Instant, subscriptions: &Subscriptions) {
        if let (Some(subscriber), Some(feed)) = (&mut self.streams.subscriber, subscriptions.feed())
            && let Some(numbers) = subscriber.numbers(now, || feed.status())
        {
            self.send_event_line(&event_line(&numbers));
        }
    }

    fn send_event_line(&mut self, line: &str) {
        if !send(&self.stream, line) {
            tracing::debug!(
                "control: closed the connection of a subscriber that has disconnected or does not read"
            );
            self.is_gone = true;
        }
    }
}

/// Refuses `subscribe` and `preview` while earlier requests wait: their reply would be delayed by those.
const EARLIER_REQUESTS_WAIT: &str = "earlier requests of this connection wait for their replies; wait for them, or use \
                                     another connection";

/// The sentence for clients beyond [`MAX_CLIENTS`].
pub(super) fn too_many_clients() -> String {
    format!(
        "{MAX_CLIENTS} programs are connected already and wait for their replies, so that only a pause is \
         taken now; end one and try again"
    )
}

/// Writes a line without blocking. Returns `false` if the client has disconnected, or has left so much unread (about
/// 200 KB) that the line does not fit.
fn send(mut stream: &UnixStream, line: &str) -> bool {
    stream.write_all((printable_json(line) + "\n").as_bytes()).is_ok()
}

/// Like [`send`], with descriptors for the client.
fn send_with(stream: &UnixStream, line: &str, descriptors: &[OwnedFd; 2]) -> bool {
    let line = printable_json(line) + "\n";
    let fds = descriptors.each_ref().map(AsFd::as_fd);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    // `space` has room for two descriptors.
    ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    let parts = [IoSlice::new(line.as_bytes())];
    let sent = sendmsg(stream, &parts, &mut ancillary, SendFlags::NOSIGNAL);
    sent.is_ok_and(|sent| sent == line.len())
}

fn line_with(reply: &Reply) -> String {
    serde_json::to_string(reply).expect("a reply has string keys only")
}
