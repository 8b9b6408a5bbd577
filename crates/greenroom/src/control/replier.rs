use std::sync::Arc;

use crate::protocol::Reply;

/// Gives the reply to one request, now or later, from any thread. One that is dropped unused says
/// that greenroom failed: nobody waits for nothing.
pub struct Replier {
    send: Option<Box<dyn FnOnce(Reply) + Send>>,
    asker: AskerWatch,
}

/// Tells whether a client has given up waiting for a reply.
#[derive(Clone)]
pub struct AskerWatch(Arc<dyn Fn() -> bool + Send + Sync>);

impl AskerWatch {
    /// Whether whoever asked has given up waiting for the reply.
    pub fn is_abandoned(&self) -> bool {
        (self.0)()
    }
}

impl Replier {
    /// `send` hands the reply on and does not wait; `is_abandoned` says whether whoever asked has given up waiting.
    pub fn new(
        send: impl FnOnce(Reply) + Send + 'static,
        is_abandoned: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { send: Some(Box::new(send)), asker: AskerWatch(Arc::new(is_abandoned)) }
    }

    /// Whether whoever asked still waits for the reply.
    pub fn watch(&self) -> AskerWatch {
        self.asker.clone()
    }

    /// Replies.
    pub fn reply(mut self, reply: Reply) {
        self.send(reply);
    }

    fn send(&mut self, reply: Reply) {
        if let Some(send) = self.send.take() {
            send(reply);
        }
    }
}

impl Drop for Replier {
    fn drop(&mut self) {
        let sorry = "greenroom failed over this request, which is our bug; its log tells where";
        self.send(Reply::Error(sorry.to_owned()));
    }
}
