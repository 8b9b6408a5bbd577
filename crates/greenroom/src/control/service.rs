//! What clients of the socket are served with, and what goes on for each of them.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use rustix::net::sockopt::socket_peercred;

use super::subscriber::{Subscriber, Subscriptions};
use super::{EventFeed, Replier};
use crate::preview::{PreviewGuard, Previews, StartedPreview};
use crate::protocol::{Answer, PreviewRequest, Reply, Request};

/// Sees to requests: each is replied to once, when it is done.
pub type Answerer = Box<dyn FnMut(Request, Replier) + Send>;

/// What goes on over a connection for as long as it lasts.
pub struct Streams {
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
pub(super) struct Lasting {
    /// It gets events.
    pub(super) subscriber: Option<Subscriber>,
    /// It looks at a preview, for as long as this is here.
    preview: Option<PreviewGuard>,
    /// The descriptors that go with replies, by the numbers of the requests.
    enclosed: Vec<(u64, [OwnedFd; 2])>,
}

impl Lasting {
    pub(super) fn is_nothing(&self) -> bool {
        self.subscriber.is_none() && self.preview.is_none()
    }

    /// The descriptors that go with the reply to request number `request`.
    pub(super) fn take_enclosed(&mut self, request: u64) -> Option<[OwnedFd; 2]> {
        let place = self.enclosed.iter().position(|(number, _)| *number == request)?;
        Some(self.enclosed.swap_remove(place).1)
    }
}

impl Service {
    /// Requests go to `answer`; what lasts comes from `streams`, without which it is refused.
    pub(super) fn new(answer: Answerer, streams: Option<Streams>) -> Self {
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
        lasting: &mut Lasting,
        replier: Replier,
    ) {
        let seen_to = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Subscribe { numbers_ms } => {
                replier.reply(self.subscribe(&mut lasting.subscriber, numbers_ms));
            }
            Request::Preview(wanted) => {
                // One that goes on ends before another one begins.
                lasting.preview = None;
                replier.reply(match self.start_preview(&wanted, stream) {
                    Ok(started) => {
                        lasting.enclosed.push((number, [started.memory, started.bell]));
                        lasting.preview = Some(started.guard);
                        Reply::Ok(Answer::Preview(started.layout))
                    }
                    Err(sentence) => Reply::Error(sentence),
                });
            }
            Request::EndPreview {} => {
                lasting.preview = None;
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
    ) -> Result<StartedPreview, String> {
        let previews = self.previews.as_ref().ok_or("there are no previews here")?;
        let pid = socket_peercred(stream).map_or(0, |peer| peer.pid.as_raw_nonzero().get());
        previews.start(wanted, u32::try_from(pid).unwrap_or(0))
    }
}
