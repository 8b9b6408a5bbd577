//! Trouble that does not depend on the distribution, and undoing.

use greenroom_setup::files::{self, SetupRecord};
use greenroom_setup::plan::Topic;
use greenroom_setup::{Known, Label, Wish};

use super::debian::{bookworm, bookworm_with_module, trixie};
use super::ubuntu::{NOBLE, noble, run_record, unit};
use super::{Case, Expected, Is, LOAD, Made, OPTIONS, UNIT, not_possible};

const LINK: &str = "/etc/systemd/system/multi-user.target.wants/greenroom-camera.service";

/// The module's package in dpkg's status.
const MODULES: &str =
    "Package: linux-modules-v4l2loopback-generic-hwe-24.04\nStatus: install ok installed\n";

/// 24.04 with the module 0.15, loaded.
fn with_module(users: u32) -> Made {
    noble().module("kernel/v4l2loopback/v4l2loopback.ko.zst", b"").loaded(Some("0.15.0"), users)
}

/// The same after set-up.
fn set_up(users: u32) -> Made {
    with_module(users)
        .file(UNIT, unit(&[10]))
        .link(LINK, UNIT)
        .file("/run/greenroom/nodes.json", run_record(10, true))
        .node(10, "greenroom")
}

fn record(packages: &[&str], certificate: Option<&str>) -> String {
    let packages = packages.iter().map(|package| (*package).to_owned()).collect();
    SetupRecord { packages, certificate: certificate.map(Into::into), in_progress: None }.to_json()
}

pub fn cases() -> Vec<Case> {
    let mut cases = trouble();
    cases.extend(undoing().into_iter().map(|case| case.wish(Wish::undo())));
    cases
}

fn trouble() -> Vec<Case> {
    let only_unit = || Expected { files: vec![UNIT], ..Expected::default() };
    vec![
        Made::new(NOBLE, "6.14.0-28-generic")
            .file("/run/.containerenv", "")
            .case("A container", not_possible(Topic::Container)),
        Made::new(NOBLE, "5.15.167.4-microsoft-standard-WSL2")
            .case("The Windows Subsystem for Linux", not_possible(Topic::Wsl)),
        with_module(0)
            .file("/proc/self/mountinfo", "1 0 8:1 / / ro - ext4 /dev/sda1 ro\n")
            .case("/etc cannot be written", not_possible(Topic::ReadOnlyEtc)),
        with_module(0)
            .session(|session| {
                session.program.path = "/home/ada/.cargo/bin/greenroom".into();
                session.program.only_root_can_change = Known::Is(false);
            })
            .case("greenroom from `cargo install`", not_possible(Topic::ProgramNotSafe)),
        with_module(0)
            .session(|session| (session.pkexec, session.sudo) = (false, false))
            .case("Neither pkexec nor sudo", not_possible(Topic::NoAdministrator)),
        with_module(0)
            .session(|session| session.is_root = true)
            .case("Run as root", Expected { topics: vec![Topic::UserUnit], ..only_unit() }),
        with_module(0)
            .file(UNIT, "[Unit]\nDescription=my own\n")
            .case("A unit of our name by somebody else", not_possible(Topic::ForeignFile)),
        (10..=63)
            .fold(with_module(0), |made, number| {
                made.file(&format!("/sys/class/video4linux/video{number}/name"), "camera\n")
            })
            .case("All numbers are taken", not_possible(Topic::NoFreeNumber)),
        with_module(0).file("/etc/modprobe.d/off.conf", "install v4l2loopback /bin/false\n").case(
            "A command instead of loading the module",
            Expected { topics: vec![Topic::ForeignOptions], ..only_unit() },
        ),
        with_module(0)
            .file(
                "/etc/modprobe.d/cam.conf",
                "options v4l2loopback card_label=greenroom video_nr=7\n",
            )
            .node(7, "greenroom")
            .parameters("7,-1", "N,N")
            .case(
                "A node \"greenroom\" of a foreign file, unfit",
                not_possible(Topic::ForeignNode),
            ),
        with_module(0).node(12, "greenroom").parameters("12,-1", "N,N").case(
            "A node \"greenroom\" that a person made, unfit",
            not_possible(Topic::ForeignNode),
        ),
        with_module(0)
            .file(
                "/etc/modprobe.d/cam.conf",
                "options v4l2loopback card_label=greenroom video_nr=7 exclusive_caps=1\n",
            )
            .node(7, "greenroom")
            .parameters("7,-1", "Y,N")
            .case(
                "A node \"greenroom\" of a foreign file, as it should be",
                Expected { topics: vec![Topic::ForeignNodeUsed], ..Expected::default() },
            ),
        with_module(0).node(12, "greenroom").parameters("12,-1", "Y,N").case(
            "A node \"greenroom\" that a person made, as it should be",
            Expected { topics: vec![Topic::ForeignNodeUsed], ..only_unit() },
        ),
        set_up(0)
            .file("/run/greenroom/nodes.json", run_record(10, false))
            .case("Our node with other settings, not in use", Expected::default()),
        set_up(2)
            .file("/run/greenroom/nodes.json", run_record(10, false))
            .opener(800, "zoom", 10)
            .case(
                "Our node with other settings, in use",
                Expected { topics: vec![Topic::NodeInUse], ..Expected::default() },
            ),
        set_up(1)
            .file("/run/greenroom/nodes.json", run_record(10, false))
            .link("/home/ada/.config/systemd/user/default.target.wants/greenroom.service", "x")
            .opener(700, "greenroom", 10)
            .case("Our node with other settings, in use by greenroom alone", Expected::default()),
        noble()
            .module("updates/dkms/v4l2loopback.ko.zst", b"")
            .file("/var/lib/dkms/v4l2loopback/0.15.0/source", "")
            .file("/var/lib/shim-signed/mok/MOK.der", b"0\x82der")
            .case(
                "Ubuntu 24.04, Secure Boot, module built by DKMS with a key that is not trusted",
                Expected { key: true, restart: true, ..only_unit() },
            ),
        set_up(0)
            .case("Another label than before", only_unit())
            .wish(Wish::new(1, Label::new("My Camera").unwrap()).unwrap()),
        set_up(0)
            .case("A second camera", only_unit())
            .wish(Wish::new(2, Label::default()).unwrap()),
        trixie()
            .module("updates/dkms/v4l2loopback.ko.xz", b"")
            .file("/var/lib/dkms/v4l2loopback/0.15.0/source", "")
            .loaded(None, 0)
            .file(OPTIONS, files::options(&[Label::default()], &[10]).replace("fers=4", "fers=2"))
            .node(10, "greenroom")
            .parameters("10,-1", "Y,N")
            .case(
                "Debian 13 after an upgrade: our node is of the 0.12 that is still loaded",
                Expected { restart: true, ..only_unit() },
            ),
        trixie()
            .module("updates/dkms/v4l2loopback.ko.xz", b"")
            .file("/var/lib/dkms/v4l2loopback/0.15.0/source", "")
            .loaded(Some("0.15.0"), 0)
            .file(OPTIONS, files::options(&[Label::default()], &[10]))
            .file(LOAD, files::load())
            .node(10, "greenroom")
            .parameters("10,-1", "Y,N")
            .case("Debian 13, set up when it was Debian 12", only_unit()),
        trixie()
            .module("updates/dkms/v4l2loopback.ko.xz", b"")
            .file("/var/lib/dkms/v4l2loopback/0.15.0/source", "")
            .loaded(None, 1)
            .node(0, "Dummy video device (0x0000)")
            .case(
                "Debian 13 after an upgrade: 0.12 loaded and in use, 0.15 installed",
                Expected { restart: true, ..only_unit() },
            ),
        trixie()
            .module("updates/dkms/v4l2loopback.ko.xz", b"")
            .file("/var/lib/dkms/v4l2loopback/0.15.0/source", "")
            .secure_boot()
            .file("/var/lib/dkms/mok.pub", b"0\x82der")
            .file(
                "/sys/firmware/efi/efivars/MokNew-605dab50-e046-4300-abb6-3dd810dd8b23",
                b"\x07\0\0\x000\x82der",
            )
            .case(
                "Debian 13, module built, its key's import asked for and not confirmed",
                Expected { key: true, restart: true, ..only_unit() },
            ),
    ]
}

fn undoing() -> Vec<Case> {
    let nothing = || Expected { outcome: Is::Nothing, ..Expected::default() };
    let stays = |count| Expected { topics: vec![Topic::Stays; count], ..Expected::default() };
    vec![
        noble().case("Undo: nothing was set up", nothing()),
        set_up(0)
            .file(
                files::SETUP_RECORD,
                record(&["linux-modules-v4l2loopback-generic-hwe-24.04"], None),
            )
            .dpkg(MODULES)
            .case("Undo: everything", stays(1)),
        set_up(1)
            .link("/home/ada/.config/systemd/user/default.target.wants/greenroom.service", "x")
            .opener(700, "greenroom", 10)
            .case("Undo: greenroom runs", Expected::default()),
        // `sudo -E greenroom setup --undo`: root's rights, and the user's home.
        set_up(1)
            .link("/home/ada/.config/systemd/user/default.target.wants/greenroom.service", "x")
            .opener(700, "greenroom", 10)
            .session(|session| session.is_root = true)
            .case(
                "Undo: as root, greenroom runs in the user's session",
                Expected { topics: vec![Topic::Stays, Topic::NodeInUse], ..Expected::default() },
            ),
        set_up(0).file(files::SETUP_RECORD, "{").case("Undo: the record cannot be read", stays(1)),
        set_up(2).opener(800, "zoom", 10).case(
            "Undo: our node is in use",
            Expected { topics: vec![Topic::NodeInUse], ..Expected::default() },
        ),
        set_up(0)
            .file(
                files::SETUP_RECORD,
                record(&["linux-modules-v4l2loopback-generic-hwe-24.04"], None),
            )
            .dpkg(MODULES)
            .file("/etc/modprobe.d/obs.conf", "options v4l2loopback video_nr=20\n")
            .node(20, "OBS Virtual Camera")
            .case("Undo: OBS has a node, too", stays(1)),
        bookworm_with_module()
            .loaded(None, 0)
            .node(10, "greenroom")
            .parameters("10,-1", "Y,N")
            .dpkg("Package: v4l2loopback-dkms\nStatus: install ok installed\n")
            .file(OPTIONS, files::options(&[Label::default()], &[10]))
            .file(LOAD, files::load())
            .file(
                files::SETUP_RECORD,
                record(
                    &["linux-headers-amd64", "v4l2loopback-dkms"],
                    Some("/var/lib/dkms/mok.pub"),
                ),
            )
            .file(
                "/home/ada/.config/systemd/user/greenroom.service",
                files::user_unit("/x".as_ref()),
            )
            .link("/home/ada/.config/systemd/user/default.target.wants/greenroom.service", "x")
            .case("Undo: module 0.12.7, key, unit in the home directory", stays(2)),
        bookworm()
            .file(OPTIONS, "options v4l2loopback card_label=mine\n")
            .file(UNIT, "[Unit]\n")
            .link(LINK, UNIT)
            .case("Undo: files of our names by somebody else", nothing()),
    ]
}
