//! Previews: their pictures, that they open and close the camera, that they contain nothing of the room while the
//! picture is hidden, and that a reader cannot block greenroom.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod air;

use air::preview::{Picture, Preview};
use air::{Air, BLUE, GREY, PATIENCE, RED, is_placeholder, yuv};

/// An output that does not open the camera by itself.
const CONFIG: &str = "[[output]]\nto = '-'\nopens_camera = false\n[scenes.red]\nbackground = '#c81e1e'\n\
                      [scenes.blue]\nbackground = '#1e3cc8'\n";

fn air() -> Air {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), CONFIG).unwrap();
    let args = ["--camera", "room.mkv", "--model", "landscape", "--config", "config.toml"];
    let air = Air::start(folder, &[&args[..], &["--scene", "red"]].concat(), &[]);
    air.wait_until("a placeholder", |air| air.corner().is_some_and(is_placeholder));
    air
}

fn preview(air: &Air, wanted: Value) -> Preview {
    Preview::ask(&air.at("socket"), wanted).unwrap()
}

fn is_near(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 4)
}

fn is_camera(air: &Air, state: &str) {
    air.wait_until(state, |air| air.status()["camera"]["state"] == state);
}

#[test]
fn each_preview_shows_its_picture_and_opens_the_camera() {
    let air = air();
    is_camera(&air, "closed");
    assert_eq!(air.status()["outputs"][0]["watchers"], json!([]));
    let composed = preview(&air, json!({}));
    let shows = |preview: &Preview, wanted| {
        preview
            .wait_for("the picture", |it| !it.is_placeholder && is_near(preview.corner(it), wanted))
    };
    shows(&composed, yuv(RED));
    let size = (composed.layout.width_px, composed.layout.height_px);
    assert_eq!(size, (160, 90), "never larger than the output");
    let status = air.status();
    assert_eq!(status["camera"]["state"], "streaming");
    let watcher = &status["outputs"][0]["watchers"][0];
    assert_eq!(
        (&watcher["pid"], &watcher["preview"]),
        (&json!(std::process::id()), &json!("composed"))
    );
    air.wait_for(yuv(RED));
    let camera = preview(&air, json!({ "picture": "camera", "width_px": 80, "fps": 30 }));
    assert_eq!((camera.layout.width_px, camera.layout.height_px), (80, 46));
    shows(&camera, GREY);
    let matte = preview(&air, json!({ "picture": "matte" }));
    matte.wait_for("a matte", |it| !it.is_placeholder && it.bytes[4 * 160 + 4] < 16);
    assert_eq!(matte.layout.picture_bytes, 160 * 90);
    air.tell(&["set", "scene", "blue"]);
    shows(&composed, yuv(BLUE));
    shows(&camera, GREY);
    // After the end of a preview its memory is blank, although the reader still has it.
    camera.stream.shutdown(std::net::Shutdown::Both).unwrap();
    camera.wait_for("black", |_| {
        let slots = (0..camera.layout.slots).map(|slot| whole(&camera, slot));
        slots
            .into_iter()
            .all(|it| it.is_placeholder && it.bytes.iter().all(|byte| [16, 128].contains(byte)))
    });
    drop((camera, composed));
    air.wait_until("one", |air| {
        air.status()["outputs"][0]["watchers"].as_array().unwrap().len() == 1
    });
    assert_eq!(air.status()["camera"]["state"], "streaming");
    drop(matte);
    is_camera(&air, "closed");
    air.wait_for_placeholder();
}

/// While the picture is hidden, every slot of every preview holds a placeholder.
#[test]
fn a_pause_hides_the_picture_in_previews() {
    let air = air();
    let all = ["composed", "matte", "camera"]
        .map(|picture| preview(&air, json!({ "picture": picture, "fps": 30 })));
    for round in 0..5 {
        for preview in &all {
            preview.wait_for("a picture", |it| !it.is_placeholder);
        }
        air.tell(&["pause"]);
        // After the reply to the pause, no slot holds a picture of the room.
        for preview in &all {
            for slot in 0..preview.layout.slots {
                let picture = whole(preview, slot);
                assert!(picture.is_placeholder, "round {round}, slot {slot}");
            }
        }
        is_camera(&air, "closed");
        for preview in all.iter().filter(|it| it.layout.picture_bytes != 160 * 90) {
            assert!(is_placeholder(preview.corner(&preview.newest().unwrap())));
        }
        let paused = preview(&air, json!({ "picture": "camera" }));
        paused.wait_for("a placeholder", |it| it.is_placeholder);
        air.tell(&["resume"]);
    }
    drop(all);
    is_camera(&air, "closed");
}

fn whole(preview: &Preview, slot: u64) -> Picture {
    let begun = Instant::now();
    loop {
        if let Some(picture) = preview.slot(slot) {
            return picture;
        }
        assert!(begun.elapsed() < PATIENCE, "slot {slot} is never whole");
    }
}

/// When the camera fails, the placeholder replaces the last picture.
#[test]
fn a_failed_camera_leaves_no_picture() {
    let air = air();
    let preview = preview(&air, json!({ "picture": "camera" }));
    preview.wait_for("a picture", |it| !it.is_placeholder);
    fs::remove_file(air.at("room.mkv")).unwrap();
    // End the FFmpeg processes that play the file.
    let pid = air.daemon.id();
    let is_killed = |pid: &str| Command::new("kill").args(["-9", pid]).status().unwrap().success();
    let all = all_children(pid);
    assert!(!all.is_empty());
    all.iter().for_each(|pid| assert!(is_killed(pid)));
    // All slots must hold the placeholder, not only the newest.
    preview.wait_for("the placeholder in each slot", |_| {
        (0..preview.layout.slots).all(|slot| whole(&preview, slot).is_placeholder)
    });
}

fn all_children(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let children = tasks.flat_map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    children
        .flat_map(|pids| pids.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn invalid_previews_are_refused_and_a_new_one_replaces_the_old() {
    let air = air();
    let refusal = |wanted| Preview::ask(&air.at("socket"), wanted).err().unwrap();
    for (wanted, words) in [
        (json!({ "width_px": 10 }), "64 to 960 pixels"),
        (json!({ "fps": 31 }), "1 to 30 pictures a second"),
        (json!({ "output": "other" }), "no output is called"),
        (json!({ "picture": "room" }), "unknown variant `room`"),
    ] {
        let sentence = refusal(wanted);
        assert!(sentence.contains(words), "{sentence}");
    }
    let eight: Vec<Preview> = (0..8).map(|_| preview(&air, json!({}))).collect();
    assert!(refusal(json!({})).contains("8 previews are running"));
    // A connection may replace its own preview.
    let again = "{\"preview\":{\"picture\":\"matte\"}}\n";
    rustix::io::write(&eight[0].stream, again.as_bytes()).unwrap();
    air.wait_until("the other", |air| {
        let watchers = air.status()["outputs"][0]["watchers"].clone();
        let is_matte = |watcher: &&Value| watcher["preview"] == "matte";
        let watchers = watchers.as_array().unwrap();
        watchers.len() == 8 && watchers.iter().filter(is_matte).count() == 1
    });
    rustix::io::write(&eight[0].stream, b"{\"end_preview\":{}}\n").unwrap();
    air.wait_until("seven", |air| {
        air.status()["outputs"][0]["watchers"].as_array().unwrap().len() == 7
    });
    drop(eight);
    is_camera(&air, "closed");
}

/// After 100 previews with readers that read, that do not read, and that are stopped and killed, greenroom has no more
/// descriptors and threads than before.
#[test]
fn ended_previews_leak_nothing() {
    let air = air();
    let status =
        |name: &str| fs::read_dir(format!("/proc/{}/{name}", air.daemon.id())).unwrap().count();
    let once = || {
        let read = preview(&air, json!({ "fps": 30 }));
        // This reader never reads.
        let _unread = preview(&air, json!({ "picture": "camera" }));
        let mut killed = Command::new("/usr/bin/python3");
        let script = "import socket,sys,time\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n\
                    s.sendall(b'{\"preview\":{}}\\n')\ns.recv(1000)\nprint('there',flush=True)\ntime.sleep(1000)";
        killed.args(["-c", script]).arg(air.at("socket")).stdout(Stdio::piped());
        let mut killed = killed.spawn().unwrap();
        let mut said = [0; 5];
        std::io::Read::read_exact(killed.stdout.as_mut().unwrap(), &mut said).unwrap();
        // A stopped reader does not delay the others.
        let pid = killed.id().to_string();
        assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
        let picture = read.wait_for("a picture", |it| !it.is_placeholder);
        read.wait_for("the next picture", |it| it.number > picture.number + 1);
        killed.kill().unwrap();
        killed.wait().unwrap();
    };
    let settle = || {
        is_camera(&air, "closed");
        (status("fd"), status("task"))
    };
    once();
    let before = settle();
    for _ in 0..33 {
        once();
    }
    let begun = Instant::now();
    // Some come and go by themselves; what leaks does so with every preview.
    let is_level = |now: (usize, usize)| now.0 <= before.0 + 4 && now.1 <= before.1 + 4;
    while !is_level(settle()) {
        assert!(
            begun.elapsed() < PATIENCE,
            "{:?} descriptors and threads, {before:?} before",
            settle()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
