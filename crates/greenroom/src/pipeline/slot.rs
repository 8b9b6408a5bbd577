use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;
use greenroom_device::Wake;

/// A hand-over of one place between two threads: the newest value wins.
///
/// The lock covers one move of the value; the taker waits on the bell, which it can poll beside
/// others.
#[derive(Debug)]
pub struct Slot<T> {
    place: Mutex<Option<T>>,
    bell: Wake,
}

impl<T> Slot<T> {
    /// An empty slot.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { place: Mutex::new(None), bell: Wake::new()? })
    }

    /// Puts a value in and rings; gives back the one that nobody had taken.
    pub fn put(&self, value: T) -> Option<T> {
        let passed_over = self.place().replace(value);
        self.bell.ring();
        passed_over
    }

    /// Waits for a value until `stop` rings or `patience` (for ever, if `None`) is over.
    pub fn take(&self, stop: &Wake, patience: Option<Duration>) -> Option<T> {
        let deadline = patience.map(|patience| Instant::now() + patience);
        loop {
            // First the bell, then the place: a value put in between rings again, and a bell that
            // still rings for a value already taken only costs one more turn.
            self.bell.clear();
            let value = self.place().take();
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if value.is_some() || stop.is_ringing() || left == Some(Duration::ZERO) {
                return value;
            }
            Wake::wait([&self.bell, stop], left);
        }
    }

    /// Takes the value that is there, without waiting, and silences the bell.
    pub fn take_now(&self) -> Option<T> {
        self.bell.clear();
        self.place().take()
    }

    /// Rings when a value was put in.
    pub fn bell(&self) -> &Wake {
        &self.bell
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<T>> {
        // Nothing between lock and unlock can panic half-way.
        lock(&self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_the_older_is_given_back() {
        let (slot, stop) = (Slot::new().unwrap(), Wake::new().unwrap());
        assert_eq!(slot.put(1), None);
        assert_eq!(slot.put(2), Some(1));
        assert_eq!(slot.take(&stop, None), Some(2));
        assert_eq!(slot.take(&stop, Some(Duration::ZERO)), None);
        // A bell without a value, as a put between the taker's two steps leaves it, is no value.
        slot.bell.ring();
        assert_eq!(slot.take(&stop, Some(Duration::from_millis(20))), None);
        stop.ring();
        assert_eq!(slot.take(&stop, None), None, "stop ends a wait without end");
    }
}
