//! The three threads. Each loop waits on its slot (or the camera) and the stop bell, and ends by
//! ringing `ended`, also when it panics.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use greenroom_device::{DeviceError, Next, PassedOver, Source, Wake};
use greenroom_frame::{FramePool, PooledFrame, unpack};
use greenroom_matte::MatteMaker;
use greenroom_scene::Room;

use super::{CameraFeed, Cut, Flow, MattePlanes, OpenSource, Output, Shared, ShowError, Stats};

/// Time without a picture after which the placeholder is shown.
const STALL: Duration = Duration::from_secs(1);
/// On a machine too slow for that, the picture may stand for so many times as long as the last one
/// took, so that it does not flicker between picture and placeholder; but never longer than
/// [`LONGEST_STALL`]. A camera that stalls is told by its own thread and not waited for.
const PATIENCE_FRAMES: u32 = 4;
/// See [`PATIENCE_FRAMES`].
const LONGEST_STALL: Duration = Duration::from_secs(10);
/// Time between placeholders while there is no picture: consumers that give a camera one second a
/// frame (Chrome) never run out of it.
const PLACEHOLDER_INTERVAL: Duration = Duration::from_millis(200);
/// Time between two tries to open a camera that is lost or not there yet.
const RETRY: Duration = Duration::from_secs(1);

/// Rings `ended` when its thread ends, however that happens.
struct EndBell(Arc<Shared>);

impl Drop for EndBell {
    fn drop(&mut self) {
        self.0.ended.ring();
    }
}

/// Takes frames from the camera and hands on the newest.
pub(super) struct Camera {
    shared: Arc<Shared>,
    source: Option<Box<dyn Source>>,
    reopen: OpenSource,
    frames: FramePool,
}

impl Camera {
    pub(super) fn new(shared: Arc<Shared>, feed: CameraFeed, frames: FramePool) -> Self {
        Self { shared, source: feed.source, reopen: feed.reopen, frames }
    }

    pub(super) fn run(mut self) {
        let _bell = EndBell(Arc::clone(&self.shared));
        while let Some(mut source) = self.source.take().or_else(|| self.open()) {
            match self.stream(source.as_mut()) {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!("camera: {error}; waiting for it");
                    // Closed before anything else: a lost camera must not be held.
                    drop(source);
                    self.hand_on(Flow::Lost);
                }
            }
        }
    }

    /// Opens the camera, trying until it is there; `None` when stopped.
    fn open(&mut self) -> Option<Box<dyn Source>> {
        let mut told = None;
        loop {
            if Wake::wait([&self.shared.stop], Some(RETRY)) {
                return None;
            }
            match (self.reopen)() {
                Ok(source) => return Some(source),
                Err(error) => {
                    // One line an event: the same reason is not told again.
                    let reason = error.to_string();
                    if told.as_ref() != Some(&reason) {
                        tracing::debug!("camera: {reason}");
                        told = Some(reason);
                    }
                }
            }
        }
    }

    /// Streams until stopped (`Ok`) or the camera is lost.
    fn stream(&mut self, source: &mut dyn Source) -> Result<(), DeviceError> {
        let shared = &self.shared;
        let mut stalled = false;
        let mut frame = self.next_place();
        loop {
            match source.next_frame(&mut frame, &shared.stop, STALL)? {
                Next::Frame(passed_over) => {
                    if std::mem::take(&mut stalled) {
                        tracing::info!("camera: {} sends pictures again", source.name());
                    }
                    Stats::count(&shared.stats.taken);
                    self.count(passed_over);
                    let filled = std::mem::replace(&mut frame, self.next_place());
                    self.hand_on(Flow::Frame(filled));
                }
                Next::NotYet(passed_over) => {
                    self.count(passed_over);
                    if !std::mem::replace(&mut stalled, true) {
                        tracing::warn!("camera: {} sends no pictures", source.name());
                    }
                    self.hand_on(Flow::Lost);
                }
                Next::Woken | Next::Ended => return Ok(()),
            }
        }
    }

    fn hand_on(&self, flow: Flow<PooledFrame>) {
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

/// Finds the person in each frame.
pub(super) struct Cutter {
    shared: Arc<Shared>,
    maker: MatteMaker,
    alphas: FramePool,
}

impl Cutter {
    pub(super) fn new(shared: Arc<Shared>, maker: MatteMaker, alphas: FramePool) -> Self {
        Self { shared, maker, alphas }
    }

    pub(super) fn run(mut self) {
        let _bell = EndBell(Arc::clone(&self.shared));
        let shared = Arc::clone(&self.shared);
        let mut failing = false;
        loop {
            let flow = match shared.to_matte.take(&shared.stop, None) {
                Some(Flow::Frame(frame)) => self.cut(frame, &mut failing),
                Some(Flow::Lost) => Flow::Lost,
                // Without patience, only the stop bell ends the wait.
                None => return,
            };
            if let Some(Flow::Frame(_)) = shared.to_output.put(flow) {
                Stats::count(&shared.stats.dropped_before_output);
            }
        }
    }

    fn cut(&mut self, frame: PooledFrame, failing: &mut bool) -> Flow<Cut> {
        let mut alpha = self.alphas.take().expect("as many alphas as frames");
        let made = self.maker.matte(&frame.view());
        // Into a frame of the pool, so that the network can go on with the next one.
        let made = made.and_then(|made| Ok(unpack(made.view(), &mut alpha)?));
        match made {
            Ok(()) => {
                *failing = false;
                Flow::Frame(Cut { frame, alpha })
            }
            Err(error) => {
                if !std::mem::replace(failing, true) {
                    tracing::error!("matte: {error}");
                }
                Stats::count(&self.shared.stats.failed);
                Flow::Lost
            }
        }
    }
}

/// Composes each frame for each output and writes it.
pub(super) struct Shower {
    shared: Arc<Shared>,
    planes: MattePlanes,
    outputs: Vec<Output>,
    failing: bool,
}

impl Shower {
    pub(super) fn new(shared: Arc<Shared>, planes: MattePlanes, outputs: Vec<Output>) -> Self {
        Self { shared, planes, outputs, failing: false }
    }

    pub(super) fn run(mut self) -> Result<(), DeviceError> {
        let _bell = EndBell(Arc::clone(&self.shared));
        // Also when a part of ours panics, devices are left with the placeholder.
        let shown = catch_unwind(AssertUnwindSafe(|| self.show_until_stopped()));
        self.shared.finishing.ring();
        let mut finished = Ok(());
        for output in self.outputs {
            let name = output.name().to_owned();
            finished = finished.and(output.finish());
            tracing::debug!("output: {name} ended");
        }
        // The first trouble is the one to tell.
        shown.unwrap_or_else(|panic| resume_unwind(panic)).and(finished)
    }

    fn show_until_stopped(&mut self) -> Result<(), DeviceError> {
        let shared = Arc::clone(&self.shared);
        // Something shows at once, and on v4l2loopback it is what makes the node a camera.
        self.show_placeholders()?;
        let mut patience = STALL;
        let mut last_shown = Instant::now();
        loop {
            match shared.to_output.take(&shared.stop, Some(patience)) {
                _ if shared.stop.is_ringing() => return Ok(()),
                Some(Flow::Frame(cut)) => {
                    self.show(&cut)?;
                    let interval = std::mem::replace(&mut last_shown, Instant::now()).elapsed();
                    patience = (interval * PATIENCE_FRAMES).clamp(STALL, LONGEST_STALL);
                }
                Some(Flow::Lost) | None => {
                    self.show_placeholders()?;
                    // What passes without a picture says nothing of how long a picture takes.
                    last_shown = Instant::now();
                    patience = PLACEHOLDER_INTERVAL;
                }
            }
        }
    }

    fn show(&mut self, cut: &Cut) -> Result<(), DeviceError> {
        let frame = cut.frame.view();
        let matte = match self.planes.fit(cut.alpha.view(), frame) {
            Ok(matte) => matte,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!("matte: {error}");
                }
                Stats::count(&self.shared.stats.failed);
                return self.show_placeholders();
            }
        };
        let room = Room { frame, matte };
        for output in &mut self.outputs {
            match output.show(&room) {
                Ok(()) => {
                    self.failing = false;
                    Stats::count(&self.shared.stats.written);
                }
                Err(ShowError::Sink(error)) => return Err(error),
                Err(error) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        tracing::error!("output: {error}");
                    }
                    Stats::count(&self.shared.stats.failed);
                    output.show_placeholder()?;
                    Stats::count(&self.shared.stats.placeholders);
                }
            }
        }
        tracing::trace!("shown {:?} after capture", frame.captured_at().elapsed());
        Ok(())
    }

    fn show_placeholders(&mut self) -> Result<(), DeviceError> {
        for output in &mut self.outputs {
            output.show_placeholder()?;
            Stats::count(&self.shared.stats.placeholders);
        }
        Ok(())
    }
}
