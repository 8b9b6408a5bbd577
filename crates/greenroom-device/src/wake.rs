use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

/// A bell that wakes whoever polls it beside a device: one eventfd, shared by its clones.
#[derive(Debug, Clone)]
pub struct Wake {
    fd: Arc<OwnedFd>,
}

impl Wake {
    /// A bell that has not rung.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { fd: Arc::new(fd) })
    }

    /// Rings. Everyone who polls the bell wakes, until somebody [clears](Self::clear) it.
    pub fn ring(&self) {
        // Only a counter at its maximum refuses (EAGAIN), and then the bell is ringing already.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
    }

    /// Waits until one of `bells` rings or `patience` (for ever, if `None`) is over; tells whether
    /// one rings. Neither silences any, and signals do not end the wait.
    pub fn wait<const N: usize>(bells: [&Wake; N], patience: Option<Duration>) -> bool {
        let fds = bells.map(Wake::as_fd);
        // Without an end of patience only a bell ends it, whatever the kernel says meanwhile.
        while wait_readable(&fds, patience) == 0 {
            if patience.is_some() {
                return false;
            }
        }
        true
    }

    /// Whether it is ringing; it goes on ringing.
    pub fn is_ringing(&self) -> bool {
        Self::wait([self], Some(Duration::ZERO))
    }

    /// Silences the bell; tells whether it was ringing.
    pub fn clear(&self) -> bool {
        rustix::io::read(&self.fd, &mut [0u8; 8]).is_ok()
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Most descriptors that [`wait_readable`] takes: the bits of its answer.
const MAX_FDS: usize = 64;

/// Waits until one of `fds` is readable or `patience` (for ever, if `None`) is over. Bit `i` of the
/// answer tells that `fds[i]` is readable, or broken: reading it tells which. 0 when patience is
/// over. Signals do not end the wait.
///
/// # Panics
/// With more than 64 descriptors.
pub fn wait_readable(fds: &[BorrowedFd<'_>], patience: Option<Duration>) -> u64 {
    assert!(fds.len() <= MAX_FDS, "{} descriptors do not fit into 64 bits", fds.len());
    let deadline = patience.and_then(|patience| Instant::now().checked_add(patience));
    let left = || deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let Some(first) = fds.first() else {
        let _ = poll(&mut [], left().map(timespec).as_ref());
        return 0;
    };
    // On the stack: this is called for every frame. What is behind `fds` is not polled.
    let mut waiting: [PollFd<'_>; MAX_FDS] = std::array::from_fn(|index| {
        PollFd::from_borrowed_fd(*fds.get(index).unwrap_or(first), PollFlags::IN)
    });
    let waiting = &mut waiting[..fds.len()];
    loop {
        match poll(waiting, left().map(timespec).as_ref()) {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            // The kernel is out of memory: nothing is known, and callers must not spin.
            Err(_) => {
                std::thread::sleep(Duration::from_millis(10));
                return 0;
            }
        }
    }
    let ready = waiting.iter().enumerate().filter(|(_, fd)| !fd.revents().is_empty());
    ready.fold(0, |bits, (index, _)| bits | 1 << index)
}

fn timespec(patience: Duration) -> Timespec {
    Timespec {
        tv_sec: patience.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_readable_is_told_by_its_bit() {
        let bells = [Wake::new().unwrap(), Wake::new().unwrap(), Wake::new().unwrap()];
        let fds = bells.each_ref().map(AsFd::as_fd);
        let now = Some(Duration::ZERO);
        assert_eq!(wait_readable(&fds, now), 0);
        bells[1].ring();
        assert_eq!(wait_readable(&fds, None), 0b010);
        bells[2].ring();
        assert_eq!(wait_readable(&fds, now), 0b110);
        assert!(bells[1].clear());
        assert_eq!(wait_readable(&fds, now), 0b100);
        assert_eq!(wait_readable(&[fds[2]; 64], now), u64::MAX);
        assert_eq!(wait_readable(&[], Some(Duration::from_millis(1))), 0);
    }

    #[test]
    fn patience_is_kept() {
        let bell = Wake::new().unwrap();
        let begun = Instant::now();
        assert_eq!(wait_readable(&[bell.as_fd()], Some(Duration::from_millis(30))), 0);
        assert!(begun.elapsed() >= Duration::from_millis(30));
    }
}
