//! When a file that changed is looked at again: not while it is being written, and not for ever
//! later either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use greenroom_device::FileChanges;

/// Quiet after the end of a write, a move or a new link: several changes in a row are one.
const SETTLED: Duration = Duration::from_millis(60);
/// The same if neither its beginning nor its end was heard.
const UNHEARD: Duration = Duration::from_secs(1);
/// A file that is never quiet for so long is told of, once.
const RESTLESS: Duration = Duration::from_secs(5);

/// Files that changed and wait to be looked at.
#[derive(Debug, Default)]
pub(super) struct Reload {
    waiting: BTreeMap<PathBuf, Waiting>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    since: Instant,
    /// `None` as long as its writer has it open: half a configuration can be one that shows the room.
    due: Option<Instant>,
    told: bool,
}

impl Reload {
    /// Takes up what was heard.
    pub(super) fn hear(&mut self, changes: &FileChanges, now: Instant) {
        for path in &changes.changed {
            let waiting = self.waiting.entry(path.clone()).or_insert(Waiting {
                since: now,
                due: None,
                told: false,
            });
            waiting.due = (!changes.unfinished.contains(path)).then_some(now + SETTLED);
            if !waiting.told && now - waiting.since > RESTLESS {
                waiting.told = true;
                let path = path.display();
                tracing::warn!(
                    "scene: {path} changes all the time; it is taken up when it rests and is closed"
                );
            }
        }
    }

    /// Takes up files that are others than before, though nothing was heard of them: their writers may have them open
    /// still, and are given a while to tell.
    pub(super) fn find(&mut self, missed: BTreeSet<PathBuf>, now: Instant) {
        for path in missed {
            let waiting = Waiting { since: now, due: Some(now + UNHEARD), told: false };
            self.waiting.entry(path).or_insert(waiting);
        }
    }

    /// When the next one is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.values().filter_map(|waiting| waiting.due).min()
    }

    /// Takes out the files that are due.
    pub(super) fn due(&mut self, now: Instant) -> Vec<PathBuf> {
        let due: Vec<PathBuf> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| waiting.due.is_some_and(|due| now >= due))
            .map(|(path, _)| path.clone())
            .collect();
        for path in &due {
            self.waiting.remove(path);
        }
        due
    }

    /// Forgets all but `paths`.
    pub(super) fn keep(&mut self, paths: &[PathBuf]) {
        self.waiting.retain(|path, _| paths.iter().any(|kept| kept == path as &Path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_at_when_it_rests() {
        let path = PathBuf::from("/a");
        let finished = FileChanges { changed: [path.clone()].into(), ..FileChanges::default() };
        let unfinished = FileChanges { unfinished: [path.clone()].into(), ..finished.clone() };
        let (mut reload, start) = (Reload::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        assert_eq!(reload.deadline(), None);
        // A copy: many writes, then the end.
        for ms in (0..3000).step_by(100) {
            reload.hear(&unfinished, at(ms));
            assert!(reload.due(at(ms + 99)).is_empty());
        }
        reload.hear(&finished, at(3000));
        assert!(reload.due(at(3050)).is_empty());
        assert_eq!(reload.due(at(3060)), [path.as_path()]);
        assert_eq!(reload.deadline(), None);
        // A writer that keeps it open, however long it says nothing.
        reload.hear(&unfinished, at(5000));
        assert_eq!(reload.deadline(), None);
        assert!(reload.due(at(5_000_000)).is_empty());
        reload.hear(&finished, at(5_000_000));
        assert_eq!(reload.due(at(5_000_060)), [path.as_path()]);
        // Nothing was heard of it; then something is, which counts.
        reload.find([path.clone()].into(), at(6_000_000));
        assert!(reload.due(at(6_000_999)).is_empty());
        assert_eq!(reload.due(at(6_001_000)), [path.as_path()]);
        reload.find([path.clone()].into(), at(6_100_000));
        reload.hear(&unfinished, at(6_100_500));
        assert_eq!(reload.deadline(), None);
        reload.find([path.clone()].into(), at(6_200_000));
        assert_eq!(reload.deadline(), None);
        reload.hear(&finished, at(7_000_000));
        reload.keep(&[]);
        assert!(reload.due(at(9_000_000)).is_empty());
    }

    #[test]
    fn a_file_that_changes_all_the_time_is_not_taken_up_and_told_of_once() {
        let path = PathBuf::from("/a");
        let changes = FileChanges { changed: [path.clone()].into(), ..FileChanges::default() };
        let (mut reload, start) = (Reload::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        let told_of = |reload: &Reload| reload.waiting[&path].told;
        for ms in (0..=5000).step_by(20) {
            reload.hear(&changes, at(ms));
            assert!(reload.due(at(ms + 19)).is_empty() && !told_of(&reload), "after {ms} ms");
        }
        for ms in (5020..60_000).step_by(20) {
            reload.hear(&changes, at(ms));
            assert!(reload.due(at(ms + 19)).is_empty() && told_of(&reload), "after {ms} ms");
        }
        // At last it rests; from then on it is a file like any other.
        assert_eq!(reload.due(at(60_040)), [path.as_path()]);
        reload.hear(&changes, at(70_000));
        assert!(!told_of(&reload));
    }
}
