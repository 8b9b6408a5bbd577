//! The thread "mask server": HTTP/1.1 over one connection that is kept.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use greenroom_frame::SizePx;
use greenroom_matte::Comparison;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{mpsc as asks, oneshot};

use crate::MaskServerUrl;

/// A request that takes longer is given up, and the connection with it. Tests run on machines that may stand still for
/// longer.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 2 });
/// What is read of an answer that is no mask, to be told.
const WORDS_MOST_BYTES: usize = 160;

/// What is wrong with a server: what follows its name in a sentence.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub(super) enum Fault {
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("broke off: {0}")]
    BrokeOff(String),
    #[error("takes longer than {} ms for a mask", .0.as_millis())]
    TooSlow(Duration),
    #[error("answers {0}: {1}")]
    Refused(StatusCode, String),
    #[error("answers {have} bytes where the picture has {want} pixels")]
    WrongLength { have: u64, want: u64 },
    #[error("answers a byte {0} where 0 and 1 make a mask")]
    NotAMask(u8),
    #[error("shows {}% of the picture where the network here sees room", percent(*.0))]
    ShowsRoom(f32),
    #[error("misses the person, who is {}% of the picture for the network here", percent(*.0))]
    MissesPerson(f32),
    #[error("cannot be asked: {0}")]
    Ours(String),
}

impl Fault {
    /// What is wrong with a mask that was held against the network here.
    pub(super) fn of(found: &Comparison) -> Result<(), Self> {
        if found.shows_room() {
            return Err(Self::ShowsRoom(found.room.max(found.doubtful)));
        }
        match found.misses_person() {
            true => Err(Self::MissesPerson(found.person)),
            false => Ok(()),
        }
    }
}

fn percent(share: f32) -> f32 {
    (100.0 * share).round()
}

struct Ask {
    size: SizePx,
    jpeg: Bytes,
    begun: Instant,
}

/// What came back.
pub(super) struct Answer {
    /// Size of the picture that was sent.
    pub(super) size: SizePx,
    pub(super) mask: Result<Bytes, Fault>,
    /// From before the picture was made small until the mask was there.
    pub(super) took: Duration,
}

/// One request after the other to one server.
pub(super) struct RequestThread {
    asks: asks::Sender<Ask>,
    answers: Receiver<Answer>,
    busy: bool,
    /// Dropped at the end: whatever is under way is given up.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RequestThread {
    pub(super) fn open(url: MaskServerUrl) -> io::Result<Self> {
        let (asks, asked) = asks::channel(1);
        let (answer, answers) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = serve(url, asked, answer) => {}
                }
            });
            // Not waiting for the resolver, which may take half a minute over a name.
            runtime.shutdown_background();
        };
        let thread = Some(thread::Builder::new().name("mask server".into()).spawn(work)?);
        Ok(Self { asks, answers, busy: false, stop: Some(stop), thread })
    }

    /// Whether a request is in flight.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Sends a picture; only if the thread [is not busy](Self::is_busy).
    pub(super) fn ask(&mut self, size: SizePx, jpeg: &[u8], begun: Instant) {
        debug_assert!(!self.busy, "one request in flight");
        let ask = Ask { size, jpeg: Bytes::copy_from_slice(jpeg), begun };
        self.busy = self.asks.try_send(ask).is_ok();
    }

    /// The answer, if it is there.
    pub(super) fn answer_now(&mut self) -> Option<Answer> {
        match self.answers.try_recv() {
            Ok(answer) => {
                self.busy = false;
                Some(answer)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }

    /// The answer, if it comes in time.
    pub(super) fn answer_within(&mut self, patience: Duration) -> Option<Answer> {
        match self.answers.recv_timeout(patience) {
            Ok(answer) => {
                self.busy = false;
                Some(answer)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

impl Drop for RequestThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(url: MaskServerUrl, mut asked: asks::Receiver<Ask>, answer: mpsc::Sender<Answer>) {
    let mut connection = None;
    while let Some(Ask { size, jpeg, begun }) = asked.recv().await {
        let asking = ask(&url, &mut connection, size, jpeg);
        let mask = match tokio::time::timeout(GIVEN_UP_AFTER, asking).await {
            Ok(mask) => mask,
            Err(_) => Err(Fault::TooSlow(GIVEN_UP_AFTER)),
        };
        if mask.is_err() {
            connection = None;
        }
        if answer.send(Answer { size, mask, took: begun.elapsed() }).is_err() {
            return;
        }
    }
}

type Connection = SendRequest<Full<Bytes>>;

async fn ask(
    url: &MaskServerUrl,
    connection: &mut Option<Connection>,
    size: SizePx,
    jpeg: Bytes,
) -> Result<Bytes, Fault> {
    // A server may close a connection that it kept; then, once, a new one is made.
    if let Some(kept) = connection
        && kept.ready().await.is_ok()
    {
        match post(url, kept, size, jpeg.clone()).await {
            Err(Fault::BrokeOff(_)) => {}
            answered => return answered,
        }
    }
    let fresh = connection.insert(connect(url).await?);
    post(url, fresh, size, jpeg).await
}

async fn connect(url: &MaskServerUrl) -> Result<Connection, Fault> {
    let unreachable = |error: io::Error| Fault::Unreachable(error.to_string());
    let addresses = resolve(url.host(), url.port()).await.map_err(unreachable)?;
    let mut last = io::Error::other("the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(unreachable)?;
                let broken = |error: hyper::Error| Fault::BrokeOff(error.to_string());
                let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
                // What ends it is told by the next request.
                tokio::spawn(async move { drop(driver.await) });
                return Ok(sender);
            }
            Err(error) => last = error,
        }
    }
    Err(unreachable(last))
}

/// The addresses of a host. Names are looked up on a thread that nobody waits for; tokio's own way panics where
/// the system has no thread left.
async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (tell, told) = oneshot::channel();
    let host = host.to_owned();
    thread::Builder::new().name("resolver".into()).spawn(move || {
        // Who asked may have given up.
        let _ = tell.send((host, port).to_socket_addrs().map(Iterator::collect));
    })?;
    told.await.unwrap_or_else(|_| Err(io::Error::other("it was not looked up")))
}

async fn post(
    url: &MaskServerUrl,
    connection: &mut Connection,
    size: SizePx,
    jpeg: Bytes,
) -> Result<Bytes, Fault> {
    let request = Request::post(url.path())
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(Full::new(jpeg))
        .map_err(|error| Fault::Ours(error.to_string()))?;
    let broke_off = |error: &dyn fmt::Display| Fault::BrokeOff(error.to_string());
    let answer = connection.send_request(request).await.map_err(|error| broke_off(&error))?;
    let (head, body) = answer.into_parts();
    let want = size.area_px();
    let most = usize::try_from(want).unwrap_or(usize::MAX).saturating_add(1);
    if head.status != StatusCode::OK {
        let words = Limited::new(body, 64 * WORDS_MOST_BYTES).collect().await;
        let words = words.map(|words| words.to_bytes()).unwrap_or_default();
        return Err(Fault::Refused(head.status, sentence(&words)));
    }
    // Told beforehand, or found out: a longer one is not read to its end.
    match Limited::new(body, most).collect().await {
        Ok(mask) => {
            let mask = mask.to_bytes();
            let have = mask.len() as u64;
            if have == want { Ok(mask) } else { Err(Fault::WrongLength { have, want }) }
        }
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Fault::WrongLength { have: most as u64, want })
        }
        Err(error) => Err(broke_off(&error)),
    }
}

/// The beginning of what a server says, fit for a log line.
fn sentence(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(&words[..words.len().min(WORDS_MOST_BYTES)]);
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
