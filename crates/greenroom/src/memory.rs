//! The program's memory. Where a limit (`ulimit -v`, `RLIMIT_AS`) leaves none, greenroom ends with one sentence and
//! exit code 1, as with any other error; the standard library would abort. The virtual camera then shows what it
//! shows when greenroom has ended in any other way.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use rustix::process::{Resource, getrlimit};
use rustix::stdio::stderr;

/// Who asks for more at once may ask whether there is so much (`Vec::try_reserve`): the answer is no, and theirs.
const LARGEST_END_BYTES: usize = 1 << 30;
/// Arenas of glibc's `malloc`. Left alone it makes one for each of our 20 threads, each with 64 MiB of addresses.
/// Threads that have what they need ask for no memory, so that they do not wait for each other here.
#[cfg(target_env = "gnu")]
const MOST_ARENAS: libc::c_int = 2;
/// The main thread's stack: a debug build takes 0.8 MiB of it for `render`.
const MAIN_STACK_BYTES: usize = 2 << 20;
/// Where the system does not give so much at once, an abort is taken for the want of memory: a thread's stack is 2 MiB,
/// and what other threads asked for (a network, up to 50 MB) may have come back until somebody looks.
const SCARCE_BYTES: usize = 64 << 20;
const SENTENCE: &[u8] =
    b"greenroom: there is no more memory for greenroom; raise its limit (ulimit -v), or end other programs\n";

/// The process ends, for want of memory or in order.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// The system's allocator; where it has nothing more, the process ends.
pub struct Memory;

// SAFETY: every call is handed to the system's allocator as it came, and its answer is handed back.
unsafe impl GlobalAlloc for Memory {
    /// # Safety
    /// What the trait asks for.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        there_is(unsafe { System.alloc(layout) }, layout.size())
    }

    /// # Safety
    /// What the trait asks for.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        there_is(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    /// # Safety
    /// What the trait asks for.
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for: all memory of ours is the system's.
        there_is(unsafe { System.realloc(memory, layout, new_bytes) }, new_bytes)
    }

    /// # Safety
    /// What the trait asks for.
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are those that `System` asks for: all memory of ours is the system's.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn there_is(memory: *mut u8, size_bytes: usize) -> *mut u8 {
    if memory.is_null() && size_bytes <= LARGEST_END_BYTES {
        end();
    }
    memory
}

/// Says why, if standard error takes it without a wait, and ends. Nothing here asks for memory, or takes a lock.
fn end() -> ! {
    if IS_ENDING.swap(true, SeqCst) {
        // One sentence is enough: another thread is at it, or this one was when an abort came.
        thread::sleep(Duration::from_secs(1));
    } else {
        say_sentence();
    }
    // SAFETY: `_exit` may be called at any time and in any thread.
    unsafe { libc::_exit(1) }
}

/// Waits for the end for want of memory, if another thread is at it: its sentence and its exit code belong together. To be
/// called last of all, before the process ends in order.
pub fn end_in_order() {
    if IS_ENDING.swap(true, SeqCst) {
        loop {
            thread::sleep(Duration::from_secs(1));
        }
    }
}

fn say_sentence() {
    let stderr = stderr();
    let no_wait = Timespec::try_from(Duration::ZERO).ok();
    let mut ready = [PollFd::from_borrowed_fd(stderr, PollFlags::OUT)];
    if poll(&mut ready, no_wait.as_ref()) == Ok(1) && ready[0].revents() == PollFlags::OUT {
        let _ = rustix::io::write(stderr, SENTENCE);
    }
}

/// What greenroom needs of the system before anything else runs. To be called while there is one thread.
pub fn prepare() {
    share_arenas();
    end_without_abort();
    grow_stack();
}

/// Keeps the addresses that memory takes few.
fn share_arenas() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes a number of the allocator's, and there is no other thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, MOST_ARENAS);
    }
}

/// The C library and the standard library abort where they find no memory for themselves, at the start of a thread above
/// all. An abort while there is hardly any memory ends greenroom with the sentence; any other, also
/// one that comes from outside (a service manager's watchdog), ends it as ever.
fn end_without_abort() {
    extern "C" fn aborted(signal: libc::c_int) {
        if !there_are(SCARCE_BYTES) {
            end();
        }
        // SAFETY: both may be called in a handler. The signal is delivered again when the handler returns.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
    let aborted: extern "C" fn(libc::c_int) = aborted;
    // SAFETY: the handler calls the system only, and takes no lock.
    unsafe {
        libc::signal(libc::SIGABRT, aborted as libc::sighandler_t);
    }
}

/// The main thread's stack takes its addresses when it first needs them, and the kernel ends the process with SIGSEGV if
/// there are none left by then. So it takes all of them now; other threads' stacks are whole from the start.
fn grow_stack() {
    #[inline(never)]
    fn take(left_bytes: usize) {
        const STEP_BYTES: usize = 16 << 10;
        let step = [const { MaybeUninit::<u8>::uninit() }; STEP_BYTES];
        black_box(&step);
        if left_bytes > STEP_BYTES {
            take(left_bytes - STEP_BYTES);
        }
        // Not a tail call: the steps lie below each other.
        black_box(&step);
    }
    let most_bytes = getrlimit(Resource::Stack).current.map_or(u64::MAX, |bytes| bytes / 2);
    let stack_bytes = usize::try_from(most_bytes).unwrap_or(usize::MAX).min(MAIN_STACK_BYTES);
    if !there_are(stack_bytes) {
        end();
    }
    take(stack_bytes);
}

/// Whether the system would give `size_bytes` in one piece.
fn there_are(size_bytes: usize) -> bool {
    let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
    // SAFETY: the mapping is new, nobody else knows it, and it goes at once.
    unsafe {
        match mmap_anonymous(ptr::null_mut(), size_bytes, protection, flags) {
            Ok(memory) => munmap(memory, size_bytes).is_ok(),
            Err(_) => false,
        }
    }
}
