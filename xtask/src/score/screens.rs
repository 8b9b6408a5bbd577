//! `--screens`: the persons of clips with a true alpha before screens of one colour that are made here, as a webcam sends
//! them: uneven light, wrinkles, the person's shadow, noise, JPEG in 4:2:0. What `key` of
//! `[cut]` makes of them, against the truth.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::figures::{Figure, Tally};
use super::media::{Mattes, ffmpeg, read_grey};
use super::variants::Pair;
use super::ways::{self, Renderer, Role, STEPS, Way};

/// A screen, and what the person has of it.
struct Screen {
    name: &'static str,
    /// Red, green and blue, 0..=255, in full light.
    rgb: [f32; 3],
    /// Columns and rows that it covers, as shares of the picture; beside it is the clip's own room.
    covers: [f32; 4],
    /// Share of its light that falls on the person's rim.
    spill: f32,
    /// What `key` is set to.
    keys: [&'static str; 2],
}

const ALL: [f32; 4] = [0.0, 1.0, 0.0, 1.0];
const GREEN: Screen = Screen {
    name: "green",
    rgb: [0.0, 177.0, 64.0],
    covers: ALL,
    spill: 0.0,
    keys: ["auto", "#00b140"],
};
const SCREENS: [Screen; 5] = [
    GREEN,
    Screen { name: "green, spill", spill: 0.15, ..GREEN },
    Screen { name: "green, in part", covers: [0.12, 0.88, 0.06, 1.0], ..GREEN },
    Screen { name: "blue", rgb: [0.0, 71.0, 187.0], keys: ["auto", "#0047bb"], ..GREEN },
    Screen {
        name: "the clip's own yellow wall",
        rgb: [148.0, 150.0, 0.0],
        keys: ["auto", "#949600"],
        ..GREEN
    },
];

/// Standard deviation of the sensor's noise, in codes of each of red, green and blue.
const NOISE: f32 = 4.0;
/// FFmpeg's quality of JPEG: some 0.6 bits a pixel, as webcams send.
const JPEG: &str = "5";

/// A table of all screens and clips; the clips stay in `folder`.
pub fn table(renderer: &Renderer, model: &str, folder: &Path, pairs: &[Pair]) -> Result<String> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut text =
        "| screen | clip | key | IoU mean | MAD ×1000 | edge MAD | dtSSD | false area |\n"
            .to_owned();
    text += "|---|---|---|---|---|---|---|---|\n";
    for screen in &SCREENS {
        for pair in pairs {
            let truth = read_grey(&pair.alpha)?;
            let clip = set_before(screen, pair, &truth, folder)?;
            for key in ["none"].into_iter().chain(screen.keys) {
                let settings =
                    if key == "none" { String::new() } else { format!("key = \"{key}\"\n") };
                let way = Way {
                    role: Role::Ours,
                    name: key.into(),
                    short: key.into(),
                    model: model.into(),
                    config: ways::config(&STEPS, &settings),
                };
                let figures = Tally::against(&renderer.mattes(&way, &clip)?, &truth)?.figures();
                let columns = [
                    Figure::IouMean,
                    Figure::Mad,
                    Figure::EdgeMad,
                    Figure::Dtssd,
                    Figure::FalseArea,
                ];
                let columns = columns.map(|figure| figure.print(figures.get(figure))).join(" | ");
                let line = format!("| {} | {} | {key} | {columns} |", screen.name, pair.name);
                eprintln!("{line}");
                writeln!(text, "{line}")?;
            }
        }
    }
    Ok(text)
}

/// The person of a clip before `screen`, as Motion JPEG.
fn set_before(screen: &Screen, pair: &Pair, truth: &Mattes, folder: &Path) -> Result<PathBuf> {
    let path =
        folder.join(format!("{}-{}.mkv", pair.name, screen.name.replace([',', ' ', '\''], "")));
    let pictures = ffmpeg(
        &pair.clip,
        &["-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
    )?;
    let area = truth.width * truth.height;
    ensure!(pictures.len() == 3 * truth.samples.len(), "{}: clip and alpha differ", pair.name);
    let size = format!("{}x{}", truth.width, truth.height);
    let mut child = Command::new("ffmpeg")
        .args([
            "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-r", "30", "-s", &size,
            "-i", "-",
        ])
        .args(["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", JPEG])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start ffmpeg")?;
    let mut input = child.stdin.take().context("ffmpeg has no input")?;
    let mut noise = Noise(1);
    for (picture, alpha) in pictures.chunks_exact(3 * area).zip(truth.frames()) {
        let composed = compose(screen, picture, alpha, truth.width, &mut noise);
        input.write_all(&composed).context("ffmpeg takes no more")?;
    }
    drop(input);
    ensure!(child.wait()?.success(), "FFmpeg fails on {}", path.display());
    Ok(path)
}

fn compose(
    screen: &Screen,
    picture: &[u8],
    alpha: &[u8],
    width: usize,
    noise: &mut Noise,
) -> Vec<u8> {
    let height = alpha.len() / width;
    let shadow = blurred(alpha, width, width / 40);
    let [left, right, top, bottom] = screen.covers;
    let mut out = Vec::with_capacity(picture.len());
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let (across, down) = (x as f32 / width as f32, y as f32 / height as f32);
            // Light from the left and above; folds; the person's shadow to the right and below.
            let wrinkles = 0.05 * (37.0 * across + 5.0 * (3.0 * down).sin()).sin()
                + 0.03 * (23.0 * down + 9.0 * across).sin();
            let cast = (x >= width / 25 && y >= height / 25)
                .then(|| shadow[at - width / 25 - height / 25 * width]);
            let shade = 1.0 - 0.3 * cast.unwrap_or(0.0);
            let light = (1.1 - 0.35 * across - 0.15 * down + wrinkles) * shade;
            let is_screen = (left..right).contains(&across) && (top..bottom).contains(&down);
            let share = f32::from(alpha[at]) / 255.0;
            // Light that the screen throws on the person's rim.
            let spill = screen.spill * (1.0 - shadow[at]);
            for (channel, &full) in screen.rgb.iter().enumerate() {
                let own = f32::from(picture[3 * at + channel]);
                let room = if is_screen { full * light } else { own };
                let value =
                    share * (own + spill * full) + (1.0 - share) * room + NOISE * noise.normal();
                out.push(value.round() as u8);
            }
        }
    }
    out
}

/// An alpha, 0..=1, of which each sample is the mean of those up to `reach` away, across and down.
fn blurred(alpha: &[u8], width: usize, reach: usize) -> Vec<f32> {
    let height = alpha.len() / width;
    let mean = |count: usize, value: &dyn Fn(usize) -> f32, put: &mut dyn FnMut(usize, f32)| {
        let mut sums = vec![0.0; count + 1];
        (0..count).for_each(|at| sums[at + 1] = sums[at] + value(at));
        for at in 0..count {
            let (start, end) = (at.saturating_sub(reach), (at + reach + 1).min(count));
            put(at, (sums[end] - sums[start]) / (end - start) as f32);
        }
    };
    let mut rows = vec![0.0; alpha.len()];
    for y in 0..height {
        let start = y * width;
        mean(width, &|x| f32::from(alpha[start + x]) / 255.0, &mut |x, value| {
            rows[start + x] = value
        });
    }
    let mut out = vec![0.0; alpha.len()];
    for x in 0..width {
        mean(height, &|y| rows[y * width + x], &mut |y, value| out[y * width + x] = value);
    }
    out
}

/// Noise that is the same in every run (SplitMix64; Steele, Lea & Flood, 2014).
struct Noise(u64);

impl Noise {
    /// Mean 0 and standard deviation 1: the sum of four even ones.
    fn normal(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        let sum: f32 = (0..4).map(|part| f32::from((bits >> (16 * part)) as u16) / 65_536.0).sum();
        (sum - 2.0) * 3.0_f32.sqrt()
    }
}
