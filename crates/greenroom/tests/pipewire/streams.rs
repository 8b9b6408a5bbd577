//! What is offered, who watches, and when the camera is open.

use std::time::Duration;
use std::{fs, thread};

use pipewire::spa::pod::Value;

use super::reader::{Reader, Seen, judge, offered};
use super::session::{Greenroom, Session, wait_until};

/// The camera that is not named.
const NAME: &str = "greenroom";
const TO_PIPEWIRE: [&str; 4] = ["--output", "pipewire", "--size", "320x180"];

/// How often a reader comes and goes, and how many watch at once; more by `GREENROOM_READERS` for a longer test.
fn times() -> u32 {
    std::env::var("GREENROOM_READERS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

fn assert_well(seen: &Seen) {
    assert_eq!((seen.leaks, seen.strange, seen.complaints.len()), (0, 0, 0), "{seen:?}");
}

#[test]
fn one_format_is_offered_with_plain_values() {
    let session = Session::with_pipewire();
    let greenroom = Greenroom::start(&session, &TO_PIPEWIRE);
    let (formats, properties) = offered(&session.socket(), NAME);
    let [Value::Object(format)] = &formats[..] else { panic!("{formats:?}") };
    for property in &format.properties {
        assert!(!matches!(property.value, Value::Choice(_)), "{property:?}");
        // 30000/1001 is told as 30.
        if let Value::Fraction(rate) = property.value {
            assert_eq!((rate.num, rate.denom), (30, 1));
        }
    }
    assert_eq!(format.properties.len(), 7, "{format:?}");
    let get = |key: &str| {
        let found = properties.iter().find(|(name, _)| name == key);
        found.map_or("", |(_, value)| value).to_owned()
    };
    for (key, value) in [
        ("media.class", "Video/Source"),
        ("media.role", "Camera"),
        ("media.type", "Video"),
        ("media.category", "Capture"),
        ("node.name", NAME),
        ("node.description", NAME),
    ] {
        assert_eq!(get(key), value, "{properties:?}");
    }
    // Who only looks is no watcher.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(greenroom.output(0)["state"], "holding");
    assert_eq!(greenroom.status()["camera"]["opened"], 0);
}

#[test]
fn several_watch_and_come_and_go_and_the_camera_is_open_meanwhile() {
    let session = Session::with_pipewire();
    let greenroom = Greenroom::start(&session, &TO_PIPEWIRE);
    greenroom.wait_for_state(0, "holding");
    let start = || Reader::start(session.socket(), NAME, true);
    let first = start();
    assert_well(&first.wait_for(1));
    first.wait_for_picture();
    assert_well(&first.seen());
    greenroom.wait_for_camera("streaming");
    // PipeWire tells who it is a moment after the link.
    wait_until("who watches", || greenroom.output(0)["watchers"][0]["pid"] == std::process::id());
    let others = [start(), start()];
    others.iter().for_each(|reader| reader.wait_for_picture());
    others.iter().for_each(|reader| assert_well(&reader.seen()));
    for _ in 0..times() {
        let passing = start();
        passing.wait_for(2);
        assert_well(&passing.stop());
    }
    assert_well(&first.wait_for(20));
    for reader in others {
        assert_well(&reader.stop());
    }
    // The same as the program that most use to look.
    let mut gst = session.command("gst-launch-1.0");
    gst.args(["-q", "pipewiresrc", "num-buffers=30", &format!("target-object={NAME}")]);
    gst.args(["!", "video/x-raw,format=YUY2", "!", "filesink", "location=taken"]);
    assert!(gst.status().expect("install gstreamer1.0-tools").success());
    let taken = fs::read(session.at("taken")).unwrap();
    // On a busy machine it ends before it has taken all; what it has is whole frames.
    let frames = taken.len() / (320 * 180 * 2);
    assert!(frames > 0 && taken.len().is_multiple_of(320 * 180 * 2), "{} bytes", taken.len());
    let kinds: Vec<_> = taken.chunks_exact(320 * 180 * 2).map(judge).collect();
    assert!(kinds.iter().all(|kind| ["composed", "torn"].contains(kind)), "{kinds:?}");
    assert_well(&first.stop());
    greenroom.wait_for_state(0, "holding");
    greenroom.wait_for_camera("closed");
    // WirePlumber suspends it after 5 s, with which the format goes.
    thread::sleep(Duration::from_secs(7));
    let again = start();
    assert_well(&again.wait_for(1));
    again.wait_for_picture();
    assert_well(&again.stop());
}

#[test]
fn three_hundred_frames_of_a_usual_size_are_right() {
    let session = Session::with_pipewire();
    let greenroom = Greenroom::start(&session, &["--output", "pipewire", "--size", "1280x720"]);
    greenroom.wait_for_state(0, "holding");
    let reader = Reader::start(session.socket(), NAME, true);
    reader.wait_for_picture();
    // A hundred at a time: a busy machine takes longer.
    let [.., seen] = [(); 3].map(|()| reader.wait_for(100));
    assert_well(&seen);
    // How many it takes depends on what else the machine does.
    assert!(seen.composed >= 100, "{seen:?}");
    println!("{seen:?}");
    reader.stop();
}

#[test]
fn many_watch_at_once() {
    let session = Session::with_pipewire();
    let greenroom = Greenroom::start(&session, &TO_PIPEWIRE);
    greenroom.wait_for_state(0, "holding");
    let readers: Vec<_> =
        (0..times()).map(|_| Reader::start(session.socket(), NAME, true)).collect();
    for reader in &readers {
        reader.wait_for_picture();
    }
    for reader in readers {
        assert_well(&reader.stop());
    }
    greenroom.wait_for_state(0, "holding");
    greenroom.wait_for_camera("closed");
}

#[test]
fn who_stands_still_holds_up_nobody() {
    let session = Session::with_pipewire();
    let args = [&TO_PIPEWIRE[..], &["--output", "beside.y4m"]].concat();
    let greenroom = Greenroom::start(&session, &args);
    greenroom.wait_for_state(0, "holding");
    let still = Reader::start(session.socket(), NAME, false);
    greenroom.wait_for_state(0, "watched");
    let reader = Reader::start(session.socket(), NAME, true);
    reader.wait_for_picture();
    // A program that is stopped by a signal.
    let mut gst = session.command("gst-launch-1.0");
    gst.args(["-q", "pipewiresrc", &format!("target-object={NAME}")]);
    gst.args(["!", "video/x-raw,format=YUY2", "!", "filesink", "location=/dev/null"]);
    let mut gst = gst.spawn().expect("install gstreamer1.0-tools");
    wait_until("two programs", || {
        greenroom.output(0)["watchers"].as_array().is_some_and(|watchers| watchers.len() == 2)
    });
    let pid = rustix::process::Pid::from_child(&gst);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let beside = greenroom.output(1)["written"].as_u64().unwrap();
    assert_well(&reader.wait_for(30));
    wait_until("frames beside", || greenroom.output(1)["written"].as_u64().unwrap() > beside + 30);
    gst.kill().unwrap();
    gst.wait().unwrap();
    assert_well(&reader.wait_for(10));
    drop(still);
}
