//! A panic in any thread: the placeholder, and all goes on. Only with the feature `faults`, which gives tests a
//! way to have one: `cargo test --package greenroom --features faults --test panics`.
#![cfg(feature = "faults")]
#![allow(clippy::unwrap_used)]

mod air;

use air::{Air, BLUE, RED, yuv};

#[test]
fn a_panic_in_any_thread_takes_nothing_away() {
    let air = Air::new("", &["--background", RED]);
    air.wait_for(yuv(RED));
    for fault in [
        "camera-panic",
        "matte-panic",
        "output-panic",
        "output-turn-panic",
        "control-panic",
        "scenes-panic",
        "snapshot-panic",
    ] {
        let panics = air.log_has("panicked at");
        air.tell(&["fault", fault]);
        // Whatever the fault waits for happens; who asks for it in the thread that fails is told so.
        air.wait_until(fault, |air| {
            let _ = air.ask(&["set", "background", BLUE]);
            let _ = air.ask(&["snapshot", "shot.png"]);
            air.log_has("panicked at") > panics
        });
        air.tell(&["set", "background", RED]);
        air.wait_for(yuv(RED));
        air.tell(&["pause"]);
        air.wait_for_placeholder();
        assert!(air.is_hidden_by("pause"), "{fault}");
        air.tell(&["resume"]);
        air.wait_for(yuv(RED));
        air.tell(&["snapshot", "shot.png"]);
    }
}
