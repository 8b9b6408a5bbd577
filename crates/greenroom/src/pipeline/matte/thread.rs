//! The matte's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_device::Wake;
use greenroom_frame::{FramePool, unpack};
use greenroom_matte::{InferenceId, MatteError, MatteMaker};

use super::{MakeMatte, MatteFeed};
use crate::faults::{self, Fault};
use crate::masks::MaskClient;
use crate::pipeline::demand::Epoch;
use crate::pipeline::governing::ThreadTime;
use crate::pipeline::shared::{Cut, EndBell, Flow, Shared, Shot};
use crate::pipeline::stats::Step;
use crate::pipeline::{PlaceholderReason, Stats};

/// Time between two tries to make the network anew after it panicked, and time for which it may fail
/// until that is tried.
const RETRY: Duration = Duration::from_secs(1);

/// Finds the person in each frame.
pub(in crate::pipeline) struct MatteThread {
    shared: Arc<Shared>,
    maker: MatteMaker,
    remake: MakeMatte,
    server: Option<MaskClient>,
    alphas: FramePool,
    /// What the last frame was taken for.
    epoch: Option<Epoch>,
    /// Frames so far.
    frames: u32,
    /// The server found the person in the last frame.
    elsewhere: bool,
    /// The inference here that the last frame's mask is of.
    inference_id: Option<InferenceId>,
    /// Time for which the server was waited for, for the last frame.
    waited: Duration,
    /// Since when it fails, or since it was made anew for that.
    failing_since: Option<Instant>,
}

impl MatteThread {
    pub(in crate::pipeline) fn new(
        shared: Arc<Shared>,
        MatteFeed { maker, remake, server, .. }: MatteFeed,
        alphas: FramePool,
    ) -> Self {
        Self {
            shared,
            maker,
            remake,
            server: server.map(|server| server.client),
            alphas,
            epoch: None,
            frames: 0,
            elsewhere: false,
            inference_id: None,
            waited: Duration::ZERO,
            failing_since: None,
        }
    }

    pub(in crate::pipeline) fn run(mut self) {
        let _bell = EndBell(Arc::clone(&self.shared));
        let shared = Arc::clone(&self.shared);
        // Without patience, only the stop bell ends the wait.
        while let Some(flow) = shared.to_matte.take(&shared.stop, None) {
            match flow {
                Flow::Frame(shot) => {
                    shared.matte_work.begin();
                    let cut = catch_unwind(AssertUnwindSafe(|| self.cut(shot)));
                    shared.matte_work.end();
                    if cut.is_err() {
                        self.hand_on(Flow::Lost(PlaceholderReason::Failed));
                        Stats::count(&shared.stats.failed);
                        if !self.start_again() {
                            return;
                        }
                    }
                }
                Flow::Lost(placeholder_reason) => self.hand_on(Flow::Lost(placeholder_reason)),
            }
        }
    }

    fn hand_on(&self, flow: Flow<Cut>) {
        if let Some(Flow::Frame(_)) = self.shared.to_output.put(flow) {
            Stats::count(&self.shared.stats.dropped_before_output);
        }
    }

    fn cut(&mut self, shot: Shot) {
        let (start, thread_time) = (Instant::now(), ThreadTime::begin());
        let level = self.shared.governing.level();
        self.frames = self.frames.wrapping_add(1);
        if !self.frames.is_multiple_of(level.frames_per_shown) {
            Stats::count(&self.shared.stats.dropped_by_governor);
            return;
        }
        self.maker.set_effort(level.effort);
        let mut alpha = self.alphas.take().expect("as many alphas as frames");
        let made = self.matte(&shot);
        // Into a frame of the pool, so that the network can go on with the next one.
        let made = made.and_then(|made| Ok(unpack(made.view(), &mut alpha)?));
        match made {
            Ok(()) => {
                self.failing_since = None;
                self.shared.stats.record(Step::Matte, start.elapsed());
                let work = thread_time.elapsed();
                let Self { inference_id, waited, .. } = *self;
                self.hand_on(Flow::Frame(Cut { shot, alpha, inference_id, work, waited }));
            }
            Err(error) => {
                // What is shown goes first; the rest may take a while.
                self.hand_on(Flow::Lost(PlaceholderReason::Failed));
                Stats::count(&self.shared.stats.failed);
                let told = self.failing_since.is_some();
                if !told {
                    tracing::error!("matte: {error}");
                }
                if self.failing_since.get_or_insert(start).elapsed() > RETRY {
                    self.make_anew();
                }
            }
        }
    }

    /// A network that goes on failing may have lost what it runs on: a GPU forgets everything in a
    /// suspend.
    fn make_anew(&mut self) {
        match (self.remake)() {
            Ok(maker) => self.maker = maker,
            Err(error) => tracing::debug!("matte: {error}"),
        }
        self.failing_since = Some(Instant::now());
    }

    fn matte(&mut self, shot: &Shot) -> Result<&greenroom_frame::Frame, MatteError> {
        if faults::strike(Fault::MattePanic) {
            panic!("the matte thread panics, as a test wants");
        }
        if faults::strike(Fault::MatteStall) {
            std::thread::sleep(Duration::from_secs(3));
        }
        if faults::strike(Fault::MatteError) {
            let (have, want) = ("failing, as a test wants".into(), "well".into());
            return Err(MatteError::WrongShape { what: "the network", have, want });
        }
        let frame = shot.frame.view();
        if self.epoch.replace(shot.epoch) != Some(shot.epoch) {
            // Another call: who was in the picture then is nobody now.
            self.maker.reset();
            if let Some(server) = &mut self.server {
                server.reset();
            }
        }
        (self.inference_id, self.waited) = (None, Duration::ZERO);
        if let Some(server) = &mut self.server {
            let asked = Instant::now();
            let is_found = server.find(&frame);
            self.waited = asked.elapsed();
            if is_found && let Some(alpha) = server.alpha() {
                self.elsewhere = true;
                return Ok(alpha);
            }
        }
        if std::mem::take(&mut self.elsewhere) {
            // What network and smoothing remember is from before the server was believed.
            self.maker.reset();
        }
        let maker = &mut self.maker;
        maker.prepare(&frame)?;
        self.shared.governing.count(maker.origin());
        self.inference_id = maker.inference_id();
        maker.infer()?;
        maker.refine(&frame)
    }

    /// After a panic, a new network in place of the one that was interrupted. `false` when stopped.
    fn start_again(&mut self) -> bool {
        tracing::error!("matte: a part of greenroom failed; starting it again");
        loop {
            match catch_unwind(AssertUnwindSafe(|| (self.remake)())) {
                Ok(Ok(maker)) => {
                    self.maker = maker;
                    return true;
                }
                Ok(Err(error)) => tracing::error!("matte: {error}"),
                // Told by the panic itself.
                Err(_) => {}
            }
            if Wake::wait([&self.shared.stop], Some(RETRY)) {
                return false;
            }
        }
    }
}
