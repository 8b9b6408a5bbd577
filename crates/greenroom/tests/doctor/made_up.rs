//! A made-up system, whose programs are a shell script.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_greenroom");
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
pub const OWN_UNIT: &str = "home/ada/.config/systemd/user/greenroom.service";
pub const RECORD: &str = "home/ada/.local/share/greenroom/doctor.json";
pub const FIREFOX_DENIED: &str = "{\"org.mozilla.firefox\":[\"no\"]}\n";

pub struct MadeUp {
    pub folder: TempDir,
}

impl MadeUp {
    /// Ubuntu 24.04 with greenroom's package and a webcam, without the module.
    pub fn new() -> Self {
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
        let own = include_str!("programs");
        let of_setup = include_str!("../setup/programs");
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
    pub fn healthy() -> Self {
        let made = Self::new();
        let output = made.command("setup", &["--yes"]).output().unwrap();
        assert!(output.status.success(), "{}", texts(&output));
        made
    }

    /// Three things are wrong that greenroom can mend: no camera, a Flatpak without devices, and
    /// no FFmpeg.
    pub fn ill() -> Self {
        let made = Self::new();
        let app = "var/lib/flatpak/app/us.zoom.Zoom/current/active/metadata";
        made.file(app, "[Context]\ndevices=dri;\n");
        fs::remove_file(made.folder.path().join("programs/ffmpeg")).unwrap();
        made
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub fn file(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn is_there(&self, path: &str) -> bool {
        self.root().join(path).exists()
    }

    pub fn command(&self, command: &str, args: &[&str]) -> Command {
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
    pub fn doctor(&self, args: &[&str], code: i32) -> String {
        let output = self.command("doctor", args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", texts(&output));
        texts(&output)
    }

    /// What is found, by `--json`, the worst first.
    pub fn found(&self) -> Vec<String> {
        let output = self.command("doctor", &["--json"]).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = json["findings"].as_array().unwrap();
        assert_eq!(json["healthy"], output.status.success(), "{json}");
        findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The files, without what is no file on a real system.
    pub fn tree(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        walk(&self.root(), &self.root(), &mut files);
        files
    }

    /// The commands that were run.
    pub fn called(&self) -> String {
        fs::read_to_string(self.folder.path().join("called")).unwrap_or_default()
    }
}

pub fn texts(output: &Output) -> String {
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
