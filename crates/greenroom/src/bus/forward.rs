//! Forwards requests from the bus to the dispatcher and awaits their replies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use greenroom_device::{printable, without_secrets};
use zbus::fdo;

use crate::control::{Dispatcher, Replier, Trust};
use crate::protocol::{Answer, MAX_REQUEST_BYTES, Reply, Request};

/// Maximum number of requests from the bus that wait for their replies.
const MAX_WAITING: usize = 64;
/// Further places, which only `pause` may take.
const PAUSE_PLACES: usize = 16;
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// A client has set a property. zbus then emits the property's value, which may be outdated when it arrives.
static PROPERTY_WAS_SET: AtomicBool = AtomicBool::new(false);

/// Every setter of a property calls this.
pub(super) fn note_property_set() {
    PROPERTY_WAS_SET.store(true, SeqCst);
}

/// Whether a property was set since the last call.
pub(super) fn take_property_set() -> bool {
    PROPERTY_WAS_SET.swap(false, SeqCst)
}

/// One of the places for waiting requests; dropping it frees the place.
struct Place;

impl Place {
    /// Takes a place, unless `limit` are taken already.
    fn take(limit: usize) -> Option<Self> {
        let one_more = |count| (count < limit).then_some(count + 1);
        WAITING.fetch_update(SeqCst, SeqCst, one_more).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, SeqCst);
    }
}

/// `text` as any program of the session may read it: without control characters, which the bus does not allow, and
/// without the passwords in addresses.
pub(super) fn public_text(text: &str) -> String {
    printable(&without_secrets(text))
}

/// Forwards `request` and returns its answer.
///
/// # Errors
/// The sentence with which greenroom refuses the request.
pub(super) async fn answer_to(dispatcher: &Dispatcher, request: Request) -> fdo::Result<Answer> {
    match reply_to(dispatcher, request).await {
        Reply::Ok(answer) => Ok(answer),
        Reply::Error(sentence) => Err(fdo::Error::Failed(public_text(&sentence))),
    }
}

/// Forwards `request` and returns its reply.
pub(super) async fn reply_to(dispatcher: &Dispatcher, request: Request) -> Reply {
    let limit = MAX_WAITING + if request == (Request::Pause {}) { PAUSE_PLACES } else { 0 };
    let Some(_place) = Place::take(limit) else {
        return Reply::Error(format!(
            "{MAX_WAITING} requests of the bus wait for their replies already; wait for some, then try again"
        ));
    };
    let (send, reply) = async_channel::bounded(1);
    let send = move |reply| {
        // The channel has room for the one reply.
        let _ = send.try_send(reply);
    };
    // A request is carried out even if its client leaves the bus.
    let replier = Replier::new(send, || false);
    // After a panic, the dropped replier replies with an error.
    if catch_unwind(AssertUnwindSafe(|| dispatcher.dispatch(request, Trust::Session, replier)))
        .is_err()
    {
        tracing::error!("bus: greenroom failed over a request");
    }
    // `recv` always ends: a replier that is dropped sends a reply, too.
    let reply = reply.recv().await;
    reply.unwrap_or_else(|_| Reply::Error("greenroom is shutting down".to_owned()))
}

/// Forwards a request that has no result.
///
/// # Errors
/// The sentence with which greenroom refuses the request.
pub(super) async fn carry_out(dispatcher: &Dispatcher, request: Request) -> fdo::Result<()> {
    answer_to(dispatcher, request).await.map(drop)
}

/// Checks that all texts of a request together are not longer than [`MAX_REQUEST_BYTES`], as on the socket.
///
/// # Errors
/// One sentence with the limit.
pub(super) fn check_length<'a>(texts: impl IntoIterator<Item = &'a str>) -> fdo::Result<()> {
    let bytes: usize = texts.into_iter().map(str::len).sum();
    match bytes > MAX_REQUEST_BYTES {
        true => Err(fdo::Error::LimitsExceeded(format!(
            "{bytes} bytes of text are too many; send at most {MAX_REQUEST_BYTES}"
        ))),
        false => Ok(()),
    }
}
