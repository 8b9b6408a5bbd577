//! Pauses by the thousand while an output stands still.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use zbus::message::{Flags, Message};

use crate::air::bus::{Bus, NAME, PATH};
use crate::session_bus::{Daemon, connect, version};
use crate::usage::Usage;

const PAUSES: usize = 3000;
/// Threads more than before, at the most.
const MAX_THREADS: usize = 10;

/// A program on the bus asks for thousands of pauses while nobody reads the output, so that none can be answered before 5 s are
/// over: they wait together in one thread.
#[test]
fn pauses_that_cannot_be_answered_do_not_pile_up() {
    let bus = Bus::start();
    // Nobody reads the pipe.
    let daemon = Daemon::start(&bus, "-", "640x360", Stdio::piped());
    let connection = connect(&bus);
    // It is full then.
    thread::sleep(Duration::from_secs(2));
    let before = Usage::of(daemon.pid());
    for _ in 0..PAUSES {
        let call = Message::method_call(PATH, "Pause").unwrap().destination(NAME).unwrap();
        let call = call.interface(NAME).unwrap().with_flags(Flags::NoReplyExpected).unwrap();
        connection.send(&call.build(&()).unwrap()).unwrap();
    }
    version(&connection).unwrap();
    let mut most = 0;
    for _ in 0..20 {
        most = most.max(Usage::of(daemon.pid()).threads);
        thread::sleep(Duration::from_millis(100));
    }
    println!("{PAUSES} pauses: {before}; then at most {most} threads");
    assert!(most <= before.threads + MAX_THREADS, "{most} threads, {before} before");
}
