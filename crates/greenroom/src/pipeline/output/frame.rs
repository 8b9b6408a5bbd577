//! What the outputs' thread does with a frame.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use greenroom_device::DeviceError;
use greenroom_scene::MattedFrame;

use super::guarded::guarded;
use super::thread::OutputThread;
use super::view::View;
use super::write::Others;
use crate::pipeline::governing::{ThreadTime, Written};
use crate::pipeline::shared::Cut;
use crate::pipeline::stats::Step;
use crate::pipeline::{PlaceholderReason, Stats};

impl OutputThread {
    pub(super) fn show(&mut self, cut: &Cut) -> Result<(), DeviceError> {
        let epoch = self.shared.demand.epoch();
        if cut.shot.epoch != epoch || !epoch.wants_picture() {
            Stats::count(&self.shared.stats.dropped_unwatched);
            return Ok(());
        }
        let thread_time = ThreadTime::begin();
        match catch_unwind(AssertUnwindSafe(|| self.show_on_all(cut))) {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return self.lose_picture(PlaceholderReason::Failed),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                let lost = self.lose_picture(PlaceholderReason::Failed);
                Stats::count(&self.shared.stats.failed);
                tracing::error!("output: a part of greenroom failed; going on with the next frame");
                return lost;
            }
        }
        let now = Instant::now();
        self.view = View::picture(epoch, now);
        let written = Written {
            at: now.saturating_duration_since(self.shared.started),
            period: cut.shot.period,
            // A mask server's time is not this machine's.
            way: now.saturating_duration_since(cut.shot.handed_on_at).saturating_sub(cut.waited),
            work: [cut.work, thread_time.elapsed()],
        };
        if self.shared.governing.written(written, &self.shared.stats) {
            self.planes.remove_spill(self.shared.governing.level().removes_spill);
            self.shared.changes.ring();
        }
        Ok(())
    }

    /// False if the matte does not fit: nothing was written.
    fn show_on_all(&mut self, cut: &Cut) -> Result<bool, DeviceError> {
        let frame = cut.shot.frame.view();
        let start = Instant::now();
        if self.epoch.replace(cut.shot.epoch) != Some(cut.shot.epoch) {
            // Another call: perhaps another camera.
            self.planes.reset();
        }
        let matte = match self.planes.fit(cut.alpha.view(), frame, cut.inference_id) {
            Ok(matte) => matte,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!("matte: {error}");
                }
                Stats::count(&self.shared.stats.failed);
                return Ok(false);
            }
        };
        self.failing = false;
        self.shared.stats.record(Step::Upscale, start.elapsed());
        let matted = MattedFrame { frame, matte };
        for at in 0..self.outputs.len() {
            let (before, rest) = self.outputs.split_at_mut(at);
            let Some((output, after)) = rest.split_first_mut() else { continue };
            if !output.is_on() {
                continue;
            }
            let (stats, others) = (&self.shared.stats, Others { before, after });
            guarded(output, stats, |output| output.show(&matted, others, stats))?;
        }
        // `cargo xtask busy` reads this.
        tracing::trace!(
            "shown {:.6} s after the start, {:.6} s after capture",
            self.shared.started.elapsed().as_secs_f64(),
            frame.captured_at().elapsed().as_secs_f64()
        );
        Ok(true)
    }
}
