//! Subscribers of a greenroom in which nothing happens.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use zbus::blocking::MessageIterator;

use crate::air::PATIENCE;
use crate::air::bus::{Bus, NAME, PATH};
use crate::client::Client;
use crate::session_bus::{Daemon, connect};

/// How long no thread may be woken.
const QUIET: Duration = Duration::from_secs(3);

/// How often each thread of the process has gone to sleep or was made to wait, by its name.
fn context_switches(pid: u32) -> Vec<(String, u64)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let read = tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    let mut all: Vec<(String, u64)> = read
        .map(|status| {
            let value = |line: &str| line.split_whitespace().nth(1).unwrap_or_default().to_owned();
            let name = status.lines().next().map(value).unwrap();
            let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
            (name, counts.map(|line| value(line).parse::<u64>().unwrap()).sum())
        })
        .collect();
    all.sort();
    all
}

/// While nobody watches, subscribers that want no numbers, on the socket and on the bus, do not have a single thread woken: no
/// system call is made. The output waits for a loopback, or is one that nobody reads: what is read from a file or pipe is written
/// five times a second also while it is paused.
#[test]
fn subscribers_wake_nobody_while_nothing_happens() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus, "auto", "160x90", Stdio::null());
    let connection = connect(&bus);
    let path = daemon.folder.path().join("socket");
    let mut socket = Client::connect(&path);
    socket.ask(&json!({ "pause": {} }));
    let subscribed = socket.ask(&json!({ "subscribe": {} }));
    let state = &subscribed["ok"]["subscribed"]["status"]["outputs"][0]["state"];
    assert!(state == "missing" || state == "holding", "{subscribed}");
    let rule = format!("type='signal',sender='{NAME}',path='{PATH}'");
    let signals = MessageIterator::for_match_rule(rule.as_str(), &connection, Some(1024));
    let mut signals = signals.unwrap();

    let begun = Instant::now();
    for window in 1.. {
        let before = context_switches(daemon.pid());
        thread::sleep(QUIET);
        let after = context_switches(daemon.pid());
        if before == after {
            println!("{} threads, none of them woken in {QUIET:?} (window {window})", after.len());
            break;
        }
        let is_new = |thread: &&(String, u64)| !before.contains(thread);
        println!("window {window}: {:?}", after.iter().filter(is_new).collect::<Vec<_>>());
        assert!(begun.elapsed() < PATIENCE, "woken again and again: {before:?}, then {after:?}");
    }
    // Both still listen.
    let before = context_switches(daemon.pid());
    let mut other = Client::connect(&path);
    other.ask(&json!({ "idle_after": { "ms": 7000 } }));
    assert_eq!(socket.line().unwrap()["event"]["idle_after"]["ms"], 7000);
    let is_it = |signal: zbus::Message| {
        let event = signal.body().deserialize::<String>();
        event.is_ok_and(|event| event.contains("\"idle_after\":{\"ms\":7000}"))
    };
    assert!(signals.by_ref().map_while(Result::ok).any(is_it), "told on the bus");
    assert_ne!(context_switches(daemon.pid()), before, "the counting counts");
}
