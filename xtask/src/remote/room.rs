//! How much of the room is in a recording.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// What is shown in place of the room.
pub const BACKGROUND: &str = "#00b140";
/// Share of the room from which on it counts as shown: what the mixing of a moving edge leaves is less.
pub const NOTICEABLE: f64 = 0.01;

/// Luma by which a pixel may differ from the camera's, and has to differ from the background's, to be the room.
const SAME: u8 = 8;
/// Pixels round a person that are not counted as room.
const MARGIN_PX: usize = 24;
/// What stands before each frame.
const MARK: usize = "FRAME\n".len();
/// Luma of the background; none of the room's is near.
const BACKGROUND_LUMA: u8 = 104;

/// The part of a clip in which there is never anybody, and what the camera saw there.
pub struct Room {
    /// Luma of the first frame; `None` where somebody comes at some time.
    luma: Vec<Option<u8>>,
}

impl Room {
    /// Looks where the built-in network never sees anybody in `clip`, which is 4:2:0 Y4M.
    ///
    /// # Errors
    /// If greenroom does not render, or there is no room.
    pub fn find(greenroom: &Path, clip: &Path, folder: &Path) -> Result<Self> {
        let mattes = folder.join("mattes.y4m");
        let mut render = Command::new(greenroom);
        render.arg("render").arg(clip).arg(folder.join("rendered.y4m"));
        render.args(["--background", BACKGROUND, "--matte"]).arg(&mattes);
        let rendered = render.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(rendered.success(), "greenroom does not render the clip");
        let camera = fs::read(clip)?;
        let (first, (width, height)) = (frames(&camera)?.next(), size(&camera)?);
        let mut luma: Vec<Option<u8>> =
            first.context("the clip is empty")?.iter().copied().map(Some).collect();
        let mattes = fs::read(mattes)?;
        for matte in frames(&mattes)? {
            for at in (0..matte.len()).filter(|at| matte[*at] > 25) {
                let (x, y) = (at % width, at / width);
                for y in y.saturating_sub(MARGIN_PX)..(y + MARGIN_PX + 1).min(height) {
                    let row = &mut luma[y * width..][..width];
                    row[x.saturating_sub(MARGIN_PX)..(x + MARGIN_PX + 1).min(width)].fill(None);
                }
            }
        }
        // What looks like the background cannot be told from it.
        let is_like_it = |luma: &u8| luma.abs_diff(BACKGROUND_LUMA) <= 2 * SAME;
        luma.iter_mut().for_each(|luma| *luma = luma.filter(|luma| !is_like_it(luma)));
        ensure!(luma.iter().flatten().count() > luma.len() / 10, "there is hardly any room");
        Ok(Self { luma })
    }

    /// The share of the room that is in each frame of `video`, 4:2:0 Y4M.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn shown_in(&self, video: &Path) -> Result<Vec<f64>> {
        let video = fs::read(video)?;
        let room = self.luma.iter().flatten().count() as f64;
        let share = |frame: &[u8]| {
            let pixels =
                || frame.iter().zip(&self.luma).filter_map(|(seen, room)| Some((seen, (*room)?)));
            let shown =
                pixels().filter(|(seen, room)| seen.abs_diff(*room) <= SAME).count() as f64 / room;
            let hidden = pixels().filter(|(seen, _)| seen.abs_diff(BACKGROUND_LUMA) <= SAME).count()
                as f64
                / room;
            // The placeholder, whose flat grey is somewhere the room's.
            if hidden < 0.01 && shown < 0.5 { 0.0 } else { shown }
        };
        Ok(frames(&video)?.map(share).collect())
    }
}

fn header(video: &[u8]) -> Result<&str> {
    let end = video.iter().position(|&byte| byte == b'\n').context("no Y4M header")?;
    std::str::from_utf8(&video[..end]).context("no Y4M header")
}

fn size(video: &[u8]) -> Result<(usize, usize)> {
    let side = |letter: char| {
        let word = header(video)?.split(' ').find_map(|word| word.strip_prefix(letter));
        word.and_then(|side| side.parse().ok()).context("Y4M has a width and a height")
    };
    Ok((side('W')?, side('H')?))
}

/// Luma of each whole frame.
fn frames(video: &[u8]) -> Result<impl Iterator<Item = &[u8]>> {
    let (width, height) = size(video)?;
    let header = header(video)?;
    let luma = width * height;
    let whole = match header {
        _ if header.contains("Cmono") => luma,
        _ if header.contains("C422") => 2 * luma,
        _ => luma + 2 * width.div_ceil(2) * height.div_ceil(2),
    };
    Ok(video[header.len() + 1..]
        .chunks_exact(MARK + whole)
        .map(move |frame| &frame[MARK..][..luma]))
}
