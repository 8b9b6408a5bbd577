//! The path of a frame: camera → matte → scene → outputs, a thread for each of the first two and
//! one for the rest, a [`Slot`] between each. Camera and outputs live two lives of their own, each
//! a state machine: the outputs as long as the pipeline, the camera while somebody watches.

mod camera;
mod changes;
mod commands;
mod demand;
mod governing;
mod matte;
mod output;
mod placeholder_reason;
mod report;
mod shared;
mod slot;
mod stats;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use greenroom_device::{DeviceError, Wake};
use greenroom_frame::{Colour, FrameError, FramePool, PixelFormat, SizePx};

pub use camera::CameraFeed;
use camera::CameraThread;
pub use changes::{Changes, Following};
pub use commands::PipelineCommands;
pub use demand::{Reason, Reasons};
use governing::Governing;
use matte::MatteThread;
pub use matte::{MakeMatte, MaskServer, MaskServerReport, MatteFeed, MattePlanes};
use output::OutputThread;
pub use output::{
    Composed, Idle, MOST_OUTPUTS, MatteOutput, OnLoss, Output, OutputPolicy, Painter, Preview,
    ShowError, Tap, TapCounts, TapEnd,
};
pub use placeholder_reason::PlaceholderReason;
pub use report::Reporter;
use shared::Shared;
pub use slot::Slot;
pub use stats::Stats;

/// The running pipeline. Dropping it stops and joins its threads, and no file takes its name.
pub struct Pipeline {
    shared: Arc<Shared>,
    reporter: Reporter,
    commands: Arc<PipelineCommands>,
    /// Files that are completed at the stop however long it takes, by their names.
    files: Vec<String>,
    feeders: Vec<JoinHandle<()>>,
    output_thread: Option<JoinHandle<Result<(), DeviceError>>>,
}

/// Frames that are under way at once at the most: one being filled, one in each slot, one in the
/// matte, one in the outputs; and one more, so that a new one can be taken before the old is given
/// back.
const FRAMES_UNDER_WAY: usize = 6;

/// How long a stop waits for the output thread to come back from a write.
const STOP_PATIENCE: Duration = Duration::from_millis(700);

/// How long an end at once waits for the placeholder: some frames' time, also on a busy machine.
const HIDE_PATIENCE: Duration = Duration::from_millis(200);

impl Pipeline {
    /// Starts the threads. The camera is opened when somebody watches one of `outputs`, and closed
    /// when nobody has for `idle_after`. It is hidden from the start if there are `reasons`.
    ///
    /// # Errors
    /// When the system has no threads or descriptors left, or there are too many outputs.
    pub fn start(
        feed: CameraFeed,
        matte: MatteFeed,
        mut outputs: Vec<Output>,
        idle_after: Duration,
        reasons: Reasons,
    ) -> io::Result<Self> {
        let invalid = |error: FrameError| io::Error::new(io::ErrorKind::InvalidInput, error);
        if outputs.len() > MOST_OUTPUTS {
            let text = format!("at most {MOST_OUTPUTS} outputs are served at once");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let pool = |size: SizePx, format: PixelFormat| {
            FramePool::new(FRAMES_UNDER_WAY, format, size, Colour::WEBCAM).map_err(invalid)
        };
        let frames = pool(feed.size, PixelFormat::I422)?;
        let alphas = pool(matte.maker.description().output_size, PixelFormat::Grey)?;
        let planes = MattePlanes::new(feed.size, matte.steps).map_err(invalid)?;
        let (is_governed, budget) = (matte.is_governed, matte.cpu_budget);
        let governing = Governing::new(&matte.maker, matte.steps, is_governed, budget)?;
        let shared = Arc::new(Shared::new(governing)?);
        shared.set_camera_status(|status| status.name.clone_from(&feed.name));
        let mask_server = matte.server.as_ref().map(|server| Arc::clone(&server.report));
        if let Some(report) = &mask_server {
            report.tell(&shared.changes);
        }
        let reporter = Reporter::new(Arc::clone(&shared), &outputs, mask_server);
        let commands = Arc::new(PipelineCommands::new(
            outputs.iter().map(Output::commands).collect(),
            idle_after,
            reasons,
            Arc::clone(&shared.changes),
        )?);
        outputs.iter_mut().for_each(|output| {
            output.follow_commands(commands.scenes_bell().clone(), &shared.changes)
        });
        let mut pipeline = Self {
            shared: Arc::clone(&shared),
            reporter,
            commands: Arc::clone(&commands),
            files: outputs
                .iter()
                .filter(|output| output.is_waited_for())
                .map(|output| output.name().to_owned())
                .collect(),
            feeders: Vec::new(),
            output_thread: None,
        };
        // The last first: whoever hands on finds the next one there. If a later spawn fails, the
        // drop of `pipeline` ends those before.
        shared.set_demand(reasons.is_empty() && outputs.iter().any(Output::wants_camera));
        let output_thread = OutputThread::new(Arc::clone(&shared), planes, outputs, commands);
        pipeline.output_thread =
            Some(thread::Builder::new().name("output".into()).spawn(move || output_thread.run())?);
        let matte_thread = MatteThread::new(Arc::clone(&shared), matte, alphas);
        pipeline
            .feeders
            .push(thread::Builder::new().name("matte".into()).spawn(|| matte_thread.run())?);
        let camera = CameraThread::new(shared, feed, frames);
        pipeline.feeders.push(thread::Builder::new().name("camera".into()).spawn(|| camera.run())?);
        Ok(pipeline)
    }

    /// Rings when a thread has ended by itself: nothing more will come, call [`stop`](Self::stop).
    pub fn ended(&self) -> &Wake {
        &self.shared.ended
    }

    /// What happened to the frames so far; goes on counting while the pipeline stops.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.shared.stats)
    }

    /// Tells what is going on, also while the pipeline stops.
    pub fn reporter(&self) -> Reporter {
        self.reporter.clone()
    }

    /// Changes scenes, pauses, takes snapshots.
    pub fn commands(&self) -> Arc<PipelineCommands> {
        Arc::clone(&self.commands)
    }

    /// For a process that ends right now: devices are left with the placeholder, if the output thread
    /// comes to it within `HIDE_PATIENCE`.
    pub fn hider(&self) -> impl FnOnce() + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move || {
            shared.ring_stop();
            Wake::wait([&shared.finished], Some(HIDE_PATIENCE));
        }
    }

    /// Stops: the camera is closed, devices are left with the placeholder, files are completed.
    ///
    /// # Errors
    /// What made an output end, or that a thread of ours panicked.
    pub fn stop(mut self) -> Result<(), StopError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), StopError> {
        self.shared.ring_stop();
        let mut result = Ok(());
        for thread in self.feeders.drain(..) {
            result = result.and(thread.join().map_err(|_| StopError::Panic));
        }
        if let Some(output_thread) = self.output_thread.take() {
            // A device that takes no frame blocks for as long as it likes; nobody waits for it. A file is waited for:
            // FFmpeg ends by itself.
            let is_writing = !Wake::wait([&self.shared.finishing], Some(STOP_PATIENCE));
            if is_writing && self.files.is_empty() {
                return result.and(Err(StopError::Blocked));
            }
            let is_slow = is_writing || !Wake::wait([&self.shared.finished], Some(STOP_PATIENCE));
            if is_slow && !self.files.is_empty() {
                let files = self.files.join(", ");
                tracing::info!("completing {files}; a second signal ends at once");
            }
            let shown = output_thread.join().map_err(|_| StopError::Panic);
            result = result.and(shown.and_then(|shown| Ok(shown?)));
        }
        result
    }
}

impl Drop for Pipeline {
    /// As [`stop`](Pipeline::stop), but files leave nothing: whoever drops it has failed.
    fn drop(&mut self) {
        self.shared.is_given_up.store(true, SeqCst);
        if let Err(error) = self.join() {
            tracing::warn!("{error}");
        }
    }
}

/// What a pipeline ended with.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// An output was lost or could not be completed.
    #[error(transparent)]
    Output(#[from] DeviceError),
    /// An output takes nothing more.
    #[error("an output takes nothing more; its last frame may not be whole")]
    Blocked,
    /// A thread panicked.
    #[error("a part of greenroom failed, which is our bug; the lines above tell where")]
    Panic,
}
