//! Made-up systems: a root directory each, as the real ones have it.

pub mod debian;
pub mod marks;
pub mod others;
pub mod ubuntu;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use greenroom_setup::facts::Program;
use greenroom_setup::plan::Topic;
use greenroom_setup::{Facts, Known, Session, Wish};
use tempfile::TempDir;

/// A made-up system, and what is expected of the plan for it.
pub struct Case {
    pub name: &'static str,
    pub system: Made,
    pub wish: Wish,
    pub expected: Expected,
}

/// What is essential of a plan.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expected {
    pub outcome: Is,
    /// All packages that are installed.
    pub packages: Vec<&'static str>,
    /// All files that are written, but the record and those in the home directory.
    pub files: Vec<&'static str>,
    /// All topics of explanations, in order.
    pub topics: Vec<Topic>,
    /// Whether a key is imported.
    pub key: bool,
    /// Whether the computer is restarted.
    pub restart: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub enum Is {
    #[default]
    Steps,
    Nothing,
    NotPossible,
}

pub const UNIT: &str = "/etc/systemd/system/greenroom-camera.service";
pub const OPTIONS: &str = "/etc/modprobe.d/greenroom.conf";
pub const LOAD: &str = "/etc/modules-load.d/greenroom.conf";

/// Nothing can be done, for this reason.
pub fn not_possible(topic: Topic) -> Expected {
    Expected { outcome: Is::NotPossible, topics: vec![topic], ..Expected::default() }
}

/// An os-release file.
pub fn os(name: &str, id: &str, like: &str, version: &str) -> String {
    format!("PRETTY_NAME=\"{name}\"\nID=\"{id}\"\nID_LIKE=\"{like}\"\nVERSION_ID=\"{version}\"\n")
}

/// A made-up system.
pub struct Made {
    folder: TempDir,
    pub session: Session,
    release: String,
}

impl Made {
    /// A desktop on which greenroom was installed from a package, with a webcam.
    pub fn new(os_release: &str, release: &str) -> Self {
        let session = Session {
            is_root: false,
            desktop: true,
            pkexec: true,
            sudo: true,
            program: Program {
                path: "/usr/bin/greenroom".into(),
                only_root_can_change: Known::Is(true),
            },
            home: Some("/home/ada".into()),
        };
        // Thousands of small files: in memory, where that can be had.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        Self { folder, session, release: release.to_owned() }
            .file("/etc/os-release", os_release)
            .file("/proc/sys/kernel/osrelease", format!("{release}\n"))
            .file("/proc/modules", "videodev 327680 1 uvcvideo, Live 0x0\n")
            .file("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
            .file("/proc/1/comm", "systemd\n")
            .file("/proc/1/fd/.empty", "")
            .file("/run/systemd/system/.empty", "")
            .file("/sys/firmware/.empty", "")
            .file("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n")
            .file("/sys/module/module/parameters/sig_enforce", "N\n")
            .file("/sys/class/video4linux/video0/name", "HD Pro Webcam C920\n")
            .file("/usr/lib/systemd/user/greenroom.service", "[Unit]\n")
            .kernel("kernel/drivers/media/v4l2-core/videodev.ko:\n")
    }

    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    pub fn without(self, path: &str) -> Self {
        let path = self.path(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        self
    }

    pub fn link(self, path: &str, target: &str) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    /// The index of the running kernel's modules.
    pub fn kernel(self, index: &str) -> Self {
        let path = format!("/usr/lib/modules/{}/modules.dep", self.release);
        self.file(&path, index)
    }

    /// The module as the file `name`, for the running kernel.
    pub fn module(self, name: &str, content: &[u8]) -> Self {
        let index =
            format!("kernel/drivers/media/v4l2-core/videodev.ko:\n{name}: kernel/videodev.ko\n");
        let path = format!("/usr/lib/modules/{}/{name}", self.release);
        self.kernel(&index).file(&path, content)
    }

    /// The module is loaded. Versions before 0.13 do not tell theirs.
    pub fn loaded(self, version: Option<&str>, users: u32) -> Self {
        let made = self
            .file("/proc/modules", format!("v4l2loopback 57344 {users} - Live 0x0 (OE)\n"))
            .file("/sys/module/v4l2loopback/refcnt", format!("{users}\n"));
        match version {
            Some(version) => made
                .file("/sys/module/v4l2loopback/version", format!("{version}\n"))
                .file("/sys/class/misc/v4l2loopback/dev", "10:120\n"),
            None => made,
        }
    }

    /// A node of v4l2loopback.
    pub fn node(self, number: u32, label: &str) -> Self {
        let folder = format!("/sys/class/video4linux/video{number}");
        self.file(&format!("{folder}/name"), format!("{label}\n"))
            .file(&format!("{folder}/format"), "")
            .file(&format!("{folder}/buffers"), "2\n")
            .file(&format!("{folder}/max_openers"), "10\n")
    }

    /// The nodes with which the module was loaded.
    pub fn parameters(self, numbers: &str, exclusive: &str) -> Self {
        let folder = "/sys/module/v4l2loopback/parameters";
        self.file(&format!("{folder}/video_nr"), numbers)
            .file(&format!("{folder}/exclusive_caps"), exclusive)
    }

    /// A process has a node open.
    pub fn opener(self, pid: u32, name: &str, number: u32) -> Self {
        self.file(&format!("/proc/{pid}/comm"), format!("{name}\n"))
            .link(&format!("/proc/{pid}/fd/7"), &format!("/dev/video{number}"))
    }

    /// Secure Boot is on, and the kernel is locked down.
    pub fn secure_boot(self) -> Self {
        let variables = "/sys/firmware/efi/efivars";
        self.file(
            &format!("{variables}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"),
            [6, 0, 0, 0, 1],
        )
        .file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    }

    /// A package of the kernel in dpkg's status, with the kernel that it depends on.
    pub fn kernel_package(self, flavour: &str, release: &str) -> Self {
        self.dpkg(&format!(
            "Package: linux-image-{flavour}\nStatus: install ok installed\n\
             Depends: linux-image-{release} (= 1), linux-modules-extra-{release}\n"
        ))
    }

    /// A paragraph of dpkg's status.
    pub fn dpkg(self, paragraph: &str) -> Self {
        let before = fs::read_to_string(self.path("/var/lib/dpkg/status")).unwrap_or_default();
        self.file("/var/lib/dpkg/status", format!("{before}{paragraph}\n"))
            .file("/usr/bin/apt-get", "")
    }

    /// A package that apt can install.
    pub fn available(self, package: &str, version: &str) -> Self {
        let list = "/var/lib/apt/lists/archive_dists_Packages";
        let before = fs::read_to_string(self.path(list)).unwrap_or_default();
        self.file(list, format!("{before}Package: {package}\nVersion: {version}\n\n"))
    }

    pub fn session(mut self, change: impl FnOnce(&mut Session)) -> Self {
        change(&mut self.session);
        self
    }

    pub fn case(self, name: &'static str, expected: Expected) -> Case {
        Case { name, system: self, wish: Wish::default(), expected }
    }

    pub fn facts(&self) -> Facts {
        Facts::read(self.root(), self.session.clone()).unwrap()
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }
}

impl Case {
    pub fn wish(self, wish: Wish) -> Self {
        Self { wish, ..self }
    }
}

/// All cases, in the order of tests/plans.txt.
pub fn all() -> Vec<Case> {
    [ubuntu::cases(), debian::cases(), others::cases(), marks::cases()]
        .into_iter()
        .flatten()
        .collect()
}
