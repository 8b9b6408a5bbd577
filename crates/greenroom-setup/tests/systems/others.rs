//! Distributions that are made from neither Ubuntu nor Debian.

use greenroom_setup::plan::Topic;

use super::{Case, Expected, Made, UNIT, not_possible};

const FEDORA: &str = "PRETTY_NAME=\"Fedora Linux 42 (Workstation Edition)\"\nID=fedora\n\
                      VERSION_ID=42\nVARIANT_ID=workstation\n";
const ARCH: &str = "PRETTY_NAME=\"Arch Linux\"\nID=arch\n";

fn fedora() -> Made {
    Made::new(FEDORA, "6.14.5-300.fc42.x86_64").file("/usr/bin/dnf", "")
}

fn arch(os: &str, release: &str, package: &str) -> Made {
    let file = format!("/usr/lib/modules/{release}/pkgbase");
    Made::new(os, release).file("/usr/bin/pacman", "").file(&file, format!("{package}\n"))
}

pub fn cases() -> Vec<Case> {
    let dynamic = |packages| Expected { packages, files: vec![UNIT], ..Expected::default() };
    let nixos = "PRETTY_NAME=\"NixOS 25.05\"\nID=nixos\nVERSION_ID=\"25.05\"\n";
    vec![
        fedora().secure_boot().case(
            "Fedora 42, Secure Boot",
            Expected {
                key: true,
                restart: true,
                ..dynamic(vec![
                    "akmods", "kmodtool", "mokutil", "openssl", "akmod-v4l2loopback", "kernel-devel-6.14.5-300.fc42.x86_64",
                ])
            },
        ),
        fedora().file("/etc/yum.repos.d/rpmfusion-free.repo", "").case(
            "Fedora 42 with RPM Fusion, no Secure Boot",
            dynamic(vec!["akmod-v4l2loopback", "kernel-devel-6.14.5-300.fc42.x86_64"]),
        ),
        fedora()
            .file("/usr/lib/modules/6.14.9-300.fc42.x86_64/modules.dep", "")
            .file("/etc/yum.repos.d/rpmfusion-free.repo", "")
            .case(
                "Fedora 42, a newer kernel is installed than runs",
                Expected {
                    restart: true,
                    ..dynamic(vec!["akmod-v4l2loopback", "kernel-devel-6.14.9-300.fc42.x86_64"])
                },
            ),
        fedora()
            .file("/run/ostree-booted", "")
            .file("/etc/os-release", FEDORA.replace("workstation", "silverblue").replace("Workstation Edition", "Silverblue"))
            .case("Fedora Silverblue 42", not_possible(Topic::AtomicSystem)),
        Made::new("PRETTY_NAME=Bazzite\nID=bazzite\nID_LIKE=fedora\n", "6.14.4-102.bazzite.fc42.x86_64")
            .file("/run/ostree-booted", "")
            .module("extra/v4l2loopback/v4l2loopback.ko.xz", b"")
            .loaded(Some("0.15.0"), 0)
            .case("Bazzite, whose image has the module", dynamic(vec![])),
        Made::new("PRETTY_NAME=\"Rocky Linux 9\"\nID=rocky\nID_LIKE=\"rhel centos fedora\"\n", "5.14.0-503.el9.x86_64")
            .case("Rocky Linux 9", not_possible(Topic::UnknownDistribution)),
        arch(ARCH, "6.12.10-arch1-1", "linux")
            .case("Arch", dynamic(vec!["linux-headers", "v4l2loopback-dkms"])),
        arch(ARCH, "6.12.9-zen1-1-zen", "linux-zen")
            .case("Arch, zen kernel", dynamic(vec!["linux-zen-headers", "v4l2loopback-dkms"])),
        arch(ARCH, "6.6.72-1-lts", "linux-lts")
            .secure_boot()
            .case("Arch, lts kernel, locked down", not_possible(Topic::SignatureRequired)),
        Made::new(ARCH, "6.6.72-1-lts")
            .file("/usr/bin/pacman", "")
            .without("/usr/lib/modules/6.6.72-1-lts")
            .case(
                "Arch, lts kernel replaced by an update and not restarted",
                Expected { restart: true, ..dynamic(vec!["linux-lts-headers", "v4l2loopback-dkms"]) },
            ),
        arch("PRETTY_NAME=\"Manjaro Linux\"\nID=manjaro\nID_LIKE=arch\n", "6.12.4-1-MANJARO", "linux612")
            .case("Manjaro", dynamic(vec!["linux612-headers", "v4l2loopback-dkms"])),
        arch("PRETTY_NAME=\"CachyOS\"\nID=cachyos\nID_LIKE=arch\n", "6.14.2-2-cachyos", "linux-cachyos")
            .module("kernel/drivers/media/v4l2loopback/v4l2loopback.ko", b"\x7fELF\0version=0.15.0\0")
            .case("CachyOS, whose kernel has the module", dynamic(vec![])),
        Made::new("PRETTY_NAME=\"SteamOS\"\nID=steamos\nID_LIKE=arch\nVARIANT_ID=steamdeck\n", "6.11.11-valve12-1-neptune-611")
            .file("/usr/bin/pacman", "")
            .case("SteamOS", not_possible(Topic::AtomicSystem)),
        Made::new(nixos, "6.12.30").case("NixOS", not_possible(Topic::NixOs)),
        Made::new(nixos, "6.12.30")
            .file("/etc/modprobe.d/nixos.conf", "options v4l2loopback video_nr=9 card_label=OBS\n")
            .case("NixOS with options for OBS", not_possible(Topic::NixOs)),
        Made::new("PRETTY_NAME=\"openSUSE Tumbleweed\"\nID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n", "6.14.6-1-default")
            .secure_boot()
            .file("/usr/bin/zypper", "")
            .case("openSUSE Tumbleweed, Secure Boot", dynamic(vec!["v4l2loopback-kmp-default"])),
        Made::new("PRETTY_NAME=\"openSUSE Aeon\"\nID=\"opensuse-aeon\"\nID_LIKE=\"suse opensuse\"\n", "6.14.6-1-default")
            .case("openSUSE Aeon", not_possible(Topic::AtomicSystem)),
        Made::new("PRETTY_NAME=\"Alpine Linux v3.21\"\nID=alpine\nVERSION_ID=3.21.0\n", "6.12.8-0-lts")
            .without("/run/systemd")
            .file("/sbin/apk", "")
            .case("Alpine, which has no systemd", not_possible(Topic::NoSystemd)),
        Made::new("PRETTY_NAME=Gentoo\nID=gentoo\n", "6.12.8-gentoo")
            .case("Gentoo", not_possible(Topic::UnknownDistribution)),
    ]
}
