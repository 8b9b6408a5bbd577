//! Which material there is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::half::Half;
use super::hands;
use crate::score::media::name as name_of;
use crate::score::stills;

/// Several subjects of one kind.
pub struct Set {
    pub name: &'static str,
    pub truth: Truth,
    pub subjects: Vec<Subject>,
    /// All its subjects are other sets' too, so that it does not count towards all sets.
    pub is_selection: bool,
}

/// What a set is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// The true alpha.
    Alpha,
    /// Another network's matte that somebody has looked at, and mended where it says so.
    OtherNetwork,
    /// What the subject is held against in the set that it is selected from.
    EachItsOwn,
}

impl Truth {
    pub fn name(self) -> &'static str {
        match self {
            Self::Alpha => "true alpha",
            Self::OtherNetwork => "another network, looked at",
            Self::EachItsOwn => "each its own",
        }
    }
}

/// A clip or a still, as a clip.
#[derive(Clone)]
pub struct Subject {
    pub name: String,
    pub clip: PathBuf,
    pub truth: PathBuf,
    pub is_still: bool,
    pub fps: f64,
}

/// The sets in `folder`, which is laid out as the project's footage is; `work` takes clips of the stills.
///
/// # Errors
/// If one cannot be read.
pub fn find(folder: &Path, work: &Path, half: Half) -> Result<Vec<Set>> {
    let mut sets = vec![
        still_set("rooms", Truth::OtherNetwork, &folder.join("rooms"), work)?,
        Set {
            name: "wide",
            truth: Truth::OtherNetwork,
            subjects: wide_subjects(&folder.join("wide"))?,
            is_selection: false,
        },
        Set {
            name: "mdn",
            truth: Truth::Alpha,
            subjects: ["mdn_a_talk", "mdn_b_inout"]
                .map(|name| clip(folder, name, &format!("{name}.alpha.mkv"), 30.0))
                .into(),
            is_selection: false,
        },
        still_set("pairs", Truth::Alpha, &folder.join("pairs"), work)?,
        Set {
            name: "asl",
            truth: Truth::OtherNetwork,
            subjects: vec![clip(
                folder,
                "asl_5people_480p",
                "asl_5people_480p.alpha-rvm.mkv",
                30.0,
            )],
            is_selection: false,
        },
    ];
    if half != Half::Both {
        for set in sets.iter_mut().filter(|set| set.subjects.len() > 2) {
            let first = usize::from(half == Half::Odd);
            set.subjects =
                std::mem::take(&mut set.subjects).into_iter().skip(first).step_by(2).collect();
        }
    }
    // After halving, so that a subject is in the same half everywhere.
    sets.extend(hands::select(&sets));
    for subject in sets.iter().flat_map(|set| &set.subjects) {
        for file in [&subject.clip, &subject.truth] {
            ensure!(file.exists(), "{} is not there", file.display());
        }
    }
    Ok(sets)
}

fn clip(folder: &Path, name: &str, truth: &str, fps: f64) -> Subject {
    let clip = folder.join(format!("{name}.mp4"));
    Subject { name: name.into(), clip, truth: folder.join(truth), is_still: false, fps }
}

fn still_set(name: &'static str, truth: Truth, folder: &Path, work: &Path) -> Result<Set> {
    let of = |still: stills::Still| Subject {
        name: name_of(&still.picture),
        truth: still.picture.with_extension("alpha.png"),
        clip: still.clip,
        is_still: true,
        fps: 30.0,
    };
    let stills = stills::read(folder, &work.join(name))?;
    let subjects = stills.into_iter().map(of).collect();
    Ok(Set { name, truth, subjects, is_selection: false })
}

/// The clips of an `index.tsv` whose mattes are not said to be bad.
fn wide_subjects(folder: &Path) -> Result<Vec<Subject>> {
    let index = folder.join("index.tsv");
    let text = fs::read_to_string(&index).with_context(|| index.display().to_string())?;
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap_or_default();
    let column = |name: &str| {
        let at = head.iter().position(|column| *column == name);
        at.with_context(|| format!("{} has no column {name}", index.display()))
    };
    let (file, pseudo, size) = (column("file")?, column("pseudo")?, column("size")?);
    let mut subjects = Vec::new();
    for line in lines {
        let cell = |at: usize| line.get(at).copied().unwrap_or_default();
        let Some(name) =
            cell(file).strip_prefix("clips/").map(|name| name.trim_end_matches(".mp4"))
        else {
            continue;
        };
        if cell(pseudo).starts_with("bad") {
            continue;
        }
        let fps = cell(size).split(' ').nth(1).and_then(|fps| fps.parse().ok());
        subjects.push(Subject {
            name: name.into(),
            clip: folder.join(cell(file)),
            truth: folder.join(format!("pseudo/{name}.alpha.mkv")),
            is_still: false,
            fps: fps.with_context(|| format!("{name} has no rate in {}", index.display()))?,
        });
    }
    Ok(subjects)
}
