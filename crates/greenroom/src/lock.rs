//! Locks around data that is moved or assigned whole: every state between two assignments is a state, so that a thread
//! that panicked with one leaves nothing behind.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes the lock, whoever panicked with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
