//! What the threads of a pipeline share.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use greenroom_device::Wake;
use greenroom_frame::PooledFrame;
use greenroom_matte::InferenceId;

use super::demand::{Demand, Epoch};
use super::governing::Governing;
use super::{Changes, PlaceholderReason, Slot, Stats};
use crate::lock::lock;
use crate::status::CameraStatus;

/// What one thread hands the next.
pub(super) enum Flow<T> {
    /// A frame.
    Frame(T),
    /// There is no picture: the camera or the matte failed.
    Lost(PlaceholderReason),
}

/// A frame from the camera.
pub(super) struct Shot {
    pub(super) frame: PooledFrame,
    /// The [`Demand`] it was taken for.
    pub(super) epoch: Epoch,
    /// When the camera thread handed it on.
    pub(super) handed_on_at: Instant,
    /// How long the camera's frames last.
    pub(super) period: Duration,
}

/// A frame with the alpha that was computed from it, at the model's size.
pub(super) struct Cut {
    pub(super) shot: Shot,
    pub(super) alpha: PooledFrame,
    /// The inference here that it is of.
    pub(super) inference_id: Option<InferenceId>,
    /// Processor time that this took.
    pub(super) work: Duration,
    /// Time for which another program was waited for, which found the mask.
    pub(super) waited: Duration,
}

/// What the threads share.
pub(super) struct Shared {
    /// Rung once: everyone ends.
    pub(super) stop: Wake,
    /// Rung when a thread ends by itself.
    pub(super) ended: Wake,
    /// Rung when the output thread writes no more frames and brings its outputs to an end.
    pub(super) finishing: Wake,
    /// Rung when the outputs have come to their ends.
    pub(super) finished: Wake,
    /// Nobody asked for the end in order: files are not to take their names.
    pub(super) is_given_up: AtomicBool,
    /// Rung when demand has changed, and at the stop: the camera thread looks what it is.
    pub(super) camera_bell: Wake,
    pub(super) demand: Demand,
    pub(super) to_matte: Slot<Flow<Shot>>,
    pub(super) to_output: Slot<Flow<Cut>>,
    pub(super) stats: Arc<Stats>,
    pub(super) governing: Governing,
    camera: Mutex<CameraStatus>,
    /// Rung when the status changes.
    pub(super) changes: Arc<Changes>,
    /// How long the matte thread has been at its frame.
    pub(super) matte_work: BusySince,
    pub(super) started: Instant,
}

impl Shared {
    pub(super) fn new(governing: Governing) -> io::Result<Self> {
        let started = Instant::now();
        Ok(Self {
            stop: Wake::new()?,
            ended: Wake::new()?,
            finishing: Wake::new()?,
            finished: Wake::new()?,
            is_given_up: AtomicBool::new(false),
            camera_bell: Wake::new()?,
            demand: Demand::default(),
            to_matte: Slot::new()?,
            to_output: Slot::new()?,
            stats: Arc::default(),
            governing,
            camera: Mutex::default(),
            changes: Arc::default(),
            matte_work: BusySince { started, since_ms: AtomicU64::new(u64::MAX) },
            started,
        })
    }

    /// Opens or closes the camera, if that is news.
    pub(super) fn set_demand(&self, wanted: bool) -> bool {
        let changed = self.demand.set(wanted);
        if changed {
            self.camera_bell.ring();
        }
        changed
    }

    pub(super) fn ring_stop(&self) {
        self.stop.ring();
        self.camera_bell.ring();
    }

    pub(super) fn camera_status(&self) -> CameraStatus {
        lock(&self.camera).clone()
    }

    pub(super) fn set_camera_status(&self, set: impl FnOnce(&mut CameraStatus)) {
        let mut status = lock(&self.camera);
        let before = status.clone();
        set(&mut status);
        let is_news = *status != before;
        drop(status);
        if is_news {
            self.changes.ring();
        }
    }
}

/// Since when a thread has been busy with one piece of work.
#[derive(Debug)]
pub(super) struct BusySince {
    started: Instant,
    since_ms: AtomicU64,
}

impl BusySince {
    pub(super) fn begin(&self) {
        let since_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.since_ms.store(since_ms, SeqCst);
    }

    pub(super) fn end(&self) {
        self.since_ms.store(u64::MAX, SeqCst);
    }

    /// How long by now; zero when it is not.
    pub(super) fn duration(&self) -> Duration {
        match self.since_ms.load(SeqCst) {
            u64::MAX => Duration::ZERO,
            since_ms => self.started.elapsed().saturating_sub(Duration::from_millis(since_ms)),
        }
    }
}

/// Rings `ended` when its thread ends, however that happens.
pub(super) struct EndBell(pub(super) Arc<Shared>);

impl Drop for EndBell {
    fn drop(&mut self) {
        self.0.ended.ring();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demand_is_numbered() {
        let demand = Demand::default();
        let idle = demand.epoch();
        assert!(!idle.wants_picture() && !demand.set(false));
        assert!(demand.set(true) && !demand.set(true));
        let first = demand.epoch();
        assert!(first.wants_picture());
        assert!(demand.set(false) && demand.set(true));
        assert!(demand.epoch().wants_picture() && demand.epoch() != first);
    }
}
