use std::time::{Duration, Instant};

/// Right answers in a row, in time, after which a server is believed.
const GOOD_IN_A_ROW: u32 = 3;
/// Time between two questions to a server that is not believed: it doubles with each bad answer.
const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);
/// A server that was well for so long has its past forgotten; one that comes and goes costs a frame
/// its patience less and less often.
const FORGIVEN_AFTER: Duration = Duration::from_secs(20);

/// Whether a server is worth waiting for.
#[derive(Debug)]
pub(super) struct Health {
    state: State,
    back_off: Duration,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Well { since: Instant },
    Unwell { next: Instant, good: u32 },
}

/// What is told to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Well,
    Unwell,
}

impl Health {
    /// Not known yet: it is asked at once, and not waited for.
    pub(super) fn new(now: Instant) -> Self {
        Self { state: State::Unwell { next: now, good: 0 }, back_off: FIRST_BACK_OFF }
    }

    /// Whether a frame may wait for its mask.
    pub(super) fn may_wait(&self) -> bool {
        matches!(self.state, State::Well { .. })
    }

    /// Whether it is asked now.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        match self.state {
            State::Well { .. } => true,
            State::Unwell { next, .. } => now >= next,
        }
    }

    /// An answer was right and in time.
    pub(super) fn good(&mut self, now: Instant) -> Option<Change> {
        match &mut self.state {
            State::Well { since } => {
                if now - *since >= FORGIVEN_AFTER {
                    self.back_off = FIRST_BACK_OFF;
                }
                None
            }
            State::Unwell { next, good } => {
                *good += 1;
                *next = now;
                if *good < GOOD_IN_A_ROW {
                    return None;
                }
                self.state = State::Well { since: now };
                Some(Change::Well)
            }
        }
    }

    /// An answer was wrong, late, or did not come.
    pub(super) fn bad(&mut self, now: Instant) -> Option<Change> {
        let was_well = self.may_wait();
        self.state = State::Unwell { next: now + self.back_off, good: 0 };
        self.back_off = (self.back_off * 2).min(LONGEST_BACK_OFF);
        was_well.then_some(Change::Unwell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make_well(health: &mut Health, now: Instant) {
        for _ in 1..GOOD_IN_A_ROW {
            assert_eq!(health.good(now), None);
            assert!(!health.may_wait() && health.may_ask(now));
        }
        assert_eq!(health.good(now), Some(Change::Well));
        assert!(health.may_wait());
    }

    #[test]
    fn a_server_is_waited_for_only_while_it_is_well() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut health = Health::new(start);
        assert!(health.may_ask(start) && !health.may_wait());
        make_well(&mut health, at(0));
        assert_eq!(health.bad(at(10)), Some(Change::Unwell));
        assert!(!health.may_wait() && !health.may_ask(at(259)) && health.may_ask(at(260)));
        // One good answer is not enough, and a bad one takes it back.
        assert_eq!(health.good(at(260)), None);
        assert_eq!(health.bad(at(261)), None);
        assert!(!health.may_ask(at(760)) && health.may_ask(at(761)));
        make_well(&mut health, at(800));
    }

    #[test]
    fn a_server_that_comes_and_goes_is_asked_less_and_less() {
        let mut now = Instant::now();
        let mut health = Health::new(now);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            make_well(&mut health, now);
            health.bad(now);
            let from = now;
            while !health.may_ask(now) {
                now += Duration::from_millis(10);
            }
            pauses.push((now - from).as_millis());
        }
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        make_well(&mut health, now);
        health.good(now + FORGIVEN_AFTER);
        health.bad(now + FORGIVEN_AFTER);
        assert!(health.may_ask(now + FORGIVEN_AFTER + FIRST_BACK_OFF));
    }
}
