//! The threads that work: two decode pictures, one runs the network.

use std::io;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use greenroom_frame::{Colour, Frame, FramePool, PixelFormat, PooledFrame, SizePx};
use greenroom_matte::{MatteError, MatteMaker, Upscaler};
use tokio::sync::oneshot;

use super::body::Body;
use super::decode::Decoder;
use super::header::Header;
use super::limits::Limits;
use super::mask::Mask;
use super::queue::FairQueue;
use super::refusal::Refusal;

/// Makes the network, and makes it anew after it failed.
pub type MakeMatte = Box<dyn FnMut() -> Result<MatteMaker, MatteError> + Send>;

/// Pictures under way behind the queue: one with each decoder, one with the network.
const FRAMES: usize = 3;
/// Frames that a large picture made larger than this are not kept.
const KEPT_BYTES: usize = 4 << 20;
const SMALL: SizePx = SizePx::new(640, 360);

/// A picture that waits.
struct Job {
    peer: IpAddr,
    header: Header,
    body: Body,
    asked_at: Instant,
    reply: oneshot::Sender<Result<Mask, Refusal>>,
}

/// A picture for the network.
struct Decoded {
    peer: IpAddr,
    frame: PooledFrame,
    asked_at: Instant,
    begun_at: Instant,
    reply: oneshot::Sender<Result<Mask, Refusal>>,
}

/// The working threads. Dropped, they end; what is being decoded is decoded to its end first, which
/// nobody waits for.
pub(super) struct Engine {
    queue: Arc<FairQueue<Job>>,
}

impl Engine {
    pub(super) fn start(limits: &Limits, matte: MatteMaker, make: MakeMatte) -> io::Result<Self> {
        let queue = Arc::new(FairQueue::new());
        let pool = FramePool::new(FRAMES, PixelFormat::I420, SMALL, Colour::JPEG);
        let pool = pool.map_err(io::Error::other)?;
        // No room in between: what a decoder has ready it keeps until the network takes it, and so
        // all waiting is done in the queue, where it is fair.
        let (to_network, pictures) = sync_channel(0);
        let engine = Self { queue: Arc::clone(&queue) };
        for (name, most_work_px) in
            [("decode", limits.ordinary_work_px), ("decode-large", limits.picture_work_px)]
        {
            let (queue, pool, to_network) = (Arc::clone(&queue), pool.clone(), to_network.clone());
            let decode = move || decode_all(&queue, most_work_px, &pool, &to_network);
            thread::Builder::new().name(name.into()).spawn(decode)?;
        }
        let mut network = Network::new(matte, make)?;
        let thread = thread::Builder::new().name("network".into());
        thread.spawn(move || network.run(&pictures))?;
        Ok(engine)
    }

    /// The mask of the picture in `body`; whoever no longer waits for it has it thrown out.
    pub(super) async fn mask(
        &self,
        peer: IpAddr,
        header: Header,
        body: Body,
    ) -> Result<Mask, Refusal> {
        let (reply, answer) = oneshot::channel();
        let job = Job { peer, header, body, asked_at: Instant::now(), reply };
        self.queue.push(peer, header.work_px(), job, |job| !job.reply.is_closed());
        // Nobody replies when the thread that had it panicked.
        answer.await.unwrap_or(Err(Refusal::Failed))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The thread of a decoder.
fn decode_all(
    queue: &FairQueue<Job>,
    most_work_px: u64,
    pool: &FramePool,
    to_network: &SyncSender<Decoded>,
) {
    let mut decoder = None;
    while let Some(job) = queue.pop(most_work_px) {
        if job.reply.is_closed() {
            continue;
        }
        let Job { peer, header, body, asked_at, reply } = job;
        let begun_at = Instant::now();
        let mut frame = pool.take().expect("each thread holds one frame, and there are as many");
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let decoder = match &mut decoder {
                Some(decoder) => decoder,
                none => none.insert(Decoder::new().map_err(|error| {
                    tracing::error!("no decoder for pictures: {error}");
                    Refusal::Failed
                })?),
            };
            decoder.decode(header, &body.bytes, &mut frame)
        }));
        let outcome = outcome.unwrap_or_else(|_| {
            tracing::error!("a decoder panicked; it is made anew");
            decoder = None;
            Err(Refusal::Failed)
        });
        drop(body);
        if frame.bytes().len() > KEPT_BYTES {
            // It keeps what it needed for the largest one.
            decoder = None;
        }
        match outcome {
            Ok(()) => {
                frame.set_captured_at(asked_at);
                let decoded = Decoded { peer, frame, asked_at, begun_at, reply };
                if to_network.send(decoded).is_err() {
                    return;
                }
            }
            Err(refusal) => {
                shrink(&mut frame);
                // Whoever asked may be gone.
                let _ = reply.send(Err(refusal));
            }
        }
    }
}

/// Gives the memory of a large picture back.
fn shrink(frame: &mut Frame) {
    if frame.bytes().len() > KEPT_BYTES
        && let Ok(small) = Frame::new(frame.format(), SMALL, frame.colour())
    {
        *frame = small;
    }
}

/// The network's thread.
struct Network {
    /// `None` after it failed, until it is made anew.
    matte: Option<MatteMaker>,
    make: MakeMatte,
    upscaler: Upscaler,
    alpha: Frame,
}

impl Network {
    fn new(matte: MatteMaker, make: MakeMatte) -> io::Result<Self> {
        let alpha = Frame::new(PixelFormat::Grey, SMALL, Colour::JPEG).map_err(io::Error::other)?;
        Ok(Self { matte: Some(matte), make, upscaler: Upscaler::new(), alpha })
    }

    fn run(&mut self, pictures: &Receiver<Decoded>) {
        while let Ok(Decoded { peer, mut frame, asked_at, begun_at, reply }) = pictures.recv() {
            if reply.is_closed() {
                shrink(&mut frame);
                continue;
            }
            let decoded_at = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.mask(&frame)));
            let outcome = match outcome {
                Ok(Ok(mask)) => Ok(mask),
                Ok(Err(error)) => Err(format!("{error}")),
                Err(_) => Err("it panicked".to_owned()),
            };
            let size = frame.size();
            shrink(&mut frame);
            shrink(&mut self.alpha);
            let outcome = outcome.map_err(|why| {
                tracing::error!("the network failed on a picture of {size}: {why}; made anew");
                self.matte = None;
                self.upscaler = Upscaler::new();
                Refusal::Failed
            });
            tracing::trace!(
                "{peer}: {size}, waited {:.1?}, decoded in {:.1?}, masked in {:.1?}",
                begun_at - asked_at,
                decoded_at - begun_at,
                decoded_at.elapsed()
            );
            // Whoever asked may be gone.
            let _ = reply.send(outcome);
        }
    }

    fn mask(&mut self, frame: &Frame) -> Result<Mask, MatteError> {
        let matte = match &mut self.matte {
            Some(matte) => matte,
            none => none.insert((self.make)()?),
        };
        // Pictures of several clients follow each other: a network that remembers must not.
        matte.reset();
        let small = matte.matte(&frame.view())?;
        self.alpha.reshape(PixelFormat::Grey, frame.size(), Colour::JPEG)?;
        self.upscaler.upscale(&small.view(), &mut self.alpha.view_mut())?;
        Ok(Mask::from_alpha(self.alpha.view().plane(0), frame.size()))
    }
}
