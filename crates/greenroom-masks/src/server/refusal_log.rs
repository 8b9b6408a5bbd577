use std::cell::Cell;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Time between two lines of the log: whoever abuses the server does not fill the disk.
const PAUSE: Duration = Duration::from_secs(10);

/// Tells the log of clients that take more than their share: at once, then seldom and in sum.
#[derive(Debug, Default)]
pub(super) struct RefusalLog(Cell<State>);

#[derive(Debug, Default, Clone, Copy)]
struct State {
    told_at: Option<Instant>,
    untold: u32,
}

impl RefusalLog {
    /// `what` is a clause or a sentence without its full stop.
    pub(super) fn about(&self, peer: IpAddr, what: &str) {
        let State { told_at, untold } = self.0.get();
        if told_at.is_some_and(|told_at| told_at.elapsed() < PAUSE) {
            return self.0.set(State { told_at, untold: untold.saturating_add(1) });
        }
        self.0.set(State { told_at: Some(Instant::now()), untold: 0 });
        match untold {
            0 => tracing::warn!("client {peer} was refused: {what}"),
            _ => tracing::warn!("client {peer} was refused, and {untold} before it: {what}"),
        }
    }
}
