//! Has a mask server find the person, as long as it keeps up: no frame waits for one that does not.
//!
//! The matte's thread makes a small JPEG of the frame, hands it to the thread "mask server", and
//! waits for the mask at most as long as leaves time for the network of this machine within the
//! same frame's time. A server that is late, gone or wrong is not waited for again: the network
//! here works on, while every now and then one frame is sent there, and nobody waits for the
//! answer. Three answers in a row that are right and in time, and the server is believed again.
//!
//! A mask shows nothing that a built-in network is sure is room: the [`RoomGuard`] looks at the frames
//! of a server that is not believed yet, and at one in four of one that is, while the server works.
//! A mask that disagrees with it is as bad as none.

mod health;
mod mask;
mod request_thread;
mod thumbnail;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_device::FrameRate;
use greenroom_frame::{Frame, FrameView};
use greenroom_matte::{MatteError, RoomGuard};

use self::health::{Change, Health};
use self::mask::MaskFrame;
use self::request_thread::{Answer, Fault, RequestThread};
use self::thumbnail::ThumbnailEncoder;
use super::MaskServerUrl;

/// Whom a [`MaskClient`] tells how its server does. It is called on the thread of the frames: it must not wait.
pub trait Observer: Send + Sync {
    /// Why the server is not waited for; `None`: it is. Before the first call it is not, as it has not answered yet.
    fn set_trouble(&self, trouble: Option<String>);
    /// A frame was cut by a mask of the server's, or is to be cut by the network here.
    fn count(&self, by_server: bool);
    /// Time from a frame to its mask, for a right answer.
    fn record(&self, answer: Duration);
}

/// Asks one mask server; one request is in flight at most. Dropping it ends its thread at once.
pub struct MaskClient {
    url: MaskServerUrl,
    /// Time between two frames, as far as it is known; and when the last one was taken.
    interval: Duration,
    planned_interval: Duration,
    last_frame: Option<Instant>,
    /// Longest that a frame waits for its mask.
    patience: Duration,
    encoder: ThumbnailEncoder,
    request_thread: RequestThread,
    health: Health,
    mask: MaskFrame,
    guard: RoomGuard,
    /// Whether anything was told of the server yet.
    told: bool,
    /// The answer that is under way was judged already: its frame gave it up.
    given_up: bool,
    observer: Arc<dyn Observer>,
}

/// Share of a frame's time that it waits for its mask; what is left is for the network here, and
/// for the next frame to find the thread free.
const PATIENCE: f64 = 2.0 / 3.0;
/// 240 frames a second, and a little.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(4);
/// Share of the patience within which a server answers that is to be waited for (again).
const WELL_IN_TIME: f64 = 0.8;

impl MaskClient {
    /// A client of the server at `url`, for frames that come at `rate`; `guard` says what its masks may
    /// show, and `observer` is told how the server does.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(
        url: MaskServerUrl,
        rate: FrameRate,
        guard: RoomGuard,
        observer: Arc<dyn Observer>,
    ) -> io::Result<Self> {
        if url.is_this_machine() {
            tracing::info!("mask server: {url} is asked for every mask");
        } else {
            tracing::warn!(
                "mask server: what the camera sees is sent, unencrypted, to {url}; in a network \
                 that you do not trust use a tunnel or VPN"
            );
        }
        Ok(Self {
            interval: rate.interval(),
            planned_interval: rate.interval(),
            last_frame: None,
            patience: rate.interval().mul_f64(PATIENCE),
            encoder: ThumbnailEncoder::default(),
            request_thread: RequestThread::open(url.clone())?,
            health: Health::new(Instant::now()),
            mask: MaskFrame::default(),
            guard,
            told: false,
            given_up: false,
            observer,
            url,
        })
    }

    /// The next frame has nothing to do with those before: the answer under way is not used, and the
    /// built-in network looks at each of the next frames.
    pub fn reset(&mut self) {
        self.guard.reset();
        self.given_up = self.request_thread.is_busy();
    }

    /// Has the server find the person in `frame`, which is planar. `false`: it is the turn of the
    /// network here; else [`alpha`](Self::alpha) has the answer.
    pub fn find(&mut self, frame: &FrameView<'_>) -> bool {
        let found = self.ask(frame).is_some();
        self.observer.count(found);
        found
    }

    /// The alpha of the frame that was found last: grey, 0 or 255, smaller than the frame. `None`
    /// before the first.
    pub fn alpha(&self) -> Option<&Frame> {
        self.mask.alpha()
    }

    /// A camera may send faster than was planned. Slower ones get no more patience: frames that were
    /// passed over look the same.
    fn keep_pace(&mut self, captured_at: Instant) {
        let last = self.last_frame.replace(captured_at);
        let Some(gap) = last.map(|last| captured_at.saturating_duration_since(last)) else {
            return;
        };
        // By a sixteenth: two frames that were taken close to each other change little.
        let gap = gap.clamp(SHORTEST_INTERVAL.min(self.planned_interval), self.planned_interval);
        self.interval = (self.interval * 15 + gap) / 16;
        self.patience = self.interval.mul_f64(PATIENCE);
    }

    fn ask(&mut self, frame: &FrameView<'_>) -> Option<()> {
        self.keep_pace(frame.captured_at());
        let begun = Instant::now();
        // What came too late for its frame still tells how the server is.
        while let Some(answer) = self.request_thread.answer_now() {
            if std::mem::take(&mut self.given_up) {
                continue;
            }
            let in_time = self.patience.mul_f64(WELL_IN_TIME);
            let right = self.take(&answer, in_time, frame.captured_at());
            let right = right.and_then(|()| self.agree_on_earlier_frame());
            self.conclude(right);
        }
        if self.request_thread.is_busy() || !self.health.may_ask(begun) {
            return None;
        }
        match self.encoder.encode(frame) {
            Ok((size, jpeg)) => self.request_thread.ask(size, jpeg, begun),
            Err(fault) => return self.conclude(Err(fault)),
        }
        let may_wait = self.health.may_wait();
        // While the server works. If nobody waits, the answer will be held against this frame.
        let looked = match may_wait {
            true => self.guard.look_if_due(frame),
            false => self.guard.look(frame),
        };
        if let Err(error) = looked {
            self.given_up = self.request_thread.is_busy();
            return self.conclude(Err(guard_failed(&error)));
        }
        if !may_wait {
            return None;
        }
        let patience = self.patience.saturating_sub(begun.elapsed());
        let right = match self.request_thread.answer_within(patience) {
            Some(answer) => self
                .take(&answer, self.patience, frame.captured_at())
                .and_then(|()| self.agree_on(frame)),
            None => {
                self.given_up = self.request_thread.is_busy();
                Err(Fault::TooSlow(self.patience))
            }
        };
        self.conclude(right)
    }

    /// Takes over the mask of an answer that is one and came within `in_time`.
    fn take(
        &mut self,
        answer: &Answer,
        in_time: Duration,
        captured_at: Instant,
    ) -> Result<(), Fault> {
        let mask = answer.mask.as_ref().map_err(Fault::clone)?;
        if answer.took > in_time {
            return Err(Fault::TooSlow(in_time));
        }
        self.mask.fill(answer.size, mask, captured_at)?;
        self.observer.record(answer.took);
        Ok(())
    }

    /// Cuts out of the mask of `frame` what is surely room.
    fn agree_on(&mut self, frame: &FrameView<'_>) -> Result<(), Fault> {
        let Some(alpha) = self.mask.alpha_mut() else { return Ok(()) };
        let found = self.guard.cut(frame, alpha).map_err(|error| guard_failed(&error))?;
        Fault::of(&found)
    }

    /// Holds the mask of the frame that was looked at last against that look. The mask is not used.
    fn agree_on_earlier_frame(&mut self) -> Result<(), Fault> {
        let Some(alpha) = self.mask.alpha() else { return Ok(()) };
        Fault::of(&self.guard.compare(alpha))
    }

    /// What an answer, or that there is none, says of the server.
    fn conclude(&mut self, right: Result<(), Fault>) -> Option<()> {
        let (now, url) = (Instant::now(), &self.url);
        match &right {
            Ok(()) => {
                if self.health.good(now) == Some(Change::Well) {
                    tracing::info!("mask server: {url} finds the person");
                    self.observer.set_trouble(None);
                }
            }
            Err(fault) => {
                let change = self.health.bad(now);
                // The first try counts as news, too: who starts greenroom wants to know.
                if change == Some(Change::Unwell) || !std::mem::replace(&mut self.told, true) {
                    tracing::warn!("mask server: {url} {fault}; the network here takes over");
                } else {
                    tracing::debug!("mask server: {url} {fault}");
                }
                self.observer.set_trouble(Some(fault.to_string()));
            }
        }
        self.told = true;
        right.ok()
    }
}

fn guard_failed(error: &MatteError) -> Fault {
    Fault::Ours(format!("the network here failed: {error}"))
}

#[cfg(test)]
mod tests;
