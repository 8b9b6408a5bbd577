//! Systems on which something cannot be decided.

use greenroom_doctor::evidence::{CameraState, Ffmpeg, OutputKind};
use greenroom_doctor::{FindingId, Known};

use super::{FEDORA, Made, NOBLE, healthy};

/// What cannot be decided, and on which system.
pub fn all() -> Vec<(FindingId, &'static str, Made)> {
    let loaded = || {
        Made::new(NOBLE, "6.14.0-28-generic")
            .module("kernel/v4l2loopback/v4l2loopback.ko", Some("0.15.0"))
            .loaded(Some("0.15.0"))
    };
    let built = || {
        Made::new(NOBLE, "6.14.0-28-generic")
            .module("updates/dkms/v4l2loopback.ko", Some("0.15.0"))
            .without("/sys/kernel/security/lockdown")
            .without("/sys/module/module/parameters/sig_enforce")
            .without("/sys/firmware/.empty")
            .without("/sys/firmware")
    };
    let silverblue =
        || Made::new(FEDORA, "6.17.4-300.fc43.x86_64").file("/run/ostree-booted", "").in_pipewire();
    let metadata = "/var/lib/flatpak/app/us.zoom.Zoom/current/active/metadata";
    vec![
        (FindingId::Sandboxed, "a Flatpak", healthy().file("/.flatpak-info", "")),
        (FindingId::SecureBoot, "no lockdown file, no firmware", built()),
        (
            FindingId::OptionsInTwoFiles,
            "a file of modprobe.d that cannot be read",
            healthy().folder_at("/etc/modprobe.d/camera.conf"),
        ),
        (
            FindingId::NoExclusiveCaps,
            "a node that somebody added at run time",
            loaded().with_greenroom(10).loopback(10, |probe| {
                probe.exclusive_caps = Known::Unknown;
            }),
        ),
        (
            FindingId::UnseenWatcher,
            "a sandboxed reader",
            healthy().answering(700, &[OutputKind::Loopback], true),
        ),
        (FindingId::FlatpakNoDevices, "no metadata", healthy().folder_at(metadata)),
        (
            FindingId::SnapNoCamera,
            "a rule that cannot be read",
            healthy()
                .file("/snap/slack/1/meta/snap.yaml", "plugs:\n  camera:\n")
                .link("/snap/slack/current", "1")
                .folder_at("/etc/udev/rules.d/70-snap.slack.rules"),
        ),
        (
            FindingId::NoCameraPortal,
            "portals.conf cannot be read, and the bus was not asked",
            silverblue()
                .folder_at("/home/ada/.config/xdg-desktop-portal/portals.conf")
                .probes(|probes| probes.portal = Known::Unknown),
        ),
        (
            FindingId::BrowserFlagOff,
            "Chrome's settings are no JSON",
            silverblue().file("/home/ada/.config/google-chrome/Local State", "{"),
        ),
        (
            FindingId::PipeWireNode,
            "no pw-dump",
            healthy().probes(|probes| probes.pipewire = Known::Unknown),
        ),
        (
            FindingId::CameraBusy,
            "a sandboxed program uses the webcam",
            healthy().camera(0, CameraState::Busy, &[]),
        ),
        (FindingId::NoRights, "no node in this sandbox", healthy().without("/dev/video0")),
        (
            FindingId::FfmpegDecoder,
            "FFmpeg does not answer",
            healthy().probes(|probes| {
                probes.ffmpeg = Known::Is(Ffmpeg::Found { decoders: Known::Unknown });
            }),
        ),
        (
            FindingId::ModelMissing,
            "a configuration with an error",
            healthy().file("/home/ada/.config/greenroom/config.toml", "model = "),
        ),
        (
            FindingId::NoVirtualCamera,
            "greenroom runs on an image, and does not answer",
            silverblue().probes(|probes| probes.control = Known::Unknown),
        ),
        (FindingId::NoVirtualCamera, "/sys cannot be read", healthy().link("/sys/class", "class")),
    ]
}
