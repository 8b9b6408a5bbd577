use std::sync::Arc;

use crate::protocol::Reply;

/// Sends the reply to one request, now or later, from any thread. If it is dropped without a reply, it replies that
/// greenroom failed, so that the client never waits in vain.
pub struct Replier {
    send: Option<Box<dyn FnOnce(Reply) + Send>>,
    client: ClientWatch,
}

/// Reports whether the client still waits for the reply.
#[derive(Clone)]
pub struct ClientWatch(Arc<dyn Fn() -> bool + Send + Sync>);

impl ClientWatch {
    /// Whether the client has disconnected before the reply.
    pub fn is_abandoned(&self) -> bool {
        (self.0)()
    }
}

impl Replier {
    /// A replier that sends its reply with `send`, which must not block. `is_abandoned` reports whether the client has
    /// disconnected before the reply.
    pub fn new(
        send: impl FnOnce(Reply) + Send + 'static,
        is_abandoned: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { send: Some(Box::new(send)), client: ClientWatch(Arc::new(is_abandoned)) }
    }

    /// A watch that outlives this replier and reports whether the client still waits.
    pub fn watch(&self) -> ClientWatch {
        self.client.clone()
    }

    /// Sends `reply`.
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
        let sentence = "greenroom failed over this request, which is our bug; its log says where";
        self.send(Reply::Error(sentence.to_owned()));
    }
}
