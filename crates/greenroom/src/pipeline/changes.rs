use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use greenroom_device::Wake;

use crate::lock::lock;

/// Wakes those who follow the status when something in it changes: not for numbers, which always do.
#[derive(Debug, Default)]
pub struct Changes {
    followers: Mutex<Vec<Arc<Wake>>>,
    /// Whether there are any, so that a change that nobody follows costs no lock.
    is_followed: AtomicBool,
}

/// A follower; dropped, it follows no more.
#[derive(Debug)]
pub struct Following {
    changes: Arc<Changes>,
    bell: Arc<Wake>,
}

impl Changes {
    /// Something in the status has changed.
    pub fn ring(&self) {
        if self.is_followed.load(SeqCst) {
            lock(&self.followers).iter().for_each(|bell| bell.ring());
        }
    }

    /// From now on `bell` rings at every change.
    pub fn follow(self: &Arc<Self>, bell: Wake) -> Following {
        let bell = Arc::new(bell);
        let mut followers = lock(&self.followers);
        followers.push(Arc::clone(&bell));
        self.is_followed.store(true, SeqCst);
        drop(followers);
        Following { changes: Arc::clone(self), bell }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut followers = lock(&self.changes.followers);
        followers.retain(|bell| !Arc::ptr_eq(bell, &self.bell));
        self.changes.is_followed.store(!followers.is_empty(), SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bells_ring_for_as_long_as_they_follow() {
        let changes = Arc::new(Changes::default());
        changes.ring();
        let [first, second] = [Wake::new().unwrap(), Wake::new().unwrap()];
        let following = changes.follow(first.clone());
        let other = changes.follow(second.clone());
        changes.ring();
        assert!(first.clear() && second.clear());
        drop(following);
        changes.ring();
        assert!(!first.clear() && second.clear());
        drop(other);
        changes.ring();
        assert!(!second.clear());
    }
}
