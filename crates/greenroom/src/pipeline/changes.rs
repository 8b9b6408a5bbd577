use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use greenroom_device::Wake;

use crate::lock::lock;

/// Rings the bells of its followers when the status changes. Changes of mere counts and rates do not ring.
#[derive(Debug, Default)]
pub struct Changes {
    followers: Mutex<Vec<Arc<Wake>>>,
    /// Whether there are followers, so that a change without followers takes no lock.
    is_followed: AtomicBool,
}

/// A registered follower. Dropping it removes the follower.
#[derive(Debug)]
pub struct Following {
    changes: Arc<Changes>,
    bell: Arc<Wake>,
}

impl Changes {
    /// Rings all bells, after a change of the status.
    pub fn ring(&self) {
        if self.is_followed.load(SeqCst) {
            lock(&self.followers).iter().for_each(|bell| bell.ring());
        }
    }

    /// Registers `bell` to ring at every change, until the returned value is dropped.
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
    fn a_bell_rings_until_its_follower_is_dropped() {
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
