//! What a child is bound by before it runs its first instruction.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal,
    setpriority_process, setrlimit,
};

/// Limits of a child: each is inherited by what it starts, and it cannot raise one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guard {
    /// Whether it is killed as soon as the thread that started it is gone.
    is_tied: bool,
    /// Memory of its own that it can write to (`RLIMIT_DATA`). Not its address space, of which each
    /// thread and each library takes much that is never touched.
    memory_bytes: u64,
    /// Processor time.
    cpu_seconds: Option<u64>,
    may_write_files: bool,
    /// Its niceness: decoding a background comes after the person before it.
    nice: i32,
}

const GIB: u64 = 1 << 30;

/// Processor time that FFmpeg has for telling what a file is. It takes 0.1 s.
pub(crate) const PROBE_CPU_SECONDS: u64 = 30;

impl Guard {
    /// For a program that is asked a question. It is killed when the *thread* that started it ends.
    pub const fn probe() -> Self {
        Self { cpu_seconds: Some(PROBE_CPU_SECONDS), ..Self::tied() }
    }

    /// For a program of the session that is asked a question: one that shares memory with others
    /// has to make such files.
    pub const fn question() -> Self {
        Self { may_write_files: true, ..Self::probe() }
    }

    /// For a decoder of files that may be hostile. It is killed when the *thread* that started it
    /// ends, so that thread must live as long as the child is wanted.
    pub const fn tied() -> Self {
        Self {
            is_tied: true,
            memory_bytes: 2 * GIB,
            cpu_seconds: None,
            may_write_files: false,
            nice: 5,
        }
    }

    /// For a decoder that stands in for a camera: it may be handed from thread to thread, and
    /// decodes with as many threads as it likes. 4K H.264 with 16 threads takes 0.6 GiB.
    pub const fn reader() -> Self {
        Self { is_tied: false, memory_bytes: 4 * GIB, nice: 0, ..Self::tied() }
    }

    /// For an encoder, which is to complete its file also when we die. 4K H.264 with 16 threads
    /// takes 2 GiB.
    pub const fn writer() -> Self {
        Self {
            is_tied: false,
            memory_bytes: 8 * GIB,
            may_write_files: true,
            nice: 0,
            ..Self::tied()
        }
    }

    /// Makes `command` start its child bound so. Starting fails if a limit cannot be set.
    pub fn put_on(self, command: &mut Command) {
        let parent = std::process::id();
        // SAFETY: the closure runs in the forked child, where only async-signal-safe calls are
        // allowed: it makes plain system calls on values it owns, and neither allocates, locks nor
        // panics.
        unsafe { command.pre_exec(move || self.bind(parent)) };
    }

    /// What is done when the child runs. Not before: `spawn` waits for a child's first instruction,
    /// and on a busy machine one that is nice already keeps the caller waiting for its turn.
    pub fn calm(self, child: u32) {
        let pid = i32::try_from(child).ok().and_then(Pid::from_raw);
        if self.nice != 0
            && let Err(error) = setpriority_process(pid, self.nice)
        {
            tracing::debug!(%error, "the child is not nice");
        }
    }

    fn bind(self, parent: u32) -> io::Result<()> {
        lower(Resource::Core, 0)?;
        if !self.may_write_files {
            lower(Resource::Fsize, 0)?;
        }
        lower(Resource::Data, self.memory_bytes)?;
        if let Some(cpu_seconds) = self.cpu_seconds {
            // SIGXCPU first, by which this end can be told from others; later SIGKILL.
            lower(Resource::Cpu, cpu_seconds + 5)?;
            let hard = getrlimit(Resource::Cpu).maximum;
            let soft = Some(hard.map_or(cpu_seconds, |hard| hard.min(cpu_seconds)));
            setrlimit(Resource::Cpu, Rlimit { current: soft, maximum: hard })?;
        }
        if self.is_tied { tie_to(parent) } else { Ok(()) }
    }
}

/// Has the child of `command` killed when the *thread* that starts it ends, however it ends. The child has no other
/// limits.
pub fn tie_to_this_thread(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: the closure runs in the forked child, where only async-signal-safe calls are allowed:
    // it makes plain system calls, and neither allocates, locks nor panics.
    unsafe { command.pre_exec(move || tie_to(parent)) };
}

fn tie_to(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Killed between fork and here: the signal would never come.
    if getppid().is_none_or(|now| now.as_raw_nonzero().get() as u32 != parent) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}

/// Has the child of `command` inherit `files`, each under the number that it has here.
pub(super) fn hand_over(command: &mut Command, files: Vec<OwnedFd>) {
    if files.is_empty() {
        return;
    }
    let keep_open = move || -> io::Result<()> {
        files.iter().try_for_each(|file| Ok(fcntl_setfd(file, FdFlags::empty())?))
    };
    // SAFETY: the closure runs in the forked child, where only async-signal-safe calls are allowed:
    // it makes one plain system call for each descriptor it owns, and neither allocates, locks nor
    // panics.
    unsafe { command.pre_exec(keep_open) };
}

/// Sets a limit, unless it is lower already.
fn lower(resource: Resource, to: u64) -> io::Result<()> {
    let had = getrlimit(resource);
    let least = |had: Option<u64>| Some(had.map_or(to, |had| had.min(to)));
    Ok(setrlimit(resource, Rlimit { current: least(had.current), maximum: least(had.maximum) })?)
}
