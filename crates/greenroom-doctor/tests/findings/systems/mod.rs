//! Made-up systems: a root directory each, and what devices and programs answer on it.

pub mod cases;
pub mod greenroom;
pub mod module;
pub mod node;
pub mod programs;
pub mod undecided;
pub mod webcam;

use std::fs::{self, FileTimes};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use greenroom_doctor::evidence::{
    CameraMode, CameraProbe, CameraState, Control, Ffmpeg, LoopbackProbe, OutputKind,
    PipeWireCamera, UsageEvent,
};
use greenroom_doctor::{Evidence, Facts, Finding, FindingId, Folders, Known, Probes, findings};
use greenroom_setup::facts::Program;
use greenroom_setup::{Label, Session};
use tempfile::TempDir;

/// A system on which something is wrong, and the same cured.
pub struct Case {
    /// What is found, and nothing else.
    pub id: FindingId,
    pub name: &'static str,
    pub ill: Made,
    pub cured: Made,
}

pub fn case(id: FindingId, name: &'static str, ill: Made, cured: Made) -> Case {
    Case { id, name, ill, cured }
}

/// When the made-up systems were started, in seconds since 1970.
pub const BOOT_S: u64 = 1_790_000_000;
/// When the node was made, after the start.
pub const NODE_AFTER_S: u64 = 10;
/// When greenroom was started, after the start.
pub const GREENROOM_AFTER_S: u64 = 30;

pub const NOBLE: &str = "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nID=ubuntu\nID_LIKE=debian\n\
                         VERSION_ID=\"24.04\"\nUBUNTU_CODENAME=noble\n";
pub const TRIXIE: &str = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n\
                          VERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n";
pub const FEDORA: &str = "PRETTY_NAME=\"Fedora Linux 43\"\nID=fedora\nVERSION_ID=43\n\
                          VARIANT_ID=workstation\n";

/// A made-up system.
pub struct Made {
    folder: TempDir,
    release: String,
    pub session: Session,
    pub folders: Folders,
    pub probes: Probes,
}

impl Made {
    /// A desktop with a webcam and without the module.
    pub fn new(os_release: &str, release: &str) -> Self {
        Self::bare(os_release, release).webcam(0, "HD Pro Webcam C920", 480)
    }

    /// The same without a webcam.
    pub fn bare(os_release: &str, release: &str) -> Self {
        // Thousands of small files: in memory, where that can be had.
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let home = Path::new("/home/ada");
        let session = Session {
            is_root: false,
            desktop: true,
            pkexec: true,
            sudo: true,
            program: Program {
                path: "/usr/bin/greenroom".into(),
                only_root_can_change: Known::Is(true),
            },
            home: Some(home.to_owned()),
        };
        let folders = Folders {
            runtime: Some("/run/user/1000".into()),
            desktops: vec!["ubuntu".to_owned(), "gnome".to_owned()],
            ..Folders::of_home(home)
        };
        let probes = Probes { control: Known::Is(Control::Nobody), ..Probes::default() };
        let release = release.to_owned();
        Self { folder: folder.unwrap(), release, session, folders, probes }
            .kernel_files(os_release)
            .desktop_files()
            .answers()
    }

    fn kernel_files(self, os_release: &str) -> Self {
        let release = self.release.clone();
        self.file("/etc/os-release", os_release)
            .file("/proc/sys/kernel/osrelease", format!("{release}\n"))
            .file("/proc/modules", "videodev 327680 1 uvcvideo, Live 0x0\n")
            .file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sse2 avx avx2 fma\n")
            .file("/proc/stat", format!("cpu 1 2 3\nbtime {BOOT_S}\n"))
            .file("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
            .file("/proc/self/status", "Name:\tx\nUid:\t4242\t4242\t4242\t4242\nGid:\t4242\t4242\n")
            .process(1, "systemd", "/sbin/init", 0)
            .file("/run/systemd/system/.empty", "")
            .file("/sys/firmware/.empty", "")
            .file("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n")
            .file("/sys/module/module/parameters/sig_enforce", "N\n")
            .file("/usr/bin/apt-get", "")
            .file("/usr/bin/ffmpeg", "")
            .file("/usr/bin/greenroom", "")
            .link(&format!("/usr/lib/modules/{release}/build"), "/usr/src/headers")
            .module_index("kernel/drivers/media/v4l2-core/videodev.ko:\n")
    }

    fn desktop_files(self) -> Self {
        let portals = "/usr/share/xdg-desktop-portal";
        self.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nada:x:4242:4242::/home/ada:/bin/sh\n")
            .file("/etc/group", "root:x:0:\nvideo:x:44:\nada:x:4242:\n")
            .file("/run/user/1000/pipewire-0", "")
            .file("/usr/lib/x86_64-linux-gnu/libpipewire-0.3.so.0.1005.0", "")
            .file("/usr/lib/x86_64-linux-gnu/libwireplumber-0.4.so.0.4.17", "")
            .file("/usr/libexec/xdg-desktop-portal", "")
            .file(
                &format!("{portals}/portals/gtk.portal"),
                "[portal]\nInterfaces=org.freedesktop.impl.portal.Access;\nUseIn=gnome\n",
            )
            .file(&format!("{portals}/gnome-portals.conf"), "[preferred]\ndefault=gnome;gtk;\n")
            .file("/usr/lib/systemd/user/greenroom.service", "[Service]\nExecStart=greenroom run\n")
    }

    fn answers(self) -> Self {
        let decoders = ["h264", "hevc", "vp9", "av1", "mjpeg"].map(str::to_owned);
        self.probes(|probes| {
            probes.ffmpeg =
                Known::Is(Ffmpeg::Found { decoders: Known::Is(decoders.into_iter().collect()) });
            probes.pipewire = Known::Is(Vec::new());
            probes.portal_permissions = Known::Is(Vec::new());
            probes.loopbacks = Known::Is(Vec::new());
        })
    }

    pub fn probes(mut self, change: impl FnOnce(&mut Probes)) -> Self {
        change(&mut self.probes);
        self
    }

    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn without(self, path: &str) -> Self {
        let path = self.path(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        self
    }

    pub fn link(self, path: &str, target: &str) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
        symlink(target, path).unwrap();
        self
    }

    pub fn module_index(self, index: &str) -> Self {
        let path = format!("/usr/lib/modules/{}/modules.dep", self.release);
        self.file(&path, index)
    }

    /// The module as the file `name`, for the running kernel.
    pub fn module(self, name: &str, version: Option<&str>) -> Self {
        let version = version.map(|version| format!("version={version}\0")).unwrap_or_default();
        let index = format!("kernel/videodev.ko:\n{name}: kernel/videodev.ko\n");
        let path = format!("/usr/lib/modules/{}/{name}", self.release);
        self.module_index(&index).file(&path, format!("\x7fELF\0{version}"))
    }

    /// The module is loaded. Versions before 0.13 do not tell theirs.
    pub fn loaded(self, version: Option<&str>) -> Self {
        let made = self.file("/proc/modules", "v4l2loopback 57344 1 - Live 0x0 (OE)\n");
        match version {
            Some(version) => made
                .file("/sys/module/v4l2loopback/version", format!("{version}\n"))
                .file("/sys/class/misc/v4l2loopback/dev", "10:120\n")
                .file("/dev/v4l2loopback", ""),
            None => made,
        }
    }

    /// A USB camera, which is free and fast. `speed` is in millions of bits a second.
    pub fn webcam(self, number: u32, name: &str, speed: u32) -> Self {
        let usb = format!("/sys/devices/usb1/1-{number}");
        let interface = format!("{usb}/1-{number}:1.0");
        self.file(&format!("{usb}/idVendor"), "046d\n")
            .file(&format!("{usb}/speed"), format!("{speed}\n"))
            .file(&format!("{usb}/busnum"), "1\n")
            .file(&format!("{interface}/video4linux/video{number}/name"), format!("{name}\n"))
            .file(&format!("{interface}/video4linux/video{number}/index"), "0\n")
            .link(&format!("{interface}/video4linux/video{number}/device"), "../..")
            .link(
                &format!("/sys/class/video4linux/video{number}"),
                &format!("../../devices/usb1/1-{number}/1-{number}:1.0/video4linux/video{number}"),
            )
            .device(number)
            .camera(number, CameraState::Free, &[(1280, 720, 30.0)])
    }

    /// What a camera answers.
    pub fn camera(self, number: u32, state: CameraState, modes: &[(u32, u32, f64)]) -> Self {
        let mode = |&(width_px, height_px, fps): &(u32, u32, f64)| CameraMode {
            width_px,
            height_px,
            fps: Known::Is(fps),
        };
        let modes = Known::Is(modes.iter().map(mode).collect());
        let probe = CameraProbe { number, state: Known::Is(state), modes };
        self.probes(|probes| {
            let mut cameras = probes.cameras.get().cloned().unwrap_or_default();
            cameras.retain(|camera| camera.number != number);
            cameras.push(probe);
            probes.cameras = Known::Is(cameras);
        })
    }

    /// A device node that the user may open.
    pub fn device(self, number: u32) -> Self {
        let path = format!("/dev/video{number}");
        let made = self.file(&path, "").mode(&path, 0o666);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(BOOT_S + NODE_AFTER_S);
        let file = fs::File::options().write(true).open(made.path(&path)).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
        made
    }

    pub fn mode(self, path: &str, mode: u32) -> Self {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// The group of all files that the tests write.
    pub fn gid(&self) -> u32 {
        fs::metadata(self.folder.path()).unwrap().gid()
    }

    /// A node of v4l2loopback.
    pub fn node(self, number: u32, label: &str) -> Self {
        let folder = format!("/sys/class/video4linux/video{number}");
        self.file(&format!("{folder}/name"), format!("{label}\n"))
            .file(&format!("{folder}/format"), "")
            .file(&format!("{folder}/buffers"), "2\n")
            .file(&format!("{folder}/max_openers"), "10\n")
            .device(number)
    }

    /// A process, started so many seconds after the system.
    pub fn process(self, pid: u32, name: &str, command: &str, after_s: u64) -> Self {
        let folder = format!("/proc/{pid}");
        let ticks = after_s * 100;
        let stat = format!("{pid} ({name}) S 1{} {ticks} 0 0\n", " 0".repeat(17));
        let program = command.split(' ').next().unwrap_or_default();
        self.file(&format!("{folder}/comm"), format!("{name}\n"))
            .file(&format!("{folder}/stat"), stat)
            .file(&format!("{folder}/cmdline"), command.replace(' ', "\0"))
            .file(&format!("{folder}/fd/.empty"), "")
            .link(&format!("{folder}/exe"), program)
    }

    /// A process has a video node open.
    pub fn opens(self, pid: u32, number: u32) -> Self {
        self.link(&format!("/proc/{pid}/fd/{}", number + 3), &format!("/dev/video{number}"))
    }

    /// greenroom answers at its socket.
    pub fn answering(self, pid: u32, outputs: &[OutputKind], watched: bool) -> Self {
        let outputs = outputs.to_vec();
        let control = Control::Greenroom { pid, version: "0.1.0".to_owned(), outputs, watched };
        self.probes(|probes| probes.control = Known::Is(control))
    }

    /// greenroom runs with its PipeWire output alone.
    pub fn in_pipewire(self) -> Self {
        self.process(700, "greenroom", "/usr/bin/greenroom run", GREENROOM_AFTER_S)
            .answering(700, &[OutputKind::PipeWire], false)
            .probes(|probes| probes.portal = Known::Is(Some(true)))
    }

    /// Set-up has added a node, and greenroom shows its picture there.
    pub fn set_up(self, number: u32) -> Self {
        let record = format!(
            "{{\"nodes\":[{{\"number\":{number},\"label\":\"greenroom\",\"exclusive_caps\":true,\
             \"buffers\":4}}]}}"
        );
        let unit = greenroom_setup::files::boot_unit(
            "/usr/bin/greenroom".as_ref(),
            &Label::default(),
            &[number],
        );
        self.file("/run/greenroom/nodes.json", record)
            .file(greenroom_setup::files::UNIT_FILE, unit)
            .link(greenroom_setup::files::UNIT_LINK, greenroom_setup::files::UNIT_FILE)
            .with_greenroom(number)
    }

    /// greenroom shows its picture in a node with its name.
    pub fn with_greenroom(self, number: u32) -> Self {
        let wants = "/home/ada/.config/systemd/user/default.target.wants/greenroom.service";
        self.node(number, "greenroom")
            .link(wants, "/usr/lib/systemd/user/greenroom.service")
            .process(700, "greenroom", "/usr/bin/greenroom run", GREENROOM_AFTER_S)
            .opens(700, number)
            .answering(700, &[OutputKind::Loopback], false)
            .loopback(number, |_| {})
            .probes(|probes| {
                probes.pipewire = Known::Is(vec![PipeWireCamera {
                    description: "greenroom (V4L2)".to_owned(),
                    number: Some(number),
                    sizes_px: vec![(1280, 720)],
                }]);
            })
    }

    /// What a loopback answers.
    pub fn loopback(self, number: u32, change: impl FnOnce(&mut LoopbackProbe)) -> Self {
        let mut probe = LoopbackProbe {
            number,
            exclusive_caps: Known::Is(true),
            size_px: Some((1280, 720)),
            usage_event: Known::Is(UsageEvent::Usual),
        };
        change(&mut probe);
        self.probes(|probes| probes.loopbacks = Known::Is(vec![probe]))
    }

    /// A paragraph of dpkg's status.
    pub fn dpkg(self, paragraph: &str) -> Self {
        let before = fs::read_to_string(self.path("/var/lib/dpkg/status")).unwrap_or_default();
        self.file("/var/lib/dpkg/status", format!("{before}{paragraph}\n"))
    }

    /// A package that dpkg has installed.
    pub fn installed(self, package: &str) -> Self {
        self.dpkg(&format!("Package: {package}\nStatus: install ok installed\n"))
    }

    pub fn facts(&self) -> Facts {
        Facts::read(self.folder.path(), self.session.clone()).unwrap()
    }

    pub fn evidence(&self, facts: &Facts) -> Evidence {
        Evidence::read(self.folder.path(), facts, &self.folders, self.probes.clone())
    }

    pub fn findings(&self) -> Vec<Finding> {
        let facts = self.facts();
        findings(&facts, &self.evidence(&facts))
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }
}

/// Ubuntu with the prebuilt module, on which everything is set up and runs.
pub fn healthy() -> Made {
    Made::new(NOBLE, "6.14.0-28-generic")
        .installed("linux-modules-v4l2loopback-generic-hwe-24.04")
        .module("kernel/v4l2loopback/v4l2loopback.ko", Some("0.15.0"))
        .loaded(Some("0.15.0"))
        .set_up(10)
}

impl Made {
    /// A folder where a file is expected: it is there, and cannot be read.
    pub fn folder_at(self, path: &str) -> Self {
        fs::create_dir_all(self.path(path)).unwrap();
        self
    }
}
