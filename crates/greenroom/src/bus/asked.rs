//! A request from the bus, until its reply is there.

use zbus::fdo;

use crate::control::{Dispatcher, Replier, Trust};
use crate::protocol::{Answer, MAX_REQUEST_BYTES, Reply, Request};

/// Has `request` done; the answer, or the sentence that refuses it.
pub(super) async fn ask(dispatcher: &Dispatcher, request: Request) -> fdo::Result<Answer> {
    match reply(dispatcher, request).await {
        Reply::Ok(answer) => Ok(answer),
        Reply::Error(sentence) => Err(fdo::Error::Failed(sentence)),
    }
}

/// Has `request` done; the reply.
pub(super) async fn reply(dispatcher: &Dispatcher, request: Request) -> Reply {
    let (send, reply) = async_channel::bounded(1);
    let send = move |reply| {
        // It has room for the one.
        let _ = send.try_send(reply);
    };
    // Whoever asked may leave the bus: it is done all the same.
    let replier = Replier::new(send, || false);
    dispatcher.dispatch(request, Trust::Session, replier);
    // A replier that is dropped replies.
    let reply = reply.recv().await;
    reply.unwrap_or_else(|_| Reply::Error("greenroom is about to end".to_owned()))
}

/// Has it done, where nothing is answered.
pub(super) async fn done(dispatcher: &Dispatcher, request: Request) -> fdo::Result<()> {
    ask(dispatcher, request).await.map(drop)
}

/// What came as text must not be longer than on the socket.
///
/// # Errors
/// One sentence.
pub(super) fn check_length<'a>(texts: impl IntoIterator<Item = &'a str>) -> fdo::Result<()> {
    let bytes: usize = texts.into_iter().map(str::len).sum();
    match bytes > MAX_REQUEST_BYTES {
        true => Err(fdo::Error::LimitsExceeded(format!(
            "{bytes} bytes of text are too many; send at most {MAX_REQUEST_BYTES}"
        ))),
        false => Ok(()),
    }
}
