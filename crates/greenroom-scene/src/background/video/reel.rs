//! Frames on their way from the player's thread to the frame thread.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use greenroom_device::Wake;
use greenroom_frame::{Frame, FrameShape};

use crate::SceneError;
use crate::background::read_ahead::CANCEL_INTERVAL;

/// Frames that are decoded ahead: 0.13 s at 60 fps, 11 MB at 1280x720, which bridges a decoder's
/// hiccup; a pipe's buffer comes on top.
pub(super) const AHEAD: usize = 8;
/// Frames that go round: ahead, shown, being filled, and one that was just handed back.
const AROUND: usize = AHEAD + 3;

/// Longest wait for a video: longer than the player's own patience with probe and first frame.
const OPENING: Duration = Duration::from_secs(90);

/// How long a video is open before it is shown, at most, so that it begins with a full queue: on a
/// busy machine a decoder's first frames come slowly.
const FILLING: Duration = Duration::from_millis(500);

/// A short queue of frames with their times. Its lock is held for a few moves of pointers only.
#[derive(Debug)]
pub(super) struct Reel {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Timed>,
    /// Frames that were shown, to be filled again unless they are kept.
    free: Vec<Arc<Frame>>,
    phase: Phase,
    kept: Option<Arc<Kept>>,
    /// The clip's time at which a frame was last asked for, and how often that was done.
    now: Duration,
    asked: u64,
    is_stopped: bool,
}

#[derive(Debug)]
enum Phase {
    Opening,
    /// The first frame is there.
    Playing,
    /// Why it could not be opened; taken by who waits.
    Refused(Option<SceneError>),
    /// Broken in mid-play; tried again.
    Down,
}

/// A frame and the time of the clip, loops counted on, at which it is first shown.
#[derive(Debug)]
pub(super) struct Timed {
    pub at: Duration,
    pub frame: Arc<Frame>,
}

/// A whole clip.
#[derive(Debug)]
pub(super) struct Kept {
    /// Time of its first frame.
    pub origin: Duration,
    /// From a frame to the same frame the next time.
    pub length: Duration,
    /// At least one; times count from the origin.
    pub frames: Vec<Timed>,
}

impl Kept {
    /// The frame that is shown at `time`.
    pub(super) fn at(&self, time: Duration) -> &Arc<Frame> {
        let since = time.saturating_sub(self.origin).as_nanos();
        let within = since % self.length.as_nanos().max(1);
        let behind = self.frames.partition_point(|frame| frame.at.as_nanos() <= within);
        &self.frames[behind.saturating_sub(1)].frame
    }
}

/// What the player needs to know before it reads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// There is room; this is the clip's time now.
    Room(Duration),
    Stopped,
}

impl Reel {
    pub(super) fn new() -> Self {
        let state = State {
            queue: VecDeque::with_capacity(AHEAD),
            free: Vec::with_capacity(AROUND),
            phase: Phase::Opening,
            kept: None,
            now: Duration::ZERO,
            asked: 0,
            is_stopped: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock can be left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, patience: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0
    }

    // The frame thread's side.

    /// Waits until the player has the first frames or knows why there are none, or `cancel` rings.
    pub(super) fn wait_until_open(&self, cancel: Option<&Wake>) -> Result<(), SceneError> {
        let mut state = self.lock();
        let until = Instant::now() + OPENING;
        let mut filled_by = None;
        // The lock cannot be waited for together with the bell: it is looked at now and then.
        let piece = |left: Duration| cancel.map_or(left, |_| left.min(CANCEL_INTERVAL));
        loop {
            if cancel.is_some_and(Wake::is_ringing) {
                return Err(SceneError::Cancelled);
            }
            match &mut state.phase {
                Phase::Refused(why) => {
                    return Err(why.take().expect("a video is opened once"));
                }
                Phase::Down => return Ok(()),
                Phase::Playing => {
                    let now = Instant::now();
                    let left =
                        filled_by.get_or_insert(now + FILLING).saturating_duration_since(now);
                    let is_full = state.queue.len() >= AHEAD || state.kept.is_some();
                    if is_full || left.is_zero() {
                        return Ok(());
                    }
                    state = self.wait(state, piece(left));
                }
                Phase::Opening => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(SceneError::NoPicture { what: "the video".to_owned() });
                    }
                    state = self.wait(state, piece(left));
                }
            }
        }
    }

    /// Puts the last frame whose time has come into `shown`; the clip, if it is kept by now.
    /// Waits, `patience` at most, until the frame that belongs to `time` is certain; not at all
    /// with none.
    pub(super) fn take_due(
        &self,
        time: Duration,
        shown: &mut Option<Arc<Frame>>,
        patience: Duration,
    ) -> Result<Option<Arc<Kept>>, SceneError> {
        let mut state = self.lock();
        state.now = time;
        state.asked += 1;
        if matches!(state.phase, Phase::Down) {
            // Somebody watches: it may be tried again.
            self.changed.notify_all();
        }
        let mut deadline = None;
        loop {
            let mut took = false;
            while state.queue.front().is_some_and(|frame| frame.at <= time) {
                let due = state.queue.pop_front().expect("it was just looked at");
                took = true;
                if let Some(old) = shown.replace(due.frame) {
                    state.take_back(old);
                }
            }
            if took {
                self.changed.notify_all();
            }
            let is_certain = state.kept.is_some() || !state.queue.is_empty();
            if patience.is_zero() || is_certain {
                return Ok(state.kept.clone());
            }
            let now = Instant::now();
            let until = *deadline.get_or_insert(now + patience);
            if until <= now || matches!(state.phase, Phase::Down) {
                return Err(SceneError::NoFrame { seconds: time.as_secs_f64() });
            }
            state = self.wait(state, until - now);
        }
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
    }

    /// Whether it broke and is not yet playing again.
    #[cfg(test)]
    pub(super) fn is_down(&self) -> bool {
        matches!(self.lock().phase, Phase::Down)
    }

    // The player's side.

    /// Waits until there is room for another frame.
    pub(super) fn wait_for_room(&self) -> Ready {
        let mut state = self.lock();
        while !state.is_stopped && state.queue.len() >= AHEAD {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_stopped { Ready::Stopped } else { Ready::Room(state.now) }
    }

    /// The clip's time now.
    pub(super) fn now(&self) -> Duration {
        self.lock().now
    }

    /// A frame to be filled, of which there is no other owner.
    pub(super) fn take_free(&self, shape: FrameShape) -> Result<Arc<Frame>, SceneError> {
        loop {
            let Some(mut frame) = self.lock().free.pop() else { break };
            if Arc::get_mut(&mut frame).is_some() {
                return Ok(frame);
            }
        }
        Ok(Arc::new(Frame::new(shape.format, shape.size, shape.colour)?))
    }

    /// Hands a frame over; the first one opens the video.
    pub(super) fn push(&self, frame: Timed) {
        let mut state = self.lock();
        // What is late already will never be shown once this one can be.
        let now = state.now;
        while frame.at <= now && !state.queue.is_empty() {
            let late = state.queue.pop_back().expect("it is not empty");
            state.take_back(late.frame);
        }
        state.queue.push_back(frame);
        state.phase = Phase::Playing;
        self.changed.notify_all();
    }

    /// The clip is whole in memory: no frame comes any more.
    pub(super) fn keep(&self, kept: Arc<Kept>) {
        self.lock().kept = Some(kept);
        self.changed.notify_all();
    }

    /// It could not be opened.
    pub(super) fn refuse(&self, why: SceneError) {
        self.lock().phase = Phase::Refused(Some(why));
        self.changed.notify_all();
    }

    /// It broke in mid-play.
    pub(super) fn break_down(&self) {
        self.lock().phase = Phase::Down;
        self.changed.notify_all();
    }

    /// Waits for `patience` and then until somebody watches; `false` if it was stopped.
    pub(super) fn rest(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while !state.is_stopped {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.wait(state, left);
        }
        let before = state.asked;
        while !state.is_stopped && state.asked == before {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.is_stopped
    }

    /// Lets go of all frames.
    pub(super) fn clear(&self) {
        let (queue, free, kept);
        {
            let mut state = self.lock();
            queue = mem::take(&mut state.queue);
            free = mem::take(&mut state.free);
            kept = state.kept.take();
        }
        drop((queue, free, kept));
    }

    /// Waits until nobody wants the clip any more.
    pub(super) fn wait_until_stopped(&self) {
        let mut state = self.lock();
        while !state.is_stopped {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn take_back(&mut self, frame: Arc<Frame>) {
        if self.free.len() < AROUND {
            self.free.push(frame);
        }
    }
}
