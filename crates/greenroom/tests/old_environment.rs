//! The environment of the program that greenroom supersedes, with the binary: what made that one
//! fall is told in a sentence, and the picture goes on. (What the variables mean with real devices
//! is shown by tests/vm/compose.)
#![allow(clippy::unwrap_used)]

mod air;

use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use air::{Air, BLUE, GREY, RED, picture, yuv};

fn start(variables: &[(&str, &str)]) -> Air {
    let usual = [("ACTUAL_CAMERA", "room.mkv"), ("FAKE_CAMERA", "-")];
    Air::start(tempfile::tempdir().unwrap(), &[], &[&usual[..], variables].concat())
}

#[test]
fn a_background_is_what_the_file_is() {
    // Whatever IS_VID_BACKGROUND says of it.
    for is_video in ["true", "false", "yes", ""] {
        let air = start(&[("BACKGROUND_FILE", "red.png"), ("IS_VID_BACKGROUND", is_video)]);
        air.wait_for(yuv(RED));
        assert_eq!(air.scene()["effects"], serde_json::json!([]));
    }
}

#[test]
fn what_makes_no_sense_is_told_and_the_picture_goes_on() {
    let air = start(&[
        ("CAMERA_WIDTH", "wide"),
        ("CAMERA_FPS", "fast"),
        ("EFFECT", "hologramm"),
        ("BODYPIX_URL", "bodypix:9000"),
        ("BACKGROUND_FILE", "red.png"),
    ]);
    air.wait_for(yuv(RED));
    for words in [
        "CAMERA_WIDTH: \"wide\" is no number of pixels; 640 is taken",
        "CAMERA_FPS: \"fast\" is not a frame rate",
        "did you mean \"hologram\"?",
        "BODYPIX_URL: \"bodypix:9000\" is no address of a mask server",
    ] {
        assert_eq!(
            air.log_has(words),
            1,
            "{words}: {}",
            fs::read_to_string(air.at("log")).unwrap()
        );
    }
}

#[test]
fn a_background_that_comes_late_and_in_pieces_is_taken_up_when_it_is_whole() {
    let air = start(&[("BACKGROUND_FILE", "late.png")]);
    // The blurred room.
    air.wait_for(GREY);
    assert_eq!(air.log_has("the blurred room is shown until it is there"), 1);
    assert!(air.scene()["trouble"].as_str().unwrap().contains("late.png"));
    let whole = air.at("whole.png");
    picture(&whole, BLUE);
    let bytes = fs::read(&whole).unwrap();
    let mut file = fs::File::create(air.at("late.png")).unwrap();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first).unwrap();
    file.sync_all().unwrap();
    // Longer than a file must rest: its writer has it open.
    thread::sleep(Duration::from_millis(900));
    assert_eq!(air.corner().map(|corner| corner[1]), Some(GREY[1]));
    file.write_all(second).unwrap();
    drop(file);
    air.wait_for(yuv(BLUE));
    // Of the same size in bytes, which the old program never saw.
    picture(&air.at("late.png"), RED);
    air.wait_for(yuv(RED));
}

#[test]
fn what_is_waited_for_outlives_changes_of_anything_else() {
    let air = start(&[("BACKGROUND_FILE", "later/still/late.png")]);
    air.wait_for(GREY);
    air.tell(&["set", "effects", "person:greyscale"]);
    fs::create_dir(air.at("greenroom")).unwrap();
    fs::write(air.at("greenroom/config.toml"), "idle_after = 4\n").unwrap();
    air.wait_until("read", |air| air.log_has("the configuration was read again") == 1);
    // Its folder is not there either.
    fs::create_dir_all(air.at("later/still")).unwrap();
    picture(&air.at("later/still/late.png"), BLUE);
    air.wait_for(yuv(BLUE));
    let scene = air.scene();
    assert_eq!(scene["effects"].as_array().unwrap().len(), 1, "{scene}");
}

/// There need not be one: a folder that is made where it would lie is no news.
#[test]
fn a_configuration_that_is_not_there_is_not_missed() {
    let air = start(&[]);
    air.wait_until("a picture", |air| air.corner().is_some());
    fs::create_dir(air.at("greenroom")).unwrap();
    // Longer than a file must rest: it is looked for by then.
    thread::sleep(Duration::from_millis(900));
    fs::write(air.at("greenroom/config.toml"), "idle_after = 4\n").unwrap();
    air.wait_until("read", |air| air.log_has("the configuration was read again") == 1);
    fs::remove_file(air.at("greenroom/config.toml")).unwrap();
    air.wait_until("gone", |air| air.log_has("config.toml is gone") == 1);
    assert_eq!(air.log_has("cannot read"), 0);
}

#[test]
fn another_background_ends_the_waiting() {
    let air = start(&[("BACKGROUND_FILE", "late.png")]);
    air.wait_for(GREY);
    air.tell(&["set", "background", RED]);
    air.wait_for(yuv(RED));
    picture(&air.at("late.png"), BLUE);
    // Far longer than a file must rest.
    thread::sleep(Duration::from_millis(500));
    let scene = air.scene();
    assert!(!scene["background"].to_string().contains("late.png"), "{scene}");
    air.wait_for(yuv(RED));
}

#[test]
fn a_wrong_option_is_told_alone() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["run", "--output", "null", "--camera", "demo", "--effect", "nope"]);
    let ended = command.env("EFFECT", "hologram").env_remove("GREENROOM_LOG").output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("\"nope\" is no effect") && !said.contains("blurred room"), "{said}");
}

#[test]
fn hologram_is_on_the_person_and_a_server_that_is_not_there_is_done_without() {
    let air = start(&[
        ("BACKGROUND_FILE", "blue.png"),
        ("EFFECT", "hologram"),
        ("BODYPIX_URL", "http://127.0.0.1:9"),
    ]);
    air.wait_for(yuv(BLUE));
    let scene = air.scene();
    assert_eq!(scene["effects"], serde_json::json!(["hologram"]), "{scene}");
    air.wait_until("told", |air| air.log_has("the network here takes over") == 1);
    let status = air.ask(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["mask_server"]["state"], "unwell");
    assert!(status["mask_server"]["local"].as_u64().unwrap() > 0);
}

#[test]
fn the_command_line_says_more() {
    let usual = [("ACTUAL_CAMERA", "/dev/video99"), ("FAKE_CAMERA", "-")];
    let variables = [&usual[..], &[("BACKGROUND_FILE", "red.png")]].concat();
    let folder = tempfile::tempdir().unwrap();
    let air = Air::start(
        folder,
        &["--camera", "room.mkv", "--background", BLUE, "--mask-server", "none"],
        &variables,
    );
    air.wait_for(yuv(BLUE));
}
