//! A sink that is written to on a thread of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use greenroom_frame::{FramePool, FrameView, PooledFrame};

use super::planes::check_frame;
use crate::{DeviceError, Sink, SinkMode, Wake};

/// Frames that wait at the most: a quarter of a second of a usual camera.
const QUEUE: usize = 8;
/// Time that a reader of a pipe has for the frames that wait at the end.
const END_PATIENCE: Duration = Duration::from_millis(500);

/// Writes to a file or pipe on a thread of its own, so that a slow disk or a reader that stands still delays nobody. While
/// eight frames wait, more are passed over and [counted](Sink::dropped).
#[derive(Debug)]
pub struct QueuedSink {
    name: String,
    mode: SinkMode,
    may_stand_still: bool,
    pool: FramePool,
    dropped: u64,
    queue: Arc<Queue>,
    /// Rung when the thread has written all.
    written: Wake,
    thread: Option<JoinHandle<Option<Box<dyn Sink>>>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    /// There is a frame, or no more will come.
    news: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<PooledFrame>,
    /// One is being written.
    is_busy: bool,
    /// No more come.
    is_over: bool,
    /// The thread has ended.
    has_ended: bool,
    /// What it ended with, while nobody has asked.
    lost: Option<DeviceError>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Plain data: every state between two assignments is a state.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next frame, waited for; `None` when no more come.
    fn next(&self) -> Option<PooledFrame> {
        let mut waiting = self.lock();
        waiting.is_busy = false;
        while waiting.frames.is_empty() && !waiting.is_over {
            waiting = self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.is_busy = !waiting.frames.is_empty();
        waiting.frames.pop_front()
    }
}

/// Tells that the thread has ended, however it does.
struct End(Arc<Queue>, Wake);

impl Drop for End {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.1.ring();
    }
}

impl QueuedSink {
    /// Starts the thread, which writes to `sink`, a [recording](Sink::is_recording) one.
    ///
    /// # Errors
    /// [`DeviceError::Io`] if the system has no thread or descriptor left, [`DeviceError::Frame`] if the sink's size is none.
    pub fn start(sink: Box<dyn Sink>) -> Result<Self, DeviceError> {
        let (name, mode, may_stand_still) =
            (sink.name().to_owned(), sink.mode(), sink.may_stand_still());
        let failed =
            |source| DeviceError::Io { what: name.clone(), doing: "starting a thread", source };
        // One more is being written.
        let pool = FramePool::new(QUEUE + 1, mode.format, mode.size, mode.colour)?;
        let (queue, written) = (Arc::<Queue>::default(), Wake::new().map_err(failed)?);
        queue.lock().frames.reserve(QUEUE);
        let end = End(Arc::clone(&queue), written.clone());
        let thread = thread::Builder::new().name("file".into());
        let thread = thread.spawn(move || write_all(sink, &end.0)).map_err(failed)?;
        let thread = Some(thread);
        Ok(Self { name, mode, may_stand_still, pool, dropped: 0, queue, written, thread })
    }

    /// A copy of `frame` to be written, or `None` while too many wait.
    fn copy(&self, frame: FrameView<'_>) -> Option<PooledFrame> {
        let mut copy = self.pool.take()?;
        copy.set_captured_at(frame.captured_at());
        copy.set_colour(frame.colour());
        let mut to = copy.view_mut();
        for index in 0..frame.format().plane_count() {
            let mut to = to.plane_mut(index);
            let rows = to.iter_rows_mut().zip(frame.plane(index).iter_rows());
            rows.for_each(|(to, from)| to.copy_from_slice(from));
        }
        Some(copy)
    }

    /// What the thread has ended with, if it has.
    fn check(&self, waiting: &mut Waiting) -> Result<(), DeviceError> {
        let gone = || DeviceError::Gone { what: self.name.clone() };
        match waiting.has_ended {
            true => Err(waiting.lost.take().unwrap_or_else(gone)),
            false => Ok(()),
        }
    }

    /// The sink, when all has been written to it.
    fn end(&mut self) -> Result<Option<Box<dyn Sink>>, DeviceError> {
        self.queue.lock().is_over = true;
        self.queue.news.notify_one();
        if self.may_stand_still && !Wake::wait([&self.written], Some(END_PATIENCE)) {
            return Err(DeviceError::Stalled { what: self.name.clone() });
        }
        let sink = self.thread.take().and_then(|thread| thread.join().ok()).flatten();
        self.queue.lock().lost.take().map_or(Ok(sink), Err)
    }
}

/// The thread: `None` if the sink was lost, which is told.
fn write_all(mut sink: Box<dyn Sink>, queue: &Queue) -> Option<Box<dyn Sink>> {
    while let Some(frame) = queue.next() {
        if let Err(error) = sink.write(frame.view()) {
            queue.lock().lost = Some(error);
            return None;
        }
    }
    Some(sink)
}

impl Sink for QueuedSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        check_frame(frame, self.mode)?;
        self.check(&mut self.queue.lock())?;
        let copy = self.copy(frame);
        let mut waiting = self.queue.lock();
        match copy.filter(|_| waiting.frames.len() < QUEUE) {
            Some(copy) => waiting.frames.push_back(copy),
            None => self.dropped += 1,
        }
        drop(waiting);
        self.queue.news.notify_one();
        Ok(())
    }

    /// Frames that wait are never written.
    fn blank(&mut self, placeholder: FrameView<'_>) -> Result<(), DeviceError> {
        let mut waiting = self.queue.lock();
        let passed_over: Vec<_> = waiting.frames.drain(..).collect();
        drop(waiting);
        self.dropped += passed_over.len() as u64;
        drop(passed_over);
        self.write(placeholder)
    }

    fn is_settled(&self) -> bool {
        let waiting = self.queue.lock();
        waiting.has_ended || waiting.frames.is_empty() && !waiting.is_busy
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn dropped(&self) -> u64 {
        self.dropped
    }

    fn may_stand_still(&self) -> bool {
        self.may_stand_still
    }

    fn finish(mut self: Box<Self>) -> Result<(), DeviceError> {
        let sink = self.end()?;
        let gone = || DeviceError::Gone { what: self.name.clone() };
        sink.ok_or_else(gone)?.finish()
    }
}

impl Drop for QueuedSink {
    /// Without an end in order, a file leaves nothing: its sink is dropped before this ends. A pipe is not waited for.
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.queue.lock().frames.clear();
            drop(self.end());
        }
    }
}

#[cfg(test)]
mod tests;
