//! No older file is touched, and none is left half done, whatever happens: other runs, signals at any
//! moment, slow encoders, full disks. And what is rendered is as long as it was, with its sound.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest wait for anything: a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(300);
const KINDS: [&str; 5] = ["mp4", "mkv", "mov", "webm", "y4m"];
const OLD: &[u8] = b"the older file";

fn greenroom(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(args).current_dir(folder).env_remove("GREENROOM_LOG");
    command.env("XDG_RUNTIME_DIR", folder).env("XDG_CONFIG_HOME", folder);
    command.stdin(Stdio::null());
    command
}

fn done(folder: &Path, args: &[&str]) -> (Output, String) {
    let output = greenroom(folder, args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

fn tool(program: &str, folder: &Path, args: &[&str]) -> String {
    let mut tool = Command::new(program);
    let output = tool.args(["-v", "error"]).args(args).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn folder_with_clip() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let clip = "testsrc2=size=160x90:rate=10:duration=1";
    tool("ffmpeg", folder.path(), &["-y", "-f", "lavfi", "-i", clip, "clip.mkv"]);
    folder
}

/// Names in the folder, but for those that were there from the start.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "clip.mkv").collect();
    names.sort();
    names
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "{what}: waited too long");
        sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// A greenroom that runs, and the lines that it says.
struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| sender.send(line).unwrap_or(()));
        });
        Self { child, lines, said: Vec::new() }
    }

    fn wait_for_line(&mut self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("{words:?}: {error}: {:?}", self.said));
            self.said.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Its exit code (`None`: a signal's), and all that it said.
    fn end(mut self) -> (Option<i32>, String) {
        let child = &mut self.child;
        let status = wait_for("its end", || child.try_wait().unwrap());
        self.said.extend(self.lines.iter());
        (status.code(), self.said.join("\n"))
    }
}

const RUN: [&str; 5] = ["run", "--camera", "clip.mkv", "--socket", "socket"];

#[test]
fn a_second_run_touches_nothing() {
    let folder = folder_with_clip();
    let path = folder.path();
    let first = Running::start(greenroom(path, &[&RUN[..], &["--output", "null"]].concat()));
    let asked = ["status", "--json", "--socket", "socket"];
    wait_for("the first", || done(path, &asked).0.status.success().then_some(()));
    for kind in KINDS {
        let name = format!("old.{kind}");
        fs::write(path.join(&name), OLD).unwrap();
        let args = [&RUN[..], &["--output", &name, "--stop-after", "1"]].concat();
        let (output, said) = done(path, &args);
        assert_ne!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("runs already"), "{said}");
        assert_eq!(fs::read(path.join(&name)).unwrap(), OLD, "{name}");
        fs::remove_file(path.join(&name)).unwrap();
    }
    assert_eq!(names(path), ["socket"], "nothing was left over");
    signal(&first.child, "-TERM");
    let (code, said) = first.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(names(path), [""; 0]);
}

#[test]
fn a_start_that_fails_touches_nothing() {
    let folder = folder_with_clip();
    let path = folder.path();
    fs::write(path.join("text.mp4"), "no video").unwrap();
    for kind in KINDS {
        let name = format!("old.{kind}");
        fs::write(path.join(&name), OLD).unwrap();
        for wrong in [
            &["--background", "text.mp4"][..],
            &["--background", "none.png"],
            &["--placeholder", "none.png"],
            &["--model", "none"],
            &["--size", "0x0"],
            &["--mask-server", "nonsense"],
        ] {
            let run = [&RUN[..], &["--output", &name, "--stop-after", "1"], wrong].concat();
            let (output, said) = done(path, &run);
            assert_eq!(output.status.code(), Some(2), "{wrong:?}: {said}");
            assert_eq!(fs::read(path.join(&name)).unwrap(), OLD, "{name} {wrong:?}");
        }
        for render in [&["render", "text.mp4", &name][..], &["render", "none.mp4", &name]] {
            assert_eq!(done(path, render).0.status.code(), Some(2));
            assert_eq!(fs::read(path.join(&name)).unwrap(), OLD, "{name}");
        }
        fs::remove_file(path.join(&name)).unwrap();
    }
    assert_eq!(names(path), ["text.mp4"], "nothing was left over");
}

/// Before all work: the input and the background are broken too, and nobody looks at them.
#[test]
fn outputs_that_cannot_be_are_refused_first() {
    let folder = folder_with_clip();
    let path = folder.path();
    fs::create_dir(path.join("folder.mp4")).unwrap();
    fs::write(path.join("broken.mkv"), "no video").unwrap();
    for (output, words) in [
        ("dir.mp4/", "dir.mp4/ is the name of a folder, not of a file"),
        ("folder.mp4", "folder.mp4 is a folder, not a file"),
        ("folder.mp4/", "folder.mp4/ is a folder, not a file"),
        ("nowhere/a.mkv", "nowhere does not exist"),
        ("clip.mkv/a.mkv", "clip.mkv is a file, not a folder"),
        ("a.xyz", "its ending"),
    ] {
        for args in [
            &["render", "broken.mkv", output, "--background", "none.png"][..],
            &["render", "broken.mkv", "out.mkv", "--matte", output, "--background", "none.png"],
            &["run", "--camera", "broken.mkv", "--output", output, "--stop-after", "1"],
        ] {
            let (output, said) = done(path, args);
            // Of a matte .mp4 is refused for what it is.
            if args.contains(&"--matte") && args[4].contains(".mp4") {
                assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
                continue;
            }
            assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
            assert!(said.contains(words) && said.lines().count() == 1, "{args:?}: {said}");
        }
    }
    assert_eq!(names(path), ["broken.mkv", "folder.mp4"]);
}

/// At whatever moment of the start it comes.
#[test]
fn a_signal_leaves_no_part() {
    let folder = folder_with_clip();
    let path = folder.path();
    let run = [&RUN[..], &["--output", "old.mp4"]].concat();
    let render = ["render", "clip.mkv", "old.mp4", "--matte", "matte.mkv"];
    let mask_server = ["serve-masks", "--listen", "127.0.0.1:0"];
    for (args, steps) in [(&run[..], 16), (&render[..], 12), (&mask_server[..], 3)] {
        for step in 0..steps {
            fs::write(path.join("old.mp4"), OLD).unwrap();
            let running = Running::start(greenroom(path, args));
            sleep(Duration::from_millis(60) * step);
            signal(&running.child, ["-TERM", "-INT", "-HUP"][step as usize % 3]);
            let (_, said) = running.end();
            let names = names(path);
            assert!(
                !names.iter().any(|name| name.ends_with(".part")),
                "{args:?} {step}: {names:?} {said}"
            );
            assert!(!names.contains(&"socket".to_owned()), "{args:?} {step}: {names:?} {said}");
            // Or it was done, or was recording already.
            let now = fs::read(path.join("old.mp4")).unwrap();
            if now != OLD {
                tool("ffprobe", path, &["old.mp4"]);
            }
            let _ = fs::remove_file(path.join("matte.mkv"));
        }
    }
}

#[test]
fn a_fifo_that_nobody_reads_can_be_given_up() {
    let folder = folder_with_clip();
    let path = folder.path();
    let made = Command::new("mkfifo").arg("fifo.y4m").current_dir(path).status();
    assert!(made.unwrap().success());
    for args in
        [&[&RUN[..], &["--output", "fifo.y4m"]].concat()[..], &["render", "clip.mkv", "fifo.y4m"]]
    {
        let running = Running::start(greenroom(path, args));
        sleep(Duration::from_millis(1500));
        signal(&running.child, "-TERM");
        running.end();
        assert_eq!(names(path), ["fifo.y4m"]);
    }
}

/// A folder with an `ffmpeg` that is another program when it is to encode.
fn path_with_encoder(folder: &Path, script: &str) -> std::ffi::OsString {
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    let real = tool_path("ffmpeg");
    let script =
        format!("#!/bin/sh\ncase \"$*\" in *.part) {script};; *) exec {real} \"$@\";; esac\n");
    fs::write(bin.join("ffmpeg"), script.replace("REAL", &real)).unwrap();
    fs::set_permissions(bin.join("ffmpeg"), fs::Permissions::from_mode(0o755)).unwrap();
    let old = std::env::var_os("PATH").unwrap();
    let paths = std::iter::once(bin).chain(std::env::split_paths(&old));
    std::env::join_paths(paths).unwrap()
}

fn tool_path(name: &str) -> String {
    let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

/// The encoder begins only when it is told to: by then the stop has come, and a write waits.
#[test]
fn a_slow_encoder_is_waited_for() {
    let folder = folder_with_clip();
    let path = folder.path();
    let bin = path_with_encoder(path, "while ! [ -e go ]; do sleep 0.1; done; exec REAL \"$@\"");
    fs::write(path.join("rec.mp4"), OLD).unwrap();
    let mut command = greenroom(path, &[&RUN[..], &["--output", "rec.mp4"]].concat());
    command.env("PATH", bin);
    let mut running = Running::start(command);
    running.wait_for_line("output: rec.mp4");
    // Until it records: the placeholder and pictures wait in the pipe.
    sleep(Duration::from_secs(3));
    signal(&running.child, "-TERM");
    running.wait_for_line("completing rec.mp4");
    assert_eq!(fs::read(path.join("rec.mp4")).unwrap(), OLD);
    fs::write(path.join("go"), "").unwrap();
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    tool("ffprobe", path, &["rec.mp4"]);
    assert_ne!(fs::read(path.join("rec.mp4")).unwrap(), OLD);
    assert_eq!(names(path), ["bin", "go", "rec.mp4"]);
}

#[test]
fn a_second_signal_ends_at_once_and_tells_what_stays() {
    let folder = folder_with_clip();
    let path = folder.path();
    // Ends when greenroom does.
    let bin = path_with_encoder(path, "while kill -0 $PPID; do sleep 0.1; done");
    fs::write(path.join("rec.mkv"), OLD).unwrap();
    let mut command = greenroom(path, &[&RUN[..], &["--output", "rec.mkv"]].concat());
    command.env("PATH", bin);
    let mut running = Running::start(command);
    running.wait_for_line("output: rec.mkv");
    sleep(Duration::from_secs(3));
    signal(&running.child, "-TERM");
    running.wait_for_line("completing rec.mkv");
    signal(&running.child, "-TERM");
    let (code, said) = running.end();
    assert_eq!(code, Some(1), "{said}");
    let names = names(path);
    let part = names.iter().find(|name| name.ends_with(".part")).unwrap();
    assert!(said.contains(part.as_str()), "{part} is not told: {said}");
    assert_eq!(fs::read(path.join("rec.mkv")).unwrap(), OLD);
    assert!(!names.contains(&"socket".to_owned()), "{names:?}");
}

/// `timeout` signals the process and its group: that is one request.
#[test]
fn two_signals_at_once_are_one_request() {
    let folder = folder_with_clip();
    let path = folder.path();
    let args = [&RUN[..], &["--unpaced", "--output", "rec.y4m"]].concat();
    let running = Running::start(greenroom(path, &args));
    let asked = ["status", "--json", "--socket", "socket"];
    wait_for("an answer", || done(path, &asked).0.status.success().then_some(()));
    // Stopped, so that both are there when it looks.
    for name in ["-STOP", "-TERM", "-INT", "-CONT"] {
        signal(&running.child, name);
    }
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(names(path), ["rec.y4m"], "{said}");
}

/// A file that may not grow any more is a write that fails, like any other.
#[test]
fn a_file_size_limit_is_an_error_and_leaves_nothing() {
    let folder = folder_with_clip();
    let path = folder.path();
    for output in ["old.y4m", "old.mkv"] {
        fs::write(path.join(output), OLD).unwrap();
        let mut limited = Command::new("prlimit");
        limited.args(["--fsize=512:512", env!("CARGO_BIN_EXE_greenroom")]);
        limited.args(["render", "clip.mkv", output, "--background", "#00b140"]);
        limited.current_dir(path).env_remove("GREENROOM_LOG").env("XDG_CONFIG_HOME", path);
        let ended = limited.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{output}: {said}");
        assert!(said.lines().last().unwrap().contains(output), "{said}");
        assert_eq!(fs::read(path.join(output)).unwrap(), OLD);
    }
    assert_eq!(names(path), ["old.mkv", "old.y4m"]);
}

/// Whatever is read is not written: not the video alone.
#[test]
fn nothing_that_is_read_is_replaced() {
    let folder = folder_with_clip();
    let path = folder.path();
    fs::copy(path.join("clip.mkv"), path.join("bg.mkv")).unwrap();
    std::os::unix::fs::symlink("bg.mkv", path.join("link.mkv")).unwrap();
    fs::hard_link(path.join("bg.mkv"), path.join("hard.mkv")).unwrap();
    fs::write(path.join("config.toml"), "[scenes.other]\nbackground = 'bg.mkv'\n").unwrap();
    let before = fs::read(path.join("bg.mkv")).unwrap();
    let named = ["--background", "bg.mkv"];
    let configured = ["--config", "config.toml"];
    let run = ["run", "--camera", "clip.mkv", "--socket", "socket", "--stop-after", "1"];
    for target in ["bg.mkv", "./bg.mkv", "link.mkv", "hard.mkv"] {
        for scene in [named, configured] {
            for args in [
                &["render", "clip.mkv", target][..],
                &["render", "clip.mkv", "out.mkv", "--matte", target],
                &[&run[..], &["--output", target]].concat(),
            ] {
                let args = [args, &scene].concat();
                let (output, said) = done(path, &args);
                assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
                assert!(said.contains("read and written at once"), "{args:?}: {said}");
                assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
            }
        }
    }
    assert_eq!(fs::read(path.join("bg.mkv")).unwrap(), before);
    assert_eq!(names(path), ["bg.mkv", "config.toml", "hard.mkv", "link.mkv"]);
}

/// On air neither: the recording is not shown, and no snapshot takes the place of what is.
#[test]
fn nothing_that_is_read_is_replaced_on_air() {
    let folder = folder_with_clip();
    let path = folder.path();
    for name in ["live.mkv", "hard.mkv"] {
        fs::copy(path.join("clip.mkv"), path.join(name)).unwrap();
    }
    fs::remove_file(path.join("hard.mkv")).unwrap();
    fs::hard_link(path.join("live.mkv"), path.join("hard.mkv")).unwrap();
    for name in ["shown.png", "placeholder.png"] {
        let args = ["-y", "-f", "lavfi", "-i", "color=c=red:s=64x36", "-frames:v", "1", name];
        tool("ffmpeg", path, &args);
    }
    let before = fs::read(path.join("shown.png")).unwrap();
    let scene = ["--background", "shown.png", "--placeholder", "placeholder.png"];
    let args = [&RUN[..], &scene, &["--output", "live.mkv"]].concat();
    let running = Running::start(greenroom(path, &args));
    let asked = ["status", "--json", "--socket", "socket"];
    wait_for("an answer", || done(path, &asked).0.status.success().then_some(()));
    for (args, words) in [
        (["set", "background", "live.mkv"], "is being recorded"),
        (["set", "background", "hard.mkv"], "is being recorded"),
    ] {
        let (output, said) = done(path, &[&args[..], &["--socket", "socket"]].concat());
        assert!(!output.status.success() && said.contains(words), "{args:?}: {said}");
    }
    for file in ["shown.png", "placeholder.png"] {
        let (output, said) = done(path, &["snapshot", file, "--socket", "socket"]);
        assert!(!output.status.success() && said.contains("is read by"), "{file}: {said}");
    }
    assert_eq!(fs::read(path.join("shown.png")).unwrap(), before);
    signal(&running.child, "-TERM");
    running.end();
}

/// Both files of a render take their names, or none does.
#[test]
fn a_matte_that_finds_no_room_costs_no_older_file() {
    let folder = folder_with_clip();
    let path = folder.path();
    fs::write(path.join("old.mkv"), OLD).unwrap();
    fs::write(path.join("matte.mkv"), OLD).unwrap();
    // So little that FFmpeg notices only when it closes the files, and FFmpeg 5 ends with 0 then.
    let script = "trap '' XFSZ; ulimit -f 4; exec \"$@\"";
    let render =
        ["render", "clip.mkv", "old.mkv", "--matte", "matte.mkv", "--background", "#00b140"];
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_greenroom")]).args(render);
    let output = command.current_dir(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for name in ["old.mkv", "matte.mkv"] {
        assert_eq!(fs::read(path.join(name)).unwrap(), OLD, "{name}: {said}");
    }
    assert_eq!(names(path), ["matte.mkv", "old.mkv"]);
}

fn entry(folder: &Path, file: &str, stream: &str, entry: &str) -> String {
    let show = ["-select_streams", stream, "-show_entries", entry, "-of", "csv=p=0", file];
    tool("ffprobe", folder, &show).trim().trim_end_matches(',').to_owned()
}

/// From the first packet to the last, in seconds.
fn length(folder: &Path, file: &str) -> f64 {
    let times = entry(folder, file, "v:0", "packet=pts_time");
    let times: Vec<f64> =
        times.lines().filter_map(|time| time.trim_end_matches(',').parse().ok()).collect();
    let first = times.iter().copied().fold(f64::INFINITY, f64::min);
    times.iter().copied().fold(0.0, f64::max) - first
}

/// A webcam's recording: 12 frames a second in the light, 3 in the dark.
#[test]
fn a_video_of_changing_rate_keeps_its_length() {
    let folder = folder_with_clip();
    let path = folder.path();
    let source = "testsrc2=size=160x90:rate=12:duration=5,\
                  select='if(lt(t,2),1,not(mod(n,4)))'";
    let make = ["-f", "lavfi", "-i", source, "-fps_mode", "vfr", "-c:v", "libx264"];
    tool("ffmpeg", path, &[&make[..], &["dark.mkv"]].concat());
    let before = length(path, "dark.mkv");
    assert!(before > 4.5, "{before}");
    for kind in KINDS {
        let name = format!("out.{kind}");
        let (output, said) = done(path, &["render", "dark.mkv", &name, "--background", "#00b140"]);
        assert!(output.status.success(), "{said}");
        let after = length(path, &name);
        assert!((after / before - 1.0).abs() < 0.02, "{name}: {before} s became {after} s");
    }
}

#[test]
fn sound_is_kept_in_step() {
    let folder = folder_with_clip();
    let path = folder.path();
    // The sound begins a quarter of a second before the picture.
    let picture =
        ["-itsoffset", "0.25", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=0.4"];
    let sound = ["-f", "lavfi", "-i", "sine=duration=0.65"];
    // At a constant rate FFmpeg fills the gap before the first frame.
    let make = ["-fps_mode", "vfr", "-c:v", "libx264", "-c:a", "aac", "in.mp4"];
    tool("ffmpeg", path, &[&picture[..], &sound[..], &make[..]].concat());
    let start = |file: &str, stream: &str| -> f64 {
        let times = entry(path, file, stream, "packet=pts_time");
        times
            .lines()
            .filter_map(|time| time.trim_end_matches(',').parse().ok())
            .fold(f64::INFINITY, f64::min)
    };
    let step = |file: &str| start(file, "v:0") - start(file, "a:0");
    let wanted = step("in.mp4");
    assert!((wanted - 0.25).abs() < 0.05, "{wanted}");
    for (kind, codec) in [("mp4", "aac"), ("mkv", "aac"), ("mov", "aac"), ("webm", "opus")] {
        let name = format!("out.{kind}");
        let (output, said) = done(path, &["render", "in.mp4", &name, "--background", "#00b140"]);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("sound: aac"), "{said}");
        assert_eq!(entry(path, &name, "a", "stream=codec_name"), codec, "{name}");
        let step = step(&name);
        assert!((step - wanted).abs() < 0.04, "{name}: {wanted} s became {step} s");
        let bytes = |file: &str| {
            tool("ffmpeg", path, &["-i", file, "-map", "0:a", "-c", "copy", "-f", "md5", "-"])
        };
        if codec == "aac" {
            assert_eq!(bytes(&name), bytes("in.mp4"), "{name}: it was not copied");
        }

        let silent = ["render", "in.mp4", &name, "--no-sound", "--background", "#00b140"];
        let (output, said) = done(path, &silent);
        assert!(output.status.success() && !said.contains("sound"), "{said}");
        assert_eq!(entry(path, &name, "a", "stream=codec_name"), "", "{name}");
    }
    let (_, said) = done(path, &["render", "in.mp4", "out.y4m", "--background", "#00b140"]);
    assert!(said.contains("sound: left out"), "{said}");
}
