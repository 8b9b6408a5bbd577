//! greenroom on a real session bus, tested with systemd's busctl: properties, methods, signals, activation, and the
//! loss of the bus.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod air;

use air::bus::{Bus, NAME, OUTPUT, PATH, ROOT, lines};
use air::socket::Socket;
use air::{Air, BLUE, PATIENCE, RED, yuv};

/// A running greenroom on `bus`, with two scenes.
fn air(bus: &Bus, args: &[&str]) -> Air {
    let folder = tempfile::tempdir().unwrap();
    let config =
        format!("[scenes.red]\nbackground = '{RED}'\n[scenes.blue]\nbackground = '{BLUE}'\n");
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let usual = ["--camera", "room.mkv", "--model", "landscape", "--output", "-"];
    let args = [&usual[..], &["--config", "config.toml", "--scene", "red"], args].concat();
    Air::start(folder, &args, &[("DBUS_SESSION_BUS_ADDRESS", &bus.address())])
}

#[test]
fn properties_and_methods_work() {
    let bus = Bus::start();
    let air = air(&bus, &[]);
    bus.wait(&air);
    air.wait_for(yuv(RED));
    assert_eq!(bus.property(ROOT, "Protocol"), "u 1");
    assert_eq!(bus.property(ROOT, "Paused"), "b false");
    assert_eq!(bus.property(ROOT, "CameraState"), "s \"streaming\"");
    assert_eq!(bus.property(ROOT, "Outputs"), format!("ao 1 \"{}\"", OUTPUT[1]));
    assert_eq!(bus.property(OUTPUT, "Name"), "s \"-\"");
    assert_eq!(bus.property(OUTPUT, "Scene"), "s \"red\"");
    assert_eq!(bus.property(OUTPUT, "State"), "s \"watched\"");

    bus.get("set-property", OUTPUT, &["Background", "s", BLUE]);
    air.wait_for(yuv(BLUE));
    assert_eq!(bus.property(OUTPUT, "Background"), format!("s \"{BLUE}\""));
    bus.get("set-property", OUTPUT, &["Effects", "as", "2", "greyscale", "vignette"]);
    assert!(bus.property(OUTPUT, "Effects").starts_with("as 2 \"greyscale\" \"vignette"));
    bus.get("set-property", OUTPUT, &["Effects", "as", "0"]);
    bus.get("set-property", OUTPUT, &["Scene", "s", "red"]);
    air.wait_for(yuv(RED));
    bus.get("call", ROOT, &["Set", "a{sv}", "2", "Background", "s", BLUE, "Look", "s", "off"]);
    air.wait_for(yuv(BLUE));
    assert_eq!(bus.property(OUTPUT, "Look"), "s \"off\"");
    bus.get("call", OUTPUT, &["ShowScene", "s", "red"]);
    air.wait_for(yuv(RED));
    bus.get("call", ROOT, &["Next"]);
    air.wait_for(yuv(BLUE));

    // A method returns when it is done.
    bus.get("call", ROOT, &["Pause"]);
    air.wait_for_placeholder();
    assert_eq!(bus.property(ROOT, "HiddenBy"), "as 1 \"pause\"");
    assert_eq!(bus.get("call", ROOT, &["Toggle"]), "b false");
    assert_eq!(bus.get("call", ROOT, &["Toggle"]), "b true");
    bus.get("set-property", ROOT, &["Paused", "b", "false"]);
    air.wait_for(yuv(BLUE));
    bus.get("set-property", ROOT, &["IdleAfter", "d", "4.5"]);
    assert_eq!(bus.property(ROOT, "IdleAfter"), "d 4.5");
    let file = air.at("a.png").display().to_string();
    bus.get("call", OUTPUT, &["Snapshot", "s", &file]);
    assert!(air.at("a.png").exists());
    let file = air.at("a.mkv").display().to_string();
    bus.get("call", OUTPUT, &["Record", "sb", &file, "false"]);
    assert_eq!(bus.property(OUTPUT, "Recording"), format!("s \"{file}\""));
    let first = air.frames();
    air.wait_until("frames", |air| air.frames() > first + 5);
    bus.get("call", OUTPUT, &["StopRecording"]);
    assert!(air.at("a.mkv").exists());

    // `Request` takes the requests of the socket.
    let said = bus.get("call", ROOT, &["Request", "s", "{\"hello\":{}}"]);
    assert!(said.contains("\\\"protocol\\\":1"), "{said}");
    let said = bus.get("call", ROOT, &["StatusJson"]);
    assert!(said.contains("\\\"hidden_by\\\":[]"), "{said}");
}

#[test]
fn invalid_calls_are_refused_with_a_sentence() {
    let bus = Bus::start();
    let air = air(&bus, &[]);
    bus.wait(&air);
    for (verb, of, args, words) in [
        ("set-property", OUTPUT, &["Background", "s", "/nowhere.png"][..], "/nowhere.png"),
        ("set-property", OUTPUT, &["Fit", "s", "squeeze"], "cover, contain or stretch"),
        ("set-property", OUTPUT, &["Scene", "s", "green"], "green"),
        ("set-property", ROOT, &["IdleAfter", "d", "1e9"], "86400"),
        ("call", ROOT, &["Set", "a{sv}", "1", "Mood", "s", "good"], "nothing is set of Background"),
        ("call", ROOT, &["Set", "a{sv}", "1", "Look", "u", "7"], "Look is not a text"),
        ("call", OUTPUT, &["Snapshot", "s", "a.png"], "does not begin with /"),
        ("call", OUTPUT, &["StopRecording"], "nothing is being recorded"),
        ("call", ROOT, &["Dance"], "Dance"),
    ] {
        let sentence = bus.refusal(verb, of, args);
        assert!(sentence.contains(words), "{args:?}: {sentence}");
    }
    let said = bus.get("call", ROOT, &["Request", "s", "{\"subscribe\":{}}"]);
    assert!(said.contains("listen to the signals Event"), "{said}");
    let said = bus.get("call", ROOT, &["Request", "s", "{\"fault\":{\"name\":\"leak\"}}"]);
    assert!(said.contains("error"), "{said}");
    // Errors do not contain the password of an address.
    let secret = "https://me:secret@127.0.0.1:1/a.mp4?key=hidden";
    let sentence = bus.refusal("set-property", OUTPUT, &["Background", "s", secret]);
    assert!(!sentence.contains("secret") && !sentence.contains("hidden"), "{sentence}");
    // The scene has not changed.
    air.wait_for(yuv(RED));
    assert_eq!(bus.property(OUTPUT, "Scene"), "s \"red\"");
}

#[test]
fn changes_are_signalled_wherever_they_come_from() {
    let bus = Bus::start();
    let air = air(&bus, &[]);
    bus.wait(&air);
    air.wait_for(yuv(RED));
    let mut monitor = bus.busctl();
    monitor.args(["--json=short", "--match"]).arg(format!("path_namespace='{PATH}'"));
    let mut child = monitor.arg("monitor").stdout(Stdio::piped()).spawn().unwrap();
    let lines = lines(child.stdout.take().unwrap());
    let mut socket = Socket::of(&air);
    // Change the idle time until busctl has subscribed and prints a signal.
    let mut seen: Vec<(Instant, Value)> = Vec::new();
    let is = |value: &Value, member: &str, words: &str| {
        value["member"] == member && value["payload"].to_string().contains(words)
    };
    let begun = Instant::now();
    let mut ms = 1000;
    while seen.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "busctl receives no signal");
        ms += 1;
        socket.ask(&json!({ "idle_after": { "ms": ms } }));
        if let Ok((at, line)) = lines.recv_timeout(Duration::from_millis(100)) {
            seen.push((at, serde_json::from_str(&line).unwrap()));
        }
    }
    let mut wait = |member: &str, words: &str| {
        loop {
            if let Some(place) = seen.iter().position(|(_, value)| is(value, member, words)) {
                return seen.remove(place).0;
            }
            let (at, line) = lines.recv_timeout(PATIENCE).unwrap();
            seen.push((at, serde_json::from_str(&line).unwrap()));
        }
    };
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        for (request, event, property) in [
            (json!({ "set": { "background": BLUE } }), "1e3cc8", "Background"),
            (json!({ "scene": { "name": "red" } }), "c81e1e", "Background"),
            (json!({ "pause": {} }), "hidden_by", "HiddenBy"),
            (json!({ "resume": {} }), "hidden_by", "HiddenBy"),
        ] {
            let asked = Instant::now();
            assert!(socket.ask(&request)["ok"].is_object(), "{request}");
            let signalled = wait("Event", event).max(wait("PropertiesChanged", property));
            slowest = slowest.max(signalled.saturating_duration_since(asked));
        }
    }
    println!("the slowest change was signalled {slowest:?} after its request");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_loss_of_the_bus_affects_nothing_else() {
    let mut bus = Bus::start();
    let air = air(&bus, &[]);
    bus.wait(&air);
    air.wait_for(yuv(RED));
    let mut socket = Socket::of(&air);
    socket.ask(&json!({ "subscribe": {} }));
    for round in 0..2 {
        bus.kill();
        let first = air.frames();
        // The socket and the picture still work.
        let colour = [BLUE, RED][round];
        assert!(socket.ask(&json!({ "set": { "background": colour } }))["ok"].is_object());
        assert_eq!(socket.event_called("scene")["scene"]["background"], colour);
        air.wait_for(yuv(colour));
        air.wait_until("frames", |air| air.frames() > first + 10);
        bus.start_again();
        bus.wait(&air);
        assert_eq!(bus.property(OUTPUT, "Background"), format!("s \"{colour}\""));
        bus.get("call", ROOT, &["Pause"]);
        bus.get("call", ROOT, &["Resume"]);
        air.wait_for(yuv(colour));
    }
    // Only warnings of the bus count: on a busy machine the camera may log some.
    let warnings = air.log_has("WARN bus") + air.log_has("ERROR");
    assert_eq!(warnings, 0, "{}", fs::read_to_string(air.at("log")).unwrap());
}

#[test]
fn a_taken_name_is_reported_and_acquired_when_it_is_free() {
    let bus = Bus::start();
    let mut first = air(&bus, &[]);
    bus.wait(&first);
    let second = air(&bus, &[]);
    second.wait_until("a warning about the name", |air| {
        air.log_has("another program has the name") == 1
    });
    assert!(second.ask(&["set", "scene", "blue"]).status.success());
    second.wait_for(yuv(BLUE));
    assert_eq!(bus.property(OUTPUT, "Scene"), "s \"red\"", "the first greenroom answers");
    first.daemon.kill().unwrap();
    first.daemon.wait().unwrap();
    second.wait_until("the name", |_| {
        bus.ask("get-property", OUTPUT, &["Scene"]).stdout == b"s \"blue\"\n"
    });
}

/// The first method call starts greenroom and gets a reply.
#[test]
fn the_bus_starts_greenroom() {
    let bus = Bus::start();
    let folder = bus.folder.path();
    fs::write(folder.join("c.toml"), "").unwrap();
    // The service file of the package, with a command that needs no camera.
    let packaging = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/dbus");
    let service = fs::read_to_string(format!("{packaging}/{NAME}.service")).unwrap();
    let exec = format!(
        "Exec={} run --camera demo --output null --model landscape --size 160x90 --config {} --socket {}",
        env!("CARGO_BIN_EXE_greenroom"),
        folder.join("c.toml").display(),
        folder.join("socket").display(),
    );
    assert!(service.contains("\nExec=/usr/bin/greenroom run\n"), "{service}");
    let service = service.replace("Exec=/usr/bin/greenroom run", &exec);
    fs::write(folder.join("services").join(format!("{NAME}.service")), service).unwrap();
    assert!(
        bus.busctl()
            .args(["call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig"])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(bus.get("call", ROOT, &["Toggle"]), "b true");
    let said = bus.get("call", ROOT, &["StatusJson"]);
    let pid = said.split("\\\"pid\\\":").nth(1).unwrap().split(',').next().unwrap();
    let pid: i32 = pid.parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

/// Introspection lists the methods, the signal and every scene property.
#[test]
fn introspection_is_complete() {
    let bus = Bus::start();
    let air = air(&bus, &[]);
    bus.wait(&air);
    let listed = |of: [&str; 3]| bus.get("introspect", of, &[]);
    let [root, output] = [listed(ROOT), listed(OUTPUT)];
    let has = |text: &str, name: &str, kind: &str| {
        text.lines().any(|line| line.starts_with(&format!(".{name} ")) && line.contains(kind))
    };
    for method in [
        "Pause",
        "Resume",
        "Toggle",
        "Set",
        "ShowScene",
        "Next",
        "StopRecording",
        "Request",
        "StatusJson",
    ] {
        assert!(has(&root, method, "method"), "{method}: {root}");
    }
    assert!(has(&root, "Event", "signal"), "{root}");
    for key in greenroom::scenes::SCENE_KEYS {
        let name = format!("{}{}", key[..1].to_uppercase(), &key[1..]);
        assert!(
            has(&output, &name, "property") && has(&output, &name, "writable"),
            "{name}: {output}"
        );
    }
}
