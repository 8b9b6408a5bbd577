//! The bare network in the reference runtime: FFmpeg scales the frames to the model's input, ai-edge-litert runs it, and
//! its output is enlarged bilinearly, as ours is.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, ensure};

use super::media::{Mattes, ffmpeg};
use crate::golden::{self, Model};
use crate::places::Places;

/// The mattes of `clip`, of the truth's size.
pub fn mattes(places: &Places, model: Model, clip: &Path, truth: &Mattes) -> Result<Mattes> {
    let (_, model, width, height) = model;
    let scale = format!("scale={width}:{height}:flags=area,format=rgb24");
    let rgb = ffmpeg(clip, &["-vf", &scale, "-fps_mode", "passthrough", "-f", "rawvideo", "-"])?;
    let mut child = Command::new(golden::python(places)?)
        .arg(places.repository.join("xtask/score.py"))
        .arg(places.repository.join("assets/models").join(model))
        .args([width.to_string(), height.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start Python")?;
    let mut input = child.stdin.take().context("Python has no standard input")?;
    let feeder = thread::spawn(move || input.write_all(&rgb));
    let mut probabilities = Vec::new();
    child
        .stdout
        .take()
        .context("Python has no standard output")?
        .read_to_end(&mut probabilities)?;
    let fed = feeder.join().ok().context("feeding Python panicked")?;
    ensure!(
        child.wait()?.success() && fed.is_ok(),
        "xtask/score.py failed; run it by hand to see why"
    );
    let small: Vec<f32> =
        probabilities.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let samples = small
        .chunks_exact(width * height)
        .flat_map(|alpha| enlarge(alpha, (width, height), (truth.width, truth.height)))
        .collect();
    Ok(Mattes { width: truth.width, height: truth.height, samples })
}

/// Plain bilinear with half-pixel centres, in floating point; 0..=255 out.
fn enlarge(alpha: &[f32], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    let places = |from: usize, to: usize| -> Vec<(usize, usize, f32)> {
        let place = |i: usize| {
            let centre = (i as f32 + 0.5) * from as f32 / to as f32 - 0.5;
            let centre = centre.clamp(0.0, (from - 1) as f32);
            (centre as usize, (centre as usize + 1).min(from - 1), centre.fract())
        };
        (0..to).map(place).collect()
    };
    let columns = places(from.0, to.0);
    let mut out = Vec::with_capacity(to.0 * to.1);
    for (above, below, down) in places(from.1, to.1) {
        for &(left, right, across) in &columns {
            let row = |y: usize| {
                alpha[y * from.0 + left] * (1.0 - across) + alpha[y * from.0 + right] * across
            };
            out.push(((row(above) * (1.0 - down) + row(below) * down) * 255.0).round() as u8);
        }
    }
    out
}
