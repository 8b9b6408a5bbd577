//! A sink with a queue is tried with another one that is slow or fails.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Instant;

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use super::*;
use crate::FrameRate;

/// Takes a frame only while it may, and fails at one.
struct Slow {
    may: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
    fails_at: u64,
    finished: Arc<AtomicBool>,
}

fn mode() -> SinkMode {
    let (format, size) = (PixelFormat::Yuyv, SizePx::new(64, 36));
    let rate = FrameRate::new(30, 1).unwrap();
    SinkMode { format, size, rate, colour: Colour::WEBCAM }
}

impl Sink for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn mode(&self) -> SinkMode {
        mode()
    }

    fn write(&mut self, _: FrameView<'_>) -> Result<(), DeviceError> {
        while !self.may.load(SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        if self.taken.fetch_add(1, SeqCst) + 1 == self.fails_at {
            return Err(DeviceError::Gone { what: "slow".into() });
        }
        Ok(())
    }

    fn may_stand_still(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        self.finished.store(true, SeqCst);
        Ok(())
    }
}

struct Test {
    queued: Option<Box<QueuedSink>>,
    may: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
    finished: Arc<AtomicBool>,
}

impl Test {
    fn new(may: bool, fails_at: u64) -> Self {
        let may = Arc::new(AtomicBool::new(may));
        let (taken, finished) = (Arc::default(), Arc::default());
        let slow = Slow {
            may: Arc::clone(&may),
            taken: Arc::clone(&taken),
            fails_at,
            finished: Arc::clone(&finished),
        };
        let queued = Some(Box::new(QueuedSink::start(Box::new(slow)).unwrap()));
        Self { queued, may, taken, finished }
    }

    fn write(&mut self) -> Result<(), DeviceError> {
        let mode = mode();
        let frame = Frame::new(mode.format, mode.size, mode.colour).unwrap();
        self.queued.as_mut().unwrap().write(frame.view())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.queued.take().unwrap().finish()
    }
}

#[test]
fn what_is_slow_loses_frames_and_delays_nobody() {
    let mut test = Test::new(false, 0);
    (0..100).for_each(|_| test.write().unwrap());
    let dropped = test.queued.as_ref().unwrap().dropped();
    // One may be in the thread's hands.
    assert!((100 - QUEUE as u64 - 1..=100 - QUEUE as u64).contains(&dropped), "{dropped}");
    test.may.store(true, SeqCst);
    test.finish().unwrap();
    assert_eq!(test.taken.load(SeqCst), 100 - dropped);
    assert!(test.finished.load(SeqCst));
}

#[test]
fn a_placeholder_that_covers_is_the_next_that_is_written() {
    let mut test = Test::new(false, 0);
    assert!(test.queued.as_ref().unwrap().is_settled());
    (0..5).for_each(|_| test.write().unwrap());
    let frame = Frame::new(mode().format, mode().size, mode().colour).unwrap();
    test.queued.as_mut().unwrap().blank(frame.view()).unwrap();
    assert!(!test.queued.as_ref().unwrap().is_settled());
    test.may.store(true, SeqCst);
    let is_settled = (0..10_000).any(|_| {
        thread::sleep(Duration::from_millis(1));
        test.queued.as_ref().unwrap().is_settled()
    });
    assert!(is_settled);
    // With the one that may have been in the thread's hands.
    assert!((1..=2).contains(&test.taken.load(SeqCst)));
}

#[test]
fn a_reader_that_stands_still_is_not_waited_for() {
    let mut test = Test::new(false, 0);
    test.write().unwrap();
    let start = Instant::now();
    assert!(matches!(test.finish(), Err(DeviceError::Stalled { .. })));
    assert!(start.elapsed() >= END_PATIENCE && !test.finished.load(SeqCst));
    test.may.store(true, SeqCst);
}

#[test]
fn a_loss_is_told() {
    let mut test = Test::new(true, 2);
    let lost = (0..10_000).any(|_| {
        thread::sleep(Duration::from_millis(1));
        test.write().is_err()
    });
    assert!(lost && test.taken.load(SeqCst) == 2);
    let mut test = Test::new(true, 1);
    test.write().unwrap();
    assert!(matches!(test.finish(), Err(DeviceError::Gone { .. })));
    assert!(!test.finished.load(SeqCst));
}
