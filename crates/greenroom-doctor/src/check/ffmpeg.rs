//! FFmpeg, with which greenroom reads and writes videos.

use std::collections::BTreeSet;

use greenroom_setup::facts::PackageManager;
use greenroom_setup::{Command, Known};

use super::{Context, list, warning};
use crate::evidence::Ffmpeg;
use crate::{Finding, FindingId, Instruction};

/// Kinds of video that people have, and FFmpeg's decoders for each.
const DECODERS: [(&str, &[&str]); 4] = [
    ("H.264", &["h264"]),
    ("HEVC", &["hevc"]),
    ("VP9", &["vp9", "libvpx-vp9"]),
    ("AV1", &["av1", "libdav1d", "libaom-av1"]),
];

/// A command that installs a package, and the one that removes it.
pub(super) struct Install {
    pub(super) command: Command,
    pub(super) undo: Command,
}

impl Context<'_> {
    /// How a package is installed here.
    pub(super) fn install(self, package: &str) -> Option<Install> {
        let (install, remove) = match self.facts.system.package_manager.get()? {
            // `--fix` runs them where nobody can answer a question.
            PackageManager::Apt => ("apt-get install --yes", "apt-get remove --yes"),
            PackageManager::Dnf => ("dnf install --assumeyes", "dnf remove --assumeyes"),
            PackageManager::Pacman => ("pacman -S --noconfirm", "pacman -R --noconfirm"),
            PackageManager::Zypper => {
                ("zypper --non-interactive install", "zypper --non-interactive remove")
            }
            PackageManager::Apk => ("apk add", "apk del"),
        };
        let command = |words: &str| Command::words(words).with([package]);
        Some(Install { command: command(install), undo: command(remove) })
    }

    fn is_dnf(self) -> bool {
        self.facts.system.package_manager == Known::Is(PackageManager::Dnf)
    }
}

/// FFmpeg is not installed.
pub(super) fn missing(context: Context<'_>) -> Vec<Finding> {
    let is_missing = match &context.evidence.probes.ffmpeg {
        Known::Is(Ffmpeg::Missing) => true,
        Known::Is(Ffmpeg::Found { .. }) => false,
        Known::Unknown => context.evidence.ffmpeg.is_false(),
    };
    if !is_missing {
        return Vec::new();
    }
    let found = warning(
        FindingId::FfmpegMissing,
        "Videos as background, and recordings, do not work.",
        "FFmpeg is not installed, and greenroom reads and writes videos with it.",
        "Install FFmpeg.",
    );
    let package = if context.is_dnf() { "ffmpeg-free" } else { "ffmpeg" };
    vec![match context.install(package) {
        Some(install) => found.by_root(install.command, Some(install.undo)),
        None => found.command(Instruction::ByHand("Install the package ffmpeg.".to_owned())),
    }]
}

/// FFmpeg is built without usual decoders, as Fedora's ffmpeg-free is.
pub(super) fn decoder(context: Context<'_>) -> Vec<Finding> {
    let Known::Is(Ffmpeg::Found { decoders }) = &context.evidence.probes.ffmpeg else {
        return Vec::new();
    };
    let symptom = "Some videos cannot be a background, although players show them.";
    let cure = "Install an FFmpeg with all decoders, or convert the video elsewhere.";
    let Known::Is(decoders) = decoders else {
        let cause = "FFmpeg does not tell which decoders it has.";
        let ask = "See whether h264, hevc, vp9 and av1 are among them.";
        let found = warning(FindingId::FfmpegDecoder, symptom, cause, ask).undecided();
        return vec![found.command(Instruction::run("ffmpeg -hide_banner -decoders"))];
    };
    let lacks = |names: &[&str]| !names.iter().any(|name| decoders_have(decoders, name));
    let missing: Vec<_> =
        DECODERS.iter().filter(|(_, names)| lacks(names)).map(|(kind, _)| *kind).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let cause = format!("This FFmpeg is built without decoders for {}.", list(&missing));
    let found = warning(FindingId::FfmpegDecoder, symptom, cause, cure);
    // RPM Fusion's package ffmpeg takes the place of ffmpeg-free (rpmfusion.org/Howto/Multimedia).
    let command = if context.is_dnf() {
        Instruction::root("dnf swap ffmpeg-free ffmpeg --allowerasing")
    } else {
        Instruction::ByHand("Install the package ffmpeg of your distribution.".to_owned())
    };
    vec![found.command(command)]
}

fn decoders_have(decoders: &BTreeSet<String>, name: &str) -> bool {
    decoders.contains(name)
}
