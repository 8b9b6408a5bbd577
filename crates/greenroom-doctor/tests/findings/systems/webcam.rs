//! Cases of the webcam.

use greenroom_doctor::evidence::CameraState;
use greenroom_doctor::{FindingId, Known};

use super::{Case, case, healthy};

pub fn cases() -> Vec<Case> {
    let fast = [(1280, 720, 30.0)];
    let busy = || {
        healthy().camera(0, CameraState::Busy, &fast).process(812, "cheese", "/usr/bin/cheese", 60)
    };
    let gid = healthy().gid();
    let group = format!("video:x:{gid}:\n");
    let joined =
        format!("Name:\tx\nUid:\t4242\t4242\t4242\t4242\nGid:\t4242\t4242\nGroups:\t{gid} 4242 \n");
    let closed = || healthy().file("/etc/group", &group).mode("/dev/video0", 0o060);
    let unplugged = || {
        healthy()
            .without("/sys/devices/usb1")
            .without("/sys/class/video4linux/video0")
            .probes(|probes| probes.cameras = Known::Is(Vec::new()))
    };
    vec![
        case(FindingId::NoCamera, "no webcam", unplugged(), healthy()),
        case(
            FindingId::CameraBusy,
            "another program shows the webcam",
            busy().opens(812, 0),
            healthy().process(812, "cheese", "/usr/bin/cheese", 60),
        ),
        case(
            FindingId::NoRights,
            "a user who is not in the group video",
            closed(),
            closed().file("/proc/self/status", joined),
        ),
        case(
            FindingId::NoRights,
            "a user who has joined the group and not logged in since",
            closed().file("/etc/group", format!("video:x:{gid}:ada\n")),
            healthy(),
        ),
        case(
            FindingId::NoRights,
            "a webcam that only root may open",
            healthy().file("/etc/group", &group).mode("/dev/video0", 0o000),
            healthy(),
        ),
        case(
            FindingId::SlowModes,
            "a camera with five pictures a second",
            healthy().camera(0, CameraState::Free, &[(1280, 720, 5.0), (320, 240, 30.0)]),
            healthy().camera(0, CameraState::Free, &fast),
        ),
        case(
            FindingId::UsbBandwidth,
            "two cameras on one bus",
            healthy().webcam(1, "USB Capture", 480).camera(0, CameraState::NoBandwidth, &fast),
            healthy().webcam(1, "USB Capture", 480),
        ),
        case(
            FindingId::UsbBandwidth,
            "a camera at the speed of USB 1",
            healthy().webcam(0, "HD Pro Webcam C920", 12),
            healthy(),
        ),
    ]
}
