//! Reads every frame, and keeps of it when it came and what its corner shows.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use greenroom_frame::Yuv8;

use super::changes::{Hall, Shown, encoded};
use crate::judge::Plain;

/// A thread that reads 4:2:2 planar frames until its pipe ends.
pub struct Watcher {
    seen: Arc<Mutex<Vec<Seen>>>,
    /// ffmpeg, if it reads a node.
    _reader: Option<Reader>,
}

struct Reader(Child);

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    corner: Yuv8,
    /// greenroom's placeholder, which a machine that is too slow for the camera shows now and then.
    is_placeholder: bool,
}

/// What was seen.
pub struct Frames(Vec<Seen>);

/// Times between frames.
pub struct Intervals {
    pub median_ms: f64,
    pub p99_ms: f64,
    pub longest_ms: f64,
}

impl fmt::Display for Intervals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median_ms, p99_ms, longest_ms } = self;
        write!(f, "median {median_ms:.1}, p99 {p99_ms:.1}, longest {longest_ms:.1}")
    }
}

/// Side of the corner that is looked at, and its distance from the edge, in pixels.
const CORNER_PX: usize = 8;

impl Watcher {
    /// Reads Y4M.
    pub fn of_pipe(pipe: impl Read + Send + 'static) -> Result<Self> {
        let mut pipe = BufReader::with_capacity(1 << 20, pipe);
        let mut header = String::new();
        pipe.read_line(&mut header)?;
        let number = |key: char| {
            let word = header.split_whitespace().find_map(|word| word.strip_prefix(key));
            word.and_then(|text| text.parse::<usize>().ok()).context("Y4M has a width and height")
        };
        if !header.contains("C422") {
            bail!("4:2:2 was expected: {header}");
        }
        Ok(Self { seen: watch(pipe, number('W')?, number('H')?, true)?, _reader: None })
    }

    /// Reads a node through ffmpeg.
    pub fn of_node(node: &Path, size: &str, fps: u32, hall: &Hall) -> Result<Self> {
        let (width, height) = size.split_once('x').context("a size is WIDTHxHEIGHT")?;
        // The node is a camera once greenroom has written into it.
        let deadline = Instant::now() + Duration::from_secs(120);
        while !std::fs::read_to_string(hall.log()).unwrap_or_default().contains("output:") {
            if Instant::now() > deadline {
                bail!("greenroom does not open {}", node.display());
            }
            thread::sleep(Duration::from_millis(200));
        }
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args([
            "-nostdin",
            "-v",
            "error",
            "-f",
            "v4l2",
            "-framerate",
            &fps.to_string(),
            "-i",
        ]);
        ffmpeg.arg(node).args(["-pix_fmt", "yuv422p", "-f", "rawvideo", "-"]);
        let mut reader = ffmpeg.stdout(Stdio::piped()).spawn()?;
        let pipe = BufReader::new(reader.stdout.take().context("no pipe")?);
        let seen = watch(pipe, width.parse()?, height.parse()?, false)?;
        Ok(Self { seen, _reader: Some(Reader(reader)) })
    }

    /// Waits until the corner shows `colour`; `patience` is for a greenroom that hangs.
    pub fn wait_for_colour(&self, colour: Yuv8, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            let last = self.lock().last().copied();
            if last.is_some_and(|seen| distance(seen.corner, colour) <= TOLERANCE) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{colour:?} was never seen, {last:?} last");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn frames(&self) -> Frames {
        Frames(self.lock().clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn watch(
    mut pipe: impl BufRead + Send + 'static,
    width: usize,
    height: usize,
    is_y4m: bool,
) -> Result<Arc<Mutex<Vec<Seen>>>> {
    let placeholder = Plain::new(width, height)?;
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let ours = Arc::clone(&seen);
    thread::spawn(move || {
        let chroma_width = width.div_ceil(2);
        let mut frame = vec![0; (width + 2 * chroma_width) * height];
        let mut packed = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            if is_y4m && !matches!(pipe.read_until(b'\n', &mut line), Ok(1..)) {
                return;
            }
            if pipe.read_exact(&mut frame).is_err() {
                return;
            }
            let at = Instant::now();
            let (luma, chroma) = frame.split_at(width * height);
            let (u, v) = chroma.split_at(chroma_width * height);
            let corner = Yuv8 {
                y: mean(luma, width, CORNER_PX),
                u: mean(u, chroma_width, CORNER_PX / 2),
                v: mean(v, chroma_width, CORNER_PX / 2),
            };
            packed.clear();
            let chroma = u.iter().zip(v);
            packed.extend(
                luma.as_chunks()
                    .0
                    .iter()
                    .zip(chroma)
                    .flat_map(|([y, y1], (u, v))| [*y, *u, *y1, *v]),
            );
            let is_placeholder = placeholder.is(&packed);
            let frame = Seen { at, corner, is_placeholder };
            ours.lock().unwrap_or_else(PoisonError::into_inner).push(frame);
        }
    });
    Ok(seen)
}

fn mean(plane: &[u8], stride: usize, columns: usize) -> u8 {
    let rows = CORNER_PX..2 * CORNER_PX;
    let samples = rows.flat_map(|y| &plane[y * stride + columns..][..columns]);
    let sum: usize = samples.map(|&sample| usize::from(sample)).sum();
    ((sum + CORNER_PX * columns / 2) / (CORNER_PX * columns)) as u8
}

/// Codes by which a colour may be off: rounding, a video's coding.
const TOLERANCE: f32 = 4.0;

fn distance(one: Yuv8, other: Yuv8) -> f32 {
    vector(one, other).map(f32::abs).into_iter().fold(0.0, f32::max)
}

fn vector(from: Yuv8, to: Yuv8) -> [f32; 3] {
    [(from.y, to.y), (from.u, to.u), (from.v, to.v)].map(|(a, b)| f32::from(b) - f32::from(a))
}

/// How far `seen` is from the straight line between the two: what a cross-fade passes through.
fn distance_from_fade(seen: Yuv8, from: Yuv8, to: Yuv8) -> f32 {
    let (way, at) = (vector(from, to), vector(from, seen));
    let dot = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let share = (dot(way, at) / dot(way, way).max(1.0)).clamp(0.0, 1.0);
    way.iter().zip(at).map(|(way, at)| (way * share - at).abs()).fold(0.0, f32::max)
}

impl Frames {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn placeholders(&self) -> usize {
        self.0.iter().filter(|seen| seen.is_placeholder).count()
    }

    pub fn last(&self) -> Instant {
        self.0.last().map_or_else(Instant::now, |seen| seen.at)
    }

    pub fn intervals(&self, from: Instant, until: Instant) -> Intervals {
        let during = self.0.iter().filter(|seen| (from..=until).contains(&seen.at));
        let times: Vec<Instant> = during.map(|seen| seen.at).collect();
        let mut ms: Vec<f64> =
            times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e3).collect();
        ms.sort_by(f64::total_cmp);
        let at = |share: f64| {
            ms.get((share * (ms.len().max(1) - 1) as f64) as usize).copied().unwrap_or(0.0)
        };
        Intervals { median_ms: at(0.5), p99_ms: at(0.99), longest_ms: at(1.0) }
    }

    /// A line for every frame that shows what it may not: it must show a background and an effect that were asked for by
    /// then and are not older than those that were there before it, or the fade from those to newer ones. The placeholder
    /// may come at any time; how often says how fast the machine is.
    pub fn judge(&self, history: &[Shown]) -> Vec<String> {
        let start = history[0].asked_at;
        let colour =
            |state: State| encoded(history[state.behind].rgb, history[state.effect].is_grey);
        // All that may be there: a colour that a fade passes through may be another scene's.
        let mut may_be = vec![State { behind: 0, effect: 0 }];
        let mut wrong = Vec::new();
        let begun = |seen: &&Seen| distance(seen.corner, history[0].colour) > TOLERANCE;
        for seen in self.0.iter().skip_while(begun).filter(|seen| !seen.is_placeholder) {
            let asked = history.iter().take_while(|shown| shown.asked_at <= seen.at).count();
            let mut next: Vec<State> = Vec::new();
            for &here in &may_be {
                let newer = || {
                    (here.behind..asked).flat_map(|behind| {
                        (here.effect..asked).map(move |effect| State { behind, effect })
                    })
                };
                let there =
                    newer().filter(|state| distance(seen.corner, colour(*state)) <= TOLERANCE);
                next.extend(there);
                // At its end a fade is over.
                let fades = |state: State| {
                    distance(seen.corner, colour(state)) > TOLERANCE
                        && distance_from_fade(seen.corner, colour(here), colour(state)) <= TOLERANCE
                };
                if newer().any(fades) {
                    next.push(here);
                }
            }
            if next.is_empty() {
                wrong.push(format!(
                    "{:.2} s: {:?} after {:?}, {} asked for, {:?}",
                    (seen.at - start).as_secs_f64(),
                    seen.corner,
                    may_be.iter().map(|state| (state, colour(*state))).collect::<Vec<_>>(),
                    asked - 1,
                    history[asked - 1],
                ));
            } else {
                may_be = oldest(&next, colour);
            }
        }
        wrong
    }
}

/// The changes whose background and whose effect are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    behind: usize,
    effect: usize,
}

/// Without those that an older one of the same colour stands for: whatever may follow them may follow it.
fn oldest(states: &[State], colour: impl Fn(State) -> Yuv8) -> Vec<State> {
    let mut kept: Vec<State> = Vec::new();
    let mut states = states.to_vec();
    states.sort_by_key(|state| state.behind + state.effect);
    for state in states {
        let stands_for = |old: &State| {
            old.behind <= state.behind
                && old.effect <= state.effect
                && colour(*old) == colour(state)
        };
        if !kept.iter().any(stands_for) {
            kept.push(state);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
