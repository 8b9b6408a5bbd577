//! What hostile masks get to show of a room: `hostile CLIP ALPHA`, a video and its true alpha, which FFmpeg reads.
//!
//! Prints, for each kind of mask, the share of the true room that is shown as the mask comes and behind a `RoomGuard`, as
//! a mean and at most, and the share of the person that is lost; where a mask is not used, the built-in network's is.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};
use greenroom_matte::{MatteMaker, Model, RefineSteps, RoomGuard, Upscaler};

const SIZE: SizePx = SizePx::new(640, 360);
const WIDTH: usize = 640;

type Hostile = fn(nth: usize, mask: &mut [u8], old: &[u8]);

const KINDS: [(&str, Hostile); 11] = [
    ("right", |_, _, _| ()),
    ("all ones", |_, mask, _| mask.fill(255)),
    ("31 of 32", |_, mask, _| mask[..WIDTH * 348].fill(255)),
    ("inverted", |_, mask, _| mask.iter_mut().for_each(|alpha| *alpha = !*alpha)),
    ("shifted by half", |_, mask, _| {
        mask.chunks_exact_mut(WIDTH).for_each(|row| row.rotate_right(WIDTH / 2));
    }),
    ("checkerboard", |_, mask, _| {
        for (at, alpha) in mask.iter_mut().enumerate() {
            *alpha = 255 * u8::from((at % WIDTH / 16 + at / WIDTH / 16).is_multiple_of(2));
        }
    }),
    ("rows filled", |_, mask, _| wider(mask, WIDTH, 0)),
    ("12 px wider", |_, mask, _| wider(mask, 12, 2)),
    ("all ones from 100 on", |nth, mask, _| {
        if nth >= 100 {
            mask.fill(255);
        }
    }),
    ("all ones, 1 of 10", |nth, mask, _| {
        if nth % 10 == 9 {
            mask.fill(255);
        }
    }),
    ("2 s late", |_, mask, old| mask.copy_from_slice(old)),
];

/// `by` pixels to each side of the person in each row; `rows` of 0: the whole row.
fn wider(mask: &mut [u8], by: usize, rows: usize) {
    for row in mask.chunks_exact_mut(WIDTH) {
        let left = row.iter().position(|alpha| *alpha > 127);
        let right = row.iter().rposition(|alpha| *alpha > 127);
        if let (Some(left), Some(right)) = (left, right) {
            let by = if rows == 0 { WIDTH } else { by };
            row[left.saturating_sub(by)..(right + by + 1).min(WIDTH)].fill(255);
        }
    }
}

fn read(file: &str, format: &str) -> std::io::Result<impl Read> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-i", file, "-vf", "scale=640:360"]);
    ffmpeg.args(["-pix_fmt", format, "-f", "rawvideo", "-"]).stdout(Stdio::piped());
    ffmpeg.spawn()?.stdout.take().ok_or_else(|| std::io::Error::other("no standard output"))
}

/// Shares of the room that is shown and of the person that is lost.
fn shares(shown: &[u8], truth: &[u8]) -> [f64; 2] {
    let share = |of: &dyn Fn(u8) -> bool, is: &dyn Fn(u8) -> bool| {
        let all = truth.iter().zip(shown).filter(|(truth, _)| of(**truth));
        let (all, some) =
            all.fold((0, 0), |(all, some), (_, shown)| (all + 1, some + u32::from(is(*shown))));
        f64::from(some) / f64::from(all.max(1))
    };
    [
        share(&|truth| truth < 26, &|shown| shown > 127),
        share(&|truth| truth > 229, &|shown| shown < 128),
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [clip, alpha] = &words[..] else { return Err("hostile CLIP ALPHA".into()) };
    println!("| mask | room as it comes | at most | guarded | at most | person lost | used |");
    println!("|---|---|---|---|---|---|---|");
    for (name, hostile) in KINDS {
        let (mut video, mut truths) = (read(clip, "yuv420p")?, read(alpha, "gray")?);
        let mut own = MatteMaker::new(Model::DEFAULT)?.refined(RefineSteps::default())?;
        let (mut guard, mut upscaler) = (RoomGuard::new()?, Upscaler::new());
        let mut frame = Frame::new(PixelFormat::I420, SIZE, Colour::WEBCAM)?;
        let mut mask = Frame::new(PixelFormat::Grey, SIZE, Colour::JPEG)?;
        let mut fallback = mask.clone();
        let mut truth = vec![0; mask.bytes().len()];
        let mut past: Vec<Vec<u8>> = Vec::new();
        let (mut sums, mut most, mut used, mut nth) = ([0.0; 3], [0.0f64; 2], 0, 0u32);
        let start = Instant::now();
        while video.read_exact(frame.bytes_mut()).is_ok() && truths.read_exact(&mut truth).is_ok() {
            frame.set_captured_at(start + Duration::from_millis(33) * nth);
            past.push(truth.clone());
            for (mask, truth) in mask.bytes_mut().iter_mut().zip(&truth) {
                *mask = if *truth > 127 { 255 } else { 0 };
            }
            let old = &past[past.len().saturating_sub(60).min(past.len() - 1)];
            hostile(nth as usize, mask.bytes_mut(), old);
            let raw = shares(mask.bytes(), &truth);
            guard.look_if_due(&frame.view())?;
            let found = guard.cut(&frame.view(), &mut mask)?;
            let alpha = own.matte(&frame.view())?;
            upscaler.upscale(&alpha.view(), &mut fallback.view_mut())?;
            let shown = if found.agrees() { &mask } else { &fallback };
            used += u32::from(found.agrees());
            let guarded = shares(shown.bytes(), &truth);
            sums = [sums[0] + raw[0], sums[1] + guarded[0], sums[2] + guarded[1]];
            most = [most[0].max(raw[0]), most[1].max(guarded[0])];
            nth += 1;
            past.drain(..past.len().saturating_sub(61));
        }
        let [raw, guarded, lost] = sums.map(|sum| 100.0 * sum / f64::from(nth.max(1)));
        let [most_raw, most_guarded] = most.map(|share| 100.0 * share);
        println!(
            "| {name} | {raw:.2} % | {most_raw:.1} % | {guarded:.2} % | {most_guarded:.1} % | {lost:.2} % | \
             {used} of {nth} |"
        );
    }
    Ok(())
}
