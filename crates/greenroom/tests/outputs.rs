//! Several outputs of the real program, each with a scene and a size of its own; and one that is lost or slow, which is no
//! matter of the others.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

mod air;

use air::{Air, BLUE, RED, is_placeholder, yuv};

const GREEN: &str = "#00b140";

fn air(outputs: &str) -> Air {
    let folder = tempfile::tempdir().unwrap();
    let scenes =
        format!("[scenes.red]\nbackground = '{RED}'\n[scenes.blue]\nbackground = '{BLUE}'\n");
    fs::write(folder.path().join("config.toml"), format!("{outputs}{scenes}")).unwrap();
    let fifo = Command::new("mkfifo").arg(folder.path().join("pipe.y4m")).status().unwrap();
    assert!(fifo.success());
    Air::start(
        folder,
        &["--camera", "room.mkv", "--model", "landscape", "--config", "config.toml"],
        &[],
    )
}

/// Asks for the end; the exit code, and what was logged last.
fn end(air: &mut Air) -> (Option<i32>, String) {
    let pid = air.daemon.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let code = air.daemon.wait().unwrap().code();
    (code, fs::read_to_string(air.at("log")).unwrap())
}

/// Y, U, V in the upper left corner of each frame of a video, which has that size.
fn corners(video: &Path, size: (usize, usize)) -> Vec<[u8; 3]> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(video);
    // Whatever times they have: after a stall two may be close together.
    ffmpeg.args(["-vf", "settb=1/30,setpts=N", "-fps_mode", "passthrough"]);
    ffmpeg.args(["-pix_fmt", "yuv444p", "-f", "rawvideo", "-"]);
    let out = ffmpeg.stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{out:?}");
    let plane = size.0 * size.1;
    let frames = out.stdout.chunks_exact(3 * plane);
    assert!(frames.remainder().is_empty());
    frames.map(|frame| [0, plane, 2 * plane].map(|start| frame[start + 4 * size.0 + 4])).collect()
}

fn is_near(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 6)
}

#[test]
fn each_output_has_a_scene_and_a_size_of_its_own() {
    let mut air = air(
        "scene = 'red'\n[[output]]\nto = '-'\nname = 'call'\n[[output]]\nto = 'film.mkv'\nscene = \
         'blue'\nsize = '80x46'\n[[output]]\nto = 'null'\n",
    );
    air.wait_for(yuv(RED));
    let scenes = || {
        let status = air.status();
        let outputs = status["outputs"].as_array().unwrap().clone();
        outputs.iter().map(|output| output["scene"]["background"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(scenes(), [RED, BLUE, RED]);
    let status = air.status();
    assert_eq!(status["outputs"][1]["name"], "film.mkv");
    assert!(status["outputs"][1]["mode"].as_str().unwrap().starts_with("80x46"), "{status}");
    let written = |air: &Air| air.status()["outputs"][1]["written"].as_u64().unwrap();
    let enough = written(&air) + 10;
    air.wait_until("ten frames", |air| written(air) >= enough);

    air.tell(&["set", "--output", "film.mkv", "background", GREEN]);
    assert_eq!(scenes(), [RED, GREEN, RED]);
    let enough = written(&air) + 20;
    air.wait_until("twenty frames", |air| written(air) >= enough);
    assert!(is_near(air.corner().unwrap(), yuv(RED)));
    air.tell(&["snapshot", "--output", "film.mkv", "film.png"]);
    air.tell(&["snapshot", "call.png"]);
    let picture = |name: &str| image::open(air.at(name)).unwrap().into_rgb8();
    let green = picture("film.png");
    assert_eq!(green.dimensions(), (80, 46));
    assert!(green.get_pixel(4, 4).0[1] > 120 && picture("call.png").get_pixel(4, 4).0[0] > 120);

    // Whoever names none means all, whoever names one that is not there is told which are.
    let said = air.refusal(&["set", "--output", "film", "background", "blur"]);
    assert!(said.contains("there are call, film.mkv, null"), "{said}");
    let said = air.refusal(&["snapshot", "--output", "film", "a.png"]);
    assert!(said.contains("there are call, film.mkv, null"), "{said}");
    air.tell(&["next", "--output", "call"]);
    assert_eq!(scenes(), [BLUE, GREEN, RED]);
    air.tell(&["set", "scene", "blue"]);
    assert_eq!(scenes(), [BLUE, BLUE, BLUE]);
    air.wait_for(yuv(BLUE));
    air.tell(&["pause"]);
    air.wait_for_placeholder();

    let (code, log) = end(&mut air);
    assert_eq!(code, Some(0), "{log}");
    let seen = corners(&air.at("film.mkv"), (80, 46));
    for colour in [BLUE, GREEN] {
        assert!(seen.iter().any(|&seen| is_near(seen, yuv(colour))), "{seen:?}");
    }
    assert!(!seen.iter().any(|&seen| is_near(seen, yuv(RED)) || is_near(seen, air::GREY)));
    assert!(is_placeholder(*seen.last().unwrap()), "{seen:?}");
}

#[test]
fn what_is_lost_or_slow_is_no_matter_of_the_others() {
    let mut air =
        air("scene = 'red'\n[[output]]\nto = '-'\n[[output]]\nto = 'full.y4m'\n[[output]]\nto = \
         'pipe.y4m'\n[[output]]\nto = 'well.mkv'\n");
    // It is opened and never read: the pipe is full after two frames.
    let _reader = File::open(air.at("pipe.y4m")).unwrap();
    air.wait_for(yuv(RED));
    let first = air.frames();
    let pid = air.daemon.id().to_string();
    let limit = ["--pid", &pid, "--fsize=400000:400000"];
    assert!(Command::new("prlimit").args(limit).status().unwrap().success());
    let output = |air: &Air, at: usize| air.status()["outputs"][at].clone();
    air.wait_until("the end of the file that is full", |air| output(air, 1)["state"] == "ended");
    air.wait_until("frames that are passed over", |air| output(air, 2)["dropped"] != 0);
    let enough = air.frames() + 30;
    air.wait_until("thirty frames more", |air| air.frames() > enough);
    // What all of them show is for the camera and this machine to say; none has a gap of its own.
    let all = air.status()["outputs"].clone();
    for count in ["written", "placeholders"] {
        let [call, slow, well] = [0, 2, 3].map(|at| all[at][count].as_u64().unwrap());
        assert!(call.abs_diff(well) <= 1 && call.abs_diff(slow) <= 1, "{all}");
    }
    let seen = air.corners_since(first);
    let is_right = |&seen: &[u8; 3]| is_near(seen, yuv(RED)) || is_placeholder(seen);
    assert!(seen.iter().all(is_right), "{seen:?}");
    assert!(output(&air, 1)["reason"].as_str().unwrap().contains("full.y4m"));
    assert_eq!(air.log_has("the others go on"), 1);
    // Whoever asks for a pause is told that one of them takes no placeholder.
    let said = air.refusal(&["pause"]);
    assert!(said.contains("takes no placeholder now"), "{said}");

    let (code, log) = end(&mut air);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.lines().last().unwrap().contains("full.y4m"), "{log}");
    assert!(!air.at("full.y4m").exists());
    let seen = corners(&air.at("well.mkv"), (160, 90));
    assert!(seen.iter().filter(|&&seen| is_near(seen, yuv(RED))).count() >= 30, "{seen:?}");
}

#[test]
fn outputs_that_make_no_sense_are_told_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let said = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["run", "--camera", "demo"]).args(args).current_dir(folder.path());
        let ended = command.env("XDG_CONFIG_HOME", folder.path()).output().unwrap();
        assert!(!ended.status.success());
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    };
    let same = said(&["--output", "a.mkv", "--output", "./a.mkv"]);
    assert!(same.contains("two outputs would both be written to ./a.mkv"), "{same}");
    let two = "[[output]]\nto = 'a.mkv'\nname = 'a'\n[[output]]\nto = 'b.mkv'\nname = 'a'\n";
    for (config, sentence) in [
        (two, "two outputs are called \"a\""),
        ("[[output]]\nto = 'a.mkv'\nscene = 'office'\n", "no scene is called \"office\""),
        ("[[output]]\nto = 'a.mkv'\nsize = 'large'\n", "large"),
        ("[[output]]\nto = 'a.exe'\n", "its ending is none of"),
    ] {
        fs::write(folder.path().join("config.toml"), config).unwrap();
        let said = said(&["--config", "config.toml"]);
        assert!(said.contains(sentence), "{said}");
    }
    let many: Vec<_> =
        (0..17).flat_map(|number| ["--output".into(), format!("{number}.mkv")]).collect();
    let many = said(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(many.contains("17 outputs are more"), "{many}");
}
