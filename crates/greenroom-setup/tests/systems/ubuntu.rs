//! Ubuntu and its kin.

use greenroom_setup::plan::Topic;
use greenroom_setup::{Label, Wish};

use super::{Case, Expected, Is, LOAD, Made, OPTIONS, UNIT, not_possible};

pub const NOBLE: &str = "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nID=ubuntu\nID_LIKE=debian\n\
                         VERSION_ID=\"24.04\"\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n";
const JAMMY: &str = "PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nID=ubuntu\nID_LIKE=debian\n\
                     VERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\nUBUNTU_CODENAME=jammy\n";
const RESOLUTE: &str = "PRETTY_NAME=\"Ubuntu 26.04 LTS\"\nID=ubuntu\nID_LIKE=debian\n\
                        VERSION_ID=\"26.04\"\nVERSION_CODENAME=resolute\n";
const MINT: &str = "PRETTY_NAME=\"Linux Mint 22.3\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n\
                    VERSION_ID=\"22.3\"\nVERSION_CODENAME=zena\nUBUNTU_CODENAME=noble\n";
const POP: &str = "PRETTY_NAME=\"Pop!_OS 22.04 LTS\"\nID=pop\nID_LIKE=\"ubuntu debian\"\n\
                   VERSION_ID=\"22.04\"\nUBUNTU_CODENAME=jammy\n";

/// A module before 0.13: it tells no version.
pub const OLD_MODULE: &[u8] = b"\x7fELF\0license=GPL\0";

/// 24.04 with the newer of its kernels.
pub fn noble() -> Made {
    Made::new(NOBLE, "6.14.0-28-generic")
        .secure_boot()
        .kernel_package("generic-hwe-24.04", "6.14.0-28-generic")
}

pub fn cases() -> Vec<Case> {
    let either = |package| Expected {
        packages: vec![package],
        files: vec![UNIT, OPTIONS, LOAD],
        ..Expected::default()
    };
    let hwe = "linux-modules-v4l2loopback-generic-hwe-24.04";
    vec![
        Made::new(JAMMY, "6.8.0-52-generic")
            .kernel_package("generic-hwe-22.04", "6.8.0-52-generic")
            .module("kernel/v4l2loopback/v4l2loopback.ko", OLD_MODULE)
            .case(
                "Ubuntu 22.04, HWE kernel, whose own package has the module 0.12",
                Expected { files: vec![OPTIONS, LOAD], ..Expected::default() },
            ),
        Made::new(JAMMY, "5.15.0-130-generic")
            .kernel_package("generic", "5.15.0-130-generic")
            .available("linux-modules-v4l2loopback-generic-hwe-22.04", "6.8.0.52.1")
            .case(
                "Ubuntu 22.04, first kernel, no module and no package of it",
                not_possible(Topic::NoPrebuiltModule),
            ),
        noble().case("Ubuntu 24.04, HWE kernel, Secure Boot", either(hwe)),
        Made::new(NOBLE, "6.14.0-28-generic").file("/usr/bin/apt-get", "").case(
            "Ubuntu 24.04, HWE kernel, dpkg does not tell which package it is from",
            either(hwe),
        ),
        Made::new(NOBLE, "6.14.0-24-generic")
            .kernel_package("generic-hwe-24.04", "6.14.0-28-generic")
            .case(
                "Ubuntu 24.04, a newer kernel is installed than runs",
                Expected { restart: true, ..either(hwe) },
            ),
        Made::new(NOBLE, "6.11.0-1027-oem")
            .secure_boot()
            .kernel_package("oem-24.04b", "6.11.0-1027-oem")
            .kernel_package("generic-hwe-24.04", "6.14.0-28-generic")
            .available("linux-modules-v4l2loopback-oem-24.04b", "6.11.0-1027.27")
            .case(
                "Ubuntu 24.04, OEM kernel beside the usual one",
                either("linux-modules-v4l2loopback-oem-24.04b"),
            ),
        Made::new(NOBLE, "6.17.0-1022-azure")
            .kernel_package("azure", "6.17.0-1022-azure")
            .kernel("kernel/v4l2loopback/v4l2loopback.ko.zst:\n")
            .session(|session| session.desktop = false)
            .case(
                "Ubuntu 24.04, Azure kernel with the module, without video core; no desktop",
                Expected {
                    packages: vec![
                        "linux-modules-extra-azure",
                        "linux-modules-extra-6.17.0-1022-azure",
                    ],
                    files: vec![UNIT, OPTIONS, LOAD],
                    ..Expected::default()
                },
            ),
        Made::new(NOBLE, "6.12.9-1-liquorix-amd64")
            .kernel_package("generic", "6.8.0-51-generic")
            .case("Ubuntu 24.04, kernel of Liquorix", not_possible(Topic::OtherKernel)),
        Made::new(RESOLUTE, "7.0.0-31-generic")
            .kernel_package("generic", "7.0.0-31-generic")
            .available("linux-modules-v4l2loopback-generic", "7.0.0-31.31")
            .case(
                "Ubuntu 26.04, two cameras",
                Expected {
                    packages: vec!["linux-modules-v4l2loopback-generic"],
                    files: vec![UNIT],
                    ..Expected::default()
                },
            )
            .wish(Wish::new(2, Label::default()).unwrap()),
        noble()
            .module("kernel/v4l2loopback/v4l2loopback.ko.zst", b"")
            .loaded(Some("0.15.0"), 0)
            .file("/etc/modprobe.d/v4l2-relayd.conf", "options v4l2loopback devices=0\n")
            .file("/etc/modprobe.d/obs.conf", "# OBS\noptions v4l2loopback \\\n  video_nr=20\n")
            .node(20, "OBS Virtual Camera")
            .case(
                "Ubuntu 24.04, module 0.15 loaded, options of two other packages, a node of OBS",
                Expected { files: vec![UNIT], ..Expected::default() },
            ),
        Made::new(MINT, "6.14.0-28-generic")
            .kernel_package("generic-hwe-24.04", "6.14.0-28-generic")
            .available("linux-modules-v4l2loopback-generic-hwe-24.04", "6.14.0-28.28")
            .case("Linux Mint 22", either(hwe)),
        Made::new(MINT, "7.0.0-28-generic")
            .kernel_package("generic-hwe-24.04", "7.0.0-28-generic")
            .dpkg("Package: v4l2loopback-dkms\nStatus: install ok half-configured\n")
            .case(
                "Linux Mint 22, v4l2loopback-dkms half installed after a kernel update",
                not_possible(Topic::BrokenDkms),
            ),
        Made::new(POP, "6.9.3-76060903-generic")
            .file("/usr/bin/apt-get", "")
            .case("Pop!_OS 22.04", not_possible(Topic::OtherKernel)),
        Made::new("ID=ubuntu-core\nVERSION_ID=24\n", "6.8.0-51-generic")
            .case("Ubuntu Core 24", not_possible(Topic::AtomicSystem)),
        noble()
            .module("kernel/v4l2loopback/v4l2loopback.ko.zst", b"")
            .loaded(Some("0.15.0"), 1)
            .file(UNIT, unit(&[10]))
            .link("/etc/systemd/system/multi-user.target.wants/greenroom-camera.service", UNIT)
            .link("/home/ada/.config/systemd/user/default.target.wants/greenroom.service", "x")
            .file("/run/greenroom/nodes.json", run_record(10, true))
            .node(10, "greenroom")
            .opener(700, "greenroom", 10)
            .case(
                "Ubuntu 24.04, everything is set up",
                Expected { outcome: Is::Nothing, ..Expected::default() },
            ),
    ]
}

/// Our boot unit.
pub fn unit(numbers: &[u32]) -> String {
    greenroom_setup::files::boot_unit("/usr/bin/greenroom".as_ref(), &Label::default(), numbers)
}

/// The record of a node that the boot unit added.
pub fn run_record(number: u32, exclusive_caps: bool) -> String {
    format!(
        "{{\"nodes\":[{{\"number\":{number},\"label\":\"greenroom\",\
         \"exclusive_caps\":{exclusive_caps},\"buffers\":4}}]}}"
    )
}
