//! Judges every picture that greenroom writes: a composed one is flat, in a colour that was asked for as the background;
//! anything else but the placeholder is a fault.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, ensure};
use greenroom_frame::{Colour, Rgb8, Yuv8};

use crate::judge::Plain;

/// Size and rate of the camera's clip.
pub const WIDTH: usize = 320;
pub const HEIGHT: usize = 180;
pub const RATE_FPS: u32 = 10;

/// The room that must never be seen: far from every background, from the placeholder, and from what lies between them.
pub const ROOM: Rgb8 = Rgb8 { r: 190, g: 80, b: 200 };
/// The background at the start, the one that is set, and the clip that is set.
pub const GREEN: Rgb8 = Rgb8 { r: 0, g: 177, b: 64 };
pub const RED: Rgb8 = Rgb8 { r: 200, g: 30, b: 30 };
pub const BLUE: Rgb8 = Rgb8 { r: 30, g: 60, b: 200 };

/// Codes by which a sample may be off: rounding (a stream), coding (a file of FFmpeg's).
pub const EXACT: u8 = 4;
pub const CODED: u8 = 12;
/// One pixel in so many may differ: where the network sees a little of somebody.
const ONE_IN: usize = 1000;

/// What a frame shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Placeholder,
    Composed(Yuv8),
    Wrong(String),
}

impl Seen {
    /// Whether the frame is composed before `background`.
    pub fn is_before(&self, background: Rgb8) -> bool {
        let wanted = yuv(background);
        matches!(self, Seen::Composed(colour) if distance(*colour, wanted) <= f32::from(EXACT))
    }
}

/// Tells what a frame of 4:2:2 planar pictures shows.
pub struct Judge {
    placeholder: Plain,
    tolerance: u8,
}

impl Judge {
    pub fn new(tolerance: u8) -> Result<Self> {
        Ok(Self { placeholder: Plain::new(WIDTH, HEIGHT)?, tolerance })
    }

    fn judge(&self, planar: &[u8]) -> Seen {
        let packed = yuyv(planar);
        let is_placeholder = match self.tolerance {
            EXACT => self.placeholder.is(&packed),
            _ => self.placeholder.is_nearly(&packed, self.tolerance),
        };
        if is_placeholder {
            return Seen::Placeholder;
        }
        let [y, u, _, v] = packed[4 * (WIDTH / 2) * 8 + 16..][..4] else { unreachable!() };
        let (all, wrong) = crate::judge::background_faults(&packed, [y, u, v], self.tolerance);
        let colour = Yuv8 { y, u, v };
        if wrong * ONE_IN > all {
            return Seen::Wrong(format!(
                "{wrong} of {all} px are not of the background's {colour:?}"
            ));
        }
        let off = [(GREEN, RED), (GREEN, BLUE), (RED, BLUE)]
            .map(|(from, to)| distance_from_fade(colour, yuv(from), yuv(to)))
            .into_iter()
            .fold(f32::MAX, f32::min);
        if off > f32::from(self.tolerance) {
            let room = if distance(colour, yuv(ROOM)) <= f32::from(self.tolerance) {
                ", it is THE ROOM"
            } else {
                ""
            };
            return Seen::Wrong(format!("{colour:?} is no background that was asked for{room}"));
        }
        Seen::Composed(colour)
    }
}

/// A colour as the outputs have it.
pub fn yuv(colour: Rgb8) -> Yuv8 {
    Colour::WEBCAM.encode(colour)
}

fn distance(one: Yuv8, other: Yuv8) -> f32 {
    difference(one, other).map(f32::abs).into_iter().fold(0.0, f32::max)
}

fn difference(from: Yuv8, to: Yuv8) -> [f32; 3] {
    [(from.y, to.y), (from.u, to.u), (from.v, to.v)].map(|(a, b)| f32::from(b) - f32::from(a))
}

/// How far `seen` is from the straight line between two colours, which a cross-fade passes along.
fn distance_from_fade(seen: Yuv8, from: Yuv8, to: Yuv8) -> f32 {
    let (way, at) = (difference(from, to), difference(from, seen));
    let dot = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let share = (dot(way, at) / dot(way, way).max(1.0)).clamp(0.0, 1.0);
    way.iter().zip(at).map(|(way, at)| (way * share - at).abs()).fold(0.0, f32::max)
}

fn yuyv(planar: &[u8]) -> Vec<u8> {
    let (luma, chroma) = planar.split_at(WIDTH * HEIGHT);
    let (u, v) = chroma.split_at(WIDTH / 2 * HEIGHT);
    let pairs = luma.as_chunks::<2>().0.iter().zip(u).zip(v);
    pairs.flat_map(|((&[y0, y1], &u), &v)| [y0, u, y1, v]).collect()
}

/// Judges each frame of a Y4M stream (4:2:2), and calls `each` with what it shows. Ends where the stream ends; a frame
/// that is not whole is not judged.
///
/// # Errors
/// If the stream begins as no Y4M of the right size.
pub fn judge_stream(pipe: impl Read, judge: &Judge, mut each: impl FnMut(Seen)) -> Result<()> {
    let mut pipe = BufReader::new(pipe);
    let mut header = String::new();
    if pipe.read_line(&mut header)? == 0 {
        return Ok(());
    }
    let fits = header.contains(&format!("W{WIDTH} H{HEIGHT}")) && header.contains("C422");
    ensure!(fits, "this is not the Y4M that was expected: {}", header.trim_end());
    let mut frame = vec![0; 2 * WIDTH * HEIGHT];
    let mut line = Vec::new();
    while pipe.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0)
        && pipe.read_exact(&mut frame).is_ok()
    {
        each(judge.judge(&frame));
        line.clear();
    }
    Ok(())
}

/// What was seen in the pipe of a greenroom that runs, as it comes.
pub struct Frames {
    seen: Arc<Mutex<Vec<Seen>>>,
    reader: JoinHandle<()>,
}

impl Frames {
    /// Starts a thread that reads the pipe to its end.
    pub fn read(pipe: impl Read + Send + 'static) -> Result<Self> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (ours, judge) = (Arc::clone(&seen), Judge::new(EXACT)?);
        let reader = thread::Builder::new().spawn(move || {
            let push = |seen| lock(&ours).push(seen);
            if let Err(error) = judge_stream(pipe, &judge, push) {
                lock(&ours).push(Seen::Wrong(error.to_string()));
            }
        });
        Ok(Self { seen, reader: reader.context("starting a thread")? })
    }

    /// Whether the pipe has ended.
    pub fn have_ended(&self) -> bool {
        self.reader.is_finished()
    }

    pub fn count(&self) -> usize {
        lock(&self.seen).len()
    }

    /// The frames from number `first` on.
    pub fn since(&self, first: usize) -> Vec<Seen> {
        lock(&self.seen).get(first..).unwrap_or_default().to_vec()
    }

    /// A line on frames that show what they may not, if there are any.
    pub fn fault(&self) -> Option<String> {
        wrong_frames(&lock(&self.seen))
    }
}

fn lock(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line on frames that show what they may not, if there are any.
pub fn wrong_frames(frames: &[Seen]) -> Option<String> {
    let wrong: Vec<(usize, &String)> = (0..)
        .zip(frames)
        .filter_map(|(number, seen)| match seen {
            Seen::Wrong(why) => Some((number, why)),
            _ => None,
        })
        .collect();
    let (number, why) = wrong.first()?;
    Some(format!("{} of {} frames are wrong; frame {number}: {why}", wrong.len(), frames.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planar(colour: Yuv8) -> Vec<u8> {
        let plane = |code, bytes| std::iter::repeat_n(code, bytes);
        let chroma = WIDTH / 2 * HEIGHT;
        let luma = plane(colour.y, WIDTH * HEIGHT);
        luma.chain(plane(colour.u, chroma)).chain(plane(colour.v, chroma)).collect()
    }

    #[test]
    fn backgrounds_and_fades_are_right_and_the_room_is_not() {
        for tolerance in [EXACT, CODED] {
            let judge = Judge::new(tolerance).unwrap();
            for colour in [GREEN, RED, BLUE] {
                assert_eq!(judge.judge(&planar(yuv(colour))), Seen::Composed(yuv(colour)));
            }
            let (green, red) = (yuv(GREEN), yuv(RED));
            let mean = |a: u8, b: u8| a.midpoint(b);
            let half =
                Yuv8 { y: mean(green.y, red.y), u: mean(green.u, red.u), v: mean(green.v, red.v) };
            assert_eq!(judge.judge(&planar(half)), Seen::Composed(half));
            assert!(
                matches!(judge.judge(&planar(yuv(ROOM))), Seen::Wrong(why) if why.contains("THE ROOM"))
            );
            // A tenth of the room shining through, and a corner of it.
            let tenth = |a: u8, b: u8| ((9 * u16::from(a) + u16::from(b)) / 10) as u8;
            let room = yuv(ROOM);
            let veil = Yuv8 { y: green.y, u: tenth(green.u, room.u), v: tenth(green.v, room.v) };
            assert_eq!(matches!(judge.judge(&planar(veil)), Seen::Wrong(_)), tolerance == EXACT);
            let mut corner = planar(green);
            for row in 0..10 {
                corner[(HEIGHT - 1 - row) * WIDTH..][..20].fill(room.y);
            }
            assert!(matches!(judge.judge(&corner), Seen::Wrong(_)), "{tolerance}");
        }
    }
}
