//! Events of the control socket: their content, their limits, and `greenroom status --follow`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use greenroom::protocol::{Event, SentEvent};
use greenroom::status::Status;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

mod air;

use air::socket::Socket;
use air::{Air, BLUE, PATIENCE, RED, yuv};

const CONFIG: &str =
    "[scenes.red]\nbackground = 'red.png'\n[scenes.blue]\nbackground = '#1e3cc8'\n";

#[test]
fn events_of_all_changes_add_up_to_the_status() {
    let air = Air::new(CONFIG, &["--scene", "red"]);
    air.wait_for(yuv(RED));
    let mut socket = Socket::of(&air);
    let subscribed = socket.ask(&json!({ "subscribe": {} }));
    let mut known: Status = parsed(&subscribed["ok"]["subscribed"]["status"]);
    let mut seq = subscribed["ok"]["subscribed"]["seq"].as_u64().unwrap();
    assert_eq!(known.outputs[0].scene.name.as_deref(), Some("red"));
    for command in [
        &["set", "scene", "blue"][..],
        &["pause"],
        &["set", "effect", "greyscale"],
        &["set", "look", "off"],
        &["set", "idle-after", "7"],
        &["toggle"],
        &["set", "background", "red.png", "--fit", "contain"],
    ] {
        air.tell(command);
        let is_applied = |known: &Status| match command {
            ["set", "scene", name] => known.outputs[0].scene.name.as_deref() == Some(name),
            ["pause"] => known.hidden_by.len() == 1,
            ["set", "effect", _] => known.outputs[0].scene.effects == ["greyscale"],
            ["set", "look", _] => known.outputs[0].scene.look == "off",
            ["set", "idle-after", _] => known.idle_after_s == 7.0,
            ["toggle"] => known.hidden_by.is_empty(),
            _ => known.outputs[0].scene.fit == "contain",
        };
        while !is_applied(&known) {
            let event: SentEvent = parsed(&socket.event());
            seq += 1;
            assert_eq!(event.seq, Some(seq));
            event.event.apply(&mut known);
        }
    }
    // The camera opens again after the pause, which is an event, too.
    let now: Status = parsed(&air.status());
    let missing = |known: &Status| Event::changes(known, &now);
    while !missing(&known).is_empty() {
        parsed::<SentEvent>(&socket.event()).event.apply(&mut known);
    }
    // A later subscriber gets the status of that moment.
    let mut late = Socket::of(&air);
    let subscribed = late.ask(&json!({ "subscribe": {} }));
    let status: Status = parsed(&subscribed["ok"]["subscribed"]["status"]);
    assert_eq!(Event::changes(&status, &now), []);
}

fn parsed<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

#[test]
fn numbers_come_at_the_pace_that_was_asked_for_and_only_then() {
    let air = Air::new(CONFIG, &[]);
    air.wait_until("frames", |air| air.frames() > 3);
    let [mut with, mut without] = [Socket::of(&air), Socket::of(&air)];
    let subscribed = with.ask(&json!({ "subscribe": { "numbers_ms": 300 } }));
    assert!(subscribed["ok"]["subscribed"]["seq"].is_u64(), "{subscribed}");
    without.ask(&json!({ "subscribe": {} }));
    let mut frames = 0.0;
    for _ in 0..3 {
        let numbers = with.event_called("numbers");
        let ms = numbers["ms"].as_u64().unwrap();
        assert!(ms >= 299, "{numbers}");
        frames += numbers["camera_fps"].as_f64().unwrap() * ms as f64 / 1e3;
        assert_eq!(numbers["outputs"][0]["output"], "-");
    }
    assert!(frames > 0.5, "{frames} frames");
    air.tell(&["pause"]);
    // On a busy machine, what the governor chooses may come before it; numbers never do.
    loop {
        let event = without.event();
        assert!(event.get("numbers").is_none(), "{event}");
        if event.get("hidden_by").is_some() {
            break;
        }
    }
    // A second subscription replaces the interval of the first.
    assert!(with.ask(&json!({ "subscribe": {} }))["ok"].is_object());
    air.tell(&["resume"]);
    let hidden = |event: &Value| event.get("hidden_by").is_some();
    while !hidden(&with.event()) {}
    for (ms, words) in [(99, "write 100 to 3600000"), (3_600_001, "write 100 to 3600000")] {
        let refused = with.ask(&json!({ "subscribe": { "numbers_ms": ms } }));
        assert!(refused["error"].as_str().unwrap().contains(words), "{refused}");
    }
}

/// A subscriber that does not read is disconnected once its socket is full; the others get every event.
#[test]
fn a_subscriber_that_does_not_read_is_disconnected() {
    let air = Air::new(CONFIG, &[]);
    air.wait_until("frames", |air| air.frames() > 3);
    let [mut stalled, mut other, mut client] = [(); 3].map(|()| Socket::of(&air));
    stalled.ask(&json!({ "subscribe": { "numbers_ms": 100 } }));
    other.ask(&json!({ "subscribe": {} }));
    let begun = Instant::now();
    let mut ms = 0;
    // Each change is an event of some 60 bytes; `stalled` leaves 200 KB of them unread.
    let mut received = 0;
    while !is_disconnected(&stalled) {
        for _ in 0..200 {
            ms = ms % 60_000 + 1;
            client.ask(&json!({ "idle_after": { "ms": ms } }));
        }
        while other.event_called("idle_after")["ms"] != ms {
            received += 1;
        }
        assert!(begun.elapsed() < PATIENCE, "the stalled subscriber is never disconnected");
    }
    assert!(received > 0);
    // It can still read the lines from before, then the connection ends.
    while stalled.line().is_some() {}
}

/// Whether greenroom has closed the connection, read or not.
fn is_disconnected(socket: &Socket) -> bool {
    let mut fds = [PollFd::new(&socket.to, PollFlags::RDHUP)];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() > 0
}

#[test]
fn seventeen_subscribers_are_one_too_many_until_one_goes() {
    let air = Air::new(CONFIG, &[]);
    air.wait_until("a socket", |air| air.ask(&["status"]).status.success());
    let mut all: Vec<Socket> = (0..16).map(|_| Socket::of(&air)).collect();
    for socket in &mut all {
        assert!(socket.ask(&json!({ "subscribe": {} }))["ok"].is_object());
    }
    let mut one_more = Socket::of(&air);
    let refused = one_more.ask(&json!({ "subscribe": {} }));
    assert!(refused["error"].as_str().unwrap().contains("16 programs"), "{refused}");
    // A subscriber that has shut down its sending side still gets events.
    all[0].to.shutdown(std::net::Shutdown::Write).unwrap();
    air.tell(&["pause"]);
    assert_eq!(all[0].event_called("hidden_by")["reasons"], json!(["pause"]));
    // Subscribers neither keep other clients out of the socket, nor are disconnected for them.
    for _ in 0..60 {
        air.status();
    }
    drop(all.remove(0));
    let begun = Instant::now();
    while one_more.ask(&json!({ "subscribe": {} })).get("error").is_some() {
        assert!(begun.elapsed() < PATIENCE, "the place of a subscriber that has gone is not free");
        thread::sleep(Duration::from_millis(10));
    }
    air.tell(&["resume"]);
    for socket in all.iter_mut().chain([&mut one_more]) {
        while socket.event_called("hidden_by")["reasons"] != json!([]) {}
    }
}

/// `greenroom status --follow` as text, as JSON and for Waybar.
#[test]
fn status_follows_for_people_programs_and_waybar() {
    let mut air = Air::new(CONFIG, &["--scene", "red"]);
    air.wait_for(yuv(RED));
    let mut followers = [&["--json"][..], &[], &["--waybar"]].map(|args| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["status", "--follow", "--socket"]).arg(air.at("socket")).args(args);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines.map(Result::unwrap))
    });
    let [(_, json), (_, text), (_, waybar)] = &mut followers;
    let value = |line: String| serde_json::from_str::<Value>(&line).unwrap();
    let first = value(json.next().unwrap());
    assert_eq!(first["status"]["outputs"][0]["scene"]["name"], "red", "{first}");
    assert_eq!(text.next().unwrap(), "not hidden");
    assert_eq!(value(waybar.next().unwrap())["class"], "on-air");
    air.tell(&["toggle"]);
    json.map(value).find(|event| event["event"]["hidden_by"]["reasons"] == json!(["pause"]));
    text.find(|line| line == "hidden by pause").unwrap();
    let hidden = waybar.map(value).find(|module| module["class"] == "hidden").unwrap();
    assert!(hidden["tooltip"].as_str().unwrap().starts_with("hidden by pause\n"), "{hidden}");
    air.daemon.kill().unwrap();
    air.daemon.wait().unwrap();
    let stopped = waybar.map(value).find(|module| module["class"] == "stopped").unwrap();
    assert_eq!(stopped["text"], "");
    let [(json, _), (text, _), (waybar, _)] = &mut followers;
    for follower in [json, text] {
        assert_eq!(follower.wait().unwrap().code(), Some(1));
    }
    // The Waybar module waits for greenroom to start again.
    waybar.kill().unwrap();
    waybar.wait().unwrap();
    assert_eq!(air.ask(&["status", "--waybar"]).status.code(), Some(0));
    let refusal = air.refusal(&["status", "--follow", "--numbers", "0.01"]);
    assert!(refusal.contains("write 0.1 to 3600"), "{refusal}");
}

/// A mistake in the configuration is reported as trouble until it is corrected.
#[test]
fn trouble_is_reported_until_it_is_over() {
    let air = Air::new(CONFIG, &["--scene", "blue"]);
    air.wait_for(yuv(BLUE));
    let mut socket = Socket::of(&air);
    socket.ask(&json!({ "subscribe": {} }));
    fs::write(air.at("config.toml"), "[scenes.blue\n").unwrap();
    let has = |event: &Value, words: &str| event["sentences"].to_string().contains(words);
    while !has(&socket.event_called("trouble"), "config.toml") {}
    // A later change of the scene does not clear the trouble.
    air.tell(&["set", "look", "off"]);
    assert!(air.scene()["trouble"].as_str().unwrap().contains("config.toml"));
    fs::write(air.at("config.toml"), CONFIG).unwrap();
    while socket.event_called("trouble")["sentences"] != json!([]) {}
    assert_eq!(air.scene()["trouble"], Value::Null);
}

/// The reply to a toggle says whether greenroom is paused, and comes when the toggle is done.
#[test]
fn a_toggle_hides_and_shows() {
    let air = Air::new(CONFIG, &["--scene", "blue"]);
    air.wait_for(yuv(BLUE));
    let mut socket = Socket::of(&air);
    for _ in 0..3 {
        assert_eq!(
            socket.ask(&json!({ "toggle": {} })),
            json!({ "ok": { "toggled": { "paused": true } } })
        );
        assert!(air.is_hidden_by("pause"));
        assert_eq!(
            socket.ask(&json!({ "toggle": {} })),
            json!({ "ok": { "toggled": { "paused": false } } })
        );
        assert!(!air.is_hidden_by("pause"));
    }
    air.wait_for(yuv(BLUE));
    let hello = socket.ask(&json!({ "hello": { "protocol": 1 } }));
    assert_eq!(hello["ok"]["hello"]["protocol"], 1, "{hello}");
    let newer = socket.ask(&json!({ "hello": { "protocol": 2 } }));
    assert!(newer["error"].as_str().unwrap().contains("speaks protocol 1, not 2"), "{newer}");
}
