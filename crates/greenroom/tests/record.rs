//! Recordings on air: begun and ended, and cut off in every way; the file plays, and the output does not notice.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

mod air;

use air::{Air, BLUE, PATIENCE, RED, is_placeholder, yuv};

const CONFIG: &str = "[scenes.red]\nbackground = '#c81e1e'\n";
const ENDINGS: [&str; 4] = ["mkv", "mp4", "webm", "mov"];

fn air() -> Air {
    let air = Air::new(CONFIG, &["--background", RED]);
    air.wait_for(yuv(RED));
    air
}

/// Y, U, V in the upper left corner of each frame of a file that plays from its begin to its end.
fn corners(file: &Path) -> Vec<[u8; 3]> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(file);
    // Frames may come closer together than the rate's ticks.
    ffmpeg.args(["-fps_mode", "passthrough", "-enc_time_base", "1:1000000"]);
    ffmpeg.args(["-pix_fmt", "yuv444p", "-f", "rawvideo", "-"]);
    let out = ffmpeg.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.is_empty(), "{}: {said}", file.display());
    let plane = 160 * 90;
    let frames = out.stdout.chunks_exact(3 * plane);
    assert!(frames.remainder().is_empty());
    frames.map(|frame| [0, plane, 2 * plane].map(|start| frame[start + 4 * 160 + 4])).collect()
}

/// The times of the frames, in seconds.
fn times(file: &Path) -> Vec<f64> {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-show_entries", "frame=pts_time", "-of", "csv=p=0"]).arg(file);
    let out = ffprobe.output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{out:?}");
    let text = String::from_utf8(out.stdout).unwrap();
    let times = text.lines().map(|line| line.trim_end_matches(',')).filter(|time| !time.is_empty());
    times.map(|time| time.parse().unwrap()).collect()
}

fn is_near(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 6)
}

fn recording(air: &Air) -> serde_json::Value {
    air.status()["outputs"][0]["recording"].clone()
}

/// Until so many frames were handed over.
fn wait_for_frames(air: &Air, count: u64) {
    air.wait_until("frames of the recording", |air| {
        recording(air)["frames"].as_u64().is_some_and(|frames| frames >= count)
    });
}

/// The FFmpeg that writes `file`.
fn encoder(file: &Path) -> String {
    let holds = |pid: &String| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files.flat_map(|fd| fs::read_link(fd.path())).any(|path| path == file)
    };
    let found = Command::new("pgrep").args(["-x", "ffmpeg"]).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    let pids: Vec<_> = found.lines().map(str::to_owned).filter(holds).collect();
    assert_eq!(pids.len(), 1, "{pids:?}");
    pids[0].clone()
}

/// The FFmpeg that writes what the run itself writes.
fn own_encoder(air: &Air) -> String {
    let pid = air.daemon.id().to_string();
    let found = Command::new("pgrep").args(["-x", "-P", &pid, "ffmpeg"]).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    let writes = |pid: &&str| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(".part")
    };
    found.lines().find(writes).unwrap().to_owned()
}

fn signal(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

/// The output shows the scene and nothing else since frame number `first`, and goes on.
fn goes_on(air: &Air, first: usize) {
    let enough = air.frames() + 5;
    air.wait_until("five frames more", |air| air.frames() >= enough);
    let seen = air.corners_since(first);
    assert!(seen.iter().all(|&seen| is_near(seen, yuv(RED))), "{seen:?}");
}

#[test]
fn what_is_shown_is_recorded_again_and_again() {
    let air = air();
    let first = air.frames();
    for number in 0..20 {
        let name = format!("talk-{number}.{}", ENDINGS[number % 4]);
        air.tell(&["record", &name]);
        wait_for_frames(&air, 5);
        air.tell(&["record", "stop"]);
        assert!(recording(&air).is_null());
        let seen = corners(&air.at(&name));
        assert!(seen.len() >= 5, "{name}: {seen:?}");
        assert!(seen.iter().all(|&seen| is_near(seen, yuv(RED))), "{name}: {seen:?}");
        let times = times(&air.at(&name));
        assert!(times[0].abs() < 0.002 && times.is_sorted(), "{name}: {times:?}");
    }
    goes_on(&air, first);
    assert_eq!(air.log_has("is complete"), 20);
}

/// A change and a pause are in it; an end in order completes it.
#[test]
fn what_hides_is_recorded_and_the_end_completes_it() {
    let mut air = air();
    air.tell(&["record", "talk.mkv"]);
    wait_for_frames(&air, 5);
    air.tell(&["set", "background", BLUE]);
    air.wait_for(yuv(BLUE));
    air.tell(&["pause"]);
    air.wait_for_placeholder();
    signal("-TERM", &air.daemon.id().to_string());
    assert!(air.daemon.wait().unwrap().success());
    assert_eq!(air.log_has("talk.mkv is complete"), 1);
    let seen = corners(&air.at("talk.mkv"));
    assert!(is_near(seen[0], yuv(RED)) && is_placeholder(*seen.last().unwrap()), "{seen:?}");
    assert!(seen.iter().any(|&seen| is_near(seen, yuv(BLUE))), "{seen:?}");
}

#[test]
fn what_makes_no_sense_is_refused_and_harms_nothing() {
    let air = air();
    fs::write(air.at("old.mkv"), "old").unwrap();
    assert!(air.refusal(&["record", "stop"]).contains("nothing is being recorded"));
    for (name, words) in [
        ("old.mkv", "it is there already"),
        ("talk.y4m", "give it one of those endings"),
        ("talk.txt", "give it one of those endings"),
        ("talk", "give it one of those endings"),
        ("nowhere/talk.mkv", "nowhere does not exist"),
        ("/proc/talk.mkv", "/proc/talk.mkv"),
    ] {
        let said = air.refusal(&["record", name]);
        assert!(said.contains(words), "{said}");
        assert!(recording(&air).is_null());
    }
    // Whatever comes to have its name, the recording is the file that was made.
    air.tell(&["record", "moved.mkv"]);
    fs::rename(air.at("moved.mkv"), air.at("here.mkv")).unwrap();
    fs::write(air.at("moved.mkv"), "another").unwrap();
    wait_for_frames(&air, 3);
    let _ = air.ask(&["record", "stop"]);
    assert_eq!(fs::read_to_string(air.at("moved.mkv")).unwrap(), "another");
    assert!(corners(&air.at("here.mkv")).len() >= 3);
    let said = air.refusal(&["record", "--output", "hall", "talk.mkv"]);
    assert!(said.contains("no output is called \"hall\""), "{said}");
    air.tell(&["record", "talk.mkv"]);
    let said = air.refusal(&["record", "other.mkv"]);
    assert!(said.contains("talk.mkv is being recorded into already"), "{said}");
    wait_for_frames(&air, 2);
    air.tell(&["record", "stop"]);
    assert_eq!(fs::read_to_string(air.at("old.mkv")).unwrap(), "old");
    assert!(!air.at("other.mkv").exists());
    // In a pause there is no picture: nothing is left of a recording without one.
    air.tell(&["pause"]);
    air.tell(&["record", "nothing.mkv"]);
    assert!(air.refusal(&["record", "stop"]).contains("nothing was recorded"));
    assert!(!air.at("nothing.mkv").exists());
}

#[test]
fn a_recording_is_not_made_where_the_run_itself_writes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), CONFIG).unwrap();
    let args = ["--camera", "room.mkv", "--model", "landscape", "--output", "-"];
    let air = Air::start(folder, &[&args[..], &["--output", "out.mkv"]].concat(), &[]);
    air.wait_until("a frame", |air| air.frames() > 0);
    assert!(air.refusal(&["record", "out.mkv"]).contains("is written by this greenroom"));
    // Nor of an output that is no more: nothing would ever come.
    signal("-KILL", &own_encoder(&air));
    air.wait_until("its end", |air| air.status()["outputs"][1]["state"] == "ended");
    let said = air.refusal(&["record", "--output", "out.mkv", "talk.mkv"]);
    assert!(said.contains("out.mkv has gone away") && !air.at("talk.mkv").exists(), "{said}");
}

#[test]
fn an_ffmpeg_that_dies_ends_the_recording_and_nothing_else() {
    let air = air();
    let first = air.frames();
    for (number, ending) in ENDINGS.iter().enumerate() {
        let file = air.at(&format!("talk.{ending}"));
        air.tell(&["record", file.to_str().unwrap()]);
        // Its encoder holds many back; what a file has is told by its size.
        let is_begun = |_: &Air| fs::metadata(&file).is_ok_and(|file| file.len() > 4000);
        air.wait_until("a begun file", is_begun);
        signal("-KILL", &encoder(&file));
        air.wait_until("the end of the recording", |air| recording(air).is_null());
        assert_eq!(air.log_has("stays"), number + 1);
        let seen = corners(&file);
        assert!(!seen.is_empty() && seen.iter().all(|&seen| is_near(seen, yuv(RED))), "{seen:?}");
    }
    goes_on(&air, first);
    air.tell(&["record", "again.mkv"]);
    wait_for_frames(&air, 2);
    air.tell(&["record", "stop"]);
}

/// A disk that is full, as far as that is known without one: FFmpeg may write no more.
#[test]
fn a_file_that_may_not_grow_ends_the_recording_and_nothing_else() {
    let air = air();
    let first = air.frames();
    let file = air.at("talk.mkv");
    air.tell(&["record", "talk.mkv"]);
    wait_for_frames(&air, 1);
    let limit = ["--pid", &encoder(&file), "--fsize=6000:6000"];
    assert!(Command::new("prlimit").args(limit).status().unwrap().success());
    air.wait_until("the end of the recording", |air| recording(air).is_null());
    assert_eq!(air.log_has("stays"), 1);
    goes_on(&air, first);
    assert!(fs::metadata(&file).unwrap().len() <= 6000);
    let seen = corners(&file);
    assert!(seen.iter().all(|&seen| is_near(seen, yuv(RED))), "{seen:?}");
}

#[test]
fn a_greenroom_that_is_killed_leaves_a_file_that_plays() {
    for ending in ENDINGS {
        let mut air = air();
        let file = air.at(&format!("talk.{ending}"));
        air.tell(&["record", file.to_str().unwrap()]);
        wait_for_frames(&air, 20);
        let pid = encoder(&file);
        air.daemon.kill().unwrap();
        air.daemon.wait().unwrap();
        // FFmpeg completes it by itself.
        let deadline = std::time::Instant::now() + PATIENCE;
        while Path::new("/proc").join(&pid).exists() {
            assert!(std::time::Instant::now() < deadline, "FFmpeg goes on");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let seen = corners(&file);
        // A few may have been on their way.
        assert!(seen.len() >= 10 && seen.iter().all(|&seen| is_near(seen, yuv(RED))), "{seen:?}");
    }
}
