//! The log: lines on standard error, which may carry what programs, files and clients chose.
//!
//! Nothing depends on a log line. Whoever logs only puts the line into a queue that is bounded; a thread
//! of its own writes. So a reader of standard error that has gone costs the line, and one that stands still
//! (a full pipe, a stopped terminal) costs the lines that the queue does not hold: nobody fails or waits.

mod format;
mod queue;

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use greenroom_device::printable;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use self::format::OneLine;
use self::queue::QUEUE;

/// Starts the log. `verbose` counts `-v`; `GREENROOM_LOG` (for example `greenroom_device=debug`)
/// overrides it. Standard output is left alone: it may carry pictures.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("GREENROOM_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(ToQueue)
        .with_ansi(io::stderr().is_terminal())
        // It would print what goes wrong on standard error by itself.
        .log_internal_errors(false)
        .event_format(OneLine)
        .init();
}

/// From now on a panic in any thread is told by a log line. The hook of the standard library writes to standard
/// error itself: it can wait there, with the thread that panicked.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(tell_panic));
}

thread_local! {
    /// Whoever called what panics tells of it.
    static IS_TOLD_BY_CALLER: Cell<bool> = const { Cell::new(false) };
}

/// Runs other people's code that panics where an error would do: without a line, for the caller is to tell.
///
/// # Errors
/// What the panic said.
pub(crate) fn without_panic<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    IS_TOLD_BY_CALLER.set(true);
    let done = catch_unwind(AssertUnwindSafe(run));
    IS_TOLD_BY_CALLER.set(false);
    done.map_err(|payload| message_of(&*payload).unwrap_or("no message").to_owned())
}

/// What a panic says.
fn message_of(payload: &(dyn Any + Send)) -> Option<&str> {
    let message = payload.downcast_ref::<&str>().copied();
    message.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Writes `text` as a line of its own, behind the log lines before it: for the one sentence with which a
/// command ends.
pub fn say(text: &str) {
    QUEUE.push(format!("{}\n", printable(text)));
}

/// Writes several lines, as [`say`] writes one.
pub(crate) fn say_lines(text: &str) {
    text.lines().for_each(say);
}

/// Waits until every line is written, or standard error takes nothing more: for the end of the process.
pub fn flush() {
    QUEUE.flush();
}

fn tell_panic(panic: &PanicHookInfo<'_>) {
    if IS_TOLD_BY_CALLER.get() {
        return;
    }
    let message = message_of(panic.payload());
    let thread = std::thread::current();
    let mut line = String::new();
    // A string takes whatever is written to it.
    let _ = write!(line, "ERROR thread {} panicked", thread.name().unwrap_or("without a name"));
    if let Some(place) = panic.location() {
        let _ = write!(line, " at {place}");
    }
    let _ = write!(line, ": {}", message.unwrap_or("no message"));
    say(&line);
    // Only where RUST_BACKTRACE asks for one.
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        say_lines(&trace.to_string());
    }
}

/// Each event is one line, written whole.
struct ToQueue;

impl<'a> MakeWriter<'a> for ToQueue {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

struct Line;

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        QUEUE.push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
