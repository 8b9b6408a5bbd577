//! Clips made from clips, for what these do not show: a person far from the camera, a dim room, a window behind.
//!
//! FFmpeg makes them, alike on every machine (its noise has a seed), and keeps them in the target folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::media::{Mattes, ffmpeg_of};

/// What is made of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Variant {
    /// The person at 45 % of the size, off the middle, before the empty room of one of the clips
    Small,
    /// A dim room: a sixth of the light, little colour, and the noise of a sensor at its limit
    Dark,
    /// A bright room behind a person in the shade
    Backlit,
}

/// A clip and its true alpha.
pub struct Pair {
    pub name: String,
    pub clip: PathBuf,
    pub alpha: PathBuf,
}

/// An empty room: the first frame of `clip` with nobody in it.
pub struct Plate {
    clip: PathBuf,
    frame: usize,
    size: (usize, usize),
}

impl Plate {
    /// The first frame in which the truth has nobody.
    pub fn find(clip: &Path, truth: &Mattes) -> Option<Self> {
        let frame = truth.frames().position(|frame| frame.iter().all(|&sample| sample == 0))?;
        Some(Self { clip: clip.into(), frame, size: (truth.width, truth.height) })
    }
}

/// Share of the picture's width and height that the small person gets.
const SMALL: f64 = 0.45;

impl Variant {
    fn word(self) -> &'static str {
        match self {
            Variant::Small => "small",
            Variant::Dark => "dark",
            Variant::Backlit => "backlit",
        }
    }

    /// Makes the variant of `pair` in `folder`; tells why not where it would be no fair one.
    pub fn make(
        self,
        folder: &Path,
        pair: &Pair,
        truth: &Mattes,
        plate: Option<&Plate>,
    ) -> Result<std::result::Result<Pair, &'static str>> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let word = self.word();
        let path = |what: &str| folder.join(format!("{}.{word}{what}.mkv", pair.name));
        let mut made = Pair {
            name: format!("{}, {word}", pair.name),
            clip: path(""),
            alpha: pair.alpha.clone(),
        };
        match self {
            Variant::Small => {
                let size = (truth.width, truth.height);
                let Some(plate) = plate.filter(|plate| plate.size == size) else {
                    return Ok(Err("no clip of this size has a frame with nobody in it"));
                };
                if touches_a_side(truth) {
                    return Ok(Err("the person is cut by the left or right border"));
                }
                made.alpha = path(".alpha");
                small(pair, plate, &made)?;
            }
            Variant::Dark => encode(&[&pair.clip], DARK, &made.clip)?,
            Variant::Backlit => encode(&[&pair.clip, &pair.alpha], BACKLIT, &made.clip)?,
        }
        Ok(Ok(made))
    }
}

/// Luma to a sixth over black, chroma to a third, and noise that changes from frame to frame.
const DARK: &str = "[0:v]format=yuv420p,lutyuv=y='16+(val-16)*0.17':u='128+(val-128)*0.33':v='128+(val-128)*0.33',\
                    noise=all_seed=6:alls=7:allf=t";

/// The room overexposed, the person at a third of the light, and a veil of the room's light over both.
const BACKLIT: &str = "[0:v]format=gbrp,split[a][b];[a]lutrgb=r='val*1.5+70':g='val*1.5+70':b='val*1.5+70'[room];\
                       [b]lutrgb=r='val*0.35':g='val*0.35':b='val*0.35'[person];[1:v]format=gray,format=gbrp[mask];\
                       [room][person][mask]maskedmerge,split[c][d];[d]gblur=sigma=24[veil];\
                       [c][veil]blend=all_mode=screen:all_opacity=0.12,format=yuv420p,noise=all_seed=6:alls=2:allf=t";

/// The person is cut out by the true alpha, and stands on the lower border, right of the middle.
fn small(pair: &Pair, plate: &Plate, made: &Pair) -> Result<()> {
    let (width, height) = plate.size;
    let side = |side: usize| (side as f64 * SMALL / 2.0).round() as usize * 2;
    let (w, h) = (side(width), side(height));
    let (x, y) = ((width - w) * 4 / 5 / 2 * 2, height - h);
    let scale = format!("scale={w}:{h}:flags=area");
    let picture = format!(
        "[2:v]trim=start_frame={}:end_frame={},format=yuv420p,loop=loop=-1:size=1,setpts=N/30/TB[room];\
         [1:v]format=gray,{scale}[mask];[0:v]format=yuv420p,{scale}[p];\
         [p][mask]alphamerge,setpts=N/30/TB[person];\
         [room][person]overlay=x={x}:y={y}:shortest=1:format=yuv420,format=yuv420p",
        plate.frame,
        plate.frame + 1,
    );
    encode(&[&pair.clip, &pair.alpha, &plate.clip], &picture, &made.clip)?;
    let alpha =
        format!("[0:v]format=gray,{scale},pad={width}:{height}:{x}:{y}:black,setpts=N/30/TB");
    encode(&[&pair.alpha], &alpha, &made.alpha)
}

/// Without loss, each frame once.
fn encode(inputs: &[&Path], filters: &str, to: &Path) -> Result<()> {
    let words = ["-filter_complex", filters, "-fps_mode", "passthrough", "-c:v", "ffv1", "-an"];
    let mut words: Vec<_> = words.iter().map(std::ffi::OsString::from).collect();
    words.push(to.into());
    ffmpeg_of(inputs, &words).map(drop)
}

/// Whether the truth has the person in the outermost columns of any frame.
fn touches_a_side(truth: &Mattes) -> bool {
    let touches = |row: &[u8]| row.first().max(row.last()).is_some_and(|&sample| sample >= 128);
    truth.samples.chunks_exact(truth.width).any(touches)
}
