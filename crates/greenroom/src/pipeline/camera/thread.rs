//! The camera's thread and its one state machine.

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use greenroom_device::{DeviceError, Next, PassedOver, Source, SourceOpener, wait_readable};
use greenroom_frame::{FramePool, PooledFrame};

use super::CameraFeed;
use crate::faults::{self, Fault};
use crate::pipeline::demand::Epoch;
use crate::pipeline::governing::FramePeriod;
use crate::pipeline::shared::{EndBell, Flow, Shared, Shot};
use crate::pipeline::stats::Step;
use crate::pipeline::{PlaceholderReason, Stats};
use crate::status::CameraState;

/// Time without a frame after which the camera counts as silent.
const SILENCE: Duration = Duration::from_secs(1);
/// A camera that has been silent for so many of those is closed and opened again: some webcams
/// come out of a suspend like this. Doubled with each try that was in vain, up to
/// [`MOST_SILENCES`].
const SILENCES: u32 = 5;
/// See [`SILENCES`].
const MOST_SILENCES: u32 = 60;
/// Time before the first try to open a lost camera again; doubled with each up to
/// [`LONGEST_BACK_OFF`]. A sign that it may have come ends the wait.
const BACK_OFF: Duration = Duration::from_millis(100);
/// See [`BACK_OFF`]. What is waited for without a sign, such as a program that lets go of the
/// camera, is noticed within this.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);

/// What the camera is doing. Drawn in ARCHITECTURE.md.
enum State {
    /// Nobody watches.
    Closed,
    /// To be opened now.
    Opening,
    /// Frames come, for `epoch`: the camera was opened in it, so that no frame is older.
    Streaming { source: Box<dyn Source>, epoch: Epoch },
    /// Away, refused or broken; opened again after `back_off`.
    Lost { back_off: Duration },
    /// Stopped, or a file that is not looped is at its end.
    Ended,
}

/// Takes frames from the camera while somebody watches, and hands on the newest.
pub(in crate::pipeline) struct CameraThread {
    shared: Arc<Shared>,
    source: Option<Box<dyn Source>>,
    opener: Box<dyn SourceOpener>,
    frames: FramePool,
    back_off: Duration,
    silences_allowed: u32,
    /// What was told last of why the camera is lost: one line an event.
    told: Option<String>,
}

impl CameraThread {
    pub(in crate::pipeline) fn new(
        shared: Arc<Shared>,
        feed: CameraFeed,
        frames: FramePool,
    ) -> Self {
        Self {
            shared,
            source: feed.source,
            opener: feed.open,
            frames,
            back_off: BACK_OFF,
            silences_allowed: SILENCES,
            told: None,
        }
    }

    pub(in crate::pipeline) fn run(mut self) {
        let _bell = EndBell(Arc::clone(&self.shared));
        let epoch = self.shared.demand.epoch();
        let opened = self.source.take().map(|source| State::Streaming { source, epoch });
        let mut state = opened.unwrap_or(State::Closed);
        loop {
            self.shared.camera_bell.clear();
            if self.shared.stop.is_ringing() {
                return;
            }
            self.report(&state);
            // A panic drops the state and with it the camera, which is opened anew.
            let next = catch_unwind(AssertUnwindSafe(|| self.step(state)));
            state = match next {
                Ok(State::Ended) => return,
                Ok(state) => state,
                Err(_) => {
                    let lost = self
                        .lose(PlaceholderReason::Failed, "a part of greenroom failed".to_owned());
                    tracing::error!("camera: a part of greenroom failed; opening it again");
                    lost
                }
            };
        }
    }

    /// One step of the state machine.
    fn step(&mut self, state: State) -> State {
        match state {
            // The bell was cleared before: who wants a picture from here on rings it again.
            State::Closed if self.shared.demand.epoch().wants_picture() => State::Opening,
            State::Closed => {
                wait_readable(&[self.shared.camera_bell.as_fd()], None);
                State::Closed
            }
            State::Opening => self.opening(),
            State::Streaming { source, epoch } => self.streaming(source, epoch),
            State::Lost { back_off } => self.waiting(back_off),
            State::Ended => State::Ended,
        }
    }

    fn opening(&mut self) -> State {
        let epoch = self.shared.demand.epoch();
        if !epoch.wants_picture() {
            self.opener.rest();
            return State::Closed;
        }
        match self.opener.open() {
            Ok(source) => State::Streaming { source, epoch },
            Err(error) => self.lose_to(&error),
        }
    }

    fn waiting(&mut self, back_off: Duration) -> State {
        let bell = self.shared.camera_bell.as_fd();
        let ready = match self.opener.news_fd() {
            Some(news) => wait_readable(&[bell, news], Some(back_off)),
            None => wait_readable(&[bell], Some(back_off)),
        };
        if ready & 2 != 0 && self.opener.has_news() {
            self.back_off = BACK_OFF;
        }
        State::Opening
    }

    fn streaming(&mut self, mut source: Box<dyn Source>, epoch: Epoch) -> State {
        match self.stream(source.as_mut(), epoch) {
            Ok(next) => {
                if matches!(next, State::Closed) {
                    self.hand_on(Flow::Lost(PlaceholderReason::Off));
                    let name = source.name().to_owned();
                    drop(source);
                    tracing::info!("camera: {name} closed");
                }
                next
            }
            Err(error) => {
                // Closed before anything else: a lost camera must not be held.
                drop(source);
                self.lose_to(&error)
            }
        }
    }

    /// Streams until `epoch` is over (nobody watches, or there was a pause), the stop, the end, or (an error) the camera
    /// is lost.
    fn stream(&mut self, source: &mut dyn Source, epoch: Epoch) -> Result<State, DeviceError> {
        let shared = Arc::clone(&self.shared);
        if shared.demand.epoch() != epoch || !epoch.wants_picture() {
            return Ok(State::Closed);
        }
        let (mut silences, mut period) = (0, FramePeriod::of(source.mode().rate));
        let mut mode = source.mode();
        shared.governing.begin();
        let mut frame = self.next_place();
        loop {
            if faults::strike(Fault::CameraPanic) {
                panic!("the camera thread panics, as a test wants");
            }
            if faults::strike(Fault::CameraStall) {
                std::thread::sleep(3 * SILENCE);
            }
            match source.next_frame(&mut frame, &shared.camera_bell, SILENCE)? {
                Next::Frame(passed_over) => {
                    if std::mem::take(&mut silences) > 0 {
                        tracing::info!("camera: {} sends pictures again", source.name());
                        self.report_streaming(source);
                    }
                    if std::mem::replace(&mut mode, source.mode()) != mode {
                        self.report_streaming(source);
                    }
                    self.back_off = BACK_OFF;
                    self.silences_allowed = SILENCES;
                    self.told = None;
                    Stats::count(&shared.stats.taken);
                    self.count(passed_over);
                    shared.stats.record(Step::Camera, frame.captured_at().elapsed());
                    let period = period.next(frame.captured_at(), passed_over.dropped);
                    let frame = std::mem::replace(&mut frame, self.next_place());
                    let handed_on_at = Instant::now();
                    self.hand_on(Flow::Frame(Shot { frame, epoch, handed_on_at, period }));
                }
                Next::NotYet(passed_over) => {
                    self.hand_on(Flow::Lost(PlaceholderReason::Silent));
                    self.count(passed_over);
                    silences += 1;
                    if silences == 1 {
                        let reason = format!("{} sends no pictures", source.name());
                        self.tell(&reason);
                        shared.set_camera_status(|status| status.reason = Some(reason));
                    }
                    if silences >= self.silences_allowed {
                        return Ok(self.give_up_on(source));
                    }
                }
                Next::Woken => {
                    shared.camera_bell.clear();
                    if shared.stop.is_ringing() {
                        return Ok(State::Ended);
                    }
                    if shared.demand.epoch() != epoch {
                        return Ok(State::Closed);
                    }
                }
                Next::Ended => return Ok(State::Ended),
            }
        }
    }

    /// A camera that is open and sends nothing: perhaps it does after it was opened anew.
    fn give_up_on(&mut self, source: &dyn Source) -> State {
        self.silences_allowed = (2 * self.silences_allowed).min(MOST_SILENCES);
        tracing::debug!("camera: {} is opened again", source.name());
        self.lose(PlaceholderReason::Silent, format!("{} sends no pictures", source.name()))
    }

    fn lose_to(&mut self, error: &DeviceError) -> State {
        let placeholder_reason = match error {
            DeviceError::Busy { holder, .. } => PlaceholderReason::Busy(holder.clone()),
            _ => PlaceholderReason::Lost,
        };
        let reason = error.to_string();
        let lost = self.lose(placeholder_reason, reason.clone());
        match error {
            // It was told already that it has gone.
            DeviceError::NotFound { .. } if self.told.is_some() => {
                tracing::debug!("camera: {reason}");
            }
            _ => self.tell(&reason),
        }
        lost
    }

    /// One line an event: what was told last is not told again.
    fn tell(&mut self, reason: &str) {
        if self.told.as_deref() != Some(reason) {
            tracing::warn!("camera: {reason}");
            self.told = Some(reason.to_owned());
        }
    }

    fn lose(&mut self, placeholder_reason: PlaceholderReason, reason: String) -> State {
        self.hand_on(Flow::Lost(placeholder_reason));
        self.shared.set_camera_status(|status| status.reason = Some(reason));
        let back_off = self.back_off;
        self.back_off = (2 * back_off).min(LONGEST_BACK_OFF);
        State::Lost { back_off }
    }

    fn report(&self, state: &State) {
        let name = match state {
            State::Closed | State::Ended => CameraState::Closed,
            State::Opening => CameraState::Opening,
            State::Streaming { source, .. } => {
                self.shared.set_camera_status(|status| status.opened += 1);
                return self.report_streaming(source.as_ref());
            }
            State::Lost { .. } => CameraState::Lost,
        };
        self.shared.set_camera_status(|status| {
            status.state = name;
            status.mode = None;
            if matches!(state, State::Closed) {
                status.reason = None;
            }
        });
    }

    fn report_streaming(&self, source: &dyn Source) {
        self.shared.set_camera_status(|status| {
            status.state = CameraState::Streaming;
            status.name = Some(source.name().to_owned());
            status.mode = Some(source.mode().to_string());
            status.reason = None;
        });
    }

    fn hand_on(&self, flow: Flow<Shot>) {
        if let Some(Flow::Frame(_)) = self.shared.to_matte.put(flow) {
            Stats::count(&self.shared.stats.dropped_before_matte);
        }
    }

    fn next_place(&self) -> PooledFrame {
        self.frames.take().expect("the pool has a frame more than the pipeline has places")
    }

    fn count(&self, passed_over: PassedOver) {
        let add = |counter: &AtomicU64, n: u32| counter.fetch_add(n.into(), Relaxed);
        add(&self.shared.stats.dropped_in_camera, passed_over.dropped);
        add(&self.shared.stats.corrupt, passed_over.corrupt);
    }
}
