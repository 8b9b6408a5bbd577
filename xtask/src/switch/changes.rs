//! The changes: every way to replace a file, scenes, effects, framings, broken files.

use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use greenroom_frame::{Colour, Rgb8, Yuv8};
use greenroom_scene::Random;
use image::{ImageFormat, Rgb, RgbImage};

/// What was asked for, and what a corner of the picture then shows.
#[derive(Debug, Clone)]
pub struct Shown {
    pub asked_at: Instant,
    pub kind: &'static str,
    pub colour: Yuv8,
    /// What stands behind, before effects, and whether the effect takes its colour away: a file is taken up a moment
    /// after it was written, and the effect may change in that moment.
    pub rgb: [u8; 3],
    pub is_grey: bool,
}

impl Shown {
    pub fn new(kind: &'static str, rgb: [u8; 3], is_grey: bool) -> Self {
        Self { asked_at: Instant::now(), kind, colour: encoded(rgb, is_grey), rgb, is_grey }
    }
}

/// Flat colours, far from each other, by name.
const COLOURS: [(&str, [u8; 3]); 6] = [
    ("red", [200, 30, 30]),
    ("green", [20, 160, 60]),
    ("blue", [30, 60, 200]),
    ("yellow", [220, 200, 40]),
    ("white", [235, 235, 235]),
    ("violet", [140, 30, 160]),
];

/// Where greenroom runs: its files, and what it shows.
pub struct Hall {
    folder: PathBuf,
    greenroom: PathBuf,
    state: RefCell<State>,
}

struct State {
    shown: Shown,
    /// What stands behind, before effects.
    rgb: [u8; 3],
    is_grey: bool,
    /// Which file is shown, if it is one of those that are replaced.
    on_file: Option<&'static str>,
}

impl Hall {
    pub fn new(folder: &Path, greenroom: PathBuf) -> Result<Self> {
        let rgb = COLOURS[0].1;
        let shown = Shown::new("start", rgb, false);
        let state = State { shown, rgb, is_grey: false, on_file: Some("wall.png") };
        let hall = Self { folder: folder.to_owned(), greenroom, state: RefCell::new(state) };
        write(&hall.path("wall.png"), &picture(rgb))?;
        fs::create_dir(hall.path("pictures"))?;
        for (name, rgb) in COLOURS {
            write(&hall.path(&format!("pictures/{name}.png")), &picture(rgb))?;
            let [r, g, b] = rgb;
            let source = format!("color=c=0x{r:02x}{g:02x}{b:02x}:s=160x90:r=25:d=1");
            let filter = "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p";
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", &source, "-vf", filter]);
            ffmpeg.args(["-c:v", "mpeg4", "-q:v", "1", "-colorspace", "smpte170m"]);
            let made = ffmpeg.arg(hall.path(&format!("pictures/{name}.mkv"))).status()?;
            ensure!(made.success(), "ffmpeg makes no clip");
        }
        symlink("pictures/red.png", hall.path("link.png"))?;
        let mut config =
            String::from("scene = \"wall\"\n[scenes.wall]\nbackground = \"wall.png\"\n");
        for (name, _) in COLOURS {
            config += &format!("[scenes.{name}]\nbackground = \"pictures/{name}.png\"\n");
        }
        fs::write(hall.config(), config)?;
        Ok(hall)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    pub fn socket(&self) -> PathBuf {
        self.path("socket")
    }

    pub fn log(&self) -> PathBuf {
        self.path("log")
    }

    pub fn shown(&self) -> Shown {
        self.state.borrow().shown.clone()
    }

    /// The line of `greenroom status` that tells the scene.
    pub fn status(&self) -> Result<String> {
        let mut command = self.command(&["status"]);
        let answer = command.output()?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        Ok(text.lines().find(|line| line.starts_with("scene")).unwrap_or("none").to_owned())
    }

    /// Makes one change by chance; what is to be seen when it is done.
    pub fn change(&self, random: &mut Random, number: usize) -> Result<Shown> {
        let asked_at = Instant::now();
        let (name, rgb) = COLOURS[(random.next() % COLOURS.len() as u64) as usize];
        let kind = self.one_of(random.next() % 12, name, rgb, number)?;
        let mut state = self.state.borrow_mut();
        state.shown = Shown { asked_at, ..Shown::new(kind, state.rgb, state.is_grey) };
        Ok(state.shown.clone())
    }

    fn one_of(&self, which: u64, name: &str, rgb: [u8; 3], number: usize) -> Result<&'static str> {
        let file_on_air = self.state.borrow().on_file;
        Ok(match (which, file_on_air) {
            (0, _) => {
                self.ask(&["set", "scene", name])?;
                self.now_behind(rgb, None);
                "set scene"
            }
            (1, _) => {
                let [r, g, b] = rgb;
                self.ask(&["set", "background", &format!("#{r:02x}{g:02x}{b:02x}")])?;
                self.now_behind(rgb, None);
                "set background COLOUR"
            }
            (2, _) => {
                self.ask(&[
                    "set",
                    "background",
                    &self.path(&format!("pictures/{name}.mkv")).display().to_string(),
                ])?;
                self.now_behind(rgb, None);
                "set background VIDEO"
            }
            (3, _) => {
                let is_grey = !self.state.borrow().is_grey;
                self.ask(&["set", "effect", if is_grey { "greyscale" } else { "none" }])?;
                self.state.borrow_mut().is_grey = is_grey;
                "set effect"
            }
            (4, _) => {
                let framing = ["whole", "zoom=1.1", "auto"][number % 3];
                self.ask(&["set", "framing", framing])?;
                "set framing"
            }
            (5, _) => {
                let broken = self.path("broken.png");
                write(&broken, &picture(rgb)[..60])?;
                let asked = self.ask(&["set", "background", &broken.display().to_string()]);
                ensure!(asked.is_err(), "a broken picture was taken");
                "set background BROKEN"
            }
            (_, Some("wall.png")) => return self.replace(which, rgb),
            (6 | 7, _) => {
                let link = self.path("link.png");
                self.point_link(name)?;
                self.ask(&["set", "background", &link.display().to_string()])?;
                self.now_behind(rgb, Some("link.png"));
                "set background LINK"
            }
            (8 | 9, Some("link.png")) => {
                self.point_link(name)?;
                self.now_behind(rgb, Some("link.png"));
                "link led elsewhere"
            }
            _ => {
                let wall = self.path("wall.png");
                write(&wall, &picture(rgb))?;
                self.ask(&["set", "background", &wall.display().to_string()])?;
                self.now_behind(rgb, Some("wall.png"));
                "set background PICTURE"
            }
        })
    }

    /// Every way in which the picture on air is replaced.
    fn replace(&self, which: u64, rgb: [u8; 3]) -> Result<&'static str> {
        let wall = self.path("wall.png");
        let bytes = picture(rgb);
        let kind = match which {
            6 => {
                write(&wall, &bytes)?;
                "file written over"
            }
            7 => {
                let beside = self.path("beside.png");
                write(&beside, &bytes)?;
                fs::rename(&beside, &wall)?;
                "file moved over"
            }
            8 => {
                let mut file = fs::File::create(&wall)?;
                for piece in bytes.chunks(bytes.len().div_ceil(5)) {
                    file.write_all(piece)?;
                    thread::sleep(Duration::from_millis(80));
                }
                "file copied slowly"
            }
            9 => {
                fs::remove_file(&wall)?;
                thread::sleep(Duration::from_millis(150));
                write(&wall, &bytes)?;
                "file removed and made again"
            }
            10 => {
                // Cut in the middle and left so: what was shown stays.
                write(&wall, &bytes[..bytes.len() / 2])?;
                return Ok("file cut off");
            }
            _ => {
                write(&wall, b"no picture at all")?;
                return Ok("file broken");
            }
        };
        self.now_behind(rgb, Some("wall.png"));
        Ok(kind)
    }

    fn point_link(&self, name: &str) -> Result<()> {
        let new = self.path("link.new");
        symlink(format!("pictures/{name}.png"), &new)?;
        Ok(fs::rename(new, self.path("link.png"))?)
    }

    fn now_behind(&self, rgb: [u8; 3], on_file: Option<&'static str>) {
        let mut state = self.state.borrow_mut();
        // A scene of the configuration has no effects.
        (state.rgb, state.on_file) = (rgb, on_file);
    }

    fn ask(&self, words: &[&str]) -> Result<()> {
        let answer = self.command(words).output().context("asking greenroom")?;
        if !answer.status.success() {
            bail!("{words:?}: {}", String::from_utf8_lossy(&answer.stderr));
        }
        if words[1] == "scene" {
            self.state.borrow_mut().is_grey = false;
        }
        Ok(())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.greenroom);
        command.args(words).arg("--socket").arg(self.socket()).stdin(Stdio::null());
        command
    }
}

/// `7 set scene, 3 file moved over, …`
pub fn count_by_kind(history: &[Shown]) -> String {
    let mut counts: std::collections::BTreeMap<&str, usize> = Default::default();
    history.iter().skip(1).for_each(|shown| *counts.entry(shown.kind).or_default() += 1);
    let counts: Vec<String> =
        counts.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    counts.join(", ")
}

/// A flat picture as PNG. All have the same number of pixels, and a few extra bytes so that a half of one is never
/// whole by chance.
fn picture(rgb: [u8; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let flat = RgbImage::from_pixel(320, 180, Rgb(rgb));
    flat.write_to(&mut bytes, ImageFormat::Png).expect("memory takes pictures");
    bytes.into_inner()
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

pub fn encoded([r, g, b]: [u8; 3], is_grey: bool) -> Yuv8 {
    let yuv = Colour::WEBCAM.encode(Rgb8 { r, g, b });
    if is_grey { Yuv8 { u: 128, v: 128, ..yuv } } else { yuv }
}
