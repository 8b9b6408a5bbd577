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

    /// Sends `reply`. A long sentence, which quotes what the client sent, is cut in the middle.
    pub fn reply(mut self, reply: Reply) {
        self.send(match reply {
            Reply::Error(sentence) => Reply::Error(cut(sentence)),
            reply => reply,
        });
    }

    fn send(&mut self, reply: Reply) {
        if let Some(send) = self.send.take() {
            send(reply);
        }
    }
}

/// Characters of a sentence's beginning and end that are kept: room for a path of the longest kind, nearly.
const KEPT: [usize; 2] = [3000, 1000];

fn cut(sentence: String) -> String {
    let count = sentence.chars().count();
    let [begin, end] = KEPT;
    if count <= begin + end {
        return sentence;
    }
    let begin: String = sentence.chars().take(begin).collect();
    let end: String = sentence.chars().skip(count - end).collect();
    format!("{begin} … {end}")
}

impl Drop for Replier {
    fn drop(&mut self) {
        let sentence = "greenroom failed over this request, which is our bug; its log says where";
        self.send(Reply::Error(sentence.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn long_sentences_are_cut_in_the_middle() {
        for (name_bytes, is_whole) in [(10, true), (3900, true), (60_000, false)] {
            let (send, sent) = channel();
            let sentence = format!("begin {} end", "ü".repeat(name_bytes));
            let replier = Replier::new(move |reply| send.send(reply).unwrap(), || false);
            replier.reply(Reply::Error(sentence.clone()));
            let Ok(Reply::Error(told)) = sent.recv() else { panic!("no sentence") };
            assert!(told.starts_with("begin ü") && told.ends_with("ü end"));
            assert_eq!(told == sentence, is_whole);
            assert!(told.chars().count() <= 4003);
        }
    }
}
