//! What clients of the socket are served with, and what goes on for each of them.

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

/// Sees to requests: each is replied to once, when it is done.
pub type Answerer = Box<dyn FnMut(Request, Replier) + Send>;

/// What goes on over a connection for as long as it lasts.
pub struct StreamSources {
    /// For those who subscribe.
    pub events: Arc<EventFeed>,
    /// For those who want pictures.
    pub previews: Arc<Previews>,
}

/// What clients are served with.
pub(super) struct Service {
    answer: Answerer,
    pub(super) subscriptions: Subscriptions,
    /// Clients that get events.
    pub(super) subscribers: usize,
    previews: Option<Arc<Previews>>,
}

/// What goes on for one client for as long as it is connected.
#[derive(Default)]
pub(super) struct ClientStreams {
    /// It gets events.
    pub(super) subscriber: Option<Subscriber>,
    /// It looks at a preview, for as long as this is here.
    preview: Option<PreviewGuard>,
    /// The descriptors that go with the reply to the request of this number.
    descriptors: Option<(u64, [OwnedFd; 2])>,
}

impl ClientStreams {
    pub(super) fn is_nothing(&self) -> bool {
        self.subscriber.is_none() && self.preview.is_none()
    }

    /// The descriptors that go with the reply to request number `request`.
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
    /// Requests go to `answer`; what lasts comes from `streams`, without which it is refused.
    pub(super) fn new(answer: Answerer, streams: Option<StreamSources>) -> Self {
        let (feed, previews) = streams.map(|it| (it.events, it.previews)).unzip();
        Self { answer, subscriptions: Subscriptions::new(feed), subscribers: 0, previews }
    }

    /// Sees to a request, number `number` of the client behind `stream`. A panic on the way is our bug, and no reason to
    /// fall silent: the replier says so when it is dropped.
    pub(super) fn see_to(
        &mut self,
        request: Request,
        number: u64,
        stream: &UnixStream,
        streams: &mut ClientStreams,
        replier: Replier,
    ) {
        let seen_to = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Subscribe { numbers_ms } => {
                replier.reply(self.subscribe(&mut streams.subscriber, numbers_ms));
            }
            Request::Preview(wanted) => {
                let goes_on = streams.preview.is_some();
                replier.reply(match self.start_preview(&wanted, stream, goes_on) {
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
                streams.end_preview();
                replier.reply(Reply::Ok(Answer::Done {}));
            }
            request => (self.answer)(request, replier),
        }));
        if seen_to.is_err() {
            tracing::error!("control: a request made greenroom fail");
        }
    }

    /// What a client that wants events is answered.
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

    /// Begins a preview for the program behind `stream`.
    fn start_preview(
        &self,
        wanted: &PreviewRequest,
        stream: &UnixStream,
        goes_on: bool,
    ) -> Result<StartedPreview, String> {
        let previews = self.previews.as_ref().ok_or("there are no previews here")?;
        let pid = socket_peercred(stream).map_or(0, |peer| peer.pid.as_raw_nonzero().get());
        previews.start(wanted, u32::try_from(pid).unwrap_or(0), goes_on)
    }
}
