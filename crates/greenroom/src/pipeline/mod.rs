//! The path of a frame: camera → matte → scene → outputs, a thread for each of the first two and
//! one for the rest, a [`Slot`] between each.

mod matte;
mod output;
mod slot;
mod stats;
mod workers;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use greenroom_device::{DeviceError, Source, Wake};
use greenroom_frame::{Colour, FrameError, FramePool, PixelFormat, PooledFrame, SizePx};
use greenroom_matte::MatteMaker;

pub use matte::MattePlanes;
pub use output::{MatteOutput, Output, ShowError};
pub use slot::Slot;
pub use stats::Stats;
use workers::{Camera, Cutter, Shower};

/// Opens the camera again after it was lost (or for the first time, if it was not there).
pub type OpenSource = Box<dyn FnMut() -> Result<Box<dyn Source>, DeviceError> + Send>;

/// Where frames come from: a source that is open, if there is one, and how to get it back.
pub struct CameraFeed {
    /// The open source.
    pub source: Option<Box<dyn Source>>,
    /// Opens it again.
    pub reopen: OpenSource,
    /// Size of its frames, as far as it is known; another is adopted.
    pub size: SizePx,
}

/// What one thread hands the next.
enum Flow<T> {
    /// A frame.
    Frame(T),
    /// There is no picture: the camera or the matte failed.
    Lost,
}

/// A frame with the alpha that was computed from it, at the model's size.
struct Cut {
    frame: PooledFrame,
    alpha: PooledFrame,
}

/// What the threads share.
struct Shared {
    /// Rung once: everyone ends.
    stop: Wake,
    /// Rung when a thread ends by itself.
    ended: Wake,
    /// Rung when the output thread writes no more frames and brings its outputs to an end.
    finishing: Wake,
    to_matte: Slot<Flow<PooledFrame>>,
    to_output: Slot<Flow<Cut>>,
    stats: Arc<Stats>,
}

/// The running pipeline. Dropping it stops and joins its threads.
pub struct Pipeline {
    shared: Arc<Shared>,
    feeders: Vec<JoinHandle<()>>,
    shower: Option<JoinHandle<Result<(), DeviceError>>>,
}

/// Frames that are under way at once at the most: one being filled, one in each slot, one in the
/// matte, one in the outputs; and one more, so that a new one can be taken before the old is given
/// back.
const FRAMES_UNDER_WAY: usize = 6;

/// How long a stop waits for the output thread to come back from a write.
const STOP_PATIENCE: Duration = Duration::from_millis(700);

impl Pipeline {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system has no threads or descriptors left.
    pub fn start(feed: CameraFeed, maker: MatteMaker, outputs: Vec<Output>) -> io::Result<Self> {
        let pool = |size: SizePx, format: PixelFormat| {
            FramePool::new(FRAMES_UNDER_WAY, format, size, Colour::WEBCAM)
                .map_err(|error: FrameError| io::Error::new(io::ErrorKind::InvalidInput, error))
        };
        let frames = pool(feed.size, PixelFormat::I422)?;
        let alphas = pool(maker.description().output_size, PixelFormat::Grey)?;
        let planes = MattePlanes::new(feed.size)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let shared = Arc::new(Shared {
            stop: Wake::new()?,
            ended: Wake::new()?,
            finishing: Wake::new()?,
            to_matte: Slot::new()?,
            to_output: Slot::new()?,
            stats: Arc::default(),
        });
        let mut pipeline = Self { shared: Arc::clone(&shared), feeders: Vec::new(), shower: None };
        // The last first: whoever hands on finds the next one there. If a later spawn fails, the
        // drop of `pipeline` ends those before.
        let shower = Shower::new(Arc::clone(&shared), planes, outputs);
        pipeline.shower =
            Some(thread::Builder::new().name("output".into()).spawn(move || shower.run())?);
        let cutter = Cutter::new(Arc::clone(&shared), maker, alphas);
        pipeline.feeders.push(thread::Builder::new().name("matte".into()).spawn(|| cutter.run())?);
        let camera = Camera::new(shared, feed, frames);
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

    /// Stops: the camera is closed, devices are left with the placeholder, files are completed.
    ///
    /// # Errors
    /// What made an output end, or that a thread of ours panicked.
    pub fn stop(mut self) -> Result<(), StopError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), StopError> {
        self.shared.stop.ring();
        let mut result = Ok(());
        for thread in self.feeders.drain(..) {
            result = result.and(thread.join().map_err(|_| StopError::Panic));
        }
        if let Some(shower) = self.shower.take() {
            // A pipe whose reader stands still blocks a write for as long as it likes; nobody waits
            // for it. (Completing a file is waited for: FFmpeg ends by itself.)
            if !Wake::wait([&self.shared.finishing], Some(STOP_PATIENCE)) {
                return result.and(Err(StopError::Blocked));
            }
            let shown = shower.join().map_err(|_| StopError::Panic);
            result = result.and(shown.and_then(|shown| Ok(shown?)));
        }
        result
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
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
    /// A reader of ours took nothing more.
    #[error("whoever reads the output takes nothing more; its last frame is not whole")]
    Blocked,
    /// A thread panicked.
    #[error("a part of greenroom failed, which is our bug; the lines above tell where")]
    Panic,
}
