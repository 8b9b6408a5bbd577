use std::time::Duration;

/// How long a level is kept before the next higher one is tried: longer each time that was in vain.
#[derive(Debug)]
pub(super) struct Patience {
    wait: Duration,
    /// When the level changed last, and whether it was up.
    changed: Option<(Duration, Direction)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// The first wait.
const SHORTEST: Duration = Duration::from_secs(2);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(32);
/// A fall so soon after a climb shows that it was in vain.
const IN_VAIN: Duration = Duration::from_secs(6);

impl Patience {
    pub(super) fn new() -> Self {
        Self { wait: SHORTEST, changed: None }
    }

    /// The level is lower from `now` on.
    pub(super) fn fall(&mut self, now: Duration) {
        match self.changed {
            Some((at, Direction::Up)) if now.saturating_sub(at) < IN_VAIN => {
                self.wait = (2 * self.wait).min(LONGEST);
            }
            _ => {}
        }
        self.changed = Some((now, Direction::Down));
    }

    /// The level is higher from `now` on.
    pub(super) fn climb(&mut self, now: Duration) {
        // The climb before this one has lasted.
        if let Some((_, Direction::Up)) = self.changed {
            self.wait = SHORTEST.max(self.wait / 2);
        }
        self.changed = Some((now, Direction::Up));
    }

    /// Whether the time has come to try the next higher level.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.changed.is_none_or(|(at, _)| now.saturating_sub(at) >= self.wait)
    }
}
