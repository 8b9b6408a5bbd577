use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Work that waits, handed out fairly: each piece as late as it is large, and as late as its sender
/// has many others waiting. So a large picture lets small ones pass, and who opens many connections
/// gets no more than who opens one.
///
/// This is fair queueing by virtual time: a piece's *tag* is the time at which it would be done if
/// all senders were served at once in equal parts; the lowest goes first. A connection has one
/// request at a time, so that tags need no account of what it had before.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    waiting: Vec<Waiting<T>>,
    now: u64,
    arrivals: u64,
    closed: bool,
}

#[derive(Debug)]
struct Waiting<T> {
    /// When it is due, then which came first.
    tag: (u64, u64),
    cost: u64,
    peer: IpAddr,
    work: T,
}

impl<T> FairQueue<T> {
    pub(super) fn new() -> Self {
        let state = State { waiting: Vec::new(), now: 0, arrivals: 0, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `work`, after those that nobody `wants` any more are thrown out.
    pub(super) fn push(&self, peer: IpAddr, cost: u64, work: T, wants: impl Fn(&T) -> bool) {
        let mut state = self.state();
        state.waiting.retain(|waiting| wants(&waiting.work));
        let others = state.waiting.iter().filter(|waiting| waiting.peer == peer).count() as u64;
        let tag = (state.now + cost * (others + 1), state.arrivals);
        state.arrivals += 1;
        state.waiting.push(Waiting { tag, cost, peer, work });
        drop(state);
        self.changed.notify_all();
    }

    /// The next piece of work that costs at most `most`; waits for it. `None` after the end.
    pub(super) fn pop(&self, most: u64) -> Option<T> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            let waiting = state.waiting.iter().enumerate();
            let next = waiting.filter(|(_, waiting)| waiting.cost <= most);
            if let Some((at, _)) = next.min_by_key(|(_, waiting)| waiting.tag) {
                let next = state.waiting.swap_remove(at);
                state.now = state.now.max(next.tag.0);
                return Some(next.work);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends all waiting, and drops what waits.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn peer(last: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, last).into()
    }

    fn push(queue: &FairQueue<&'static str>, last: u8, cost: u64, work: &'static str) {
        queue.push(peer(last), cost, work, |_| true);
    }

    #[test]
    fn equal_work_goes_in_the_order_it_came() {
        let queue = FairQueue::new();
        for (last, work) in [(1, "a"), (2, "b"), (3, "c")] {
            push(&queue, last, 5, work);
        }
        assert_eq!([(); 3].map(|()| queue.pop(9).unwrap()), ["a", "b", "c"]);
    }

    #[test]
    fn a_sender_of_much_waits_for_the_others_and_large_work_comes_too() {
        let queue = FairQueue::new();
        push(&queue, 1, 100, "large");
        for work in ["much 1", "much 2", "much 3"] {
            push(&queue, 2, 10, work);
        }
        push(&queue, 3, 10, "little");
        let order = [(); 3].map(|()| queue.pop(1000).unwrap());
        assert_eq!(order, ["much 1", "little", "much 2"]);
        // However many small ones keep coming.
        let passed = (0..100).take_while(|_| {
            push(&queue, 3, 10, "little");
            queue.pop(1000) != Some("large")
        });
        assert!((5..20).contains(&passed.count()));
    }

    #[test]
    fn large_work_is_left_to_those_who_take_it_and_the_unwanted_is_thrown_out() {
        let queue = FairQueue::new();
        push(&queue, 1, 100, "large");
        push(&queue, 2, 10, "small");
        push(&queue, 3, 10, "unwanted");
        queue.push(peer(4), 10, "last", |work| *work != "unwanted");
        assert_eq!(queue.pop(50), Some("small"));
        assert_eq!(queue.pop(50), Some("last"));
        assert_eq!(queue.pop(100), Some("large"));
        queue.close();
        assert_eq!(queue.pop(100), None);
    }
}
