//! Where each connection stands, so that one that only waits can be ended: when its time is over,
//! or when its place is needed.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::limits::Limits;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The head of a request; on a new connection also its first byte.
    Head,
    /// The next request.
    Idle,
    /// The body.
    Body,
    /// Us.
    Work,
    /// The client to take its answer.
    Answer,
    /// The client to see our end, after a body that was not read to its end.
    Farewell,
}

/// Time in which the client of [`Phase::Farewell`] may take note.
const FAREWELL: Duration = Duration::from_secs(2);
/// From then on whoever takes so long to send or to take makes room for another.
const SLOW: Duration = Duration::from_secs(1);
/// One place in so many is never the one's that has all others.
const OTHERS_ONE_IN: usize = 8;
/// A pause between two requests that is longer than that between two frames of a camera.
const SHORT_PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy)]
struct Standing {
    phase: Phase,
    since: Instant,
    /// When the last byte came or a piece of the answer was taken.
    moved: Instant,
    /// Whether the system has taken all bytes that were written.
    is_flushed: bool,
}

/// One connection's standing, shared by all that move it on.
#[derive(Debug, Clone)]
pub(super) struct ConnectionState(Rc<Cell<Standing>>);

impl ConnectionState {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Rc::new(Cell::new(Standing {
            phase: Phase::Head,
            since: now,
            moved: now,
            is_flushed: true,
        })))
    }

    pub(super) fn enter(&self, phase: Phase) {
        let now = Instant::now();
        self.0.set(Standing { phase, since: now, moved: now, is_flushed: false });
    }

    /// Bytes of the answer were taken.
    fn took(&self) {
        self.0.set(Standing { moved: Instant::now(), ..self.0.get() });
    }

    fn flushed(&self) {
        self.0.set(Standing { is_flushed: true, ..self.0.get() });
    }

    /// A byte came.
    fn moved(&self) {
        match self.0.get().phase {
            Phase::Idle => self.enter(Phase::Head),
            _ => self.took(),
        }
    }

    pub(super) fn is_farewell(&self) -> bool {
        self.0.get().phase == Phase::Farewell
    }

    /// What the connection took too long for, if it did.
    fn overdue(&self, limits: &Limits, now: Instant) -> Option<&'static str> {
        let Standing { phase, since, moved, .. } = self.0.get();
        let over = |since: Instant, time| now.saturating_duration_since(since) > time;
        match phase {
            Phase::Head => over(since, limits.head_time).then_some("a request's head"),
            Phase::Idle => over(since, limits.idle_time).then_some("the next request"),
            // The answer says so itself (408); this is for when it cannot be sent.
            Phase::Body => over(since, limits.body_time + SLOW).then_some("a body"),
            Phase::Work => None,
            Phase::Answer => (over(moved, limits.stall_time) || over(since, limits.answer_time))
                .then_some("taking its answer"),
            Phase::Farewell => over(since, FAREWELL).then_some("leaving"),
        }
    }

    /// How readily this connection is given up for a new one: those that have sent no request yet,
    /// then those that have their refusal, those that pause for long, those that send or take slowly, and
    /// last those that pause for `pause`; the longest first. `None` while a request is being served.
    fn readiness(&self, now: Instant, pause: Duration) -> Option<(u8, Duration)> {
        let Standing { phase, since, is_flushed, .. } = self.0.get();
        let time = now.saturating_duration_since(since);
        match phase {
            Phase::Head => Some((4, time)),
            Phase::Farewell => Some((3, time)),
            Phase::Idle if time > SLOW => Some((2, time)),
            Phase::Body | Phase::Answer => (time > SLOW).then_some((1, time)),
            // The end of the answer may not be with the system yet.
            Phase::Idle => (is_flushed && time >= pause).then_some((0, time)),
            Phase::Work => None,
        }
    }
}

/// Whose connections count together: an IPv4 address, or an IPv6 network of 64 bits, of which a machine
/// has all addresses.
fn owner_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(peer) => Ipv6Addr::from_bits(peer.to_bits() & !u128::from(u64::MAX)).into(),
        peer => peer,
    }
}

/// What becomes of a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is let in; another may have been ended for it.
    Free,
    /// All connections are being served.
    AllTaken,
    /// Its owner has so many connections, all being served, and gets no more.
    ShareTaken(usize),
}

/// The connections there are.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub peer: IpAddr,
    pub connection_state: ConnectionState,
    pub task: AbortHandle,
}

impl Table {
    pub(super) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// How many there are, after those that ended are struck off.
    pub(super) fn count(&mut self) -> usize {
        self.entries.retain(|entry| !entry.task.is_finished());
        self.entries.len()
    }

    /// A place for a connection of `peer`. If all are taken, the connection that can best be done without
    /// is ended: of the owner that has most of them, or of the next one if all of theirs are being served,
    /// down to `peer`'s own. No owner has all places, so that there is always one for another.
    pub(super) fn place_for(&mut self, peer: IpAddr, limits: &Limits) -> Place {
        let count = self.count();
        let mut owners: HashMap<IpAddr, usize> = HashMap::new();
        for entry in &self.entries {
            *owners.entry(owner_of(entry.peer)).or_default() += 1;
        }
        let owner = owner_of(peer);
        let own = owners.get(&owner).copied().unwrap_or_default();
        let share = limits.connections - limits.connections / OTHERS_ONE_IN;
        if own < share && count < limits.connections {
            return Place::Free;
        }
        if own < share {
            let mut larger: Vec<_> = owners.into_iter().filter(|(_, size)| *size > own).collect();
            larger.sort_unstable_by_key(|(_, size)| Reverse(*size));
            for (larger, _) in larger {
                if self.end_idlest_of(larger, Duration::ZERO) {
                    return Place::Free;
                }
            }
        }
        match self.end_idlest_of(owner, SHORT_PAUSE) {
            true => Place::Free,
            false if count < limits.connections => Place::ShareTaken(own),
            false => Place::AllTaken,
        }
    }

    /// Ends the connection of `owner` that can best be done without; `false` if all are being served.
    fn end_idlest_of(&mut self, owner: IpAddr, pause: Duration) -> bool {
        let now = Instant::now();
        let entries = self.entries.iter().enumerate();
        let entries = entries.filter(|(_, entry)| owner_of(entry.peer) == owner);
        let idle = entries
            .filter_map(|(at, entry)| Some((entry.connection_state.readiness(now, pause)?, at)));
        let Some((_, at)) = idle.max() else { return false };
        self.entries.swap_remove(at).task.abort();
        true
    }

    /// Ends those whose time is over, and tells of each who it was and what took too long.
    pub(super) fn end_overdue(&mut self, limits: &Limits, mut tell: impl FnMut(IpAddr, &str)) {
        let now = Instant::now();
        self.entries.retain(|entry| match entry.connection_state.overdue(limits, now) {
            Some(what) => {
                tell(entry.peer, what);
                entry.task.abort();
                false
            }
            None => true,
        });
    }
}

/// The connection's bytes; each that moves is noted in its [`ConnectionState`].
#[derive(Debug)]
pub(super) struct Connection {
    pub stream: TcpStream,
    pub connection_state: ConnectionState,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, into))?;
        if into.filled().len() > before {
            self.connection_state.moved();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.connection_state.took();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts))?;
        self.connection_state.took();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.connection_state.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
