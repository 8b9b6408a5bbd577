use std::sync::mpsc::{Receiver, Sender, channel};

use greenroom_device::Wake;

use super::Reply;

/// Gives the reply to one request, now or later, from any thread. One that is dropped unused says
/// that greenroom failed: nobody waits for nothing.
#[derive(Debug)]
pub struct Replier {
    ticket: Ticket,
    replies: Option<(Sender<(Ticket, Reply)>, Wake)>,
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

    pub(super) fn replier(&self, ticket: Ticket) -> Replier {
        Replier { ticket, replies: Some((self.sender.clone(), self.bell.clone())) }
    }
}

impl Replier {
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
