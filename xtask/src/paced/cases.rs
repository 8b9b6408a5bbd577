//! What is measured: groups of cases, each with a name and the command that `xtask/paced.py` runs.

use clap::ValueEnum;

use super::clips::Clips;
use crate::places::Places;

/// Cases that make a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Group {
    /// The whole program on a clip, scene by scene
    Program,
    /// The pipeline on pictures of 640x360 to 3840x2160, and at 60 frames a second
    Sizes,
    /// What the camera may send: MJPEG, YUYV, NV12, each range and matrix
    Formats,
    /// One, two and four outputs, of one scene and of a scene each
    Outputs,
    /// All processors, and one
    Processors,
}

/// A name, and the command without the program's own name.
pub(super) type Case = (String, Vec<String>);

impl Group {
    /// The name of the part of the page that the table is in.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Program => "paced",
            Self::Sizes => "paced sizes",
            Self::Formats => "paced formats",
            Self::Outputs => "paced outputs",
            Self::Processors => "paced processors",
        }
    }

    /// Its cases; `clips` are needed for the program's.
    pub(super) fn cases(self, places: &Places, clips: Option<&Clips>) -> Vec<Case> {
        match self {
            Self::Program => clips.map_or(Vec::new(), |clips| program(places, clips)),
            Self::Sizes => sizes(),
            Self::Formats => formats(),
            Self::Outputs => outputs(),
            Self::Processors => vec![
                bench("all processors", "1280x720", &[]),
                one_processor(bench("one processor", "1280x720", &[])),
                bench("all processors, 1920x1080", "1920x1080", &[]),
                one_processor(bench("one processor, 1920x1080", "1920x1080", &[])),
            ],
        }
    }
}

fn program(places: &Places, clips: &Clips) -> Vec<Case> {
    let picture = places.repository.join("backgrounds/dusk.jpg");
    let picture = picture.to_string_lossy();
    let case = |name: &str, clip: &std::path::Path, background: &str, more: &[&str]| {
        let mut of_run: Vec<String> =
            vec!["run".into(), "--camera".into(), clip.to_string_lossy().into()];
        of_run.extend(["--background", background].iter().chain(more).map(ToString::to_string));
        (name.to_owned(), of_run)
    };
    let fast = clips.fast.to_string_lossy();
    vec![
        case("picture", &clips.moving, &picture, &[]),
        case("picture, `quality = \"fast\"`", &clips.moving, &picture, &["--config", &fast]),
        case("blur", &clips.moving, "blur", &[]),
        case("one colour", &clips.moving, "#00b140", &[]),
        case("picture, MJPEG of full range", &clips.full_range, &picture, &[]),
        case("picture, still scene", &clips.still, &picture, &[]),
    ]
}

/// A `greenroom bench` of one size at the default quality.
fn bench(name: &str, size: &str, more: &[&str]) -> Case {
    let words = ["bench", "--quality", "balanced", "--size", size];
    let words = words.iter().chain(more).map(ToString::to_string);
    (name.to_owned(), words.collect())
}

/// The same on the first processor alone.
fn one_processor((name, command): Case) -> Case {
    let taskset = ["taskset", "--cpu-list", "0"].map(String::from);
    (name, taskset.into_iter().chain(command).collect())
}

/// Sizes at 30 frames a second, of which the table says how they grow.
pub(super) const SIZES: [(&str, f64); 5] = [
    ("640x360", 0.2304),
    ("1280x720", 0.9216),
    ("1920x1080", 2.0736),
    ("2560x1440", 3.6864),
    ("3840x2160", 8.2944),
];

fn sizes() -> Vec<Case> {
    let mut cases: Vec<_> = SIZES.iter().map(|(size, _)| bench(size, size, &[])).collect();
    cases.push(bench("1280x720 at 60 frames a second", "1280x720", &["--fps", "60"]));
    cases.push(bench("1920x1080 at 60 frames a second", "1920x1080", &["--fps", "60"]));
    cases
}

fn formats() -> Vec<Case> {
    let mut cases = vec![bench("MJPEG (BT.601, full range)", "1280x720", &[])];
    for (format, name) in [("yuyv", "YUYV"), ("nv12", "NV12")] {
        for (colour, of_colour) in [
            ("bt601-limited", "BT.601, limited range"),
            ("bt601-full", "BT.601, full range"),
            ("bt709-limited", "BT.709, limited range"),
            ("bt709-full", "BT.709, full range"),
        ] {
            let more = ["--camera-format", format, "--camera-colour", colour];
            cases.push(bench(&format!("{name} ({of_colour})"), "1280x720", &more));
        }
    }
    cases
}

/// The case that the others of its group are compared with.
pub(super) const ONE_OUTPUT: &str = "one output";
/// What may cost 1.6 of that.
pub(super) const FOUR_SCENES: &str = "four outputs, a scene each";

fn outputs() -> Vec<Case> {
    let case = |name, more: &[&str]| bench(name, "1280x720", more);
    vec![
        case(ONE_OUTPUT, &[]),
        case("two outputs, one scene", &["--outputs", "2"]),
        case("four outputs, one scene", &["--outputs", "4"]),
        case("two outputs, a scene each", &["--outputs", "2", "--own-scenes"]),
        case(FOUR_SCENES, &["--outputs", "4", "--own-scenes"]),
    ]
}
