//! Ways to make a matte: the bare network, what other programs do with its mask, and ours with and without each step.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use tempfile::TempDir;

use super::media::{Mattes, ffmpeg, read_grey, read_grey_at};

/// The steps of refinement that make the matte, as `[cut]` of the configuration has them. A new step is a line here.
/// `spill` changes the picture and not the matte: see [`super::spill`].
pub const STEPS: [&str; 8] =
    ["exposure", "denoise", "crop", "islands", "second_opinion", "raise", "smooth", "guide"];

/// What a way is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The bare network that other programs use.
    Baseline,
    /// What another program does with that.
    Rival,
    /// Our bare network.
    Bare,
    /// Ours without this step.
    Without(&'static str),
    Ours,
    /// Ours in another quality than the default.
    Quality,
    /// The bare network in the reference runtime.
    Reference,
}

/// One way, for `greenroom render`.
pub struct Way {
    pub role: Role,
    pub name: String,
    /// For the columns of sheets.
    pub short: String,
    /// A name of `--model`.
    pub model: String,
    /// The whole configuration.
    pub config: String,
}

/// What other programs do with the mask, after their source, as settings of ours. Their lengths are in pixels, ours in
/// samples of the mask: for 640x360, 2.5 pixels are a sample. A box of n pixels reaches (n - 1) / 2 of them to each side.
///
/// Left out is what has no setting here: LFBW's threshold at picture size moves the edge in by 0.25 samples, which is
/// taken off `grow`; OBS Background Removal drops small islands and makes the edge hard again at picture size, which
/// moves no edge; LBRL raises the matte to the power of 2.5 and skips frames in which nothing moves.
const RIVALS: [(&str, &str, &str); 5] = [
    // Threshold, dilation 10x10, box blur of 10.
    (
        "the program before",
        "threshold, dilate, blur",
        "threshold = 0.7\ngrow = 1.8\nfeather = 1.8\n",
    ),
    // Best class, dilation 5x5, box blur of 10, half of the mask before.
    (
        "LFBW",
        "threshold, dilate, blur, EMA",
        "threshold = 0.5\ngrow = 0.55\nfeather = 1.8\naverage = 0.5\n",
    ),
    // Threshold 0.65, an eighth of the mask before, box blur of 5.
    ("backscrub", "threshold, EMA, box blur", "threshold = 0.65\nfeather = 0.8\naverage = 0.125\n"),
    // Threshold 0.5, 0.15 of the mask before, stack blur of 9 samples: as wide as a box of 7.
    (
        "OBS Background Removal",
        "threshold, EMA, contour blur",
        "threshold = 0.5\nfeather = 3\naverage = 0.15\n",
    ),
    // Guided filter, average with 0.25: whether of the mask before or of the new one is not known; this is the kinder.
    ("LBRL", "guided filter, EMA", "guide = true\nspill = false\naverage = 0.25\n"),
];

/// The ways to compare: always the bare network and ours, as asked the others.
pub fn ways(model: &str, rivals: bool, ablation: bool) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut add = |role, name: &str, short: &str, model: &str, config| {
        let (name, short, model) = (name.into(), short.into(), model.into());
        ways.push(Way { role, name, short, model, config });
    };
    if rivals {
        let name = "bare landscape network, bilinear";
        add(Role::Baseline, name, "bare landscape", "landscape", config(&[], ""));
        for (who, what, settings) in RIVALS {
            let name = format!("{who}'s way: {what}");
            add(Role::Rival, &name, who, "landscape", config(&[], settings));
        }
    }
    let name = format!("bare {model} network");
    add(Role::Bare, &name, &name, model, config(&[], ""));
    for left_out in STEPS.into_iter().filter(|_| ablation) {
        let others: Vec<_> = STEPS.into_iter().filter(|step| *step != left_out).collect();
        let name = format!("ours without {left_out}");
        add(Role::Without(left_out), &name, &name, model, config(&others, ""));
    }
    add(Role::Ours, "ours", "ours", model, config(&STEPS, ""));
    for quality in ["fast", "best"].into_iter().filter(|_| ablation) {
        let name = format!("ours, quality {quality}");
        let settings = format!("quality = \"{quality}\"\n");
        add(Role::Quality, &name, quality, model, config(&STEPS, &settings));
    }
    ways
}

/// The configuration that takes these steps and no others, and these settings of `[cut]` besides.
pub fn config(steps: &[&str], settings: &str) -> String {
    let is_said = |step: &str| settings.lines().any(|line| line.starts_with(step));
    let keys = STEPS.into_iter().filter(|step| !is_said(step));
    let keys = keys.map(|step| format!("{step} = {}\n", steps.contains(&step)));
    format!("[cut]\n{}{settings}", keys.collect::<String>())
}

/// The program, and a folder for what is in passing.
pub struct Renderer {
    pub program: PathBuf,
    pub work: TempDir,
}

impl Renderer {
    /// `greenroom render` of `clip` in this way, without its outputs. `folder` takes its configuration: one for each
    /// of those that run side by side.
    pub fn command(&self, folder: &Path, way: &Way, clip: &Path) -> Result<Command> {
        let path = folder.join("config.toml");
        fs::write(&path, &way.config)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let mut command = Command::new(&self.program);
        command.arg("render").arg(clip).args(["--model", &way.model, "--config"]).arg(path);
        Ok(command)
    }

    /// The mattes of `clip` in this way.
    pub fn mattes(&self, way: &Way, clip: &Path) -> Result<Mattes> {
        self.read_mattes(way, clip, read_grey)
    }

    /// The same, brought to a width and a height.
    pub fn mattes_at(&self, way: &Way, clip: &Path, size: [usize; 2]) -> Result<Mattes> {
        self.read_mattes(way, clip, |matte| read_grey_at(matte, size))
    }

    fn read_mattes(
        &self,
        way: &Way,
        clip: &Path,
        read: impl FnOnce(&Path) -> Result<Mattes>,
    ) -> Result<Mattes> {
        // Of its own: several clips may be rendered side by side.
        let folder = TempDir::new_in(self.work.path())?;
        // Y4M has one rate: of a clip whose rate changes, frames would be missing in it, or there twice.
        let matte = folder.path().join("matte.mkv");
        let mut command = self.command(folder.path(), way, clip)?;
        self.finish(command.args(["-", "--background", "#808080", "--matte"]).arg(&matte))?;
        read(&matte)
    }

    /// The pictures of `clip` in this way, over black: planes of Y, U and V in 4:2:0, limited range, frame by frame.
    pub fn over_black(&self, way: &Way, clip: &Path) -> Result<Vec<u8>> {
        let picture = self.work.path().join("picture.y4m");
        let mut command = self.command(self.work.path(), way, clip)?;
        self.finish(command.arg(&picture).args(["--background", "#000000"]))?;
        let passed = ["-fps_mode", "passthrough"];
        let options = [&passed[..], &["-pix_fmt", "yuv420p", "-f", "rawvideo", "-"]].concat();
        let samples = ffmpeg(&picture, &options)?;
        fs::remove_file(&picture).context("greenroom wrote no picture")?;
        Ok(samples)
    }

    /// Runs one of its commands to its end.
    ///
    /// # Errors
    /// With what it said, if it fails.
    pub fn finish(&self, command: &mut Command) -> Result<()> {
        let output = command
            .stdout(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }
}
