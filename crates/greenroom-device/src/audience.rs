use std::fmt;

use crate::Holder;

/// Who watches what a sink takes, as it was when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audience {
    /// Somebody does: what is written now is looked at.
    pub watched: bool,
    /// Their names, by pid, as far as those may be seen: programs of other users stay hidden unless
    /// we are root. Never ourselves; empty while nobody watches.
    pub watchers: Vec<Holder>,
    /// Somebody has opened it and may begin to watch at any moment, and the first picture that they
    /// get is the one that was written last: it is to be written again, so that its time is that of
    /// now. Told again and again for as long as that may be.
    pub renewal_due: bool,
}

impl Audience {
    /// Somebody watches at all times, and nobody can tell who: a file.
    pub fn always() -> Self {
        Self { watched: true, ..Self::default() }
    }

    /// Nobody watches.
    pub fn nobody() -> Self {
        Self::default()
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.watched {
            return f.pad("nobody");
        }
        if self.watchers.is_empty() {
            return f.pad("a program that cannot be seen from here");
        }
        for (index, watcher) in self.watchers.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            watcher.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_a_phrase() {
        assert_eq!(Audience::nobody().to_string(), "nobody");
        assert_eq!(Audience::always().to_string(), "a program that cannot be seen from here");
        let holder = |pid, name: &str| Holder { pid, name: name.to_owned() };
        let watchers = vec![holder(1, "zoom"), holder(22, "obs")];
        let two = Audience { watched: true, watchers, renewal_due: false };
        assert_eq!(two.to_string(), "zoom (pid 1), obs (pid 22)");
    }
}
