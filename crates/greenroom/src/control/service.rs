//! Handles the requests of socket clients, and keeps the events and the preview of each client.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use rustix::net::sockopt::socket_peercred;

use super::subscriber::{Subscriber, Subscriptions};
use super::{EventFeed, Replier};
use crate::preview::{PreviewGuard, Previews, ReaderEnd, StartedPreview};
use crate::protocol::{Answer, PreviewRequest, Reply, Request};

/// Handles a request. It must not block; the replier may be used later, from any thread.
pub type RequestHandler = Box<dyn FnMut(Request, Replier) + Send>;

/// The sources of events and previews, which last for as long as a connection.
pub struct StreamSources {
    /// Events for `subscribe`.
    pub events: Arc<EventFeed>,
    /// Previews for `preview`.
    pub previews: Arc<Previews>,
}

/// Handles the requests of all clients of the socket.
pub(super) struct Service {
    handler: RequestHandler,
    pub(super) subscriptions: Subscriptions,
    /// Number of clients that get events.
    pub(super) subscribers: usize,
    previews: Option<Arc<Previews>>,
}

/// The subscription and the preview of one client.
#[derive(Default)]
pub(super) struct ClientStreams {
    /// `None` if the client gets no events.
    pub(super) subscriber: Option<Subscriber>,
    /// Ends the preview when it is dropped.
    preview: Option<PreviewGuard>,
    /// Descriptors to send with the reply to the request of this number.
    descriptors: Option<(u64, [OwnedFd; 2])>,
}

impl ClientStreams {
    pub(super) fn is_empty(&self) -> bool {
        self.subscriber.is_none() && self.preview.is_none()
    }

    /// Removes and returns the descriptors for the reply to request number `request`.
    pub(super) fn take_descriptors(&mut self, request: u64) -> Option<[OwnedFd; 2]> {
        self.descriptors
            .take_if(|(number, _)| *number == request)
            .map(|(_, descriptors)| descriptors)
    }

    /// Ends the preview, if there is one.
    pub(super) fn end_preview(&mut self) {
        self.preview = None;
    }
}

impl Service {
    /// `handler` handles all requests except those for events and previews, which are refused without `streams`.
    pub(super) fn new(handler: RequestHandler, streams: Option<StreamSources>) -> Self {
        let (feed, previews) = streams.map(|it| (it.events, it.previews)).unzip();
        Self { handler, subscriptions: Subscriptions::new(feed), subscribers: 0, previews }
    }

    /// Handles request number `number` of the client at `stream`. If it panics, the dropped replier replies with an
    /// error.
    pub(super) fn handle(
        &mut self,
        request: Request,
        number: u64,
        stream: &UnixStream,
        streams: &mut ClientStreams,
        replier: Replier,
    ) {
        let handled = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Subscribe { numbers_ms } => {
                replier.reply(self.subscribe(&mut streams.subscriber, numbers_ms));
            }
            Request::Preview(wanted) => {
                let replaces = streams.preview.is_some();
                replier.reply(match self.start_preview(&wanted, stream, replaces) {
                    Ok(started) => {
                        let ReaderEnd { memory, bell } = started.reader;
                        streams.descriptors = Some((number, [memory, bell]));
                        streams.preview = Some(started.guard);
                        Reply::Ok(Answer::Preview(started.layout))
                    }
                    Err(sentence) => Reply::Error(sentence),
                });
            }
            Request::EndPreview {} => {
                let done = || replier.reply(Reply::Ok(Answer::Done {}));
                match streams.preview.take() {
                    Some(preview) => preview.end(done),
                    None => done(),
                }
            }
            request => (self.handler)(request, replier),
        }));
        if handled.is_err() {
            tracing::error!("control: greenroom failed over a request");
        }
    }

    /// Starts or changes the subscription of a client, and returns the reply.
    fn subscribe(&mut self, subscriber: &mut Option<Subscriber>, numbers_ms: Option<u64>) -> Reply {
        let is_new = subscriber.is_none();
        let others = self.subscribers - usize::from(!is_new);
        match self.subscriptions.subscribe(numbers_ms, others, Instant::now()) {
            Ok((subscribed, reply)) => {
                *subscriber = Some(subscribed);
                self.subscribers += usize::from(is_new);
                reply
            }
            Err(sentence) => Reply::Error(sentence),
        }
    }

    /// Starts a preview for the client at `stream`; `replaces` says whether the client has one already.
    fn start_preview(
        &self,
        wanted: &PreviewRequest,
        stream: &UnixStream,
        replaces: bool,
    ) -> Result<StartedPreview, String> {
        let previews = self.previews.as_ref().ok_or("there are no previews here")?;
        let pid = socket_peercred(stream).map_or(0, |peer| peer.pid.as_raw_nonzero().get());
        previews.start(wanted, u32::try_from(pid).unwrap_or(0), replaces)
    }
}
