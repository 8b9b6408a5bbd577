//! Distributions that are made from neither Ubuntu nor Debian.

use greenroom_setup::plan::Topic;

use super::{Case, Expected, Made, UNIT, not_possible, os};

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
    let nixos = &os("NixOS 25.05", "nixos", "", "25.05");
    vec![
        fedora().secure_boot().case(
            "Fedora 42, Secure Boot",
            Expected {
                key: true,
                restart: true,
                ..dynamic(vec![
                    "akmods",
                    "kmodtool",
                    "mokutil",
                    "openssl",
                    "akmod-v4l2loopback",
                    "kernel-devel-6.14.5-300.fc42.x86_64",
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
            .file("/etc/os-release", os("Fedora Linux 42 (Silverblue)", "fedora", "", "42"))
            .case("Fedora Silverblue 42", not_possible(Topic::AtomicSystem)),
        Made::new(&os("Bazzite", "bazzite", "fedora", ""), "6.14.4-102.bazzite.fc42.x86_64")
            .file("/run/ostree-booted", "")
            .module("extra/v4l2loopback/v4l2loopback.ko.xz", b"")
            .loaded(Some("0.15.0"), 0)
            .case("Bazzite, whose image has the module", dynamic(vec![])),
        Made::new(&os("Rocky Linux 9", "rocky", "rhel centos fedora", ""), "5.14.0-503.el9.x86_64")
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
                Expected {
                    restart: true,
                    ..dynamic(vec!["linux-lts-headers", "v4l2loopback-dkms"])
                },
            ),
        arch(&os("Manjaro Linux", "manjaro", "arch", ""), "6.12.4-1-MANJARO", "linux612")
            .case("Manjaro", dynamic(vec!["linux612-headers", "v4l2loopback-dkms"])),
        arch(&os("CachyOS", "cachyos", "arch", ""), "6.14.2-2-cachyos", "linux-cachyos")
            .module(
                "kernel/drivers/media/v4l2loopback/v4l2loopback.ko",
                b"\x7fELF\0version=0.15.0\0",
            )
            .case("CachyOS, whose kernel has the module", dynamic(vec![])),
        Made::new(&os("SteamOS", "steamos", "arch", ""), "6.11.11-valve12-1-neptune-611")
            .file("/usr/bin/pacman", "")
            .case("SteamOS", not_possible(Topic::AtomicSystem)),
        Made::new(nixos, "6.12.30").case("NixOS", not_possible(Topic::NixOs)),
        Made::new(nixos, "6.12.30")
            .module("misc/v4l2loopback.ko.xz", b"")
            .loaded(Some("0.15.0"), 0)
            .file(
                "/etc/modprobe.d/nixos.conf",
                "options v4l2loopback devices=1 video_nr=10 card_label=\"greenroom\"\n",
            )
            .node(10, "greenroom")
            .parameters("10,-1", "Y,N")
            .case(
                "NixOS with the lines in its configuration",
                Expected { topics: vec![Topic::ForeignNodeUsed], ..Expected::default() },
            ),
        Made::new(nixos, "6.12.30")
            .file("/etc/modprobe.d/nixos.conf", "options v4l2loopback video_nr=9 card_label=OBS\n")
            .case("NixOS with options for OBS", not_possible(Topic::NixOs)),
        Made::new(
            &os("openSUSE Tumbleweed", "opensuse-tumbleweed", "opensuse suse", ""),
            "6.14.6-1-default",
        )
        .secure_boot()
        .file("/usr/bin/zypper", "")
        .case("openSUSE Tumbleweed, Secure Boot", dynamic(vec!["v4l2loopback-kmp-default"])),
        Made::new(&os("openSUSE Aeon", "opensuse-aeon", "suse opensuse", ""), "6.14.6-1-default")
            .case("openSUSE Aeon", not_possible(Topic::AtomicSystem)),
        Made::new(&os("Alpine Linux v3.21", "alpine", "", "3.21.0"), "6.12.8-0-lts")
            .without("/run/systemd")
            .file("/sbin/apk", "")
            .case("Alpine, which has no systemd", not_possible(Topic::NoSystemd)),
        Made::new(&os("Gentoo", "gentoo", "", ""), "6.12.8-gentoo")
            .case("Gentoo", not_possible(Topic::UnknownDistribution)),
    ]
}
