//! `greenroom doctor` on a made-up system: as a user runs it.
#![cfg(feature = "faults")]
#![allow(clippy::unwrap_used)]

#[path = "doctor/made_up.rs"]
mod made_up;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use made_up::{BINARY, FIREFOX_DENIED, MadeUp, OWN_UNIT, RECORD, texts};

#[test]
fn where_nothing_is_wrong_it_says_so_and_changes_nothing() {
    let made = MadeUp::healthy();
    let (before, called) = (made.tree(), made.called());
    assert_eq!(made.found(), [""; 0]);
    let text = made.doctor(&[], 0);
    assert_eq!(text.trim(), "Nothing is wrong.");
    let text = made.doctor(&["--fix", "--yes"], 0);
    assert!(text.contains("There is nothing for --fix to do."), "{text}");
    assert_eq!((made.tree(), made.called()), (before, called));
}

#[test]
fn each_finding_has_its_symptom_cause_cure_and_command() {
    let made = MadeUp::ill();
    let before = made.tree();
    let text = made.doctor(&[], 1);
    for part in [
        "error: Calls list no camera \"greenroom\". [no-virtual-camera]",
        "  cause: The kernel module v4l2loopback is not installed for the running kernel.",
        "  cure:  Set-up makes the camera, now and after every restart.",
        "    greenroom setup\n",
        "warning: Zoom (Flatpak) lists no camera \"greenroom\". [flatpak-no-devices]",
        "    flatpak override --user --device=all us.zoom.Zoom\n",
        "    sudo apt-get install --yes ffmpeg\n",
        "`greenroom doctor --fix` cures 3 of these, and asks before.",
    ] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    let ids = ["no-virtual-camera", "flatpak-no-devices", "ffmpeg-missing"];
    assert_eq!(made.found(), ids);
    assert_eq!(made.tree(), before);
    assert_eq!(made.called(), "", "a program was run that may change something");
}

#[test]
fn without_a_terminal_fix_shows_what_it_would_do_and_what_to_type() {
    let made = MadeUp::ill();
    let before = made.tree();
    let text = made.doctor(&["--fix"], 2);
    for part in [
        "1. Set the virtual camera up [no-virtual-camera]",
        "Install linux-modules-v4l2loopback-generic-hwe-24.04",
        "2. flatpak override --user --device=all us.zoom.Zoom [flatpak-no-devices]",
        "undo: flatpak override --user --nodevice=all us.zoom.Zoom",
        "undo: sudo apt-get remove --yes ffmpeg",
        "greenroom: nothing was done, as there is no terminal to ask on",
        "`greenroom doctor --fix --yes`",
    ] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert_eq!((made.tree(), made.called()), (before, String::new()));
}

#[test]
fn fix_mends_all_of_it_once_and_undo_takes_all_of_it_back() {
    let made = MadeUp::ill();
    let before = made.tree();
    let text = made.doctor(&["--fix", "--yes"], 0);
    assert!(text.trim_end().ends_with("Afterwards:\nNothing is wrong."), "{text}");
    assert_eq!(made.found(), [""; 0]);
    assert!(made.called().contains("pkexec apt-get install --yes ffmpeg"), "{}", made.called());
    let fixed = made.tree();
    let text = made.doctor(&["--fix", "--yes"], 0);
    assert!(text.contains("There is nothing for --fix to do."), "{text}");
    assert_eq!(made.tree(), fixed);

    let text = made.doctor(&["--undo"], 2);
    assert!(text.contains("`greenroom doctor --undo --yes`"), "{text}");
    assert_eq!(made.tree(), fixed);
    let text = made.doctor(&["--undo", "--yes"], 0);
    assert!(text.contains("All of it is taken back."), "{text}");
    assert_eq!(made.tree(), before);
    assert_eq!(made.found(), ["no-virtual-camera", "flatpak-no-devices", "ffmpeg-missing"]);
    assert!(made.doctor(&["--undo", "--yes"], 0).contains("There is nothing to take back"));
}

#[test]
fn files_and_services_of_the_session_are_put_right_and_back() {
    let made = MadeUp::healthy();
    // An older set-up wrote this beside the package's.
    let unit = greenroom_setup::files::user_unit("/usr/bin/greenroom".as_ref());
    made.file(OWN_UNIT, &unit);
    fs::write(made.folder.path().join("denied"), FIREFOX_DENIED).unwrap();
    let before = made.tree();
    assert_eq!(made.found(), ["portal-denied", "user-unit-stale"]);
    made.doctor(&["--fix", "--yes"], 0);
    assert!(!made.is_there(OWN_UNIT) && made.is_there(RECORD));
    made.doctor(&["--undo", "--yes"], 0);
    assert_eq!(made.tree(), before);
    assert_eq!(made.found(), ["portal-denied", "user-unit-stale"]);
    // The user has set the camera up, and not doctor.
    assert!(made.is_there("sys/class/video4linux/video10/name"));
}

#[test]
fn a_service_that_was_stopped_is_started_and_stopped_again() {
    let made = MadeUp::healthy();
    let stop = ["--user", "stop", "greenroom.service"];
    let systemctl = made.folder.path().join("programs/systemctl");
    let mut command = Command::new(systemctl);
    let status = command.args(stop).env("GREENROOM_SETUP_ROOT", made.root()).status().unwrap();
    assert!(status.success());
    assert_eq!(made.found(), ["service-not-running"]);
    made.doctor(&["--fix", "--yes"], 0);
    assert_eq!(made.found(), [""; 0]);
    made.doctor(&["--undo", "--yes"], 0);
    assert_eq!(made.found(), ["service-not-running"]);
}

#[test]
fn a_fix_that_fails_is_told_and_the_others_are_done() {
    let made = MadeUp::ill();
    let output = made.command("doctor", &["--fix", "--yes"]).env("FAILS", "override").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", texts(&output));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("greenroom: flatpak override") && error.contains("it broke"), "{error}");
    assert_eq!(made.found(), ["flatpak-no-devices"]);
    // What was not done is not taken back.
    let text = made.doctor(&["--undo", "--yes"], 0);
    assert!(!text.contains("override"), "{text}");
}

#[test]
fn what_cannot_be_taken_back_is_told_and_stays_written_down() {
    let made = MadeUp::ill();
    made.doctor(&["--fix", "--yes"], 0);
    let output = made.command("doctor", &["--undo", "--yes"]).env("FAILS", "nodevice").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", texts(&output));
    let record = fs::read_to_string(made.root().join(RECORD)).unwrap();
    assert!(record.contains("nodevice") && !record.contains("apt-get"), "{record}");
    made.doctor(&["--undo", "--yes"], 0);
    assert!(!made.is_there(RECORD));
}

#[test]
fn a_record_that_cannot_be_read_or_written_stops_before_anything_is_done() {
    let made = MadeUp::ill();
    for text in ["{", "{\"done\":[{\"what\":\"x\",\"undo\":[{\"kind\":\"x\"}]}]}"] {
        made.file(RECORD, text);
        let before = made.tree();
        for option in ["--fix", "--undo"] {
            let text = made.doctor(&[option, "--yes"], 2);
            assert!(text.contains("doctor.json cannot be read"), "{text}");
        }
        assert_eq!((made.tree(), made.called()), (before, String::new()));
    }
    // A record has root run nothing but what a fix would.
    let hostile = "{\"done\":[{\"what\":\"x\",\"undo\":[{\"kind\":\"run_as_root\",\"command\":[\"sh\",\"-c\",\"id\"]}]}]}";
    made.file(RECORD, hostile);
    let text = made.doctor(&["--undo", "--yes"], 1);
    assert!(text.contains("sh is not run as root"), "{text}");
    assert_eq!(made.called(), "");

    fs::remove_file(made.root().join(RECORD)).unwrap();
    fs::remove_dir(made.root().join(RECORD).parent().unwrap()).unwrap();
    made.file("home/ada/.local/share/greenroom", "a file, and no folder");
    let text = made.doctor(&["--fix", "--yes"], 2);
    assert!(text.contains("doctor.json cannot be"), "{text}");
    assert_eq!(made.called(), "");
}

#[test]
fn without_roots_rights_what_needs_them_is_left_to_an_administrator() {
    let made = MadeUp::ill();
    fs::remove_file(made.folder.path().join("programs/pkexec")).unwrap();
    let text = made.doctor(&["--fix", "--yes"], 1);
    assert!(text.contains("For ffmpeg-missing, have an administrator run: apt-get"), "{text}");
    assert!(text.contains("Set-up does nothing by itself here"), "{text}");
    assert_eq!(made.found(), ["no-virtual-camera", "ffmpeg-missing"]);
}

#[test]
fn killed_at_each_moment_undo_leaves_the_files_of_before() {
    let mut kills = 0;
    for part in ["user", "root"] {
        for at in 1.. {
            let made = MadeUp::ill();
            let before = made.tree();
            let mut command = made.command("doctor", &["--fix", "--yes"]);
            let output =
                command.env("GREENROOM_SETUP_DIES", format!("{part}:{at}")).output().unwrap();
            if output.status.success() {
                break;
            }
            kills += 1;
            made.doctor(&["--undo", "--yes"], 0);
            assert!(!made.is_there("sys/class/video4linux/video10/name"));
            assert_eq!(made.tree(), before, "{part} killed at {at}: {}", texts(&output));
        }
    }
    assert!(kills > 10, "{kills}");
}

/// `script` (util-linux) makes a terminal.
#[test]
fn on_a_terminal_it_asks_and_only_yes_is_yes() {
    let on_terminal = |made: &MadeUp, answer: &str| {
        let inner = made.command("doctor", &[]);
        let mut command = Command::new("/usr/bin/script");
        let line = format!("'{BINARY}' doctor --fix");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        let variables: Vec<_> =
            inner.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
        command.env_clear().envs(variables).env("SHELL", "/bin/sh").current_dir(made.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Kept open until the end: the end of the input would be typed as well.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(answer.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let made = MadeUp::ill();
    let before = made.tree();
    let output = on_terminal(&made, "n\n");
    assert_eq!(output.status.code(), Some(1), "{}", texts(&output));
    assert!(texts(&output).contains("Do this? [y/N]"), "{}", texts(&output));
    assert_eq!((made.tree(), made.called()), (before, String::new()));
    let output = on_terminal(&made, "y\n");
    assert_eq!(output.status.code(), Some(0), "{}", texts(&output));
    assert_eq!(made.found(), [""; 0]);
}

#[test]
fn json_is_not_for_changes() {
    let made = MadeUp::ill();
    for args in [&["--json", "--fix"][..], &["--yes"], &["--fix", "--undo"]] {
        made.doctor(args, 2);
    }
    assert_eq!(made.called(), "");
}
