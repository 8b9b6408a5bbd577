//! The binary, as a user runs it: bad input gives one sentence and exit code 2, and harms nothing.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest wait for something that comes soon on any machine, however slow or busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs greenroom in `folder`.
fn greenroom(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_greenroom"))
        .args(args)
        .current_dir(folder)
        .env_remove("GREENROOM_LOG")
        .output()
        .unwrap()
}

/// What the greenroom tells that answers at `socket` in `folder`, once it does.
fn status(folder: &Path) -> Option<serde_json::Value> {
    let asked = greenroom(folder, &["status", "--json", "--socket", "socket"]);
    asked.status.success().then(|| serde_json::from_slice(&asked.stdout).unwrap())
}

/// Makes media with FFmpeg.
fn ffmpeg(folder: &Path, args: &[&str]) {
    let mut ffmpeg = Command::new("ffmpeg");
    let status = ffmpeg.args(["-v", "error", "-y"]).args(args).current_dir(folder).status();
    assert!(status.unwrap().success(), "ffmpeg {args:?}");
}

/// A folder with a small clip in it.
fn folder_with_clip() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    ffmpeg(
        folder.path(),
        &["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10:duration=1", "clip.mkv"],
    );
    folder
}

/// Asserts exit code 2 and exactly one sentence on standard error that holds all of `words`; only
/// life-cycle lines may stand before it.
fn assert_refused(folder: &Path, args: &[&str], words: &[&str]) {
    let output = greenroom(folder, args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    let mut lines = said.lines().filter(|line| !line.trim_start().starts_with("INFO "));
    let sentence = lines.next().and_then(|line| line.strip_prefix("greenroom: "));
    let sentence = sentence.unwrap_or_else(|| panic!("{args:?}: {said}"));
    assert_eq!(lines.next(), None, "one sentence: {said}");
    for word in words {
        assert!(sentence.contains(word), "{args:?} does not say {word:?}: {said}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn words_that_make_no_sense_are_refused() {
    let folder = folder_with_clip();
    // A time to stop after: what is wrongly accepted must not run for ever.
    let run = |more: &[&'static str]| [&["run", "--stop-after", "2"], more].concat();
    for (args, words) in [
        (run(&["--size", "big"]), &["big", "1280x720"][..]),
        (run(&["--size", "0x720"]), &["0x720"]),
        (run(&["--fps", "0"]), &["frame rate"]),
        (run(&["--fps", "fast"]), &["frame rate"]),
        (vec!["run", "--stop-after", "0"], &["seconds"]),
        (run(&["--idle-after", "-1"]), &["-1", "seconds"]),
        (run(&["--placeholder", "none.png"]), &["none.png"]),
        (run(&["--background", "sunset"]), &["sunset", "#rrggbb"]),
        (run(&["--background", "#12345"]), &["#12345", "#rrggbb"]),
        (run(&["--model", "best"]), &["best", "landscape"]),
        (run(&["--camera", "/dev/video99"]), &["/dev/video99", "does not exist"]),
        (run(&["--camera", "HAL 9000"]), &["HAL 9000", "greenroom list"]),
        (run(&["--camera", "clip.mkv", "--output", "/dev/video99"]), &["/dev/video99"]),
        (run(&["--camera", "clip.mkv", "--output", "out.xyz"]), &["out.xyz", "mp4"]),
        #[cfg(feature = "pipewire")]
        (run(&["--camera", "clip.mkv", "--output", "pipewire:a/b"]), &["a/b", "pipewire alone"]),
        #[cfg(not(feature = "pipewire"))]
        (run(&["--camera", "clip.mkv", "--output", "pipewire"]), &["built without the PipeWire"]),
        (run(&["--camera", "clip.mkv", "--output", "clip.mkv"]), &["read and written"]),
        (run(&["--camera", "clip.mkv", "--output", "/nowhere/out.mkv"]), &["/nowhere"]),
        (vec!["render", "none.mp4", "out.mkv"], &["none.mp4"]),
        (vec!["render", "clip.mkv", "clip.mkv"], &["read and written"]),
        (vec!["render", "clip.mkv", "out.mkv", "--matte", "out.mkv"], &["both be written"]),
        (vec!["render", "clip.mkv", "out.mkv", "--matte", "./out.mkv"], &["both be written"]),
    ] {
        assert_refused(folder.path(), &args, words);
    }
    assert_eq!(names(folder.path()), ["clip.mkv"], "nothing was left behind");
}

#[test]
fn broken_pictures_are_refused() {
    let folder = folder_with_clip();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text.png"), "this is not a picture").unwrap();
    std::fs::write(at("empty.jpg"), "").unwrap();
    image::RgbImage::from_pixel(640, 480, image::Rgb([9, 99, 199])).save(at("whole.jpg")).unwrap();
    let whole = std::fs::read(at("whole.jpg")).unwrap();
    std::fs::write(at("cut.jpg"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(at("huge.png"), huge_png()).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    for (picture, words) in [
        ("text.png", &["text.png", "another file"][..]),
        ("empty.jpg", &["empty.jpg"]),
        ("cut.jpg", &["cut.jpg", "not a whole"]),
        ("huge.png", &["60000x60000", "8192"]),
        ("folder", &["folder", "no picture"]),
    ] {
        let args = ["run", "--camera", "clip.mkv", "--output", "out.mkv", "--background", picture];
        assert_refused(folder.path(), &[&args[..], &["--stop-after", "2"]].concat(), words);
        assert!(!at("out.mkv").exists());
    }
}

/// A PNG that says it is 60000x60000 and holds next to nothing.
fn huge_png() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        png.extend((data.len() as u32).to_be_bytes());
        let body = [&kind[..], data].concat();
        png.extend(&body);
        png.extend(crc32(&body).to_be_bytes());
    };
    let side = 60_000u32.to_be_bytes();
    chunk(b"IHDR", &[&side[..], &side, &[8, 2, 0, 0, 0]].concat());
    chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]);
    chunk(b"IEND", &[]);
    png
}

/// PNG's checksum (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(!0, step)
}

#[test]
fn broken_videos_are_refused() {
    let folder = folder_with_clip();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text.mp4"), "this is not a video").unwrap();
    for command in [
        &["render", "text.mp4", "out.mkv"][..],
        &["run", "--camera", "text.mp4", "--output", "out.mkv", "--stop-after", "2"],
    ] {
        assert_refused(folder.path(), command, &["text.mp4"]);
    }
    assert_eq!(names(folder.path()), ["clip.mkv", "text.mp4"]);
}

#[test]
fn broken_models_are_refused() {
    let folder = folder_with_clip();
    let at = |name: &str| folder.path().join(name);
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models");
    let whole = std::fs::read(assets.join("selfie_segmentation.tflite")).unwrap();
    std::fs::write(at("half.tflite"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(at("text.tflite"), "this is not a model").unwrap();
    for model in ["half.tflite", "text.tflite"] {
        assert_refused(
            folder.path(),
            &["render", "clip.mkv", "out.mkv", "--model", model],
            &[model],
        );
    }
    assert_eq!(names(folder.path()), ["clip.mkv", "half.tflite", "text.tflite"]);
    std::fs::write(at("whole.tflite"), whole).unwrap();
    let args = ["render", "clip.mkv", "out.mkv", "--model", "whole.tflite"];
    assert!(greenroom(folder.path(), &args).status.success());
}

#[test]
fn render_writes_every_frame_and_its_matte() {
    let folder = folder_with_clip();
    let render = |out: &str, matte: &str| {
        let args = ["render", "clip.mkv", out, "--background", "#00b140", "--matte", matte];
        let output = greenroom(folder.path(), &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    render("one.y4m", "one-matte.y4m");
    render("two.y4m", "two-matte.y4m");
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let frames = |y4m: &[u8]| y4m.windows(6).filter(|window| window == b"FRAME\n").count();
    for (one, two) in [("one.y4m", "two.y4m"), ("one-matte.y4m", "two-matte.y4m")] {
        assert_eq!(frames(&read(one)), 10, "{one}");
        assert!(read(one) == read(two), "{one} and {two}: the same work gives the same bytes");
        assert!(read(one).starts_with(b"YUV4MPEG2 W160 H90 F10:1"), "{one}");
    }
    render("three.mp4", "three-matte.mkv");
    let counted = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries"])
        .args(["stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0"])
        .arg(folder.path().join("three-matte.mkv"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(counted.stdout).unwrap().trim(), "ffv1,160,90,10");
}

#[test]
fn an_existing_file_survives_a_failure() {
    let folder = folder_with_clip();
    let precious = folder.path().join("precious.mkv");
    std::fs::write(&precious, "precious").unwrap();
    std::fs::write(folder.path().join("text.png"), "no picture").unwrap();
    let args = ["render", "clip.mkv", "precious.mkv", "--background", "text.png"];
    assert_refused(folder.path(), &args, &["text.png"]);
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
}

#[test]
fn run_plays_a_file_live_until_it_is_stopped() {
    let folder = folder_with_clip();
    let args = [
        "run",
        "--camera",
        "clip.mkv",
        "--output",
        "out.mkv",
        "--background",
        "#00b140",
        "--socket",
        "socket",
    ];
    let child = Command::new(env!("CARGO_BIN_EXE_greenroom"))
        .args(args)
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // More than two turns of the clip, which has ten frames: it is looped.
    let deadline = Instant::now() + PATIENCE;
    let composed = |status: serde_json::Value| status["frames"]["composed"].as_u64();
    while status(folder.path()).and_then(composed) < Some(21) {
        assert!(Instant::now() < deadline, "{:?}", status(folder.path()));
        std::thread::sleep(Duration::from_millis(50));
    }
    let signalled = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("stopped: "), "{said}");
    let counted = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames"])
        .args(["-of", "csv=p=0"])
        .arg(folder.path().join("out.mkv"))
        .output()
        .unwrap();
    let frames: u32 = String::from_utf8(counted.stdout).unwrap().trim().parse().unwrap();
    assert!(frames >= 21, "{frames} frames. {said}");
    let picture = Command::new("ffmpeg")
        .args(["-v", "error", "-sseof", "-0.5", "-i", "out.mkv", "-frames:v", "1"])
        .args(["-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let pixels = picture.stdout.as_chunks::<3>().0;
    let green =
        pixels.iter().filter(|[r, g, b]| *r < 12 && g.abs_diff(177) < 12 && b.abs_diff(64) < 12);
    assert!(
        green.count() * 10 > pixels.len() * 9,
        "a test picture has nobody in it: all background"
    );
}

#[test]
fn a_reader_that_stands_still_does_not_hold_a_stop_up() {
    // A frame of it is seven times as large as a pipe.
    let folder = tempfile::tempdir().unwrap();
    let source = "testsrc2=size=640x360:rate=10:duration=1";
    let clip = folder.path().join("clip.mkv");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", source, "-c:v", "ffv1"]).arg(clip);
    assert!(ffmpeg.status().unwrap().success());
    let mut child = Command::new(env!("CARGO_BIN_EXE_greenroom"))
        .args(["run", "--camera", "clip.mkv", "--output", "-"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads: it is in the middle of its first frame.
    let pipe = child.stdout.as_ref().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while rustix::io::ioctl_fionread(pipe).unwrap() < 32 << 10 {
        assert!(Instant::now() < deadline, "nothing comes");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success()
    );
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1), "its last frame is not whole");
}

#[test]
fn a_machine_with_nothing_is_told_what_is_missing_and_waited_for() {
    if Path::new("/dev/video0").exists() {
        println!("left out: this machine has cameras; tests/vm shows them at work");
        return;
    }
    let folder = folder_with_clip();
    let socket = folder.path().join("socket");
    let daemon = Command::new(env!("CARGO_BIN_EXE_greenroom"))
        .args(["run", "--socket", socket.to_str().unwrap()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = status(folder.path()) {
            break status;
        }
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status["outputs"][0]["state"], "missing", "{status}");
    assert_eq!(status["camera"]["state"], "closed", "{status}");
    let reason = status["outputs"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("greenroom setup"), "{reason}");
    let pid = daemon.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = daemon.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("greenroom setup"), "{said}");
    assert_eq!(said.matches("greenroom setup").count(), 1, "one line an event: {said}");
    let gone = greenroom(folder.path(), &["status", "--socket", "socket"]);
    let said = String::from_utf8(gone.stderr).unwrap();
    assert_eq!(gone.status.code(), Some(1), "{said}");
    assert!(said.contains("greenroom run"), "{said}");
    let listed = greenroom(folder.path(), &["list"]);
    assert!(String::from_utf8(listed.stdout).unwrap().contains("greenroom setup"));
    let json = greenroom(folder.path(), &["list", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["cameras"], serde_json::json!([]));
}

#[test]
fn help_man_page_and_completions_know_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let text = |args: &[&str]| String::from_utf8(greenroom(folder.path(), args).stdout).unwrap();
    let man = text(&["man"]).replace("\\-", "-");
    let bash = text(&["completions", "bash"]);
    for option in [
        "--camera",
        "--output",
        "--background",
        "--fit",
        "--model",
        "--stop-after",
        "--idle-after",
        "--always-on",
        "--placeholder",
        "--socket",
    ] {
        assert!(text(&["run", "--help"]).contains(option), "help: {option}");
        assert!(man.contains(option), "man: {option}");
        assert!(bash.contains(option), "bash: {option}");
    }
}

#[test]
fn a_variable_that_is_empty_says_nothing() {
    let help = Command::new(env!("CARGO_BIN_EXE_greenroom")).args(["run", "--help"]).output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let names: Vec<&str> =
        help.split("[env: ").skip(1).map(|rest| rest.split(['=', ']']).next().unwrap()).collect();
    assert!(names.len() > 15 && names.contains(&"GREENROOM_ONNX_LIBRARY"), "{names:?}");
    let mut greenroom = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    greenroom.args(["run", "--camera", "demo", "--output", "null", "--stop-after", "0.2"]);
    // Nor is the configuration of whoever runs the tests any of ours.
    greenroom.env("XDG_CONFIG_HOME", "/nowhere").envs(names.iter().map(|name| (name, "")));
    let ended = greenroom.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Whatever stands in arguments, files and their names: a terminal shows it and obeys nothing.
#[test]
fn what_is_told_commands_no_terminal() {
    let folder = folder_with_clip();
    let at = |name: &str| folder.path().join(name);
    let hostile = "\x1b[2J\nERROR root#\u{9b}31m\u{202e}";
    std::fs::write(at("hostile.toml"), format!("\"{}\" = 1", "\\u001b[2J\\nroot")).unwrap();
    std::fs::write(at(&format!("{hostile}.toml")), "nonsense").unwrap();
    std::fs::write(at("scenes.toml"), "[scenes.\"\\u001b[2J\"]\nbackground = 'blurr'\n").unwrap();
    std::fs::rename(at("clip.mkv"), at(&format!("{hostile}.mkv"))).unwrap();
    let clip = format!("{hostile}.mkv");
    for args in [
        &[hostile][..],
        &["run", &format!("--{hostile}")],
        &["run", "--size", hostile],
        &["run", "--fit", hostile],
        &["run", "--background", hostile],
        &["run", "--effect", hostile],
        &["run", "--camera", hostile, "--output", "null"],
        &["run", "--output", hostile],
        &["run", "--config", hostile],
        &["run", "--mask-server", hostile],
        &["run", "--model", hostile],
        &["render", hostile, "out.y4m"],
        &["render", &clip, "out.y4m"],
        &["bench", "--size", hostile],
        &["bench", "--fps", hostile],
        &["config", "check", "hostile.toml"],
        &["config", "check", &format!("{hostile}.toml")],
        &["config", "check", "scenes.toml"],
        &["model", "check", hostile],
        &["set", "background", hostile],
        &["status", "--socket", hostile],
        &["serve-masks", "--listen", hostile],
    ] {
        let output = greenroom(folder.path(), args);
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).unwrap();
            let shown = |c: char| c == '\n' || greenroom_device::is_printable(c);
            assert!(said.chars().all(shown), "{args:?}: {said:?}");
            assert!(said.lines().all(|line| !line.starts_with("ERROR root")), "{args:?}: {said}");
        }
    }
    assert!(at("out.y4m").exists(), "the clip with that name was rendered");
}

/// Few threads or processes: whatever is missing is told in a sentence, and nothing panics.
#[test]
fn a_system_without_threads_is_told() {
    let folder = folder_with_clip();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder.path(), open).unwrap();
    // Root is under no such limit: then as a user of whom nothing else runs. For any other one the limit is reached
    // by what runs already.
    let is_root = rustix::process::geteuid().is_root();
    let user = (40_000 + std::process::id() % 20_000).to_string();
    let few = if is_root { 1..=14 } else { 1..=1 };
    let commands = [
        &["run", "--camera", "clip.mkv", "--output", "null", "--stop-after", "0.2"][..],
        &[
            "run",
            "--camera",
            "clip.mkv",
            "--output",
            "null",
            "--background",
            "clip.mkv",
            "--stop-after",
            "0.2",
        ],
        &[
            "run",
            "--camera",
            "clip.mkv",
            "--output",
            "null",
            "--mask-server",
            "http://localhost:9",
            "--stop-after",
            "0.2",
        ],
        &["render", "clip.mkv", "out.mp4"],
    ];
    for (most, args) in few.flat_map(|most| commands.map(|args| (most, args))) {
        let mut command = Command::new(if is_root { "setpriv" } else { "prlimit" });
        if is_root {
            command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "prlimit"]);
        }
        command.arg(format!("--nproc={most}")).arg(env!("CARGO_BIN_EXE_greenroom")).args(args);
        if args[0] == "run" {
            command.args(["--socket", "socket"]);
        }
        command.current_dir(folder.path()).env_remove("GREENROOM_LOG").env("HOME", folder.path());
        let output = command.env("XDG_CONFIG_HOME", folder.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked"), "{most} threads, {args:?}: {said}");
        let code = output.status.code().unwrap();
        assert!([0, 1, 2].contains(&code), "{most} threads, {args:?}: {code}: {said}");
        let has_sentence = said.lines().filter(|line| line.starts_with("greenroom: ")).count() == 1;
        assert_eq!(has_sentence, code != 0, "{most} threads, {args:?}: {code}: {said}");
    }
}

/// However little memory there is: an end with one sentence, not by a signal.
#[test]
fn a_system_without_memory_is_told() {
    let folder = folder_with_clip();
    // FFmpeg alone has as much as it likes: this is about our own memory.
    for name in ["ffmpeg", "ffprobe"] {
        let script = format!(
            "#!/bin/sh\nPATH=${{PATH#*:}}\nexec prlimit --as={}: -- {name} \"$@\"\n",
            4u64 << 30
        );
        let path = folder.path().join(name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut told = 0;
    let limited = |mib: u64| {
        let mut command = Command::new("prlimit");
        command.arg(format!("--as={}:{}", mib << 20, 4u64 << 30));
        command.arg(env!("CARGO_BIN_EXE_greenroom"));
        command.current_dir(folder.path()).env("PATH", &path).env("HOME", folder.path());
        command.env_remove("GREENROOM_LOG");
        command
    };
    // Without its libraries it is not ours to say anything.
    let is_loaded = |mib: &u64| limited(*mib).arg("--version").output().unwrap().status.success();
    let loaded = (40..).step_by(8).find(is_loaded).unwrap();
    for mib in (loaded..loaded + 160).step_by(2) {
        let mut command = limited(mib);
        command.args(["run", "--camera", "clip.mkv", "--output", "null", "--socket", "socket"]);
        command.args(["--stop-after", "0.2"]);
        let output = command.env("XDG_CONFIG_HOME", folder.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        // The standard library panics on a new thread before anything of ours runs on it.
        let is_ours = !said.contains("failed to allocate an alternative stack");
        assert!(!is_ours || !said.contains("panicked"), "{mib} MiB: {said}");
        let code = output.status.code();
        let code = code.unwrap_or_else(|| panic!("{mib} MiB: {}: {said}", output.status));
        assert!([0, 1, 2].contains(&code), "{mib} MiB: {code}: {said}");
        let sentences = said.lines().filter(|line| line.starts_with("greenroom: ")).count();
        assert_eq!(sentences, usize::from(code != 0), "{mib} MiB: {code}: {said}");
        told += usize::from(said.contains("there is no more memory for greenroom"));
    }
    assert!(told > 0, "there was enough every time");
}

/// systemd ends a service that hangs by this signal, and starts it anew.
#[test]
fn an_abort_from_outside_ends_it_at_once() {
    let folder = folder_with_clip();
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["run", "--camera", "clip.mkv", "--output", "null", "--socket", "socket"]);
    command.current_dir(folder.path()).env("HOME", folder.path()).stderr(Stdio::null());
    let mut daemon = command.env("XDG_CONFIG_HOME", folder.path()).spawn().unwrap();
    while !folder.path().join("socket").exists() {
        assert_eq!(daemon.try_wait().unwrap(), None);
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = daemon.id().to_string();
    assert!(Command::new("kill").args(["-ABRT", &pid]).status().unwrap().success());
    assert_eq!(daemon.wait().unwrap().signal(), Some(6));
}

/// `config check` sees what `run` would fail over.
#[test]
fn a_configuration_with_a_wrong_place_in_it_is_not_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (config, words) in [
        ("output = \"out.xyz\"\n", &["out.xyz", "its ending"][..]),
        ("output = \"/nowhere/x.mp4\"\n", &["/nowhere does not exist"]),
        ("[onnx]\nlibrary = \"/nowhere/libonnxruntime.so\"\n", &["/nowhere/libonnxruntime.so"]),
    ] {
        std::fs::write(path.join("config.toml"), config).unwrap();
        assert_refused(path, &["config", "check", "config.toml"], words);
    }
    let check = |home: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["config", "check"]).env_remove("XDG_CONFIG_HOME").env_remove("HOME");
        command.envs(home.map(|home| ("HOME", home))).current_dir(path).output().unwrap()
    };
    let said = String::from_utf8(check(None).stderr).unwrap();
    // Where the system knows a home folder without being told, it is another sentence.
    assert!(!said.contains("--config FILE"), "{said}");
    let elsewhere = path.join("home");
    assert!(!check(elsewhere.to_str()).status.success());
}

/// Passwords and keys of addresses are told by nobody, whatever is wrong with them.
#[test]
fn sentences_hold_no_secrets() {
    let folder = folder_with_clip();
    let path = folder.path();
    for address in [
        "http://me:secret@127.0.0.1:1/a.mp4",
        "http://127.0.0.1:1/a.mp4?token=secret",
        "http://me:sec/secret@127.0.0.1:1/a.png",
    ] {
        let slides = format!("slideshow=3,{address}");
        for args in [
            &["render", "clip.mkv", "out.mkv", "--background", address][..],
            &["render", "clip.mkv", "out.mkv", "--background", &slides],
            &["render", "clip.mkv", "out.mkv", "--foreground", address],
            &["render", address, "out.mkv"],
            &["render", "clip.mkv", address],
            &["run", "--camera", address, "--output", "null", "--socket", "socket"],
            &["run", "--camera", "clip.mkv", "--output", address, "--socket", "socket"],
        ] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
            command.args(args).arg("-vv").current_dir(path).env_remove("GREENROOM_LOG");
            let output = command.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success() && !said.contains("secret"), "{args:?}: {said}");
        }
    }
}
