//! `greenroom doctor` on a made-up system, whose programs are a shell script: as a user runs it.
#![cfg(feature = "faults")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_greenroom");
const PROGRAMS: [&str; 9] = [
    "pkexec",
    "apt-get",
    "dpkg",
    "modprobe",
    "modinfo",
    "systemctl",
    "flatpak",
    "busctl",
    "ffmpeg",
];
const OWN_UNIT: &str = "home/ada/.config/systemd/user/greenroom.service";
const RECORD: &str = "home/ada/.local/share/greenroom/doctor.json";
const FIREFOX_DENIED: &str = "{\"org.mozilla.firefox\":[\"no\"]}\n";

struct MadeUp {
    folder: TempDir,
}

impl MadeUp {
    /// Ubuntu 24.04 with greenroom's package and a webcam, without the module.
    fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        let node = "sys/devices/usb1/1-1/1-1:1.0/video4linux/video0";
        let node_files = ["name", "index"].map(|name| format!("{node}/{name}"));
        let files = [
            (
                "etc/os-release",
                "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n",
            ),
            ("etc/passwd", "ada:x:4242:4242::/home/ada:/bin/sh\n"),
            ("etc/group", "ada:x:4242:\n"),
            ("proc/sys/kernel/osrelease", "6.14.0-28-generic"),
            ("proc/modules", "videodev 327680 1 uvcvideo, Live 0x0\n"),
            ("proc/cpuinfo", "flags\t\t: fpu sse2 avx avx2 fma\n"),
            ("proc/stat", "btime 1790000000\n"),
            ("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"),
            ("proc/self/status", "Uid:\t4242\t4242\t4242\t4242\nGid:\t4242\t4242\n"),
            ("proc/1/comm", "systemd\n"),
            ("proc/1/fd/.empty", ""),
            ("run/systemd/system/.empty", ""),
            ("sys/firmware/.empty", ""),
            ("sys/kernel/security/lockdown", "[none] integrity confidentiality\n"),
            ("sys/module/module/parameters/sig_enforce", "N\n"),
            ("sys/devices/usb1/1-1/idVendor", "046d\n"),
            ("sys/devices/usb1/1-1/speed", "480\n"),
            (&node_files[0], "HD Pro Webcam C920\n"),
            (&node_files[1], "0\n"),
            ("dev/video0", ""),
            ("usr/bin/apt-get", ""),
            ("usr/bin/greenroom", ""),
            ("usr/lib/modules/6.14.0-28-generic/modules.dep", "kernel/videodev.ko:\n"),
            ("usr/lib/modules/6.14.0-28-generic/build/.empty", ""),
            ("usr/lib/systemd/user/greenroom.service", "[Service]\nExecStart=greenroom run\n"),
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
        let root = made.root();
        fs::set_permissions(root.join("dev/video0"), fs::Permissions::from_mode(0o666)).unwrap();
        symlink("../..", root.join(node).join("device")).unwrap();
        fs::create_dir_all(root.join("sys/class/video4linux")).unwrap();
        let link = "../../devices/usb1/1-1/1-1:1.0/video4linux/video0";
        symlink(link, root.join("sys/class/video4linux/video0")).unwrap();
        made.programs();
        made
    }

    fn programs(&self) {
        let programs = self.folder.path().join("programs");
        let own = include_str!("doctor/programs");
        let of_setup = include_str!("setup/programs");
        for (folder, text) in [(programs.clone(), own), (programs.join("setup"), of_setup)] {
            fs::create_dir(&folder).unwrap();
            let script = folder.join("script");
            fs::write(&script, text).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            for name in PROGRAMS {
                symlink("script", folder.join(name)).unwrap();
            }
        }
        fs::create_dir(self.folder.path().join("runtime")).unwrap();
        fs::write(self.folder.path().join("denied"), "{}\n").unwrap();
    }

    /// The same with the virtual camera, which greenroom shows its picture in.
    fn healthy() -> Self {
        let made = Self::new();
        let output = made.command("setup", &["--yes"]).output().unwrap();
        assert!(output.status.success(), "{}", texts(&output));
        made
    }

    /// Three things are wrong that greenroom can mend: no camera, a Flatpak without devices, and
    /// no FFmpeg.
    fn ill() -> Self {
        let made = Self::new();
        let app = "var/lib/flatpak/app/us.zoom.Zoom/current/active/metadata";
        made.file(app, "[Context]\ndevices=dri;\n");
        fs::remove_file(made.folder.path().join("programs/ffmpeg")).unwrap();
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

    fn is_there(&self, path: &str) -> bool {
        self.root().join(path).exists()
    }

    fn command(&self, command: &str, args: &[&str]) -> Command {
        let mut process = Command::new(BINARY);
        let programs = self.folder.path().join("programs");
        process
            .arg(command)
            .args(args)
            .stdin(Stdio::null())
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", &programs)
            .env("HOME", "/home/ada")
            .env("DISPLAY", ":0")
            .env("XDG_RUNTIME_DIR", self.folder.path().join("runtime"))
            .env("GREENROOM_SETUP_ROOT", self.root())
            .env("GREENROOM_SETUP_PROGRAMS", programs)
            .env("GREENROOM_BINARY", BINARY);
        process
    }

    /// Runs doctor and expects an exit code.
    fn doctor(&self, args: &[&str], code: i32) -> String {
        let output = self.command("doctor", args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", texts(&output));
        texts(&output)
    }

    /// What is found, by `--json`, the worst first.
    fn found(&self) -> Vec<String> {
        let output = self.command("doctor", &["--json"]).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = json["findings"].as_array().unwrap();
        assert_eq!(json["healthy"], output.status.success(), "{json}");
        findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The files, without what is no file on a real system.
    fn tree(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        walk(&self.root(), &self.root(), &mut files);
        files
    }

    /// The commands that were run.
    fn called(&self) -> String {
        fs::read_to_string(self.folder.path().join("called")).unwrap_or_default()
    }
}

fn texts(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

fn walk(root: &Path, folder: &Path, into: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if ["proc", "sys", "dev"].contains(&name.as_str()) {
            continue;
        }
        if path.symlink_metadata().unwrap().is_dir() {
            walk(root, &path, into);
        } else {
            into.insert(name, fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

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
