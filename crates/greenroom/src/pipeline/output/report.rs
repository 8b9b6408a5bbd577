use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};

use greenroom_device::{Holder, SinkMode};

use crate::lock::lock;
use crate::pipeline::Changes;
use crate::status::{OutputState, OutputStatus, Watcher};

/// More watchers than an output ever has at once.
const MOST_TOLD: usize = 64;

/// What others may know of an output. Who watches is told in the log, too: one line an event.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct OutputReport {
    status: Mutex<OutputStatus>,
    /// Those who have watched since somebody does, and were told of: a program that begins its
    /// stream anew is no event.
    told: Mutex<Vec<Watcher>>,
    /// Rung when the state or who watches changes.
    changes: OnceLock<Arc<Changes>>,
    /// Composed frames written.
    pub(in crate::pipeline) written: AtomicU64,
    /// Placeholders written.
    pub(in crate::pipeline) placeholders: AtomicU64,
    /// Frames that it was too slow for.
    pub(in crate::pipeline) dropped: AtomicU64,
}

impl OutputReport {
    /// That of the output `name`.
    pub(in crate::pipeline) fn new(name: String) -> Self {
        let status = OutputStatus { sink: name.clone(), name, ..OutputStatus::default() };
        Self { status: Mutex::new(status), ..Self::default() }
    }

    /// From now on `changes` are rung.
    pub(in crate::pipeline) fn tell(&self, changes: &Arc<Changes>) {
        self.changes.get_or_init(|| Arc::clone(changes));
    }

    fn ring(&self) {
        if let Some(changes) = self.changes.get() {
            changes.ring();
        }
    }

    /// What it writes to, for people.
    pub(in crate::pipeline) fn sink_name(&self) -> String {
        lock(&self.status).sink.clone()
    }

    /// The state as it is now.
    pub(in crate::pipeline) fn status(&self) -> OutputStatus {
        OutputStatus {
            written: self.written.load(Relaxed),
            placeholders: self.placeholders.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            ..lock(&self.status).clone()
        }
    }

    /// Sets what the output is doing, and with which sink; `reason` says why there is none.
    pub(in crate::pipeline) fn set_state(
        &self,
        sink: Option<(&str, SinkMode)>,
        state: OutputState,
        reason: Option<String>,
    ) {
        let mut status = lock(&self.status);
        let told = |SinkMode { format, size, rate, .. }| format!("{size} {format} at {rate} fps");
        let mode = sink.map(|(_, mode)| told(mode));
        let is_news = (status.state, &status.mode, &status.reason) != (state, &mode, &reason);
        let before = std::mem::replace(&mut status.state, state);
        if let Some((name, _)) = sink {
            name.clone_into(&mut status.sink);
        }
        (status.mode, status.reason) = (mode, reason);
        if state != OutputState::Watched {
            status.watchers.clear();
        }
        if matches!(state, OutputState::Holding | OutputState::Missing) {
            lock(&self.told).clear();
        }
        let name = &status.sink;
        match (before, state) {
            (OutputState::Lingering, OutputState::Holding) => {
                tracing::info!("output: nobody watches {name} any more");
            }
            (OutputState::Watched, OutputState::Lingering) => {
                tracing::debug!("output: the last one who watched {name} has left");
            }
            (OutputState::Holding | OutputState::Lingering, OutputState::Watched) => {
                tracing::debug!("output: {name} is watched");
            }
            _ => {}
        }
        drop(status);
        if is_news {
            self.ring();
        }
    }

    /// Sets who watches, while it is watched.
    pub(in crate::pipeline) fn set_watchers(&self, watchers: &[Holder]) {
        let mut status = lock(&self.status);
        if status.state != OutputState::Watched {
            return;
        }
        let watchers: Vec<Watcher> = watchers.iter().map(Into::into).collect();
        let mut told = lock(&self.told);
        for come in &watchers {
            if !told.contains(come) {
                tracing::info!("output: {} is watched by {come}", status.sink);
                if told.len() == MOST_TOLD {
                    told.remove(0);
                }
                told.push(come.clone());
            }
        }
        let is_news = status.watchers != watchers;
        status.watchers = watchers;
        drop(status);
        if is_news {
            self.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log that is kept.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Log lines of what happens.
    fn lines(happens: impl FnOnce(&OutputReport)) -> Vec<String> {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            happens(&OutputReport::new("cam".to_owned()))
        });
        let text = String::from_utf8(lock(&log.0).clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn set(report: &OutputReport, state: OutputState) {
        report.set_state(None, state, None);
    }

    fn watch(report: &OutputReport, pids: &[u32]) {
        set(report, OutputState::Watched);
        let holder = |pid: &u32| Holder { pid: *pid, name: "chrome".to_owned() };
        report.set_watchers(&pids.iter().map(holder).collect::<Vec<_>>());
    }

    #[test]
    fn a_stream_that_begins_anew_is_no_event() {
        let lines = lines(|report| {
            set(report, OutputState::Holding);
            for _ in 0..30 {
                watch(report, &[7]);
                set(report, OutputState::Lingering);
            }
            watch(report, &[7, 8]);
            set(report, OutputState::Lingering);
            set(report, OutputState::Holding);
            // Another call.
            watch(report, &[7]);
        });
        let is = |line: &String, words: &str| line.contains(words);
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(is(&lines[0], "watched by chrome (pid 7)"), "{lines:?}");
        assert!(is(&lines[1], "watched by chrome (pid 8)"), "{lines:?}");
        assert!(is(&lines[2], "nobody watches cam any more"), "{lines:?}");
        assert!(is(&lines[3], "watched by chrome (pid 7)"), "{lines:?}");
    }

    #[test]
    fn what_was_told_does_not_grow_for_ever() {
        let report = OutputReport::new("cam".to_owned());
        (0..1000).for_each(|pid| watch(&report, &[pid]));
        assert_eq!(lock(&report.told).len(), MOST_TOLD);
    }
}
