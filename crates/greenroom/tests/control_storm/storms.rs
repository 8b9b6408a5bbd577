//! Hostile messages by the thousand, on either transport: greenroom stays as it is, and a pause gets through.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::air::bus::Bus;
use crate::air::{Air, BLUE, yuv};
use crate::client::Client;
use crate::session_bus::on_air;
use crate::usage::Usage;
use crate::{bus_storm, socket_storm};

/// Messages on each transport.
const MESSAGES: usize = 10_000;
/// After each part it is looked at what is held.
const PARTS: usize = 5;
/// By how much memory may grow in the part in which it grows least. (It grows in steps by what was needed at once at the most, of
/// which the allocator gives nothing back; a leak shows in every part.)
const MAX_GROWTH_KIB: u64 = 512;
/// Messages of the same kinds before anything is measured.
const WARM_UP: usize = 2000;
/// Pauses that must have been answered while a storm went on.
const MIN_PAUSES: usize = 10;
/// In what time a pause is to be answered where no other program is busy: printed, not judged.
const PAUSE_GOAL: Duration = Duration::from_millis(50);
/// What is told of a connection that was let go for another.
const NO_PLACE: &str = "connect again";
/// Events that may be sent to one who reads none of them. Each takes 768 bytes or more of a socket's 208 KiB.
const MAX_UNREAD_EVENTS: u64 = 1000;
/// What there may be left of them to read.
const MAX_UNREAD_BYTES: usize = 256 << 10;

/// What became of the messages that were waited for.
#[derive(Debug, Default)]
pub struct Counts {
    pub refused: usize,
    pub answered: usize,
}

/// What became of the pauses that were asked for during a storm.
#[derive(Default)]
struct Pauses {
    /// How long each answer took.
    took: Vec<Duration>,
    /// Whoever has connected and says nothing for a moment may have to connect again.
    again: usize,
    /// The most threads and memory that were seen meanwhile.
    most: (usize, u64),
}

impl Pauses {
    /// Pauses and resumes until `is_over`.
    fn until(is_over: &AtomicBool, air: &Air) -> Self {
        let mut pauses = Self::default();
        while !is_over.load(SeqCst) {
            let begun = Instant::now();
            pauses.ask(air, "{\"pause\":{}}\n");
            pauses.took.push(begun.elapsed());
            let Usage { kib, threads, .. } = Usage::of(air.daemon.id());
            pauses.most = (pauses.most.0.max(threads), pauses.most.1.max(kib));
            pauses.ask(air, "{\"resume\":{}}\n");
            thread::sleep(Duration::from_millis(20));
        }
        pauses
    }

    fn add(&mut self, other: Self) {
        self.took.extend(other.took);
        self.again += other.again;
        self.most = (self.most.0.max(other.most.0), self.most.1.max(other.most.1));
    }

    fn print(&self) {
        let mut took = self.took.clone();
        took.sort();
        let (half, slowest) = (took[took.len() / 2], took[took.len() - 1]);
        let slow = took.iter().filter(|took| **took >= PAUSE_GOAL).count();
        println!(
            "{} pauses meanwhile: half answered in {half:.1?}, the slowest in {slowest:.1?}, {slow} not within {PAUSE_GOAL:?}; \
             {} connections had to be made again; at most {} threads and {} KiB",
            took.len(),
            self.again,
            self.most.0,
            self.most.1
        );
    }

    fn ask(&mut self, air: &Air, request: &str) {
        loop {
            let mut client = Client::connect(&air.at("socket"));
            let reply = client.send(request.as_bytes()).then(|| client.reply()).flatten();
            match reply {
                Some(reply) if reply["ok"].is_object() => return,
                Some(reply) if !reply["error"].as_str().unwrap().contains(NO_PLACE) => {
                    panic!("{request}: {reply}")
                }
                _ => self.again += 1,
            }
        }
    }
}

/// What is held once everything is as at the beginning.
fn at_rest(air: &Air) -> Usage {
    let mut client = Client::connect(&air.at("socket"));
    for request in [
        json!({ "resume": {} }),
        json!({ "set": { "background": BLUE, "effects": [], "framing": "whole" } }),
        json!({ "idle_after": { "ms": 3000 } }),
    ] {
        assert_eq!(client.ask(&request), json!({ "ok": { "done": {} } }), "{request}");
    }
    drop(client);
    air.wait_for(yuv(BLUE));
    Usage::settled(air.daemon.id())
}

/// Ends what goes on beside a storm, also where the storm fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Does what `storm` does while another pauses and resumes.
fn beside_pauses<T>(air: &Air, storm: impl FnOnce() -> T) -> (T, Pauses) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let pauses = scope.spawn(|| Pauses::until(&is_over, air));
        let end = End(&is_over);
        let done = storm();
        drop(end);
        (done, pauses.join().unwrap())
    })
}

/// Has `storm` send its messages, by a seed and a count, in parts after a warm-up; what is held after each part is no more than
/// before. Returns how many lines or calls were refused.
fn storm(air: &Air, mut storm: impl FnMut(u64, usize) -> Counts) -> usize {
    let pid = air.daemon.id();
    beside_pauses(air, || storm(1, WARM_UP));
    let (begun, mut counts, mut pauses) = (Instant::now(), Counts::default(), Pauses::default());
    let mut rows = vec![at_rest(air)];
    for part in 0..PARTS {
        let (counted, paused) = beside_pauses(air, || storm(2 + part as u64, MESSAGES / PARTS));
        counts.refused += counted.refused;
        counts.answered += counted.answered;
        pauses.add(paused);
        at_rest(air);
        rows.push(Usage::not_above(rows[0], pid));
    }
    println!("{MESSAGES} messages in {:.1?}: {counts:?}", begun.elapsed());
    for (part, row) in rows.iter().enumerate() {
        println!("{:>6} messages: {row}", part * MESSAGES / PARTS);
    }
    let grown = rows.windows(2).map(|rows| rows[1].kib.saturating_sub(rows[0].kib));
    let grown = grown.min().unwrap();
    assert!(grown <= MAX_GROWTH_KIB, "{grown} KiB more in each part");
    pauses.print();
    // Not by the clock, which tells as much of the machine.
    assert!(pauses.took.len() >= MIN_PAUSES, "{:?}", pauses.took);
    assert_eq!(air.log_has("ERROR"), 0);
    counts.refused
}

/// 10,000 malformed and hostile messages on the socket, among them thousands of connections that say nothing: each that is a
/// line is answered, a pause gets through all the while, a subscriber that never reads is let go, and greenroom holds no more
/// than before.
#[test]
fn a_storm_on_the_socket_leaves_nothing_behind() {
    let bus = Bus::start();
    let air = on_air(&bus, BLUE);
    let socket = air.at("socket");
    let mut most_unread = 0;
    let refused = storm(&air, |seed, count| {
        let mut deaf = Client::connect(&socket);
        assert!(deaf.ask(&json!({ "subscribe": {} }))["ok"].is_object());
        let counts = socket_storm::send(&socket, seed, count);
        fill(&air, &deaf);
        most_unread = most_unread.max(deaf.count_rest());
        counts
    });
    println!("a subscriber that never read was let go with at most {most_unread} bytes unread");
    assert!(most_unread <= MAX_UNREAD_BYTES, "{most_unread}");
    assert!(refused > MESSAGES / 4, "{refused}");
}

/// Sends events until `deaf` is let go, unless it is already.
fn fill(air: &Air, deaf: &Client) {
    let mut client = Client::connect(&air.at("socket"));
    for ms in 0..MAX_UNREAD_EVENTS {
        if deaf.is_let_go() {
            return;
        }
        client.ask(&json!({ "idle_after": { "ms": ms } }));
    }
    panic!("{MAX_UNREAD_EVENTS} events were sent to one who reads none");
}

/// 10,000 malformed and hostile messages on the session bus, most of them without waiting for a reply: greenroom answers after
/// them as before, a pause over the socket gets through all the while, and greenroom holds no more than before.
#[test]
fn a_storm_on_the_bus_leaves_nothing_behind() {
    let bus = Bus::start();
    let air = on_air(&bus, BLUE);
    let refused = storm(&air, |seed, count| bus_storm::send(&bus, seed, count));
    assert!(refused > MESSAGES / 10, "{refused}");
}
