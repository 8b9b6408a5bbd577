//! Cases of the virtual camera.

use greenroom_doctor::evidence::{OutputKind, UsageEvent};
use greenroom_doctor::{FindingId, Known};

use super::{Case, Made, NOBLE, case, healthy};

/// Ubuntu with the module loaded, and no node yet. The webcam has the number 1.
fn loaded() -> Made {
    Made::bare(NOBLE, "6.14.0-28-generic")
        .webcam(1, "HD Pro Webcam C920", 480)
        .module("kernel/v4l2loopback/v4l2loopback.ko", Some("0.15.0"))
        .loaded(Some("0.15.0"))
        .mode("/dev/v4l2loopback", 0o666)
}

pub fn cases() -> Vec<Case> {
    let mut cases = nodes();
    cases.extend(watchers());
    cases
}

fn nodes() -> Vec<Case> {
    let obs = |made: Made| made.file("/usr/bin/obs", "");
    let no_caps = |made: Made| {
        made.loopback(10, |probe| probe.exclusive_caps = Known::Is(false))
            .file("/etc/modprobe.d/camera.conf", "options v4l2loopback card_label=greenroom\n")
    };
    vec![
        case(
            FindingId::NoVirtualCamera,
            "Ubuntu without the module",
            Made::new(NOBLE, "6.14.0-28-generic"),
            healthy(),
        ),
        case(
            FindingId::ObsTookModule,
            "OBS was started first",
            loaded().node(2, "OBS Virtual Camera"),
            healthy().node(11, "OBS Virtual Camera"),
        ),
        case(
            FindingId::NodeHiddenFromObs,
            "a camera with the number 70, and OBS",
            obs(loaded()).with_greenroom(70),
            obs(healthy()),
        ),
        case(
            FindingId::NoExclusiveCaps,
            "a camera that somebody's options made without exclusive_caps",
            no_caps(loaded().with_greenroom(10)),
            healthy(),
        ),
        case(
            FindingId::NodeHidesCamera,
            "a virtual camera before the webcam",
            loaded().with_greenroom(0),
            healthy(),
        ),
    ]
}

fn watchers() -> Vec<Case> {
    let old = |made: Made| made.process(650, "firefox", "/usr/lib/firefox/firefox", 15);
    vec![
        case(
            FindingId::VirtualCameraTaken,
            "Chrome shows the camera, and Zoom is to as well",
            healthy()
                .process(812, "chrome", "/opt/google/chrome/chrome", 60)
                .opens(812, 10)
                .answering(700, &[OutputKind::Loopback], true),
            healthy(),
        ),
        case(
            FindingId::NoUsageEvent,
            "a build of the module with another number for its event",
            healthy().loopback(10, |probe| probe.usage_event = Known::Is(UsageEvent::OtherNumber)),
            healthy(),
        ),
        case(
            FindingId::UnseenWatcher,
            "a sandboxed program watches",
            healthy().answering(700, &[OutputKind::Loopback], true),
            healthy(),
        ),
        case(
            FindingId::ProgramOlderThanCamera,
            "Firefox was restored with the session, before greenroom was started",
            old(healthy()),
            healthy().process(650, "firefox", "/usr/lib/firefox/firefox", 90),
        ),
    ]
}
