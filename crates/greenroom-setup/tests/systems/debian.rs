//! Debian and its kin.

use greenroom_setup::files;
use greenroom_setup::plan::Topic;

use super::ubuntu::OLD_MODULE;
use super::{Case, Expected, LOAD, Made, OPTIONS, UNIT, not_possible};

pub const BOOKWORM: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n\
                            VERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";
const TRIXIE: &str = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n\
                      VERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n";

pub fn bookworm() -> Made {
    Made::new(BOOKWORM, "6.1.0-28-amd64")
        .kernel_package("amd64", "6.1.0-28-amd64")
        .available("v4l2loopback-dkms", "0.12.7-2")
        .available("linux-headers-amd64", "6.1.119-1")
}

pub fn trixie() -> Made {
    Made::new(TRIXIE, "6.12.101+deb13-amd64").kernel_package("amd64", "6.12.101+deb13-amd64")
}

/// 12 with the module built by DKMS.
pub fn bookworm_with_module() -> Made {
    bookworm().module("updates/dkms/v4l2loopback.ko", OLD_MODULE)
}

const MOK_LIST: &str = "/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23";

pub fn cases() -> Vec<Case> {
    let amd64 = || vec!["linux-headers-amd64", "v4l2loopback-dkms"];
    let old = || Expected { packages: amd64(), files: vec![OPTIONS, LOAD], ..Expected::default() };
    vec![
        bookworm().case("Debian 12", old()),
        bookworm().secure_boot().case(
            "Debian 12, Secure Boot",
            Expected {
                packages: vec!["linux-headers-amd64", "v4l2loopback-dkms", "mokutil"],
                key: true,
                restart: true,
                ..old()
            },
        ),
        bookworm()
            .secure_boot()
            .file("/var/lib/dkms/mok.pub", b"0\x82der")
            .file(MOK_LIST, b"\x06\0\0\0list-0\x82der-end")
            .case("Debian 12, Secure Boot, the firmware trusts DKMS's key", old()),
        bookworm().file("/sys/firmware/efi/.empty", "").without("/sys/kernel/security").case(
            "Debian 12, Secure Boot cannot be read",
            Expected { topics: vec![Topic::KeyImport], ..old() },
        ),
        Made::new(BOOKWORM, "6.12.9+bpo-amd64")
            .kernel_package("amd64", "6.12.9+bpo-amd64")
            .available("v4l2loopback-dkms", "0.12.7-2")
            .case("Debian 12, kernel from backports", not_possible(Topic::ModuleTooOld)),
        Made::new(BOOKWORM, "6.1.0-28-cloud-amd64")
            .kernel_package("cloud-amd64", "6.1.0-28-cloud-amd64")
            .case("Debian 12, kernel for clouds", not_possible(Topic::KernelWithoutVideo)),
        trixie().session(|session| session.pkexec = false).case(
            "Debian 13, no pkexec",
            Expected { packages: amd64(), files: vec![UNIT], ..Expected::default() },
        ),
        trixie()
            .file(
                "/usr/lib/modules/6.12.90+deb13-amd64/modules.dep",
                "updates/dkms/v4l2loopback.ko.xz:",
            )
            .file("/usr/lib/modules/6.12.101+deb13-amd64/build/Makefile", "")
            .dpkg("Package: v4l2loopback-dkms\nStatus: install ok installed\n")
            .dpkg("Package: linux-headers-amd64\nStatus: install ok installed\n")
            .case(
                "Debian 13, module for another kernel only, after an update",
                Expected { files: vec![UNIT], ..Expected::default() },
            ),
        Made::new(
            &BOOKWORM.replace("PRETTY_NAME=\"Debian", "PRETTY_NAME=\"Raspbian"),
            "6.12.25+rpt-rpi-v8",
        )
        .kernel_package("rpi-v8", "6.12.25+rpt-rpi-v8")
        .case("Raspberry Pi OS 12", not_possible(Topic::ModuleTooOld)),
        (10..=16)
            .fold(Made::new(TRIXIE, "6.12.47+rpt-rpi-2712"), |made, number| {
                let path = format!("/sys/class/video4linux/video{number}/name");
                made.file(&path, "bcm2835-codec-decode\n")
            })
            .kernel_package("rpi-2712", "6.12.47+rpt-rpi-2712")
            .case(
                "Raspberry Pi OS 13, whose video decoder has the numbers from 10 on",
                Expected {
                    packages: vec!["linux-headers-rpi-2712", "v4l2loopback-dkms"],
                    files: vec![UNIT],
                    ..Expected::default()
                },
            ),
        bookworm_with_module()
            .file("/etc/modprobe.d/obs.conf", "options v4l2loopback video_nr=9 card_label=OBS\n")
            .case(
                "Debian 12, module 0.12.7, somebody else's options",
                not_possible(Topic::ForeignOptions),
            ),
        bookworm_with_module()
            .loaded(None, 2)
            .node(9, "OBS Virtual Camera")
            .parameters("9,-1,-1", "Y,N,N")
            .opener(900, "obs", 9)
            .case(
                "Debian 12, module 0.12.7 loaded and in use by OBS",
                Expected {
                    files: vec![OPTIONS, LOAD],
                    topics: vec![Topic::ModuleInUse],
                    restart: true,
                    ..Expected::default()
                },
            ),
        bookworm_with_module()
            .loaded(None, 0)
            .node(10, "greenroom")
            .parameters("10,-1", "Y,N")
            .file(OPTIONS, old_options())
            .file(LOAD, files::load())
            .case(
                "Debian 12, module 0.12.7 with two buffers by an older greenroom, not in use",
                Expected { files: vec![OPTIONS], ..Expected::default() },
            ),
        bookworm_with_module()
            .without("/usr/lib/systemd/user/greenroom.service")
            .session(|session| {
                session.program.path = "/home/ada/.cargo/bin/greenroom".into();
                session.program.only_root_can_change = greenroom_setup::Known::Is(false);
            })
            .case(
                "Debian 12, module 0.12.7, greenroom from `cargo install`",
                Expected { files: vec![OPTIONS, LOAD], ..Expected::default() },
            ),
    ]
}

/// Our options file with other settings.
fn old_options() -> String {
    format!(
        "{}\noptions v4l2loopback devices=1 video_nr=10 card_label=\"greenroom\" exclusive_caps=1 \
         max_buffers=2\n",
        files::MARK
    )
}
