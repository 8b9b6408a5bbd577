//! Files that are not what they should be: nothing panics, hangs, or takes all memory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use greenroom_doctor::{Report, findings};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::systems::{Made, healthy};

/// Files that are read as evidence.
const FILES: [&str; 32] = [
    "/dev/v4l2loopback",
    "/dev/video0",
    "/dev/video10",
    "/etc/group",
    "/etc/passwd",
    "/etc/udev/rules.d/70-snap.zoom-client.rules",
    "/home/ada/.config/chromium/Local State",
    "/home/ada/.config/greenroom/config.toml",
    "/home/ada/.config/systemd/user/greenroom.service",
    "/home/ada/.config/xdg-desktop-portal/portals.conf",
    "/home/ada/.local/share/flatpak/overrides/global",
    "/home/ada/.local/share/greenroom/models",
    "/home/ada/.mozilla/firefox/a/prefs.js",
    "/home/ada/.mozilla/firefox/a/user.js",
    "/proc/700/cmdline",
    "/proc/700/comm",
    "/proc/700/exe",
    "/proc/700/fd",
    "/proc/700/stat",
    "/proc/cpuinfo",
    "/proc/self/status",
    "/proc/stat",
    "/snap/zoom-client/current/meta/snap.yaml",
    "/sys/class/video4linux/video10/name",
    "/sys/class/video4linux/video0",
    "/usr/bin/ffmpeg",
    "/usr/bin/firefox",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/share/xdg-desktop-portal/portals/gtk.portal",
    "/var/lib/dkms/v4l2loopback",
    "/var/lib/flatpak/app/us.zoom.Zoom/current/active/metadata",
    "/etc/systemd/system/greenroom-camera.service",
];

/// A system with all of these files.
fn full() -> Made {
    healthy()
        .file("/etc/udev/rules.d/70-snap.zoom-client.rules", "KERNEL==\"video[0-9]*\"\n")
        .file("/home/ada/.config/chromium/Local State", "{\"browser\":{}}")
        .file("/home/ada/.config/greenroom/config.toml", "model = \"rvm\"\n")
        .file("/home/ada/.config/systemd/user/greenroom.service", "ExecStart=/x run\n")
        .file("/home/ada/.config/xdg-desktop-portal/portals.conf", "[preferred]\ndefault=gtk\n")
        .file("/home/ada/.local/share/flatpak/overrides/global", "[Context]\ndevices=all\n")
        .file("/home/ada/.mozilla/firefox/a/prefs.js", "user_pref(\"a\", true);\n")
        .file("/snap/zoom-client/current/meta/snap.yaml", "plugs: [camera]\n")
        .file("/usr/bin/firefox", "")
        .file("/var/lib/flatpak/app/us.zoom.Zoom/current/active/metadata", "[Context]\n")
}

/// Removes what is at `path`, and makes its folder.
fn clear(path: &Path) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_dir_all(path);
    let _ = fs::create_dir_all(path.parent().unwrap());
}

type Change = fn(&Path);

/// What a file is replaced by.
const CHANGES: [(&str, Change); 8] = [
    ("a pipe that nobody writes to", |path| {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }),
    ("a link to itself", |path| symlink(path, path).unwrap()),
    ("a link to nothing", |path| symlink("/nowhere/at/all", path).unwrap()),
    ("a folder", |path| fs::create_dir(path).unwrap()),
    ("an empty file", |path| fs::write(path, "").unwrap()),
    ("a file of a terabyte", |path| {
        fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    }),
    ("bytes that are no text", |path| {
        let bytes: Vec<u8> =
            (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        fs::write(path, bytes).unwrap();
    }),
    ("a hundred thousand brackets", |path| fs::write(path, "[".repeat(100_000)).unwrap()),
];

#[test]
fn no_file_makes_doctor_panic_or_hang() {
    for (what, change) in CHANGES {
        for file in FILES {
            let made = full();
            // The facts are set-up's; what is read here are doctor's files.
            let facts = made.facts();
            let path = made.path(file);
            clear(&path);
            change(&path);
            let start = Instant::now();
            let found = findings(&facts, &made.evidence(&facts));
            let _ = Report { findings: found }.to_string();
            assert!(start.elapsed() < Duration::from_secs(20), "{file} as {what}");
        }
    }
}

#[test]
fn nothing_at_all_is_no_reason_to_panic() {
    let made = full();
    let facts = made.facts();
    for folder in ["etc", "home", "proc", "sys", "usr", "var", "dev", "run", "snap"] {
        fs::remove_dir_all(made.path(folder)).unwrap();
    }
    let _ = findings(&facts, &made.evidence(&facts));
    let (facts, folders) = (made.facts(), greenroom_doctor::Folders::of_home(Path::new("/home/x")));
    let probes = greenroom_doctor::Probes::default();
    let empty = tempfile::tempdir().unwrap();
    let evidence = greenroom_doctor::Evidence::read(empty.path(), &facts, &folders, probes);
    let _ = findings(&facts, &evidence);
}

/// Bytes that mean something in one of the files.
const SIGNS: &[u8] = b"\0\xff\n:=\"[];,()-@%$ 9";

/// Texts in which bytes were changed at random: the parsers take whatever comes.
#[test]
fn changed_bytes_are_read_without_a_panic() {
    let made = full();
    let facts = made.facts();
    let texts: Vec<_> = FILES
        .iter()
        .map(|file| made.path(file))
        .filter(|path| path.is_file())
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    assert!(texts.len() > 15, "{}", texts.len());
    let mut state = 0x9e37_79b9_u32;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below.max(1)
    };
    for _ in 0..100 {
        for (text, path) in &texts {
            let mut text = text.clone();
            for _ in 0..=random(4) {
                match random(4) {
                    0 => text.truncate(random(text.len() + 1)),
                    1 => {
                        let place = random(text.len() + 1);
                        text.insert(place, SIGNS[random(SIGNS.len())]);
                    }
                    2 => {
                        let copy = text.clone();
                        text.extend(copy);
                    }
                    _ => {
                        let place = random(text.len());
                        if let Some(byte) = text.get_mut(place) {
                            *byte = random(256) as u8;
                        }
                    }
                }
            }
            fs::write(path, text).unwrap();
        }
        let _ = findings(&facts, &made.evidence(&facts));
    }
}
