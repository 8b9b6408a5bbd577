//! Cases of greenroom itself.

use greenroom_doctor::evidence::{Control, Ffmpeg};
use greenroom_doctor::{FindingId, Known};
use greenroom_setup::files;

use super::{Case, FEDORA, Made, case, healthy};

const UNIT: &str = "/home/ada/.config/systemd/user/greenroom.service";
const SHIPPED: &str = "/usr/lib/systemd/user/greenroom.service";
const CONFIG: &str = "/home/ada/.config/greenroom/config.toml";

pub fn cases() -> Vec<Case> {
    let mut cases = needs();
    cases.extend(units());
    cases.extend(running());
    cases
}

fn decoders(made: Made, names: &[&str]) -> Made {
    let decoders = names.iter().map(|name| (*name).to_owned()).collect();
    made.probes(|probes| {
        probes.ffmpeg = Known::Is(Ffmpeg::Found { decoders: Known::Is(decoders) });
    })
}

fn needs() -> Vec<Case> {
    let fedora = || {
        Made::new(FEDORA, "6.17.4-300.fc43.x86_64")
            .without("/usr/bin/apt-get")
            .file("/usr/bin/dnf", "")
            .module("extra/v4l2loopback.ko", Some("0.15.0"))
            .loaded(Some("0.15.0"))
            .set_up(10)
    };
    let with_model = |name: &str| healthy().file(CONFIG, format!("model = \"{name}\"\n"));
    let models = "/home/ada/.local/share/greenroom/models";
    let old = "processor\t: 0\nflags\t\t: fpu sse2 avx\n";
    vec![
        case(
            FindingId::FfmpegMissing,
            "Ubuntu without FFmpeg",
            healthy()
                .without("/usr/bin/ffmpeg")
                .probes(|probes| probes.ffmpeg = Known::Is(Ffmpeg::Missing)),
            healthy(),
        ),
        case(
            FindingId::FfmpegDecoder,
            "Fedora's FFmpeg, without patented decoders",
            decoders(fedora(), &["vp9", "libdav1d"]),
            decoders(fedora(), &["vp9", "libdav1d", "h264", "hevc"]),
        ),
        case(
            FindingId::NoAvx2,
            "a processor of 2012",
            healthy().file("/proc/cpuinfo", old),
            healthy().file("/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\n"),
        ),
        case(
            FindingId::ModelMissing,
            "a configured model that was never downloaded",
            with_model("rvm"),
            with_model("rvm").file(&format!("{models}/rvm_mobilenetv3_fp32.onnx"), ""),
        ),
        case(
            FindingId::ModelMissing,
            "a configured file that is gone",
            with_model("/srv/my.onnx"),
            with_model("/srv/my.onnx").file("/srv/my.onnx", ""),
        ),
    ]
}

fn units() -> Vec<Case> {
    let ours = files::user_unit("/usr/bin/greenroom".as_ref());
    let old = ours.replace("WatchdogSec=30\n", "");
    let foreign = "[Service]\nExecStart=/home/ada/.cargo/bin/greenroom run\n";
    let gone = files::boot_unit(
        "/opt/greenroom/greenroom".as_ref(),
        &greenroom_setup::Label::default(),
        &[10],
    );
    vec![
        case(
            FindingId::UserUnitStale,
            "a unit of set-up's beside that of the package",
            healthy().file(UNIT, &ours),
            healthy(),
        ),
        case(
            FindingId::UserUnitStale,
            "a unit of an older set-up",
            healthy().without(SHIPPED).file(UNIT, old),
            healthy().without(SHIPPED).file(UNIT, ours),
        ),
        case(
            FindingId::UserUnitStale,
            "a unit of the user's, whose program is gone",
            healthy().file(UNIT, foreign),
            healthy().file(UNIT, foreign).file("/home/ada/.cargo/bin/greenroom", ""),
        ),
        case(
            FindingId::BootUnitStale,
            "a boot unit whose program is gone",
            healthy().file(files::UNIT_FILE, &gone),
            healthy().file(files::UNIT_FILE, gone).file("/opt/greenroom/greenroom", ""),
        ),
    ]
}

fn running() -> Vec<Case> {
    let second = |made: Made| made.process(900, "greenroom", "/usr/bin/greenroom run", 300);
    vec![
        case(FindingId::AnotherGreenroom, "two greenrooms", second(healthy()), healthy()),
        case(
            FindingId::GreenroomOutdated,
            "greenroom was updated and not restarted",
            healthy().link("/proc/700/exe", "/usr/bin/greenroom (deleted)"),
            healthy(),
        ),
        case(
            FindingId::ServiceNotRunning,
            "the service was stopped",
            healthy()
                .without("/proc/700")
                .probes(|probes| probes.control = Known::Is(Control::Nobody)),
            healthy(),
        ),
    ]
}
