//! What a process holds: memory, descriptors, threads.

use std::fmt;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::air::PATIENCE;

/// What memory may grow by on the whole.
const ALLOWED_KIB: u64 = 24 << 10;

/// Descriptors and threads more than before: some come and go by themselves. What leaks does so with every message.
const ALLOWED: usize = 4;

#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// The resident set.
    pub kib: u64,
    pub descriptors: usize,
    pub threads: usize,
}

impl Usage {
    pub fn of(pid: u32) -> Self {
        let count = |folder: &str| fs::read_dir(format!("/proc/{pid}/{folder}")).unwrap().count();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        let kib = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        Self { kib, descriptors: count("fd"), threads: count("task") }
    }

    /// The same three times in a row, a quarter of a second apart: what was under way has ended.
    pub fn settled(pid: u32) -> Self {
        let begun = Instant::now();
        let mut last = Self::of(pid);
        let mut same = 0;
        while same < 3 {
            assert!(begun.elapsed() < PATIENCE, "it does not come to rest: {last:?}");
            thread::sleep(Duration::from_millis(250));
            let now = Self::of(pid);
            let is_same = (now.descriptors, now.threads) == (last.descriptors, last.threads);
            same = if is_same { same + 1 } else { 0 };
            last = now;
        }
        last
    }

    /// Waits until no more is held than `before`, but for a little memory; then what is held.
    pub fn not_above(before: Self, pid: u32) -> Self {
        let begun = Instant::now();
        loop {
            let now = Self::settled(pid);
            let has_grown = now.descriptors > before.descriptors + ALLOWED
                || now.threads > before.threads + ALLOWED
                || now.kib > before.kib + ALLOWED_KIB;
            if !has_grown {
                return now;
            }
            assert!(begun.elapsed() < PATIENCE, "it has grown from {before} to {now}");
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kib, descriptors, threads } = self;
        write!(f, "{kib:>7} KiB, {descriptors:>3} descriptors, {threads:>3} threads")
    }
}
