//! Nobody reads what greenroom says on standard error, or nobody can: all else goes on.
#![allow(clippy::unwrap_used)]

mod air;

use std::fs::{self, File};
use std::io::{PipeReader, Write, pipe};
use std::process::{Command, Stdio};

use air::{Air, RED, Stderr, greenroom_heard_by, yuv};

const WAYS: [&str; 4] = ["its reader has gone", "a full disk", "closed", "its reader stands still"];

/// Standard error in that way, and what must live as long.
fn stderr(way: &str) -> (Stderr, Option<PipeReader>) {
    match way {
        "its reader has gone" => (Stderr::To(Stdio::from(pipe().unwrap().1)), None),
        "a full disk" => {
            let full = File::options().write(true).open("/dev/full").unwrap();
            (Stderr::To(full.into()), None)
        }
        "closed" => (Stderr::Closed, None),
        _ => {
            let (reader, mut writer) = pipe().unwrap();
            // As much as it holds, and not one byte is ever taken out.
            let bytes = rustix::pipe::fcntl_getpipe_size(&writer).unwrap();
            writer.write_all(&vec![b'x'; bytes]).unwrap();
            (Stderr::To(writer.into()), Some(reader))
        }
    }
}

/// A pause, its end, a camera that is lost and comes back, a scene, the end: each of them logs.
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    for way in WAYS {
        let (stderr, _reader) = stderr(way);
        let folder = tempfile::tempdir().unwrap();
        let usual = ["--camera", "room.mkv", "--output", "-", "--model", "landscape", "-vv"];
        let args = [&usual[..], &["--background", RED]].concat();
        let mut air = Air::start_heard_by(folder, &args, &[], stderr);
        air.wait_for(yuv(RED));
        air.tell(&["pause"]);
        air.wait_for_placeholder();
        air.tell(&["resume"]);
        air.wait_for(yuv(RED));
        let opened = || {
            let status = air.ask(&["status", "--json"]);
            let status = serde_json::from_slice::<serde_json::Value>(&status.stdout).unwrap();
            status["camera"]["opened"].as_u64().unwrap()
        };
        // The decoder is the camera here.
        let before = opened();
        let daemon = air.daemon.id().to_string();
        let killed = Command::new("pkill").args(["-KILL", "-P", &daemon, "ffmpeg"]).status();
        assert!(killed.unwrap().success(), "{way}");
        air.wait_until("opened again", |_| opened() > before);
        air.wait_for(yuv(RED));
        air.tell(&["set", "background", "#808080"]);
        air.wait_for(yuv("#808080"));
        let term = Command::new("kill").arg(air.daemon.id().to_string()).status().unwrap();
        assert!(term.success());
        assert_eq!(air.daemon.wait().unwrap().code(), Some(0), "{way}");
    }
}

/// Commands end with their own exit code, whatever becomes of what they say.
#[test]
fn commands_end_as_they_should_with_a_standard_error_that_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let clip = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=10:duration=1"])
        .arg(folder.path().join("clip.mkv"))
        .status();
    assert!(clip.unwrap().success());
    for way in WAYS {
        for (args, code) in [
            (&["render", "clip.mkv", "out.y4m", "-vv"][..], 0),
            (&["render", "missing.mkv", "out.y4m"], 2),
            (&["list", "backgrounds"], 0),
            (&["status", "--socket", "nobody"], 1),
            (&["config", "check", "missing.toml"], 2),
            (&["--no-such-option"], 2),
            (&["--help"], 0),
        ] {
            let (stderr, _reader) = stderr(way);
            let mut command = greenroom_heard_by(stderr);
            command.args(args).current_dir(folder.path()).env_remove("GREENROOM_LOG");
            let ended = command.stdout(Stdio::null()).status().unwrap();
            assert_eq!(ended.code(), Some(code), "{way}: {args:?}");
        }
        assert!(fs::metadata(folder.path().join("out.y4m")).unwrap().len() > 0, "{way}");
        fs::remove_file(folder.path().join("out.y4m")).unwrap();
    }
}

/// What fits is said, in order, before the process ends.
#[test]
fn the_last_line_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    let output = command.args(["render", "missing.mkv", "out.mp4"]).current_dir(folder.path());
    let output = output.env_remove("GREENROOM_LOG").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("greenroom: ") && said.ends_with('\n'), "{said:?}");
    assert_eq!(said.lines().count(), 1, "{said:?}");
}
