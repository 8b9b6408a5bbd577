use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::body::Body;
use super::connection_state::{ConnectionState, Phase};
use super::engine::Engine;
use super::header::Header;
use super::limits::Limits;
use super::mask::Mask;
use super::origin::OwnNames;
use super::refusal::Refusal;
use super::refusal_log::RefusalLog;

/// What all connections share.
pub(super) struct ServerState {
    pub limits: Limits,
    pub engine: Engine,
    /// Bytes for the part of bodies that is above the ordinary.
    pub room: Arc<Semaphore>,
    /// Places for pictures that are larger than the ordinary.
    pub large: Semaphore,
    pub refusal_log: RefusalLog,
    /// What a GET is told.
    pub about: String,
    pub names: OwnNames,
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub peer: IpAddr,
    pub local: IpAddr,
}

/// The answer to one request.
pub(super) async fn answer(
    state: Rc<ServerState>,
    Ends { peer, local }: Ends,
    connection_state: ConnectionState,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    connection_state.enter(Phase::Body);
    if let Err(refusal) = state.names.check(local, &request) {
        tell(&state, peer, &refusal);
        return Ok(refused(&refusal, request.body().is_end_stream(), &connection_state));
    }
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    if asks && request.body().is_end_stream() {
        return Ok(text(state.about.clone(), &connection_state));
    }
    let outcome = mask(&state, peer, &connection_state, request.into_body()).await;
    Ok(match outcome {
        Ok(mask) => {
            connection_state.enter(Phase::Answer);
            let mut response =
                Response::new(AnswerBody::new(Content::Mask(mask), &connection_state));
            let kind = HeaderValue::from_static("application/octet-stream");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err((refusal, is_read)) => {
            tell(&state, peer, &refusal);
            refused(&refusal, is_read, &connection_state)
        }
    })
}

fn tell(state: &ServerState, peer: IpAddr, refusal: &Refusal) {
    tracing::debug!("{peer}: {}: {refusal}", refusal.status().as_u16());
    if refusal.is_abuse() {
        state.refusal_log.about(peer, &refusal.to_string());
    }
}

/// The mask, or why there is none and whether the body was read to its end.
async fn mask(
    state: &ServerState,
    peer: IpAddr,
    connection_state: &ConnectionState,
    body: Incoming,
) -> Result<Mask, (Refusal, bool)> {
    let limits = &state.limits;
    let body = timeout(limits.body_time, Body::read(body, limits, &state.room)).await;
    let body = body.unwrap_or(Err(Refusal::TooSlow(limits.body_time)));
    let body = body.map_err(|refusal| {
        let is_read = refusal == Refusal::Empty;
        (refusal, is_read)
    })?;
    connection_state.enter(Phase::Work);
    let outcome = async {
        let header = Header::read(&body.bytes)?;
        limits.check(&header, body.bytes.len())?;
        let is_large = header.work_px() > limits.ordinary_work_px;
        // Held until its mask is there.
        let _place = match is_large {
            true => Some(state.large.try_acquire().map_err(|_| Refusal::Busy)?),
            false => None,
        };
        let mask = timeout(limits.work_time, state.engine.mask(peer, header, body)).await;
        mask.unwrap_or(Err(Refusal::Busy))
    };
    outcome.await.map_err(|refusal| (refusal, true))
}

fn text(text: String, connection_state: &ConnectionState) -> Response<AnswerBody> {
    connection_state.enter(Phase::Answer);
    let mut response = Response::new(AnswerBody::new(Content::Text(text.into()), connection_state));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn refused(
    refusal: &Refusal,
    is_read: bool,
    connection_state: &ConnectionState,
) -> Response<AnswerBody> {
    let mut response = text(format!("{refusal}\n"), connection_state);
    *response.status_mut() = refusal.status();
    if refusal.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if !is_read {
        // The rest of the body would have to be read to come to the next request.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response.body_mut().then = Phase::Farewell;
    }
    response
}

#[derive(Debug)]
enum Content {
    /// Empty once it is taken.
    Text(Bytes),
    Mask(Mask),
}

/// The body of an answer; a mask is spread out piece by piece, as the client takes it.
#[derive(Debug)]
pub(super) struct AnswerBody {
    content: Content,
    taken_px: usize,
    connection_state: ConnectionState,
    /// What the connection waits for afterwards.
    then: Phase,
}

impl AnswerBody {
    fn new(content: Content, connection_state: &ConnectionState) -> Self {
        Self { content, taken_px: 0, connection_state: connection_state.clone(), then: Phase::Idle }
    }

    fn left_bytes(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Mask(mask) => mask.area_px() - self.taken_px,
        }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let piece = match &mut this.content {
            Content::Text(text) => Some(std::mem::take(text)).filter(|text| !text.is_empty()),
            Content::Mask(mask) => mask.chunk(this.taken_px).map(|chunk| {
                this.taken_px += chunk.len();
                chunk.into()
            }),
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes() as u64)
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.connection_state.enter(self.then);
    }
}
