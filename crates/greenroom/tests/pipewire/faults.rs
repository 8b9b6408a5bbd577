//! Whatever fails in greenroom, no pixel of the room comes out. Only with the feature `faults`.

use super::reader::Reader;
use super::session::{Greenroom, Session, wait_until};

const FAULTS: [&str; 10] = [
    "camera-panic",
    "camera-stall",
    "matte-panic",
    "matte-error",
    "matte-stall",
    "output-panic",
    "output-turn-panic",
    "control-panic",
    "scenes-panic",
    "snapshot-panic",
];

#[test]
fn no_fault_shows_the_room() {
    let session = Session::with_pipewire();
    let args = ["--output", "pipewire", "--size", "320x180"];
    let greenroom = Greenroom::start(&session, &args);
    greenroom.wait_for_state(0, "holding");
    let reader = Reader::start(session.socket(), "greenroom", true);
    reader.wait_for_picture();
    for _ in 0..3 {
        for fault in FAULTS {
            greenroom.ask(&["fault", fault]);
            // Whatever the fault waits for happens.
            greenroom.ask(&["snapshot", "shot.png"]);
            greenroom.ask(&["set", "background", "#c81e1e"]);
            reader.wait_for_picture();
        }
    }
    greenroom.tell(&["pause"]);
    let before = reader.seen();
    let paused = reader.wait_for(3);
    assert!(paused.placeholders >= before.placeholders + 2, "{before:?} {paused:?}");
    greenroom.tell(&["resume"]);
    reader.wait_for_picture();
    let seen = reader.seen();
    assert_eq!((seen.leaks, seen.strange, seen.complaints.len()), (0, 0, 0), "{seen:?}");
    // The judge sees a leak where there is one. (On a busy machine a reader does not get every frame.)
    wait_until("the leak", || {
        greenroom.tell(&["fault", "leak"]);
        reader.seen().leaks > 0
    });
}
