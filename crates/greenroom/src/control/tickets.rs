//! How replies find their way back to the thread "control", and to whom.

use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use greenroom_device::Wake;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Replier;
use crate::protocol::Reply;

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
        let (sender, bell) = (self.sender.clone(), self.bell.clone());
        let send = move |reply| {
            // The server may have ended: nobody is there to be told.
            if sender.send((ticket, reply)).is_ok() {
                bell.ring();
            }
        };
        // The server may let go of the client. One that had gone when its request was read never meant to wait.
        let (was_there, stream) = (!is_closed(stream), Arc::downgrade(stream));
        Replier::new(send, move || was_there && has_gone(&stream))
    }
}

/// A client that sends nothing more but still reads is there.
fn has_gone(stream: &Weak<UnixStream>) -> bool {
    stream.upgrade().is_none_or(|stream| is_closed(&stream))
}

/// Whether the other end of a connection is closed for reading, too.
pub(super) fn is_closed(stream: &UnixStream) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_told = poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0);
    is_told && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}
