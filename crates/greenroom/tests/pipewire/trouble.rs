//! What stands in the way of a camera on PipeWire is told in one sentence, and waited for.

use super::reader::Reader;
use super::session::{Greenroom, Session, wait_until};

const ARGS: [&str; 6] = ["--output", "pipewire", "--output", "beside.y4m", "--size", "320x180"];

#[test]
fn without_pipewire_it_is_waited_for_and_other_outputs_go_on() {
    let mut session = Session::new();
    let greenroom = Greenroom::start(&session, &ARGS);
    greenroom.wait_for_state(0, "missing");
    wait_until("frames beside", || greenroom.output(1)["written"].as_u64().unwrap() > 5);
    let log = greenroom.log();
    let told: Vec<_> = log.lines().filter(|line| line.contains("PipeWire")).collect();
    let [told] = told[..] else { panic!("{log}") };
    assert!(told.contains("no PipeWire is running here; start it with: "), "{told}");
    session.start_pipewire();
    session.start_wireplumber();
    greenroom.wait_for_state(0, "holding");
    let reader = Reader::start(session.socket(), "greenroom", true);
    reader.wait_for_picture();
}

#[test]
fn a_name_that_is_taken_is_waited_for() {
    let session = Session::with_pipewire();
    let mut gst = session.command("gst-launch-1.0");
    let properties = "stream-properties=props,media.class=Video/Source,node.name=greenroom";
    gst.args([
        "-q",
        "videotestsrc",
        "is-live=true",
        "!",
        "pipewiresink",
        "mode=provide",
        properties,
    ]);
    let mut gst = gst.spawn().expect("install gstreamer1.0-pipewire");
    let has_camera = || {
        let listed = session.command("pw-cli").args(["ls", "Node"]).output().unwrap();
        String::from_utf8_lossy(&listed.stdout).contains("node.name = \"greenroom\"")
    };
    wait_until("the other camera", has_camera);
    let greenroom = Greenroom::start(&session, &ARGS);
    greenroom.wait_for_state(0, "missing");
    let reason = greenroom.output(0)["reason"].to_string();
    assert!(
        reason.contains("gst-launch-1.0 (pid ") && reason.contains("pipewire:NAME"),
        "{reason}"
    );
    gst.kill().unwrap();
    gst.wait().unwrap();
    greenroom.wait_for_state(0, "holding");
    let told = greenroom.log().lines().filter(|line| line.contains("already")).count();
    assert_eq!(told, 1, "{}", greenroom.log());
}

#[test]
fn a_session_that_refuses_greenroom_is_told_once_and_other_outputs_go_on() {
    let mut session = Session::new();
    if !session.refuse(Some(env!("CARGO_BIN_EXE_greenroom"))) {
        println!("not tested: this PipeWire refuses no program by its name");
        return;
    }
    session.start_pipewire();
    session.start_wireplumber();
    let greenroom = Greenroom::start(&session, &ARGS);
    wait_until("a refusal", || greenroom.log().contains("does not let greenroom make a camera"));
    greenroom.wait_for_state(0, "missing");
    let before = greenroom.output(1)["written"].as_u64().unwrap();
    wait_until("frames beside", || greenroom.output(1)["written"].as_u64().unwrap() > before + 10);
    let told = greenroom.log().lines().filter(|line| line.contains("does not let")).count();
    assert_eq!(told, 1, "{}", greenroom.log());
    // As soon as it may, it is there.
    session.refuse(None);
    session.kill_wireplumber();
    session.kill_pipewire();
    session.start_pipewire();
    session.start_wireplumber();
    greenroom.wait_for_state(0, "holding");
}
