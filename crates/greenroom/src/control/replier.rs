use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use greenroom_device::Wake;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Reply;

/// Gives the reply to one request, now or later, from any thread. One that is dropped unused says
/// that greenroom failed: nobody waits for nothing.
#[derive(Debug)]
pub struct Replier {
    ticket: Ticket,
    replies: Option<(Sender<(Ticket, Reply)>, Wake)>,
    asker: AskerWatch,
}

/// Tells whether a client has given up waiting for a reply.
#[derive(Debug, Clone)]
pub struct AskerWatch {
    /// The server may let go of the client.
    stream: Weak<UnixStream>,
    /// Whether the client was there when its request was read. One that had gone by then never
    /// meant to wait.
    was_there: bool,
}

impl AskerWatch {
    fn new(stream: &Arc<UnixStream>) -> Self {
        Self { stream: Arc::downgrade(stream), was_there: !is_closed(stream) }
    }

    /// Whether the client was there when its request was read and has gone since. A client that
    /// sends nothing more but still reads is there.
    pub fn is_abandoned(&self) -> bool {
        self.was_there && self.stream.upgrade().is_none_or(|stream| is_closed(&stream))
    }
}

/// Whether the other end of a connection is closed for reading, too.
fn is_closed(stream: &UnixStream) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_told = poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0);
    is_told && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Which request of which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) client: u64,
    pub(super) request: u64,
}

/// Where replies arrive.
#[derive(Debug)]
pub(super) struct Replies {
    pub(super) arrived: Receiver<(Ticket, Reply)>,
    /// Rings when one has arrived.
    pub(super) bell: Wake,
    sender: Sender<(Ticket, Reply)>,
}

impl Replies {
    pub(super) fn new() -> std::io::Result<Self> {
        let (sender, arrived) = channel();
        Ok(Self { arrived, bell: Wake::new()?, sender })
    }

    /// For a request that has just been read from `stream`.
    pub(super) fn replier(&self, ticket: Ticket, stream: &Arc<UnixStream>) -> Replier {
        let replies = Some((self.sender.clone(), self.bell.clone()));
        Replier { ticket, replies, asker: AskerWatch::new(stream) }
    }
}

impl Replier {
    /// Whether whoever asked still waits for the reply.
    pub fn watch(&self) -> AskerWatch {
        self.asker.clone()
    }

    /// Replies.
    pub fn reply(mut self, reply: Reply) {
        self.send(reply);
    }

    fn send(&mut self, reply: Reply) {
        if let Some((sender, bell)) = self.replies.take()
            // The server may have ended: nobody is there to be told.
            && sender.send((self.ticket, reply)).is_ok()
        {
            bell.ring();
        }
    }
}

impl Drop for Replier {
    fn drop(&mut self) {
        if self.replies.is_some() {
            let sorry = "greenroom failed over this request, which is our bug; its log tells where";
            self.send(Reply::Error(sorry.to_owned()));
        }
    }
}
