use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Colour, Frame, FrameError, PixelFormat, SizePx};

/// A fixed number of frames that go round: taken, filled, handed on, and back when dropped. In
/// steady state no memory is asked for.
#[derive(Debug, Clone)]
pub struct FramePool {
    free: Arc<Mutex<Vec<Frame>>>,
}

/// A frame of a [`FramePool`]; goes back to it when dropped.
#[derive(Debug)]
pub struct PooledFrame {
    frame: Option<Frame>,
    home: Arc<Mutex<Vec<Frame>>>,
}

impl FramePool {
    /// A pool of `count` frames of this format, size and colour. A frame may be
    /// [reshaped](Frame::reshape) by whoever holds it.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn new(
        count: usize,
        format: PixelFormat,
        size: SizePx,
        colour: Colour,
    ) -> Result<Self, FrameError> {
        let frames: Result<Vec<_>, _> =
            (0..count).map(|_| Frame::new(format, size, colour)).collect();
        Ok(Self { free: Arc::new(Mutex::new(frames?)) })
    }

    /// A frame with whatever was in it last, or `None` while all are out.
    pub fn take(&self) -> Option<PooledFrame> {
        // The lock covers one push or pop; a poisoned list of frames is still a list of frames.
        let frame = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(PooledFrame { frame: Some(frame), home: Arc::clone(&self.free) })
    }
}

impl Drop for PooledFrame {
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            self.home.lock().unwrap_or_else(PoisonError::into_inner).push(frame);
        }
    }
}

impl Deref for PooledFrame {
    type Target = Frame;

    fn deref(&self) -> &Frame {
        self.frame.as_ref().expect("the frame leaves only in drop")
    }
}

impl DerefMut for PooledFrame {
    fn deref_mut(&mut self) -> &mut Frame {
        self.frame.as_mut().expect("the frame leaves only in drop")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_never_grow_in_number() {
        let size = SizePx::new(8, 4);
        let pool = FramePool::new(2, PixelFormat::I420, size, Colour::WEBCAM).unwrap();
        let first = pool.take().unwrap();
        let second = pool.take().unwrap();
        assert!(pool.take().is_none());
        drop(first);
        assert!(pool.take().is_some());
        drop(second);
        assert_eq!(pool.free.lock().unwrap().len(), 2);
    }
}
