//! PipeWire and WirePlumber end under a running call.

use super::reader::Reader;
use super::session::{Greenroom, Session, wait_until};

#[test]
fn it_comes_back_after_pipewire_and_wireplumber_whichever_comes_first() {
    let mut session = Session::with_pipewire();
    let args = ["--output", "pipewire", "--output", "beside.y4m", "--size", "320x180"];
    let greenroom = Greenroom::start(&session, &args);
    greenroom.wait_for_state(0, "holding");
    let reader = Reader::start(session.socket(), "greenroom", true);
    reader.wait_for_picture();
    let written = || greenroom.output(1)["written"].as_u64().unwrap();
    for wireplumber_first in [false, true] {
        session.kill_pipewire();
        session.kill_wireplumber();
        greenroom.wait_for_state(0, "missing");
        let reason = greenroom.output(0)["reason"].to_string();
        assert!(reason.contains("no PipeWire is running here"), "{reason}");
        // The other output goes on.
        let before = written();
        wait_until("frames beside", || written() > before + 15);
        if wireplumber_first {
            // It ends by itself where there is no PipeWire, and systemd starts it again.
            session.start_wireplumber();
        }
        session.start_pipewire();
        session.kill_wireplumber();
        session.start_wireplumber();
        reader.wait_for_picture();
        // WirePlumber alone: the camera stays.
        session.kill_wireplumber();
        session.start_wireplumber();
        reader.wait_for_picture();
        assert_eq!(greenroom.output(0)["state"], "watched");
    }
    let seen = reader.stop();
    assert_eq!((seen.leaks, seen.strange), (0, 0), "{seen:?}");
    assert_eq!(greenroom.output(1)["dropped"], 0);
}
