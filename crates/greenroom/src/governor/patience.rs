use std::time::Duration;

/// How long a level is kept before the next higher one is tried: longer each time that was in vain.
#[derive(Debug)]
pub(super) struct Patience {
    /// By whether there were signs that the try would not be in vain.
    waits: [Duration; 2],
    /// When the level changed last, and how.
    changed: Option<(Duration, Change)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// To a higher level; with such signs or without.
    Climb {
        is_promising: bool,
    },
    Fall,
}

/// The first waits: without and with signs.
const SHORTEST: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(1)];
/// The longest one.
const LONGEST: Duration = Duration::from_secs(32);
/// A fall so soon after a climb shows that it was in vain.
const IN_VAIN: Duration = Duration::from_secs(6);

impl Patience {
    pub(super) fn new() -> Self {
        Self { waits: SHORTEST, changed: None }
    }

    /// The level is lower from `now` on.
    pub(super) fn fall(&mut self, now: Duration) {
        if let Some((at, Change::Climb { is_promising })) = self.changed
            && now.saturating_sub(at) < IN_VAIN
        {
            let wait = &mut self.waits[usize::from(is_promising)];
            *wait = (2 * *wait).min(LONGEST);
        }
        self.changed = Some((now, Change::Fall));
    }

    /// The next higher level is tried from `now` on.
    pub(super) fn climb(&mut self, now: Duration, is_promising: bool) {
        // The climb before this one has lasted.
        if let Some((_, Change::Climb { is_promising })) = self.changed {
            let which = usize::from(is_promising);
            self.waits[which] = SHORTEST[which].max(self.waits[which] / 2);
        }
        self.changed = Some((now, Change::Climb { is_promising }));
    }

    /// Whether the time has come to try the next higher level.
    pub(super) fn is_over(&self, now: Duration, is_promising: bool) -> bool {
        let wait = self.waits[usize::from(is_promising)];
        self.changed.is_none_or(|(at, _)| now.saturating_sub(at) >= wait)
    }
}
