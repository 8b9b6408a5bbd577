use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

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
    /// one rings. Neither silences any. A signal counts as the end of patience.
    pub fn wait<const N: usize>(bells: [&Wake; N], patience: Option<Duration>) -> bool {
        let mut fds = bells.map(|bell| PollFd::new(&bell.fd, PollFlags::IN));
        let timeout = patience.map(|patience| Timespec {
            tv_sec: patience.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        });
        poll(&mut fds, timeout.as_ref()).is_ok_and(|ready| ready > 0)
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
