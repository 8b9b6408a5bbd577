//! Clips of every rate on cameras of every rate: at each moment the frame that belongs there.

use std::fmt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use greenroom_device::ClipSource;

use super::super::{KEPT_BYTES, Video};
use super::clips::{Eye, H264, SITE, numbered};
use crate::{Fit, Pace, SceneFormat};

/// A clip and when each of its frames is shown.
struct Numbered {
    name: &'static str,
    source: ClipSource,
    /// (number in the pixels, seconds), in order.
    frames: Vec<(u32, f64)>,
    length: f64,
}

impl Numbered {
    /// Place in `frames` of what is shown at `time`.
    fn due(&self, time: f64) -> usize {
        // Doubles are not exact.
        let within = (time + 1e-6) % self.length;
        self.frames.partition_point(|frame| frame.1 <= within + 1e-6).max(1) - 1
    }

    /// How many frames ahead (or behind: below zero) of what is due `number` is, the short way
    /// round the loop.
    fn error(&self, number: u32, time: f64) -> i64 {
        let place = self.frames.iter().position(|frame| frame.0 == number);
        let place = place.unwrap_or_else(|| panic!("{} has no frame {number}", self.name));
        let (count, due) = (self.frames.len() as i64, self.due(time) as i64);
        (place as i64 - due + count + count / 2) % count - count / 2
    }
}

/// Frames of the clip of variable rate, of 60 a second.
fn is_in_variable(number: u32) -> bool {
    (number * 7) % 17 < 6
}

fn clips(folder: &Path, seconds: f64) -> Vec<Numbered> {
    let constant = |name: &'static str, rate: &str, fps: f64, codec: &[&str]| {
        let frames = (seconds * fps).round() as u32;
        let path = numbered(&folder.join(name), rate, frames, codec);
        Numbered {
            name,
            source: ClipSource::File(path),
            frames: (0..frames).map(|number| (number, f64::from(number) / fps)).collect(),
            length: f64::from(frames) / fps,
        }
    };
    let ntsc = 24_000.0 / 1001.0;
    let vp9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"];
    let with_sound = [
        &["-f", "lavfi", "-t", "90", "-i", "sine", "-map", "0:v", "-map", "1:a", "-t"][..],
        &["SECONDS", "-c:a", "aac"],
        &H264,
    ]
    .concat();
    // Sound that is longer than the pictures must not make a pause.
    let longer = format!("{}", seconds + 0.7);
    let with_sound: Vec<&str> =
        with_sound.iter().map(|&word| if word == "SECONDS" { &*longer } else { word }).collect();
    let mut clips = vec![
        constant("10.gif", "10", 10.0, &[]),
        constant("23.976.mkv", "24000/1001", ntsc, &H264),
        constant("25.webm", "25", 25.0, &vp9),
        constant("30-sound.mp4", "30", 30.0, &with_sound),
        constant("50.mp4", "50", 50.0, &H264),
        constant("60.mp4", "60", 60.0, &H264),
    ];
    // The last number is in it, so that its length is a whole number of frames.
    let mut count = (seconds * 60.0) as u32;
    while !is_in_variable(count - 1) {
        count += 1;
    }
    let filter = ["-vf", "select='lt(mod(n*7,17),6)'", "-vsync", "vfr"];
    let path = folder.join("variable.mp4");
    let path = numbered(&path, "60", count, &[&filter[..], &H264].concat());
    clips.push(Numbered {
        name: "variable.mp4",
        source: ClipSource::File(path),
        frames: (0..count)
            .filter(|&number| is_in_variable(number))
            .map(|number| (number, f64::from(number) / 60.0))
            .collect(),
        length: f64::from(count) / 60.0,
    });
    clips
}

/// What a camera saw.
struct Seen {
    clip: &'static str,
    camera_fps: u32,
    is_kept: bool,
    outputs: u32,
    loops: f64,
    /// Largest errors, in frames.
    behind: i64,
    ahead: i64,
    /// Outputs that did not show what is due.
    off: u32,
    off_first_third: u32,
    off_last_third: u32,
    /// Largest error within 0.3 s of a seam.
    at_seam: i64,
    /// How often a picture was shown again, or passed over, more than the two rates ask for.
    repeats_beyond: i64,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:13} {:6} {:3} {:7} {:5.1}   {:+3} {:+3}   {:4} {:4} {:4}   {:7} {:+8}",
            self.clip,
            if self.is_kept { "memory" } else { "stream" },
            self.camera_fps,
            self.outputs,
            self.loops,
            self.behind,
            self.ahead,
            self.off,
            self.off_first_third,
            self.off_last_third,
            self.at_seam,
            self.repeats_beyond,
        )
    }
}

const HEADER: &str = "\
clip          from   cam outputs loops behind/ahead off of:1st last third  at seam  repeats beyond";

/// What time goes by for a camera and its clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    /// The machine's: what it does not manage in time is late.
    Real,
    /// It stands still while frames are being decoded: the result is the same on every machine.
    Decoded,
}

fn watch(
    clip: &Numbered,
    camera_fps: u32,
    seconds: f64,
    is_kept: bool,
    scene_format: SceneFormat,
    clock: Time,
) -> Seen {
    let kept_bytes = if is_kept { KEPT_BYTES } else { 100_000 };
    let mut video =
        Video::open_within(&clip.source, Fit::Cover, scene_format, kept_bytes, None).unwrap();
    let (eye, start) = (Eye::new(), Instant::now());
    let outputs = (seconds * f64::from(camera_fps)) as u32;
    let third = outputs / 3;
    let mut seen = Seen {
        clip: clip.name,
        camera_fps,
        is_kept,
        outputs,
        loops: seconds / clip.length,
        behind: 0,
        ahead: 0,
        off: 0,
        off_first_third: 0,
        off_last_third: 0,
        at_seam: 0,
        repeats_beyond: 0,
    };
    let (mut last, mut last_due) = (None, None);
    for index in 0..outputs {
        let time = f64::from(index) / f64::from(camera_fps);
        let moment = Duration::from_secs_f64(time);
        let number = match (scene_format.pace, clock) {
            (Pace::Exact, _) => eye.see(&mut video, moment),
            (Pace::Live, Time::Decoded) => eye.see_due(&mut video, moment),
            (Pace::Live, Time::Real) => {
                thread::sleep((start + moment).saturating_duration_since(Instant::now()));
                eye.see(&mut video, moment)
            }
        };
        let error = clip.error(number, time);
        (seen.behind, seen.ahead) = (seen.behind.min(error), seen.ahead.max(error));
        let is_off = u32::from(error != 0);
        seen.off += is_off;
        seen.off_first_third += if index < third { is_off } else { 0 };
        seen.off_last_third += if index >= outputs - third { is_off } else { 0 };
        let within = time % clip.length;
        if time > 1.0 && (within < 0.3 || within > clip.length - 0.3) {
            seen.at_seam = seen.at_seam.max(error.abs());
        }
        let due = clip.due(time);
        seen.repeats_beyond += i64::from(last == Some(number)) - i64::from(last_due == Some(due));
        (last, last_due) = (Some(number), Some(due));
    }
    assert_eq!(video.kept.is_some(), is_kept, "{}", clip.name);
    seen
}

/// All clips on all cameras, for so long each, with clips of so many seconds.
fn table(seconds: f64, clip_seconds: f64, clock: Time) -> Vec<Seen> {
    let folder = tempfile::tempdir().unwrap();
    let clips = clips(folder.path(), clip_seconds);
    println!("{HEADER}");
    let mut all = Vec::new();
    // As many at once as there are clips: two cores decode that beside other work.
    for (is_kept, fps) in [true, false].into_iter().flat_map(|is| [15, 30, 60].map(|fps| (is, fps)))
    {
        let seen: Vec<Seen> = thread::scope(|scope| {
            let watchers = clips
                .iter()
                .map(|clip| scope.spawn(move || watch(clip, fps, seconds, is_kept, SITE, clock)));
            let watchers: Vec<_> = watchers.collect();
            watchers.into_iter().map(|watcher| watcher.join().unwrap()).collect()
        });
        seen.iter().for_each(|seen| println!("{seen}"));
        all.extend(seen);
    }
    assert!(all.iter().all(|seen| seen.loops >= 3.0));
    all
}

/// Live, with a clock that waits for the decoder: not one frame is off, whatever the machine does
/// besides.
#[test]
fn clips_run_at_their_own_speed() {
    for seen in table(5.0, 1.5, Time::Decoded) {
        assert_eq!((seen.off, seen.at_seam, seen.repeats_beyond), (0, 0, 0), "{seen}");
    }
}

/// By the machine's own clock, for a minute each, on a machine that has nothing else to do:
/// `cargo test --release -p greenroom-scene clips_run -- --ignored --nocapture` (six minutes).
#[test]
#[ignore = "takes six minutes, and a machine that has time"]
fn clips_run_at_their_own_speed_for_a_minute() {
    for seen in table(60.0, 15.0, Time::Real) {
        assert!(seen.behind >= -1 && seen.ahead <= 1, "more than one frame off: {seen}");
        // On a machine that has time, none is off; a busy one may lose some.
        assert!(seen.off <= seen.outputs / 50 + 2, "often off: {seen}");
        assert!(seen.off_last_third <= seen.off_first_third + seen.outputs / 100 + 2, "{seen}");
    }
}

/// As fast as it goes, and exact to the frame.
#[test]
fn exact_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let scene_format = SceneFormat { pace: Pace::Exact, ..SITE };
    for clip in clips(folder.path(), 2.4) {
        for is_kept in [true, false] {
            // More than a second from frame to frame is no pause here.
            for fps in [30, 60] {
                let seen = watch(&clip, fps, 8.0, is_kept, scene_format, Time::Decoded);
                assert_eq!((seen.off, seen.repeats_beyond), (0, 0), "{seen}");
            }
        }
    }
}
