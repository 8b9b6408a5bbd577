//! Cases of the module v4l2loopback.

use greenroom_doctor::FindingId;

use super::{Case, FEDORA, Made, NOBLE, TRIXIE, case, healthy};

const UBUNTU: &str = "6.14.0-28-generic";
const DEBIAN: &str = "6.12.48+deb13-amd64";
const DKMS: &str = "v4l2loopback-dkms";

/// Debian with the module's sources and headers, set up.
fn debian() -> Made {
    Made::new(TRIXIE, DEBIAN)
        .installed(DKMS)
        .file("/var/lib/dkms/v4l2loopback/0.15.0/.empty", "")
        .module("updates/dkms/v4l2loopback.ko", Some("0.15.0"))
        .loaded(Some("0.15.0"))
        .set_up(10)
}

/// The same before the module is built.
fn debian_unbuilt(version: &str) -> Made {
    Made::new(TRIXIE, DEBIAN)
        .installed(DKMS)
        .file(&format!("/var/lib/dkms/v4l2loopback/{version}/.empty"), "")
}

fn fedora() -> Made {
    Made::new(FEDORA, "6.17.4-300.fc43.x86_64").without("/usr/bin/apt-get").file("/usr/bin/dnf", "")
}

/// The files of the tests belong to this group.
fn group_of_root() -> String {
    format!("root:x:{}:\n", healthy().gid())
}

pub fn cases() -> Vec<Case> {
    let mut cases = packages();
    cases.extend(kernels());
    cases.extend(systems());
    cases.extend(files());
    cases
}

fn packages() -> Vec<Case> {
    let half = "Package: v4l2loopback-dkms\nStatus: install ok half-configured\n";
    vec![
        case(
            FindingId::DkmsHalfInstalled,
            "Ubuntu 24.04, whose DKMS package did not build for the HWE kernel",
            Made::new(NOBLE, UBUNTU).dpkg(half),
            healthy(),
        ),
        case(
            FindingId::DkmsOnUbuntu,
            "Ubuntu 24.04 with the DKMS package, which has built",
            healthy().installed(DKMS),
            healthy(),
        ),
        case(
            FindingId::FedoraPackage,
            "Fedora without RPM Fusion",
            fedora(),
            fedora()
                .file("/etc/yum.repos.d/rpmfusion-free.repo", "")
                .module("extra/v4l2loopback.ko", Some("0.15.0"))
                .loaded(Some("0.15.0"))
                .set_up(10),
        ),
    ]
}

fn kernels() -> Vec<Case> {
    let build = format!("/usr/lib/modules/{DEBIAN}/build");
    let secure = |made: Made| {
        let lockdown = "none [integrity] confidentiality\n";
        made.file("/sys/kernel/security/lockdown", lockdown)
            .file("/var/lib/dkms/mok.pub", "certificate")
    };
    let module = "updates/dkms/v4l2loopback.ko";
    let unloaded = || debian_unbuilt("0.15.0").module(module, Some("0.15.0"));
    vec![
        case(
            FindingId::KernelUpdated,
            "Debian, whose running kernel was removed by an update",
            Made::new(TRIXIE, DEBIAN).without(&format!("/usr/lib/modules/{DEBIAN}")),
            debian(),
        ),
        case(
            FindingId::HeadersMissing,
            "Debian 13 with DKMS and without headers",
            debian_unbuilt("0.15.0").without(&build).dpkg(&format!(
                "Package: linux-image-amd64\nStatus: install ok installed\n\
                 Depends: linux-image-{DEBIAN} (= 1)\n"
            )),
            debian(),
        ),
        case(
            FindingId::ModuleTooOld,
            "Debian with a kernel from the backports and an old DKMS package",
            debian_unbuilt("0.12.7"),
            debian(),
        ),
        case(
            FindingId::SecureBoot,
            "Debian with Secure Boot and a key that was never imported",
            secure(unloaded()),
            secure(debian()).file(
                "/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
                "....certificate",
            ),
        ),
    ]
}

fn systems() -> Vec<Case> {
    let silverblue = || fedora().file("/run/ostree-booted", "");
    let nix = "PRETTY_NAME=\"NixOS 25.11\"\nID=nixos\nVERSION_ID=\"25.11\"\n";
    let nixos = || Made::new(nix, "6.12.50").without("/usr/bin/apt-get");
    vec![
        case(
            FindingId::AtomicSystem,
            "Fedora Silverblue",
            silverblue(),
            silverblue().in_pipewire(),
        ),
        case(
            FindingId::NixOs,
            "NixOS without the lines",
            nixos(),
            nixos()
                .module("updates/v4l2loopback.ko", Some("0.15.0"))
                .loaded(Some("0.15.0"))
                .file("/etc/modprobe.d/nixos.conf", "options v4l2loopback card_label=greenroom\n")
                .with_greenroom(10),
        ),
    ]
}

fn files() -> Vec<Case> {
    let options = "options v4l2loopback video_nr=20 card_label=\"OBS\" exclusive_caps=1\n";
    vec![
        case(
            FindingId::ModuleCopies,
            "Ubuntu with its own module and one that was built here",
            healthy()
                .file(&format!("/usr/lib/modules/{UBUNTU}/updates/dkms/v4l2loopback.ko"), "")
                .file("/var/lib/dkms/v4l2loopback/0.12.7/.empty", ""),
            healthy(),
        ),
        case(
            FindingId::ModuleOutdated,
            "Ubuntu, whose module was updated since it was loaded",
            healthy().loaded(Some("0.13.2")),
            healthy(),
        ),
        case(
            FindingId::OptionsInTwoFiles,
            "two packages with options for the module",
            healthy()
                .file("/etc/modprobe.d/droidcam.conf", options)
                .file("/etc/modprobe.d/obs.conf", options),
            healthy().file("/etc/modprobe.d/obs.conf", options),
        ),
        case(
            FindingId::ControlDeviceRootOnly,
            "Ubuntu with the module loaded and no camera added",
            Made::new(NOBLE, UBUNTU)
                .module("kernel/v4l2loopback/v4l2loopback.ko", Some("0.15.0"))
                .loaded(Some("0.15.0"))
                .file("/etc/group", group_of_root())
                .mode("/dev/v4l2loopback", 0o600),
            healthy().mode("/dev/v4l2loopback", 0o600),
        ),
    ]
}
