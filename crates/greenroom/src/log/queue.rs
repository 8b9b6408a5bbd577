use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::stderr;

use crate::lock::lock;

/// Lines that wait for a writer at the most; more are dropped and counted.
const MAX_LINES: usize = 1000;
/// What a line may take at the most: a pipe that is ready takes 4 KiB (`PIPE_BUF`) in one piece, without waiting.
const MAX_LINE_BYTES: usize = 4000;
/// Without a line being written for so long, it is asked whether standard error takes anything.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often that is asked while it seems to take something and a line is not written all the same.
const MOST_ROUNDS: u32 = 6;
/// What the writing thread needs of a stack.
const STACK_BYTES: usize = 128 << 10;

/// The lines of this process.
pub(super) static QUEUE: Queue = Queue {
    state: Mutex::new(State {
        lines: VecDeque::new(),
        dropped: 0,
        is_writing: false,
        written: 0,
        has_thread: false,
    }),
    came: Condvar::new(),
    went: Condvar::new(),
};

/// Lines that wait to be written to standard error.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Told when a line has come.
    came: Condvar,
    /// Told when a line was written.
    went: Condvar,
}

struct State {
    lines: VecDeque<String>,
    /// Lines that found no room behind those.
    dropped: u64,
    /// The thread is at a line.
    is_writing: bool,
    written: u64,
    has_thread: bool,
}

impl State {
    /// Keeps the line if there is room for it.
    fn push(&mut self, mut line: String) {
        if self.lines.len() >= MAX_LINES {
            self.dropped += 1;
            return;
        }
        if line.len() > MAX_LINE_BYTES {
            let end = (0..=MAX_LINE_BYTES).rev().find(|at| line.is_char_boundary(*at));
            line.truncate(end.unwrap_or(0));
            line.push_str(" …\n");
        }
        self.lines.push_back(line);
    }

    fn next(&mut self) -> Option<String> {
        self.lines.pop_front().or_else(|| {
            let dropped = std::mem::take(&mut self.dropped);
            (dropped > 0).then(|| format!(" WARN {dropped} log lines were dropped: nobody read\n"))
        })
    }

    /// Writes what is there on the caller's thread, as far as that does not wait.
    fn write_what_is_taken(&mut self) {
        while is_ready(Some(Duration::ZERO))
            && let Some(line) = self.next()
        {
            write(&line);
        }
    }

    fn is_done(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0 && !self.is_writing
    }
}

impl Queue {
    /// Puts a line, with its line feed, behind the others. Never waits for its reader, never fails.
    pub(super) fn push(&'static self, line: String) {
        let mut state = self.lock();
        state.push(line);
        if !state.has_thread {
            let builder = thread::Builder::new().name("log".into()).stack_size(STACK_BYTES);
            state.has_thread = builder.spawn(move || self.write_all()).is_ok();
        }
        if state.has_thread {
            drop(state);
            self.came.notify_one();
        } else {
            // The system has no thread left.
            state.write_what_is_taken();
        }
    }

    /// Waits until all is written, or nothing is taken any more. Where the thread gets no processor, the lines are
    /// written here: a sentence is not lost because the machine is busy.
    pub(super) fn flush(&self) {
        let mut state = self.lock();
        let mut rounds = 0;
        while state.has_thread && !state.is_done() {
            let before = state.written;
            let patient = self.went.wait_timeout(state, PATIENCE);
            let (after, patience) = patient.unwrap_or_else(PoisonError::into_inner);
            state = after;
            if !patience.timed_out() || state.written != before {
                continue;
            }
            rounds += 1;
            if rounds > MOST_ROUNDS || !is_ready(Some(Duration::ZERO)) {
                return;
            }
            if !state.is_writing {
                state.write_what_is_taken();
            }
        }
    }

    fn write_all(&self) {
        let mut state = self.lock();
        loop {
            let Some(line) = state.next() else {
                state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.is_writing = true;
            drop(state);
            write(&line);
            state = self.lock();
            state.is_writing = false;
            state.written += 1;
            self.went.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing between lock and unlock panics half-way.
        lock(&self.state)
    }
}

/// Writes one line; what standard error does not take is lost. The standard library's handle is not used:
/// its lock would be held while this waits.
fn write(line: &str) {
    let mut left = line.as_bytes();
    while !left.is_empty() {
        match rustix::io::write(stderr(), left) {
            Ok(0) => return,
            Ok(written) => left = &left[written..],
            Err(Errno::INTR) => {}
            // Somebody who shares it made it non-blocking.
            Err(Errno::AGAIN) => {
                if !is_ready(None) {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// Whether standard error takes something, within `patience` (for ever, if `None`).
fn is_ready(patience: Option<Duration>) -> bool {
    let none = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut fds = [PollFd::from_borrowed_fd(stderr(), PollFlags::OUT)];
    poll(&mut fds, patience.map(|_| none).as_ref()).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            lines: VecDeque::new(),
            dropped: 0,
            is_writing: false,
            written: 0,
            has_thread: true,
        }
    }

    #[test]
    fn what_nobody_reads_is_bounded_and_counted() {
        let mut state = state();
        for number in 0..MAX_LINES + 7 {
            state.push(format!("{number}\n"));
        }
        assert_eq!(state.lines.len(), MAX_LINES);
        let taken: Vec<String> = std::iter::from_fn(|| state.next()).collect();
        assert_eq!((taken[0].as_str(), taken.len()), ("0\n", MAX_LINES + 1));
        assert!(taken[MAX_LINES].contains("7 log lines were dropped"), "{}", taken[MAX_LINES]);
        assert!(state.is_done());
    }

    #[test]
    fn a_line_is_written_although_the_thread_never_comes_to_it() {
        // `has_thread`, and there is none: as if it got no processor.
        let mut state = state();
        state.push("a line of a test\n".into());
        let queue = Queue { state: Mutex::new(state), came: Condvar::new(), went: Condvar::new() };
        // Whoever reads the tests' output may be slow himself.
        assert!((0..100).any(|_| {
            queue.flush();
            queue.lock().is_done()
        }));
    }

    #[test]
    fn a_line_is_bounded_and_keeps_whole_characters() {
        let mut state = state();
        state.push("é".repeat(MAX_LINE_BYTES) + "\n");
        let line = state.next().unwrap();
        assert!(line.len() <= MAX_LINE_BYTES + 8 && line.ends_with("é …\n"), "{}", line.len());
    }
}
