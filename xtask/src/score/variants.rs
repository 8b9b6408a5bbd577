//! Clips made from clips, for what these do not show: a person far from the camera, a dim room, other cameras.
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
    /// Left and right exchanged
    Mirrored,
    /// The noise of a cheap sensor
    Noise,
    /// JPEG as cheap webcams make it
    Jpeg,
    /// A camera of 4:3, which sees less at the sides of whoever it shows
    #[value(name = "4:3")]
    FourToThree,
    /// A telephone held upright: 9:16
    Portrait,
    /// 360 rows
    #[value(name = "360p")]
    Small360,
    /// 1080 rows
    #[value(name = "1080p")]
    Large1080,
}

/// What FFmpeg does to a clip: filters for the picture, filters for the alpha where that changes too, an encoder.
struct Recipe {
    picture: String,
    alpha: Option<String>,
    encoder: &'static [&'static str],
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
    /// As it is named on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Variant::Small => "small",
            Variant::Dark => "dark",
            Variant::Mirrored => "mirrored",
            Variant::Noise => "noise",
            Variant::Jpeg => "jpeg",
            Variant::FourToThree => "4:3",
            Variant::Portrait => "portrait",
            Variant::Small360 => "360p",
            Variant::Large1080 => "1080p",
        }
    }

    /// How it is made of any clip; `None` for the one that is made of two.
    fn recipe(self, truth: &Mattes) -> Option<Recipe> {
        let encoder: &[&str] = &WITHOUT_LOSS;
        let of_picture =
            |filters: &str| Some(Recipe { picture: filters.into(), alpha: None, encoder });
        let of_both = |filters: String| {
            Some(Recipe { alpha: Some(filters.clone()), picture: filters, encoder })
        };
        match self {
            Variant::Small => None,
            Variant::Dark => of_picture(DARK),
            Variant::Mirrored => of_both("hflip".into()),
            Variant::Noise => of_picture("format=yuv420p,noise=all_seed=6:alls=14:allf=t"),
            Variant::Jpeg => Some(Recipe {
                picture: "scale=out_range=pc,format=yuvj420p".into(),
                alpha: None,
                encoder: &["-c:v", "mjpeg", "-q:v", "14"],
            }),
            Variant::FourToThree => of_both(part_around_the_person("4/3", truth)),
            Variant::Portrait => of_both(part_around_the_person("9/16", truth)),
            Variant::Small360 => of_picture("scale=-2:360:flags=area"),
            Variant::Large1080 => of_picture("scale=-2:1080:flags=bicubic"),
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
        if let Some(recipe) = self.recipe(truth) {
            encode(&[&pair.clip], &recipe.picture, recipe.encoder, &made.clip)?;
            if let Some(filters) = &recipe.alpha {
                made.alpha = path(".alpha");
                encode(&[&pair.alpha], filters, &WITHOUT_LOSS, &made.alpha)?;
            }
            return Ok(Ok(made));
        }
        let size = (truth.width, truth.height);
        let Some(plate) = plate.filter(|plate| plate.size == size) else {
            return Ok(Err("no clip of this size has a frame with nobody in it"));
        };
        if touches_a_side(truth) {
            return Ok(Err("the person is cut by the left or right border"));
        }
        made.alpha = path(".alpha");
        small(pair, plate, &made)?;
        Ok(Ok(made))
    }
}

const WITHOUT_LOSS: [&str; 2] = ["-c:v", "ffv1"];

/// A part of all of the picture's height with whoever `truth` shows in its middle, on whole chroma samples; what is as
/// narrow already stays.
fn part_around_the_person(shape: &str, truth: &Mattes) -> String {
    let centre = centre_across(truth);
    format!(
        "crop='trunc(min(iw,ih*{shape})/2)*2':ih:'clip(trunc((iw*{centre:.4}-ow/2)/2)*2,0,iw-ow)'"
    )
}

/// Where the person is on average, as a share of the width; the middle if there is none.
fn centre_across(truth: &Mattes) -> f64 {
    let (mut sum, mut moment) = (0.0, 0.0);
    for row in truth.samples.chunks_exact(truth.width) {
        for (x, &sample) in row.iter().enumerate().filter(|(_, sample)| **sample > 0) {
            sum += f64::from(sample);
            moment += f64::from(sample) * (x as f64 + 0.5);
        }
    }
    if sum > 0.0 { moment / sum / truth.width as f64 } else { 0.5 }
}

/// Luma to a sixth over black, chroma to a third, and noise that changes from frame to frame.
const DARK: &str = "format=yuv420p,lutyuv=y='16+(val-16)*0.17':u='128+(val-128)*0.33':v='128+(val-128)*0.33',\
                    noise=all_seed=6:alls=7:allf=t";

/// The person is cut out by the true alpha, and stands on the lower border, right of the middle.
fn small(pair: &Pair, plate: &Plate, made: &Pair) -> Result<()> {
    let (width, height) = plate.size;
    let side = |side: usize| (side as f64 * SMALL / 2.0).round() as usize * 2;
    let (w, h) = (side(width), side(height));
    let (x, y) = ((width - w) * 4 / 5 / 2 * 2, height - h);
    let scale = format!("scale={w}:{h}:flags=area");
    let picture = format!(
        "[2:v]trim=start_frame={}:end_frame={},format=yuv420p,loop=loop=-1:size=1,settb=1/30,setpts=N[room];\
         [1:v]settb=1/30,setpts=N,format=gray,{scale}[mask];[0:v]settb=1/30,setpts=N,format=yuv420p,{scale}[p];\
         [p][mask]alphamerge[person];\
         [room][person]overlay=x={x}:y={y}:shortest=1:format=yuv420,format=yuv420p",
        plate.frame,
        plate.frame + 1,
    );
    encode(&[&pair.clip, &pair.alpha, &plate.clip], &picture, &WITHOUT_LOSS, &made.clip)?;
    let alpha = format!(
        "[0:v]format=gray,{scale},format=gbrp,pad={width}:{height}:{x}:{y}:black,format=gray,settb=1/30,setpts=N"
    );
    encode(&[&pair.alpha], &alpha, &WITHOUT_LOSS, &made.alpha)
}

/// Each frame once.
fn encode(inputs: &[&Path], filters: &str, encoder: &[&str], to: &Path) -> Result<()> {
    let words = ["-filter_complex", filters, "-fps_mode", "passthrough", "-an"];
    let words = words.iter().chain(encoder);
    let mut words: Vec<_> = words.map(std::ffi::OsString::from).collect();
    words.push(to.into());
    ffmpeg_of(inputs, &words).map(drop)
}

/// Whether, in any frame, the person meets the left or right border on more than a tenth of its height: made small, he
/// would be cut in the middle of the room. A sleeve that just meets it is no matter.
fn touches_a_side(truth: &Mattes) -> bool {
    truth.frames().any(|frame| {
        let rows = || frame.chunks_exact(truth.width);
        let is_person = |sample: Option<&u8>| sample.is_some_and(|&sample| sample >= 128);
        let left = rows().filter(|row| is_person(row.first())).count();
        let right = rows().filter(|row| is_person(row.last())).count();
        left.max(right) * 10 > truth.height
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(rows: usize) -> Mattes {
        let mut samples = vec![0; 2 * 20 * 40];
        samples[800..].chunks_exact_mut(20).take(rows).for_each(|row| row[19] = 255);
        Mattes { width: 20, height: 40, samples }
    }

    #[test]
    fn who_is_cut_by_a_side_is_not_made_small() {
        assert!(!touches_a_side(&truth(4)));
        assert!(touches_a_side(&truth(5)));
    }

    #[test]
    fn who_sits_at_a_side_is_in_the_middle_of_a_narrower_picture() {
        assert_eq!(centre_across(&truth(4)), 0.975);
        assert_eq!(centre_across(&truth(0)), 0.5);
    }

    #[test]
    fn a_plate_is_a_frame_with_nobody() {
        assert_eq!(Plate::find(Path::new("clip"), &truth(1)).map(|plate| plate.frame), Some(0));
        let mut full = truth(1);
        full.samples[0] = 1;
        assert!(Plate::find(Path::new("clip"), &full).is_none());
    }
}
