//! `cargo xtask judge`: whether frames that a consumer read from the virtual camera show what they must: the
//! background where the room was, the person where the person is. Meant for the scripts of tests/vm, where it judges
//! what unmodified consumers received.
//!
//! Truth comes from the same clip rendered outside: the plain picture and its matte. Which of the clip's frames a
//! received one is, is not known; the one that fits best inside the person is taken.

mod placeholder;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
pub use placeholder::Plain;

/// The command line of `cargo xtask judge`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What the consumer read: raw YUYV frames, one behind the other
    frames: PathBuf,
    /// Size of the frames
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    size: String,
    /// How many frames there must be
    #[arg(long, required_unless_present = "last_is_placeholder")]
    count: Option<usize>,
    /// How many of them may be the placeholder instead: a guest that stands still for a second shows it, as it must
    #[arg(long, default_value_t = 0)]
    placeholders: usize,
    /// Judge only the last whole frame (the reader may have been stopped within one): it must be the placeholder
    #[arg(long)]
    last_is_placeholder: bool,
    /// The background's colour as Y,U,V
    #[arg(long, value_name = "Y,U,V")]
    background: String,
    /// The clip's plain picture (Y4M, 4:2:0 or 4:2:2) …
    #[arg(long, requires = "matte")]
    picture: Option<PathBuf>,
    /// … and its matte (Y4M, grey). Without these two, nobody may be in the frames at all
    #[arg(long, requires = "picture")]
    matte: Option<PathBuf>,
}

/// Alpha from which on a pixel is surely person, and up to which it is surely room.
const PERSON: u8 = 250;
const ROOM: u8 = 3;
/// Mean difference of luma inside the person: JPEG, a change of range and back.
const PERSON_TOLERANCE: f64 = 6.0;
/// Difference of any sample of the background: rounding, and JPEG never touched it.
const ROOM_TOLERANCE: u8 = 3;

/// One plane of one frame, at luma size.
type Luma = Vec<u8>;

/// Judges, and says what it saw.
///
/// # Errors
/// If the files cannot be read or are not what they are said to be.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (width, height) = pair(&arguments.size, 'x')?;
    let frames = fs::read(&arguments.frames)
        .with_context(|| format!("cannot read {}", arguments.frames.display()))?;
    let frame_bytes = width * height * 2;
    let count = frames.len() / frame_bytes;
    let whole = arguments.last_is_placeholder || frames.len() == frame_bytes * count;
    ensure!(
        count > 0 && whole && count == arguments.count.unwrap_or(count),
        "{} has {} bytes, not {} frames of {width}x{height} YUYV",
        arguments.frames.display(),
        frames.len(),
        arguments.count.unwrap_or(count.max(1))
    );
    let placeholder = Plain::new(width, height)?;
    if arguments.last_is_placeholder {
        let last = &frames[(count - 1) * frame_bytes..count * frame_bytes];
        let calm = placeholder.is(last);
        println!("the last of {count} frames is {}the placeholder", if calm { "" } else { "NOT " });
        return Ok(if calm { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let colour: Vec<u8> = arguments
        .background
        .split(',')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .context("--background is Y,U,V")?;
    let &[y, u, v] = colour.as_slice() else { bail!("--background is Y,U,V") };
    let truth = match (&arguments.picture, &arguments.matte) {
        (Some(picture), Some(matte)) => Some(Truth::read(picture, matte, (width, height))?),
        _ => None,
    };
    let (mut faults, mut placeholders) = (0, 0);
    for (index, frame) in frames.chunks_exact(frame_bytes).enumerate() {
        if placeholders < arguments.placeholders && placeholder.is(frame) {
            println!("frame {index}: the placeholder");
            placeholders += 1;
            continue;
        }
        let verdict = match &truth {
            Some(truth) => truth.judge(frame, [y, u, v]),
            None => nobody(frame, [y, u, v]),
        };
        match verdict {
            Ok(seen) => println!("frame {index}: {seen}"),
            Err(fault) => {
                println!("frame {index}: WRONG: {fault}");
                faults += 1;
            }
        }
    }
    let right = count - faults - placeholders;
    println!("{right} of {count} frames are right, {placeholders} the placeholder");
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The clip: luma of each frame, and its matte.
struct Truth {
    frames: Vec<(Luma, Luma)>,
}

impl Truth {
    fn read(picture: &Path, matte: &Path, size: (usize, usize)) -> Result<Self> {
        let (picture, matte) = (y4m_luma(picture, size)?, y4m_luma(matte, size)?);
        ensure!(
            picture.len() == matte.len(),
            "picture and matte have not the same number of frames"
        );
        Ok(Self { frames: picture.into_iter().zip(matte).collect() })
    }

    fn judge(&self, frame: &[u8], colour: [u8; 3]) -> std::result::Result<String, String> {
        let luma: Luma = frame.iter().step_by(2).copied().collect();
        let differences = self.frames.iter().enumerate().filter_map(|(index, (picture, matte))| {
            Some((person_difference(&luma, picture, matte)?, index))
        });
        let (difference, index) = differences
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .ok_or("the clip has nobody in any frame")?;
        let matte = &self.frames[index].1;
        let person = matte.iter().filter(|&&alpha| alpha >= PERSON).count();
        let (room, wrong) =
            faults_where(frame, colour, ROOM_TOLERANCE, |pixel| matte[pixel] <= ROOM);
        let seen = format!(
            "clip frame {index}, person {person} px (luma off by {difference:.2}), room {room} px, {wrong} of them \
             not the background"
        );
        let enough = matte.len() / 20;
        // The person must also be told apart from a frame of nothing but background.
        let flat = vec![colour[0]; luma.len()];
        let contrast = person_difference(&flat, &self.frames[index].0, matte).unwrap_or(0.0);
        let right = difference <= PERSON_TOLERANCE
            && contrast > 3.0 * PERSON_TOLERANCE
            && person >= enough
            && room >= enough
            // The consumer's frame may be of a neighbour in time: a pixel in a thousand at the edge.
            && wrong * 1000 <= room;
        if right { Ok(seen) } else { Err(seen) }
    }
}

/// Mean difference of luma where `matte` is surely person; `None` if that is nowhere.
fn person_difference(luma: &[u8], picture: &[u8], matte: &[u8]) -> Option<f64> {
    let inside = luma.iter().zip(picture).zip(matte).filter(|&(_, &alpha)| alpha >= PERSON);
    let (sum, count) = inside.fold((0u64, 0u64), |(sum, count), ((&a, &b), _)| {
        (sum + u64::from(a.abs_diff(b)), count + 1)
    });
    (count > 0).then(|| sum as f64 / count as f64)
}

/// Number of pixels of a YUYV frame, and how many of them are further than `tolerance` from the colour.
pub fn background_faults(frame: &[u8], colour: [u8; 3], tolerance: u8) -> (usize, usize) {
    faults_where(frame, colour, tolerance, |_| true)
}

/// Number of pixels that `is_room`, and how many of them are further than `tolerance` from the colour.
fn faults_where(
    frame: &[u8],
    [y, u, v]: [u8; 3],
    tolerance: u8,
    is_room: impl Fn(usize) -> bool,
) -> (usize, usize) {
    let (mut room, mut wrong) = (0, 0);
    for (group, &[y0, u0, y1, v0]) in frame.as_chunks::<4>().0.iter().enumerate() {
        // A chroma sample belongs to two pixels: only where both are room it must be the background's.
        if is_room(2 * group) && is_room(2 * group + 1) {
            let off = [(y0, y), (y1, y), (u0, u), (v0, v)]
                .iter()
                .any(|(a, b)| a.abs_diff(*b) > tolerance);
            room += 2;
            wrong += if off { 2 } else { 0 };
        }
    }
    (room, wrong)
}

/// A camera that sees nobody, one flat colour: all is background. (One pixel in a thousand may differ: it is where the
/// network sees a little of somebody.)
fn nobody(frame: &[u8], colour: [u8; 3]) -> std::result::Result<String, String> {
    let (all, wrong) = background_faults(frame, colour, ROOM_TOLERANCE);
    let seen = format!("{wrong} of {all} px are not the background");
    if wrong * 1000 <= all { Ok(seen) } else { Err(seen) }
}

/// Luma of every frame of a Y4M file.
fn y4m_luma(path: &Path, (width, height): (usize, usize)) -> Result<Vec<Luma>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let line_end = bytes.iter().position(|&byte| byte == b'\n').context("no Y4M header")?;
    let header = String::from_utf8_lossy(&bytes[..line_end]).into_owned();
    let field = |tag: char| header.split(' ').skip(1).find_map(|field| field.strip_prefix(tag));
    ensure!(header.starts_with("YUV4MPEG2"), "{} is not Y4M", path.display());
    ensure!(
        (field('W'), field('H')) == (Some(&width.to_string()), Some(&height.to_string())),
        "{} is not {width}x{height}: {header}",
        path.display()
    );
    let chroma_bytes = match field('C').unwrap_or("420") {
        "mono" => 0,
        "422" => width * height,
        chroma if chroma.starts_with("420") => 2 * width.div_ceil(2) * height.div_ceil(2),
        other => bail!("{}: chroma {other} is not handled", path.display()),
    };
    let mut lumas = Vec::new();
    let mut rest = &bytes[line_end + 1..];
    while let Some(frame) = rest.strip_prefix(b"FRAME\n") {
        ensure!(
            frame.len() >= width * height + chroma_bytes,
            "{} ends within a frame",
            path.display()
        );
        lumas.push(frame[..width * height].to_vec());
        rest = &frame[width * height + chroma_bytes..];
    }
    ensure!(!lumas.is_empty() && rest.is_empty(), "{} is not whole", path.display());
    Ok(lumas)
}

fn pair(text: &str, between: char) -> Result<(usize, usize)> {
    let (first, second) =
        text.split_once(between).with_context(|| format!("{text} is not a size"))?;
    Ok((first.parse()?, second.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOUR: [u8; 3] = [120, 54, 34];

    /// 40 x 20: the left half person, the right half room.
    fn truth() -> Truth {
        let luma = |x: usize| if x % 40 < 20 { 220 - (x % 7) as u8 } else { 30 };
        let matte = |x: usize| if x % 40 < 20 { 255 } else { 0 };
        Truth { frames: vec![((0..800).map(luma).collect(), (0..800).map(matte).collect())] }
    }

    fn composed(truth: &Truth) -> Vec<u8> {
        let (picture, matte) = &truth.frames[0];
        let pixels = picture.iter().zip(matte).enumerate();
        pixels
            .flat_map(|(x, (&y, &alpha))| {
                let chroma = if x % 2 == 0 { COLOUR[1] } else { COLOUR[2] };
                if alpha == 255 { [y, 128] } else { [COLOUR[0], chroma] }
            })
            .collect()
    }

    #[test]
    fn a_composed_frame_is_right_and_a_leak_is_not() {
        let truth = truth();
        let mut frame = composed(&truth);
        assert!(truth.judge(&frame, COLOUR).is_ok());
        // The raw room in one corner.
        for y in 0..4 {
            frame[y * 80 + 60..y * 80 + 80].fill(30);
        }
        assert!(truth.judge(&frame, COLOUR).is_err());
    }

    #[test]
    fn an_empty_frame_and_the_raw_frame_are_wrong() {
        let truth = truth();
        let empty: Vec<u8> =
            (0..400).flat_map(|_| [COLOUR[0], COLOUR[1], COLOUR[0], COLOUR[2]]).collect();
        assert!(truth.judge(&empty, COLOUR).is_err());
        assert!(nobody(&empty, COLOUR).is_ok());
        let raw: Vec<u8> = truth.frames[0].0.iter().flat_map(|&y| [y, 128]).collect();
        assert!(truth.judge(&raw, COLOUR).is_err());
        assert!(nobody(&raw, COLOUR).is_err());
    }
}
