use serde::{Deserialize, Serialize};

/// Why the camera may not be open, whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The user wants a pause.
    Pause,
    /// The session is locked.
    Lock,
    /// The machine goes to sleep.
    Sleep,
    /// Nobody watches. It is no part of the status: an output says by itself whether it is watched.
    #[cfg_attr(test, schemars(skip))]
    Unwatched,
}

/// Which of them hold now. The camera may be open when none does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reasons(u8);

impl Reason {
    /// All, the first that holds is the one that those who watch are told.
    pub const ALL: [Self; 4] = [Self::Pause, Self::Lock, Self::Sleep, Self::Unwatched];

    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Its word in the status.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Lock => "lock",
            Self::Sleep => "sleep",
            Self::Unwatched => "unwatched",
        }
    }

    /// Whether `greenroom resume` ends it.
    fn is_ended_by_resume(self) -> bool {
        match self {
            // Who is locked out may ask from elsewhere: a logind that was started anew does not say when the session is
            // unlocked.
            Self::Pause | Self::Lock => true,
            Self::Sleep | Self::Unwatched => false,
        }
    }

    /// For the service manager: why there is no picture.
    pub(in crate::pipeline) fn sentence(self) -> &'static str {
        match self {
            Self::Pause => "paused, the camera is closed",
            Self::Lock => "the session is locked, the camera is closed",
            Self::Sleep => "the machine goes to sleep, the camera is closed",
            Self::Unwatched => "nobody watches, the camera is closed",
        }
    }
}

impl Reasons {
    /// Whether the camera may be open.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `reason` holds.
    pub fn contains(self, reason: Reason) -> bool {
        self.0 & reason.bit() != 0
    }

    /// Those that hold, in the order of [`Reason::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |&reason| self.contains(reason))
    }

    /// `reason` holds from now on, or does not.
    pub fn set(&mut self, reason: Reason, holds: bool) {
        match holds {
            true => self.0 |= reason.bit(),
            false => self.0 &= !reason.bit(),
        }
    }

    /// The one that `greenroom resume` ends.
    pub fn ended_by_resume(self) -> Option<Reason> {
        self.iter().find(|reason| reason.is_ended_by_resume())
    }

    /// The one that is told; `None` if the camera may be open.
    pub(in crate::pipeline) fn first(self) -> Option<Reason> {
        self.iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reason_that_ends_leaves_the_others() {
        let mut reasons = Reasons::default();
        assert!(reasons.is_empty() && reasons.first().is_none());
        reasons.set(Reason::Lock, true);
        reasons.set(Reason::Pause, true);
        reasons.set(Reason::Pause, true);
        assert_eq!(reasons.iter().collect::<Vec<_>>(), [Reason::Pause, Reason::Lock]);
        assert_eq!(reasons.first(), Some(Reason::Pause));
        assert_eq!(reasons.ended_by_resume(), Some(Reason::Pause));
        reasons.set(Reason::Pause, false);
        assert_eq!(reasons.first(), Some(Reason::Lock));
        assert_eq!(reasons.ended_by_resume(), Some(Reason::Lock));
        reasons.set(Reason::Sleep, false);
        assert!(!reasons.is_empty());
        reasons.set(Reason::Lock, false);
        assert!(reasons.is_empty());
    }
}
