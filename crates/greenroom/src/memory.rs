//! The program's memory. Where a limit (`ulimit -v`, `RLIMIT_AS`) leaves none, greenroom ends with one sentence and
//! exit code 1, as with any other error; the standard library would abort. The virtual camera then shows what it
//! shows when greenroom has ended in any other way.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stderr;

/// Who asks for more at once may ask whether there is so much (`Vec::try_reserve`): the answer is no, and theirs.
const LARGEST_END_BYTES: usize = 1 << 30;
/// Arenas of glibc's `malloc`. Left alone it makes one for each of our 20 threads, each with 64 MiB of addresses.
/// Threads that have what they need ask for no memory, so that they do not wait for each other here.
#[cfg(target_env = "gnu")]
const MOST_ARENAS: libc::c_int = 2;
const SENTENCE: &[u8] =
    b"greenroom: there is no more memory for greenroom; raise its limit (ulimit -v), or end other programs\n";

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
    static IS_ENDING: AtomicBool = AtomicBool::new(false);
    while IS_ENDING.swap(true, SeqCst) {
        // Another thread is at it: one sentence is enough.
        thread::sleep(Duration::from_secs(1));
    }
    let stderr = stderr();
    let no_wait = Timespec::try_from(Duration::ZERO).ok();
    let mut ready = [PollFd::from_borrowed_fd(stderr, PollFlags::OUT)];
    if poll(&mut ready, no_wait.as_ref()) == Ok(1) && ready[0].revents() == PollFlags::OUT {
        let _ = rustix::io::write(stderr, SENTENCE);
    }
    // SAFETY: `_exit` may be called at any time and in any thread.
    unsafe { libc::_exit(1) }
}

/// Keeps the addresses that memory takes few. To be called before there is a second thread.
pub fn share_arenas() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes a number of the allocator's, and there is no other thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, MOST_ARENAS);
    }
}
