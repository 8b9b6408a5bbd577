//! Cameras that PipeWire offers: taken, lost, found again, and listed.

use serde_json::Value;

use super::made_camera::{MadeCamera, Wanted};
use super::own_camera::{OwnCamera, Said, truth};
use super::reader::{Reader, Seen};
use super::session::{Greenroom, Session, wait_until};

const OUTPUT: [&str; 4] = ["--output", "pipewire", "--size", "320x180"];
const BLUE: Wanted<'static> = Wanted {
    name: "blue",
    format: "YUY2",
    size: (320, 180),
    pattern: "solid-color",
    properties: &[],
};

fn assert_well(seen: &Seen) {
    assert_eq!((seen.leaks, seen.strange, seen.complaints.len()), (0, 0, 0), "{seen:?}");
}

fn watch(session: &Session) -> Reader {
    Reader::start(session.socket(), "greenroom", true)
}

fn list(session: &Session) -> (String, Value) {
    let greenroom = || session.command(env!("CARGO_BIN_EXE_greenroom"));
    let text = greenroom().arg("list").output().unwrap();
    let json = greenroom().args(["list", "--json"]).output().unwrap();
    (String::from_utf8(text.stdout).unwrap(), serde_json::from_slice(&json.stdout).unwrap())
}

#[test]
fn every_format_is_taken_while_somebody_watches_and_only_then() {
    let session = Session::with_pipewire();
    for (format, mode) in
        [("YUY2", "YUYV"), ("NV12", "NV12"), ("I420", "I420"), ("UYVY", "UYVY"), ("MJPG", "MJPG")]
    {
        let _camera = MadeCamera::start(&session, Wanted { format, ..BLUE });
        let greenroom = Greenroom::start_at(&session, "pipewire:blue", &OUTPUT);
        greenroom.wait_for_state(0, "holding");
        assert_eq!(greenroom.camera()["state"], "closed");
        assert_eq!(session.links_of("blue"), 0);
        let reader = watch(&session);
        reader.wait_for_picture();
        let camera = greenroom.camera();
        assert_eq!(camera["state"], "streaming");
        assert_eq!(camera["mode"], format!("320x180 {mode} at 15 fps"), "{camera}");
        assert_eq!(camera["name"], "blue (PipeWire)");
        assert_eq!(session.links_of("blue"), 1);
        reader.wait_for(10);
        assert_well(&reader.stop());
        greenroom.wait_for_camera("closed");
        wait_until("no link", || session.links_of("blue") == 0);
        // The next call.
        let reader = watch(&session);
        reader.wait_for_picture();
        assert_well(&reader.stop());
        assert_eq!(greenroom.camera()["opened"], 2);
    }
}

#[test]
fn a_jpeg_that_is_longer_than_the_first_one_is_whole() {
    let session = Session::with_pipewire();
    let snow = Wanted { format: "MJPG", size: (640, 360), pattern: "snow", ..BLUE };
    let _camera = MadeCamera::start(&session, snow);
    let args = ["--output", "null", "--size", "640x360"];
    let greenroom = Greenroom::start_at(&session, "pipewire:blue", &args);
    let frames = || greenroom.status()["frames"].clone();
    wait_until("frames", || frames()["taken"].as_u64() > Some(20));
    assert_eq!(frames()["corrupt"], 0, "{}", frames());
}

#[test]
fn it_is_lost_when_the_node_goes_and_back_when_it_returns_in_another_format() {
    let session = Session::with_pipewire();
    let start = |name, size| OwnCamera::start(session.socket(), name, size);
    // Another one is there all the time, and never taken in its place.
    let _other = start("other", (320, 180));
    let mut camera = Some(start("blue", (320, 180)));
    wait_until("the camera", || list(&session).0.contains("pipewire:blue"));
    let greenroom = Greenroom::start_at(&session, "pipewire:blue", &OUTPUT);
    greenroom.wait_for_state(0, "holding");
    let reader = watch(&session);
    reader.wait_for_picture();
    for (size, mode) in
        [((640, 360), "640x360 YUYV at 15 fps"), ((162, 90), "162x90 YUYV at 15 fps")]
    {
        drop(camera.take());
        greenroom.wait_for_camera("lost");
        let before = reader.seen().placeholders;
        wait_until("the placeholder", || reader.seen().placeholders > before + 2);
        assert_eq!(session.links_of("other"), 0);
        camera = Some(start("blue", size));
        greenroom.wait_for_camera("streaming");
        reader.wait_for_picture();
        assert_eq!(greenroom.camera()["mode"], mode);
    }
    assert_well(&reader.stop());
    let log = greenroom.log();
    let gone = log.lines().filter(|line| line.contains("Own blue (PipeWire) has gone away"));
    assert_eq!(gone.count(), 2, "{log}");
}

#[test]
fn another_size_in_the_middle_of_a_stream_is_taken_up() {
    let session = Session::with_pipewire();
    let camera = OwnCamera::start(session.socket(), "blue", (320, 180));
    wait_until("the camera", || list(&session).0.contains("pipewire:blue"));
    let greenroom = Greenroom::start_at(&session, "pipewire:blue", &OUTPUT);
    greenroom.wait_for_state(0, "holding");
    let reader = watch(&session);
    reader.wait_for_picture();
    for (size, mode) in
        [((640, 360), "640x360 YUYV at 15 fps"), ((162, 90), "162x90 YUYV at 15 fps")]
    {
        camera.resize(size);
        wait_until(mode, || greenroom.camera()["mode"] == mode);
        reader.wait_for_picture();
    }
    assert_well(&reader.stop());
}

#[test]
fn it_comes_back_with_pipewire() {
    let mut session = Session::with_pipewire();
    let camera = OwnCamera::start(session.socket(), "blue", (320, 180));
    wait_until("the camera", || list(&session).0.contains("pipewire:blue"));
    let args = ["--output", "beside.y4m", "--size", "320x180"];
    let greenroom = Greenroom::start_at(&session, "pipewire:blue", &args);
    greenroom.wait_for_camera("streaming");
    let taken = || greenroom.status()["frames"]["taken"].as_u64().unwrap();
    wait_until("frames", || taken() > 3);
    session.kill_pipewire();
    session.kill_wireplumber();
    greenroom.wait_for_camera("lost");
    drop(camera);
    session.start_pipewire();
    session.start_wireplumber();
    let _camera = OwnCamera::start(session.socket(), "blue", (320, 180));
    greenroom.wait_for_camera("streaming");
    let before = taken();
    wait_until("frames again", || taken() > before + 3);
}

#[test]
fn what_a_camera_says_wrongly_of_a_frame_shows_nothing_and_ends_nothing() {
    let session = Session::with_pipewire();
    let camera = OwnCamera::start(session.socket(), "bad", (320, 180));
    wait_until("the camera", || list(&session).0.contains("pipewire:bad"));
    // A part of its description.
    let greenroom = Greenroom::start_at(&session, "pipewire:own BAD", &OUTPUT);
    greenroom.wait_for_state(0, "holding");
    let reader = watch(&session);
    reader.wait_for_picture();
    let right = truth(320, 180);
    let reason = || greenroom.camera()["reason"].as_str().unwrap_or_default().to_owned();
    for (said, words) in [
        (Said { offset: 1 << 30, ..right }, "bytes from byte 1073741824 on of a buffer that has"),
        (Said { size: u32::MAX, ..right }, "4294967295 bytes from byte 0 on of a buffer that has"),
        (Said { stride: 300, ..right }, "rows of 300 bytes, where a row needs 640"),
        (Said { stride: -640, ..right }, "rows of -640 bytes, where a row needs 640"),
        (Said { size: right.size - 1, ..right }, "sends no pictures"),
        (Said { stride: 642, ..right }, "sends no pictures"),
    ] {
        camera.say(said);
        wait_until(words, || reason().contains(words));
        reader.wait_for(2);
        camera.say(right);
        reader.wait_for_picture();
        assert_eq!(reason(), "", "{said:?}");
    }
    let log = greenroom.log();
    let words = "Own bad (PipeWire) is broken: it sends rows of 300 bytes, where a row needs 640; start it again, or";
    assert!(log.contains(words), "{log}");
    assert!(greenroom.status()["frames"]["corrupt"].as_u64() > Some(0), "{}", greenroom.status());
    assert_well(&reader.stop());
}

#[test]
fn without_a_name_only_a_device_is_taken() {
    let session = Session::with_pipewire();
    let program = MadeCamera::start(&session, Wanted { name: "program", ..BLUE });
    let greenroom = Greenroom::start_at(&session, "pipewire", &OUTPUT);
    greenroom.wait_for_state(0, "holding");
    let reader = watch(&session);
    greenroom.wait_for_camera("lost");
    let reason = greenroom.camera()["reason"].to_string();
    assert!(reason.contains("name one that a program makes: pipewire:program"), "{reason}");
    assert!(!reason.contains("pipewire:greenroom"), "{reason}");
    assert_eq!(session.links_of("program"), 0);
    let properties = &["device.api=libcamera"];
    let _device = MadeCamera::start(&session, Wanted { name: "device", properties, ..BLUE });
    greenroom.wait_for_camera("streaming");
    reader.wait_for_picture();
    assert_eq!((session.links_of("device"), session.links_of("program")), (1, 0));
    drop(program);
    assert_well(&reader.stop());
}

#[test]
fn the_portal_is_asked_in_a_call_and_its_no_is_told_in_a_sentence() {
    let mut session = Session::with_pipewire();
    session.start_portal();
    session.permit_camera("yes");
    let _camera = OwnCamera::start(session.socket(), "blue", (320, 180));
    wait_until("the camera", || list(&session).0.contains("pipewire:blue"));
    let greenroom = Greenroom::start_at(&session, "portal:blue", &OUTPUT);
    greenroom.wait_for_state(0, "holding");
    let reader = watch(&session);
    reader.wait_for_picture();
    assert_eq!(session.links_of("blue"), 1);
    assert_well(&reader.stop());
    greenroom.wait_for_camera("closed");
    session.permit_camera("no");
    let reader = watch(&session);
    greenroom.wait_for_camera("lost");
    let words =
        "you have not allowed greenroom the camera; allow it in the settings of your desktop";
    wait_until(words, || {
        greenroom.camera()["reason"].as_str().is_some_and(|it| it.contains(words))
    });
    reader.wait_for(3);
    let seen = reader.stop();
    assert_well(&seen);
    assert_eq!(seen.composed, 0, "{seen:?}");
    greenroom.wait_for_camera("closed");
    // The user thinks again, and the next call asks again.
    session.permit_camera("yes");
    let reader = watch(&session);
    reader.wait_for_picture();
    assert_well(&reader.stop());
}

#[test]
fn a_name_that_leads_nowhere_is_refused_with_what_there_is() {
    let session = Session::with_pipewire();
    let _camera = MadeCamera::start(&session, BLUE);
    let mut greenroom = session.command(env!("CARGO_BIN_EXE_greenroom"));
    greenroom.args(["run", "--output", "pipewire", "--camera", "pipewire:red"]);
    let refused = greenroom.output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains("a camera on PipeWire called \"red\" does not exist; choose one of: pipewire:blue (blue)"),
        "{said}"
    );
}

#[test]
fn cameras_are_listed_once_and_none_is_opened_or_ours() {
    let session = Session::with_pipewire();
    let _camera = MadeCamera::start(&session, Wanted { format: "MJPG", ..BLUE });
    // Behind a node in /dev that is listed already, or would be if there were one.
    let greenroom = Greenroom::start_at(&session, "pipewire:blue", &OUTPUT);
    greenroom.wait_for_state(0, "holding");
    let (text, json) = list(&session);
    assert!(text.contains("  blue (pipewire:blue) [gst-launch-1.0]\n    MJPG   320x180  15 fps\n"));
    assert_eq!(text.matches("blue").count(), 2, "{text}");
    let cameras = json["pipewire_cameras"].as_array().unwrap();
    let [camera] = &cameras[..] else { panic!("{json}") };
    assert_eq!(camera["node_name"], "blue");
    assert_eq!(camera["from"], "gst-launch-1.0");
    assert_eq!(camera["modes"][0]["format"], "MJPG");
    assert_eq!(camera["modes"][0]["rates_fps"][0], 15.0);
    assert_eq!(session.links_of("blue"), 0);
    assert_eq!(greenroom.camera()["opened"], 0);
}
