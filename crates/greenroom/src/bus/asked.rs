//! A request from the bus, until its reply is there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use greenroom_device::{printable, without_secrets};
use zbus::fdo;

use crate::control::{Dispatcher, Replier, Trust};
use crate::protocol::{Answer, MAX_REQUEST_BYTES, Reply, Request};

/// Requests of the bus that wait for their replies.
const MAX_WAITING: usize = 64;
/// Places more, which are for a pause and nothing else.
const PAUSE_PLACES: usize = 16;
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// The place of a request that waits.
struct Place;

impl Place {
    /// One of `most`.
    fn take(most: usize) -> Option<Self> {
        let one_more = |count| (count < most).then_some(count + 1);
        WAITING.fetch_update(SeqCst, SeqCst, one_more).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, SeqCst);
    }
}

/// Text as programs of the session may have it: without what no text on the bus may hold, and without the secrets of
/// addresses.
pub(super) fn shown(text: &str) -> String {
    printable(&without_secrets(text))
}

/// Has `request` done; the answer, or the sentence that refuses it.
pub(super) async fn ask(dispatcher: &Dispatcher, request: Request) -> fdo::Result<Answer> {
    match reply(dispatcher, request).await {
        Reply::Ok(answer) => Ok(answer),
        Reply::Error(sentence) => Err(fdo::Error::Failed(shown(&sentence))),
    }
}

/// Has `request` done; the reply.
pub(super) async fn reply(dispatcher: &Dispatcher, request: Request) -> Reply {
    let most = MAX_WAITING + if request == (Request::Pause {}) { PAUSE_PLACES } else { 0 };
    let Some(_place) = Place::take(most) else {
        return Reply::Error(format!(
            "{MAX_WAITING} requests of the bus wait for their replies already; wait for some, then ask"
        ));
    };
    let (send, reply) = async_channel::bounded(1);
    let send = move |reply| {
        // It has room for the one.
        let _ = send.try_send(reply);
    };
    // Whoever asked may leave the bus: it is done all the same.
    let replier = Replier::new(send, || false);
    // A panic on the way is our bug: the replier says so when it is dropped.
    if catch_unwind(AssertUnwindSafe(|| dispatcher.dispatch(request, Trust::Session, replier)))
        .is_err()
    {
        tracing::error!("bus: a request made greenroom fail");
    }
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
