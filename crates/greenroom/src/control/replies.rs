//! Passes replies from any thread to the thread "control", which sends them to the clients.

use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use greenroom_device::Wake;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Replier;
use crate::protocol::Reply;

/// Identifies one request of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestId {
    pub(super) client: u64,
    /// Counts from 0 on each connection.
    pub(super) request: u64,
}

/// The queue of replies for the thread "control".
#[derive(Debug)]
pub(super) struct Replies {
    pub(super) arrived: Receiver<(RequestId, Reply)>,
    /// Rings when a reply has arrived.
    pub(super) bell: Wake,
    sender: Sender<(RequestId, Reply)>,
}

impl Replies {
    pub(super) fn new() -> std::io::Result<Self> {
        let (sender, arrived) = channel();
        Ok(Self { arrived, bell: Wake::new()?, sender })
    }

    /// The replier for a request that has just been read from `stream`.
    pub(super) fn replier(&self, id: RequestId, stream: &Arc<UnixStream>) -> Replier {
        let (sender, bell) = (self.sender.clone(), self.bell.clone());
        let send = move |reply| {
            // The send fails once the server has ended.
            if sender.send((id, reply)).is_ok() {
                bell.ring();
            }
        };
        // A client that had disconnected before its request was read did not intend to wait for the reply, so the
        // request does not count as abandoned.
        let (was_there, stream) = (!is_closed(stream), Arc::downgrade(stream));
        Replier::new(send, move || was_there && has_gone(&stream))
    }
}

/// Whether the client has disconnected. A client that has only shut down its sending side is still connected.
fn has_gone(stream: &Weak<UnixStream>) -> bool {
    stream.upgrade().is_none_or(|stream| is_closed(&stream))
}

/// Whether the peer has closed its connection in both directions.
pub(super) fn is_closed(stream: &UnixStream) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let has_event = poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0);
    has_event && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}
