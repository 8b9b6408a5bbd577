//! `greenroom setup` on a made-up system, whose programs are a shell script: as a user runs it, and
//! with SIGKILL at each of its moments.
#![cfg(feature = "faults")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_greenroom");
const PROGRAMS: [&str; 6] = ["pkexec", "apt-get", "dpkg", "modprobe", "modinfo", "systemctl"];

struct MadeUp {
    folder: TempDir,
}

impl MadeUp {
    /// Ubuntu 24.04 with greenroom's package, without the module.
    fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        let release = "6.14.0-28-generic";
        let files = [
            (
                "etc/os-release",
                "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n",
            ),
            ("proc/sys/kernel/osrelease", release),
            ("proc/modules", "videodev 327680 1 uvcvideo, Live 0x0\n"),
            ("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"),
            ("proc/1/comm", "systemd\n"),
            ("proc/1/fd/.empty", ""),
            ("run/systemd/system/.empty", ""),
            ("sys/firmware/.empty", ""),
            ("sys/kernel/security/lockdown", "[none] integrity confidentiality\n"),
            ("sys/module/module/parameters/sig_enforce", "N\n"),
            ("sys/class/video4linux/video0/name", "HD Pro Webcam C920\n"),
            ("usr/bin/apt-get", ""),
            ("usr/lib/modules/6.14.0-28-generic/modules.dep", "kernel/videodev.ko:\n"),
            ("usr/lib/systemd/user/greenroom.service", "[Unit]\n"),
            ("etc/systemd/system/.empty", ""),
            ("home/ada/.config/.empty", ""),
            (
                "var/lib/dpkg/status",
                "Package: linux-image-generic-hwe-24.04\nStatus: install ok installed\nDepends: linux-image-6.14.0-28-generic (= 1)\n\n",
            ),
        ];
        for (path, content) in files {
            made.file(path, content);
        }
        let script = made.folder.path().join("programs/script");
        fs::create_dir_all(script.parent().unwrap()).unwrap();
        fs::write(&script, include_str!("setup/programs")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        for name in PROGRAMS {
            symlink("script", script.with_file_name(name)).unwrap();
        }
        fs::create_dir(made.folder.path().join("runtime")).unwrap();
        made
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn file(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .arg("setup")
            .args(args)
            .stdin(Stdio::null())
            .current_dir(self.folder.path())
            .env("HOME", "/home/ada")
            .env("DISPLAY", ":0")
            .env("XDG_RUNTIME_DIR", self.folder.path().join("runtime"))
            .env("GREENROOM_SETUP_ROOT", self.root())
            .env("GREENROOM_SETUP_PROGRAMS", self.folder.path().join("programs"))
            .env("GREENROOM_BINARY", BINARY);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs it and expects success.
    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = texts(&output);
        assert!(output.status.success(), "{args:?}: {}\n{out}\n{err}", output.status);
        out
    }

    /// Runs it and expects a refusal: the exit code, and one sentence.
    fn refused(&self, command: &mut Command, code: i32, words: &[&str]) -> String {
        let output = command.output().unwrap();
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
        for word in words {
            assert!(err.contains(word), "{word:?} is not in: {err}");
        }
        assert!(err.lines().all(|line| line.starts_with("greenroom: ")), "{err}");
        out
    }

    /// The files, without what is no file on a real system.
    fn tree(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        walk(&self.root(), &self.root(), &mut files);
        files
    }

    fn has_node(&self) -> bool {
        self.root().join("sys/class/video4linux/video10/name").exists()
    }

    fn outcome(&self) -> serde_json::Value {
        let json: serde_json::Value =
            serde_json::from_str(&self.done(&["--plan", "--json"])).unwrap();
        json["outcome"].clone()
    }

    fn assert_set_up(&self, context: &str) {
        assert!(self.has_node(), "{context}");
        assert_eq!(self.outcome(), "nothing_to_do", "{context}");
        let left: Vec<_> =
            self.tree().into_keys().filter(|name| name.contains("greenroom-new")).collect();
        assert_eq!(left, Vec::<String>::new(), "{context}");
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn walk(root: &Path, folder: &Path, into: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let metadata = path.symlink_metadata().unwrap();
        if ["proc", "sys"].contains(&name.as_str()) {
            continue;
        }
        if metadata.is_dir() {
            walk(root, &path, into);
        } else {
            into.insert(name, fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

#[test]
fn the_plan_needs_no_rights_and_changes_nothing() {
    let made = MadeUp::new();
    let before = made.tree();
    let text = made.done(&["--plan"]);
    assert!(text.contains("Install linux-modules-v4l2loopback-generic-hwe-24.04"), "{text}");
    assert_eq!(made.outcome(), "steps");
    assert_eq!(made.tree(), before);
    assert!(!made.folder.path().join("log").exists(), "a program was run");
}

#[test]
fn without_a_terminal_only_the_plan_is_shown_and_what_to_type() {
    let made = MadeUp::new();
    let before = made.tree();
    let shown =
        made.refused(&mut made.command(&[]), 2, &["no terminal", "`greenroom setup --yes`"]);
    assert!(shown.contains("What is done"), "{shown}");
    assert_eq!(made.tree(), before);
}

#[test]
fn the_camera_is_set_up_once_and_all_of_it_is_taken_back() {
    let made = MadeUp::new();
    let before = made.tree();
    let said = made.done(&["--yes"]);
    assert!(said.contains("The camera \"greenroom\" is there: /dev/video10."), "{said}");
    made.assert_set_up("set up");
    let log = fs::read_to_string(made.folder.path().join("log")).unwrap();
    let escalations: Vec<_> = log.lines().filter(|line| line.starts_with("pkexec ")).collect();
    let wish = r#"{"nodes":1,"label":"greenroom","undo":false}"#;
    assert_eq!(escalations, [format!("pkexec /usr/bin/greenroom setup --as-root {wish}")]);
    assert!(log.contains("systemctl --user enable --now greenroom.service"), "{log}");

    let second = made.done(&["--yes"]);
    assert!(second.contains("There is nothing to do."), "{second}");

    let said = made.done(&["--undo", "--yes"]);
    assert!(said.contains("Set-up is undone."), "{said}");
    assert_eq!(made.tree(), before);
    assert!(!made.has_node());
    assert!(made.done(&["--undo", "--yes"]).contains("There is nothing to do."));
}

#[test]
fn it_says_where_programs_have_the_camera_and_which_will_not_list_it() {
    let made = MadeUp::new();
    assert!(!made.done(&["--yes"]).contains("programs on this system"), "there is none");
    made.file("usr/bin/obs", "");
    let zoom = "home/ada/.local/share/flatpak/app/us.zoom.Zoom/current/active/metadata";
    made.file(zoom, "[Application]\nname=us.zoom.Zoom\n[Context]\nshared=network;\n");
    made.file("snap/discord/current/meta/snap.yaml", "name: discord\nplugs:\n  camera:\n");
    let parts = [
        "Where the programs on this system have the camera:",
        "  Zoom: Settings → Video → Camera\n",
        "  OBS: Sources → + → Video Capture Device (V4L2)\n",
        "Programs that need something first:",
        "  Zoom (Flatpak) lists no camera \"greenroom\". The Flatpak us.zoom.Zoom may not open devices.",
        "      flatpak override --user --device=all us.zoom.Zoom\n",
        "  Discord (snap) lists no camera at all. The snap discord is not connected to cameras.",
        "      sudo snap connect discord:camera\n",
        "`greenroom doctor --fix` does what it can of this",
    ];
    // When there is nothing to do, and when a camera has been set up.
    for args in [&["--yes"][..], &["--yes", "--nodes", "2"]] {
        let text = made.done(args);
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in: {text}");
        }
    }
    assert!(!made.done(&["--undo", "--yes"]).contains("Zoom"));
}

#[test]
fn without_a_desktop_sudo_asks() {
    let made = MadeUp::new();
    let programs = made.folder.path().join("programs");
    symlink("script", programs.join("sudo")).unwrap();
    let output = made.command(&["--yes"]).env_remove("DISPLAY").output().unwrap();
    let (out, err) = texts(&output);
    assert!(output.status.success(), "{out}\n{err}");
    made.assert_set_up("with sudo");
    let log = fs::read_to_string(made.folder.path().join("log")).unwrap();
    assert!(log.contains("sudo -- /usr/bin/greenroom setup --as-root {"), "{log}");
    assert!(!log.contains("pkexec"), "{log}");
    // It does not let everybody.
    fs::write(
        programs.join("refuses"),
        "#!/bin/sh\necho 'ada is not in the sudoers file' >&2\nexit 1\n",
    )
    .unwrap();
    fs::set_permissions(programs.join("refuses"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(programs.join("sudo")).unwrap();
    symlink("refuses", programs.join("sudo")).unwrap();
    let output = made.command(&["--undo", "--yes"]).env_remove("DISPLAY").output().unwrap();
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("if sudo refused it, have an administrator run"), "{err}");
    made.assert_set_up("sudo refused");
}

/// `script` (util-linux) makes a terminal.
#[test]
fn on_a_terminal_it_asks_and_only_yes_is_yes() {
    for (answer, is_done) in [("y\n", true), ("\n", false), ("n\n", false), ("yesterday\n", false)]
    {
        let made = MadeUp::new();
        let before = made.tree();
        let line = format!("{BINARY} setup");
        let of_binary = made.command(&[]);
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        for (key, value) in of_binary.get_envs() {
            command.env(key, value.unwrap());
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Kept open until the end: the end of the input would be typed as well.
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("Do this? [y/N]"), "{text}");
        assert_eq!(output.status.code(), Some(i32::from(!is_done)), "{answer:?}: {text}");
        assert_eq!(made.has_node(), is_done, "{answer:?}: {text}");
        if !is_done {
            assert!(text.contains("nothing was done, as you did not say yes"), "{text}");
            assert_eq!(made.tree(), before);
        }
    }
}

#[test]
fn a_second_camera_and_another_name_come_at_request_and_the_old_ones_go() {
    let made = MadeUp::new();
    made.done(&["--yes"]);
    let said = made.done(&["--yes", "--nodes", "2"]);
    assert!(said.contains("\"greenroom 2\" is there: /dev/video11"), "{said}");
    let said = made.done(&["--yes", "--label", "My Camera"]);
    assert!(said.contains("\"My Camera\" is there"), "{said}");
    let names = ["video10", "video11", "video12"].map(|name| {
        let path = made.root().join("sys/class/video4linux").join(name).join("name");
        fs::read_to_string(path).unwrap_or_default()
    });
    let count = names.iter().filter(|name| !name.is_empty()).count();
    assert_eq!(count, 1, "{names:?}");
}

#[test]
fn a_failed_step_leaves_the_old_state_and_is_told_in_a_sentence() {
    let made = MadeUp::new();
    let before = made.tree();
    let mut command = made.command(&["--yes"]);
    command.env("FAILS", "restart greenroom-camera");
    let words = ["Add /dev/video10", "it broke", "is undone", "root's part did not succeed"];
    made.refused(&mut command, 1, &words);
    assert_eq!(made.tree(), before);
    assert!(!made.has_node());
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_nothing_is_done() {
    let made = MadeUp::new();
    let before = made.tree();
    let mut command = Command::new("sh");
    // The helper alone: the limit would end the made-up programs, which write a log.
    let wish = r#"{"nodes":1,"label":"greenroom","undo":false}"#;
    command.args(["-c", &format!("ulimit -f 0; exec {BINARY} setup --as-root '{wish}'")]);
    for (key, value) in made.command(&[]).get_envs() {
        command.env(key, value.unwrap());
    }
    let words = ["setup.json cannot be written (File too large", "`greenroom setup` again"];
    made.refused(command.current_dir(made.folder.path()), 1, &words);
    assert_eq!(made.tree(), before);
}

#[test]
fn whoever_is_refused_roots_rights_is_told_what_to_do() {
    let made = MadeUp::new();
    let before = made.tree();
    for (code, word) in [("126", "dismissed"), ("127", "polkit agent")] {
        let mut command = made.command(&["--yes"]);
        command.env("PKEXEC", code);
        made.refused(&mut command, 2, &[word, "greenroom"]);
        assert_eq!(made.tree(), before);
    }
    fs::remove_file(made.folder.path().join("programs/pkexec")).unwrap();
    let shown = made.refused(&mut made.command(&["--yes"]), 2, &["--output FILE"]);
    assert!(shown.contains("What is left to you"), "{shown}");
}

#[test]
fn a_bad_system_gets_its_sentence_and_is_left_as_it_is() {
    let bad = |change: &dyn Fn(&MadeUp), word: &str| {
        let made = MadeUp::new();
        change(&made);
        let before = made.tree();
        let shown = made.refused(&mut made.command(&["--yes"]), 2, &["nothing can be set up here"]);
        assert!(shown.contains(word), "{word:?} is not in: {shown}");
        assert_eq!(made.tree(), before);
    };
    let ro = "1 0 8:1 / / ro - ext4 /dev/sda1 ro\n";
    bad(&|made| made.file("proc/self/mountinfo", ro), "mounted for reading only");
    bad(
        &|made| fs::remove_dir_all(made.root().join("run/systemd")).unwrap(),
        "There is no systemd here",
    );
    bad(
        &|made| made.file("etc/systemd/system/greenroom-camera.service", "[Unit]\n"),
        "greenroom-camera.service",
    );
}

/// A run was killed while greenroom's service was stopped for a moment: the next one starts it.
#[test]
fn a_service_that_a_killed_run_has_stopped_is_started_again() {
    let made = MadeUp::new();
    made.done(&["--yes"]);
    // A node with other settings, which only greenroom has open: it is made anew.
    let record =
        r#"{"nodes":[{"number":10,"label":"greenroom","exclusive_caps":false,"buffers":4}]}"#;
    made.file("run/greenroom/nodes.json", record);
    made.file("proc/700/comm", "greenroom\n");
    made.file("proc/modules", "v4l2loopback 57344 1 - Live 0x0 (OE)\n");
    fs::create_dir_all(made.root().join("proc/700/fd")).unwrap();
    symlink("/dev/video10", made.root().join("proc/700/fd/7")).unwrap();
    let plan = made.done(&["--plan"]);
    assert!(plan.contains("Stop greenroom for a moment"), "{plan}");
    let dies = |at: &str| {
        let mut command = made.command(&["--yes"]);
        command.env("GREENROOM_SETUP_DIES", at).output().unwrap()
    };
    // Stopped, and dead before anything else.
    assert!(!dies("user:3").status.success());
    fs::remove_dir_all(made.root().join("proc/700")).unwrap();
    made.file("proc/modules", "v4l2loopback 57344 0 - Live 0x0 (OE)\n");
    fs::remove_file(made.folder.path().join("log")).unwrap();
    made.done(&["--yes"]);
    made.assert_set_up("after the death");
    let log = fs::read_to_string(made.folder.path().join("log")).unwrap();
    assert!(log.contains("systemctl --user start greenroom.service"), "{log}");
}

#[test]
fn the_helper_refuses_what_is_no_wish_and_does_nothing_else() {
    let made = MadeUp::new();
    let before = made.tree();
    for wish in [
        "",
        "{}",
        r#"{"nodes":99,"label":"greenroom","undo":false}"#,
        r#"{"nodes":1,"label":"a\nb","undo":false}"#,
        r#"{"nodes":1,"label":"a","undo":false,"program":"/tmp/x"}"#,
    ] {
        made.refused(&mut made.command(&["--as-root", wish]), 2, &["takes a wish"]);
    }
    assert_eq!(made.tree(), before);
}

/// Kills a run at one moment after the other, in the user's part, root's and the boot unit; `then`
/// looks at what is left. Returns how many runs were killed.
fn killed_at_each_moment(args: &[&str], prepare: fn(&MadeUp), then: fn(&MadeUp, &str)) -> usize {
    let mut kills = 0;
    for part in ["user", "root", "boot"] {
        for at in 1.. {
            let made = MadeUp::new();
            prepare(&made);
            let mut command = made.command(args);
            command.env("GREENROOM_SETUP_DIES", format!("{part}:{at}"));
            let output = command.output().unwrap();
            if output.status.success() {
                break;
            }
            let (out, err) = texts(&output);
            let context = format!("{part} killed at {at}:\n{out}\n{err}");
            let by_signal = output.status.signal() == Some(9);
            assert!(by_signal == (part == "user"), "{context}");
            kills += 1;
            then(&made, &context);
        }
    }
    kills
}

#[test]
fn killed_at_each_moment_the_next_run_goes_on() {
    let kills = killed_at_each_moment(
        &["--yes"],
        |_| {},
        |made, context| {
            made.done(&["--yes"]);
            made.assert_set_up(context);
            made.done(&["--undo", "--yes"]);
            assert_eq!(made.tree(), MadeUp::new().tree(), "{context}");
        },
    );
    assert!(kills > 30, "{kills}");
}

#[test]
fn killed_at_each_moment_undo_leaves_the_files_of_before() {
    let kills = killed_at_each_moment(
        &["--yes"],
        |_| {},
        |made, context| {
            made.done(&["--undo", "--yes"]);
            assert_eq!(made.tree(), MadeUp::new().tree(), "{context}");
            assert!(!made.has_node(), "{context}");
        },
    );
    assert!(kills > 30, "{kills}");
}

#[test]
fn undo_killed_at_each_moment_is_ended_by_the_next_one() {
    let set_up = |made: &MadeUp| drop(made.done(&["--yes"]));
    let kills = killed_at_each_moment(&["--undo", "--yes"], set_up, |made, context| {
        made.done(&["--undo", "--yes"]);
        assert_eq!(made.tree(), MadeUp::new().tree(), "{context}");
        assert!(!made.has_node(), "{context}");
    });
    assert!(kills > 20, "{kills}");
}
