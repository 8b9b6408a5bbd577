//! A locked session and a sleeping machine, on a real bus with a mocked logind: the picture is hidden and the camera closed
//! until all reasons for it have gone.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

mod air;

use air::bus::{Bus, ROOT};
use air::{Air, RED, is_placeholder, yuv};

struct Logind {
    mock: Child,
    /// Closed, it ends, and its bus with it.
    say: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
    address: String,
}

impl Logind {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/session/logind.py");
        // Debian's own Python has Debian's packages.
        let mut mock = Command::new("/usr/bin/python3");
        let mut mock =
            mock.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (say, hear) = (mock.stdin.take().unwrap(), mock.stdout.take().unwrap());
        let say = Some(say);
        let mut logind = Self { mock, say, hear: BufReader::new(hear), address: String::new() };
        logind.address = logind.line();
        assert!(logind.address.starts_with("unix:"), "is python3-dbusmock installed?");
        logind
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.hear.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn ask(&mut self, word: &str) -> String {
        writeln!(self.say.as_mut().unwrap(), "{word}").unwrap();
        self.line()
    }

    fn tell(&mut self, word: &str) {
        assert_eq!(self.ask(word), "done");
    }

    /// A greenroom that hears of this one.
    fn air(&self, args: &[&str]) -> Air {
        self.air_with(args, &[])
    }

    /// The same, with these variables.
    fn air_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Air {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("config.toml"),
            format!("[scenes.red]\nbackground = '{RED}'\n"),
        )
        .unwrap();
        let usual = ["--camera", "room.mkv", "--model", "landscape", "--output", "-"];
        let args = [&usual[..], &["--config", "config.toml", "--scene", "red"], args].concat();
        let variables = [variables, &[("DBUS_SYSTEM_BUS_ADDRESS", &self.address)]].concat();
        Air::start(folder, &args, &variables)
    }
}

impl Drop for Logind {
    fn drop(&mut self) {
        drop(self.say.take());
        let _ = self.mock.wait();
    }
}

fn hides(air: &Air, reasons: &[&str]) {
    air.wait_for_placeholder();
    air.wait_until("the camera is closed", |air| air.status()["camera"]["state"] == "closed");
    assert_eq!(air.status()["hidden_by"], serde_json::json!(reasons));
    // It stays so.
    let first = air.frames();
    air.wait_until("three more", |air| air.frames() >= first + 3);
    assert!(air.corners_since(first).into_iter().all(is_placeholder));
}

#[test]
fn who_locks_the_session_is_hidden_until_it_is_unlocked() {
    let mut logind = Logind::start();
    let air = logind.air(&[]);
    air.wait_for(yuv(RED));
    for _ in 0..3 {
        logind.tell("lock");
        hides(&air, &["lock"]);
        logind.tell("unlock");
        air.wait_for(yuv(RED));
        assert_eq!(air.status()["hidden_by"], serde_json::json!([]));
    }
    // The user's own pause survives both.
    air.tell(&["pause"]);
    hides(&air, &["pause"]);
    logind.tell("lock");
    air.wait_until("both", |air| air.is_hidden_by("lock"));
    hides(&air, &["pause", "lock"]);
    logind.tell("unlock");
    air.wait_until("one", |air| !air.is_hidden_by("lock"));
    hides(&air, &["pause"]);
    // And the lock survives the end of the pause.
    logind.tell("lock");
    air.wait_until("both", |air| air.is_hidden_by("lock"));
    air.tell(&["resume"]);
    hides(&air, &["lock"]);
    logind.tell("unlock");
    air.wait_for(yuv(RED));
    assert_eq!(air.log_has("session: locked; hidden"), 5);
}

/// Programs of the session may end a pause, and nothing but the user a lock.
#[test]
fn nobody_on_the_session_bus_ends_a_lock() {
    let (mut logind, bus) = (Logind::start(), Bus::start());
    let air = logind.air_with(&[], &[("DBUS_SESSION_BUS_ADDRESS", &bus.address())]);
    bus.wait(&air);
    air.wait_for(yuv(RED));
    logind.tell("lock");
    hides(&air, &["lock"]);
    bus.get("call", ROOT, &["Pause"]);
    for ends in [
        &["call", "Resume"][..],
        &["call", "Resume"],
        &["call", "Request", "s", "{\"resume\":{}}"],
        &["set-property", "Paused", "b", "false"],
    ] {
        bus.get(ends[0], ROOT, &ends[1..]);
    }
    hides(&air, &["lock"]);
    assert_eq!(bus.get("call", ROOT, &["Toggle"]), "b true");
    assert_eq!(bus.get("call", ROOT, &["Toggle"]), "b false");
    hides(&air, &["lock"]);
    air.tell(&["resume"]);
    air.wait_for(yuv(RED));
}

#[test]
fn a_session_that_is_locked_already_is_never_shown() {
    let mut logind = Logind::start();
    logind.tell("lock");
    let air = logind.air(&[]);
    air.wait_until("frames", |air| air.frames() >= 5);
    hides(&air, &["lock"]);
    assert!(air.corners_since(0).into_iter().all(is_placeholder));
    assert_eq!(air.status()["camera"]["opened"], 0);
    logind.tell("unlock");
    air.wait_for(yuv(RED));
}

#[test]
fn who_closes_the_lid_is_hidden_before_the_machine_sleeps() {
    let mut logind = Logind::start();
    let air = logind.air(&[]);
    air.wait_for(yuv(RED));
    assert_eq!(logind.ask("inhibitors"), "greenroom");
    logind.tell("sleep");
    air.wait_until("hidden", |air| air.is_hidden_by("sleep"));
    hides(&air, &["sleep"]);
    logind.tell("forged-wake");
    hides(&air, &["sleep"]);
    // Hidden, it holds the sleep up no longer.
    while logind.ask("inhibitors") == "greenroom" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    logind.tell("lock");
    logind.tell("wake");
    air.wait_until("locked", |air| air.is_hidden_by("lock") && !air.is_hidden_by("sleep"));
    hides(&air, &["lock"]);
    // The next one is held up again.
    while logind.ask("inhibitors") != "greenroom" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    logind.tell("unlock");
    air.wait_for(yuv(RED));
}

#[test]
fn a_logind_or_bus_that_goes_is_no_reason_to_be_shown() {
    let mut logind = Logind::start();
    let air = logind.air(&[]);
    air.wait_for(yuv(RED));
    logind.tell("lock");
    hides(&air, &["lock"]);
    logind.tell("restart");
    hides(&air, &["lock"]);
    // It does not know, so that whoever is there says so.
    air.tell(&["resume"]);
    air.wait_for(yuv(RED));
    logind.tell("lock");
    hides(&air, &["lock"]);
    logind.tell("restart");
    hides(&air, &["lock"]);
    logind.tell("lock");
    logind.tell("unlock");
    air.wait_for(yuv(RED));
    // What a logind that goes had begun is over with it.
    logind.tell("sleep");
    air.wait_until("hidden", |air| air.is_hidden_by("sleep"));
    logind.tell("restart");
    air.wait_for(yuv(RED));
    logind.tell("lock");
    hides(&air, &["lock"]);
    // The bus itself goes.
    drop(logind);
    hides(&air, &["lock"]);
}

#[test]
fn who_wants_to_go_on_behind_a_locked_screen_does() {
    let mut logind = Logind::start();
    let air = logind.air(&["--on-lock", "continue"]);
    air.wait_for(yuv(RED));
    logind.tell("lock");
    let first = air.frames();
    air.wait_until("thirty more", |air| air.frames() >= first + 30);
    assert!(!air.corners_since(first).into_iter().any(is_placeholder));
    assert_eq!(air.status()["hidden_by"], serde_json::json!([]));
    // A sleep is another matter.
    logind.tell("sleep");
    air.wait_until("hidden", |air| air.is_hidden_by("sleep"));
    hides(&air, &["sleep"]);
}
