//! `cargo xtask judge`: whether frames that a consumer read from the virtual camera show what they must. Each frame is
//! either a composed one (the background where the room was, the person where the person is) or greenroom's placeholder;
//! anything else is wrong. How many placeholders come says how fast the machine is, and is not judged: composed frames are
//! waited for. Meant for the scripts of tests/vm, where it judges what unmodified consumers receive, as they receive it.
//!
//! Truth comes from the same clip rendered outside: the plain picture and its matte. Which of the clip's frames a
//! received one is, is not known; the one that fits best inside the person is taken.

mod placeholder;

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
pub use placeholder::Plain;

/// The command line of `cargo xtask judge`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What the consumer reads: raw YUYV frames, one behind the other; `-` is standard input
    frames: PathBuf,
    /// Size of the frames
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    size: String,
    /// End well as soon as so many composed frames have come; exit code 3 if the input ends before
    #[arg(long, value_name = "N", required_unless_present = "last_is_placeholder")]
    composed: Option<usize>,
    /// Read to the end (the reader may have been stopped within a frame): the last whole frame must be the placeholder
    #[arg(long, conflicts_with = "composed")]
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

/// Exit code when no frame was wrong and fewer composed ones came than were asked for.
const EXIT_TOO_FEW: u8 = 3;
/// After so many wrong frames the rest is not read.
const MOST_WRONG: usize = 5;

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
    let size = pair(&arguments.size, 'x')?;
    let judge = Judge::new(arguments, size)?;
    let input: Box<dyn Read> = match arguments.frames.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(
            File::open(&arguments.frames)
                .with_context(|| format!("cannot read {}", arguments.frames.display()))?,
        ),
    };
    let seen = judge.look(BufReader::new(input), size.0 * size.1 * 2, arguments.composed)?;
    let Tally { composed, placeholders, wrong, last } = seen;
    println!(
        "{composed} composed, {placeholders} the placeholder, {wrong} wrong; the last one is {last:?}"
    );
    Ok(if wrong > 0 || arguments.last_is_placeholder && last != Some(Kind::Placeholder) {
        ExitCode::FAILURE
    } else if arguments.composed.is_some_and(|wanted| composed < wanted) {
        ExitCode::from(EXIT_TOO_FEW)
    } else {
        ExitCode::SUCCESS
    })
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Composed,
    Placeholder,
    Wrong,
}

/// What came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    composed: usize,
    placeholders: usize,
    wrong: usize,
    last: Option<Kind>,
}

/// Knows what frames may be.
struct Judge {
    placeholder: Plain,
    /// The background, Y, U, V.
    colour: [u8; 3],
    /// `None`: nobody is in front of the camera.
    truth: Option<Truth>,
}

impl Judge {
    fn new(arguments: &Arguments, (width, height): (usize, usize)) -> Result<Self> {
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
        Ok(Self { placeholder: Plain::new(width, height)?, colour: [y, u, v], truth })
    }

    /// Looks at each frame as it comes, until there were so many `composed` ones; with `None` to the end.
    fn look(
        &self,
        mut input: impl Read,
        frame_bytes: usize,
        composed: Option<usize>,
    ) -> Result<Tally> {
        let (mut seen, mut frame) = (Tally::default(), vec![0; frame_bytes]);
        for index in 0.. {
            let is_enough = composed.is_some_and(|wanted| seen.composed >= wanted);
            if is_enough || seen.wrong >= MOST_WRONG {
                break;
            }
            match input.read_exact(&mut frame) {
                // A reader that is stopped may leave a part of a frame.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                read => read.context("cannot read the frames")?,
            }
            let (kind, words) = self.kind(&frame);
            match kind {
                Kind::Composed => seen.composed += 1,
                Kind::Placeholder => seen.placeholders += 1,
                Kind::Wrong => seen.wrong += 1,
            }
            // Placeholders come by the hundred while a machine is slow.
            if kind != Kind::Placeholder || seen.last != Some(kind) {
                println!("frame {index}: {kind:?}: {words}");
            }
            seen.last = Some(kind);
        }
        Ok(seen)
    }

    fn kind(&self, frame: &[u8]) -> (Kind, String) {
        let verdict = match &self.truth {
            Some(truth) => truth.judge(frame, self.colour),
            None => nobody(frame, self.colour),
        };
        match verdict {
            Ok(words) => (Kind::Composed, words),
            Err(_) if self.placeholder.is(frame) => (Kind::Placeholder, String::new()),
            Err(words) => (Kind::Wrong, words),
        }
    }
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
mod tests;
