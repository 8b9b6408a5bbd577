//! Contact sheets to look at: the frames in which ours is furthest from the truth, and all ways side by side.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::imageops;
use image::{Rgb, RgbImage};

use super::media::{Mattes, ffmpeg_of};
use super::ways::{Renderer, Role, Way};
use crate::sheets::{fitted, write};

/// Width of a cell, and height of the strip of text under it.
const CELL_PX: u32 = 400;
const LABEL_PX: u32 = 26;
/// Rows of a sheet.
const FRAMES: usize = 7;
/// Frames nearer to each other than this show the same fault.
const APART_FRAMES: usize = 10;

/// A picture, and what it is.
pub type Cell = (RgbImage, String);

/// Makes sheets in a folder.
pub struct Sheets<'a> {
    pub renderer: &'a Renderer,
    pub folder: &'a Path,
}

impl Sheets<'_> {
    /// Of one clip the frames in which ours is furthest from the truth: picture, truth, our alpha, composed on grey.
    pub fn worst(
        &self,
        name: &str,
        clip: &Path,
        ours: &Way,
        [mattes, truth]: [&Mattes; 2],
        mads: &[f64],
    ) -> Result<()> {
        let frames = furthest(mads);
        let pictures = frames_of(clip, &frames)?;
        let composed = self.composed(ours, clip, "#808080", &frames)?;
        let rows =
            frames.iter().zip(pictures.into_iter().zip(composed)).map(|(&frame, (picture, on))| {
                let words = format!("{frame}: MAD {:.1}", mads[frame] * 1000.0);
                vec![
                    (picture, words),
                    (grey(truth, frame), "truth".into()),
                    (grey(mattes, frame), "ours".into()),
                    (on, "on grey".into()),
                ]
            });
        self.save(&format!("worst, {name}"), &rows.collect::<Vec<_>>())
    }

    /// One frame of a clip: picture, composed in this way on green, where ours and the truth differ. Both mattes come with
    /// the number that this frame has in them.
    pub fn row(
        &self,
        name: &str,
        clip: &Path,
        way: &Way,
        frame: usize,
        [ours, truth]: [(&Mattes, usize); 2],
    ) -> Result<Vec<Cell>> {
        let (picture, on) =
            (frames_of(clip, &[frame])?, self.composed(way, clip, "#00c000", &[frame])?);
        let faults = fault_picture(grey(ours.0, ours.1), &grey(truth.0, truth.1));
        let pictures = picture.into_iter().chain(on).chain([faults]);
        let words =
            [format!("{name}: {frame}"), way.short.clone(), "red false, blue missed".into()];
        Ok(pictures.zip(words).collect())
    }

    /// A page of such rows, two beside each other.
    pub fn worst_of_each(&self, name: &str, rows: &[Vec<Cell>]) -> Result<()> {
        self.save(name, &rows.chunks(2).map(<[_]>::concat).collect::<Vec<_>>())
    }

    /// Frames of one clip, spread evenly: each way on each background.
    pub fn side_by_side(
        &self,
        name: &str,
        clip: &Path,
        all_ways: &[Way],
        count: usize,
    ) -> Result<()> {
        let frames: Vec<usize> = (0..FRAMES.min(count))
            .map(|at| (2 * at + 1) * count / (2 * FRAMES.min(count)))
            .collect();
        let is_shown = |way: &&Way| matches!(way.role, Role::Baseline | Role::Rival | Role::Ours);
        let busy = self.busy()?;
        let busy = busy.to_string_lossy();
        for (word, background) in
            [("grey", "#808080"), ("white", "#ffffff"), ("black", "#000000"), ("busy", &*busy)]
        {
            let pictures = frames_of(clip, &frames)?;
            let cell = |(frame, picture)| vec![(picture, format!("frame {frame}"))];
            let mut rows: Vec<Vec<Cell>> = frames.iter().zip(pictures).map(cell).collect();
            for way in all_ways.iter().filter(is_shown) {
                let composed = self.composed(way, clip, background, &frames)?;
                let cells = composed.into_iter().map(|picture| (picture, way.short.clone()));
                rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
            }
            self.save(&format!("{name}, {word}"), &rows)?;
        }
        Ok(())
    }

    /// Frames of what `greenroom render` makes.
    fn composed(
        &self,
        way: &Way,
        clip: &Path,
        background: &str,
        frames: &[usize],
    ) -> Result<Vec<RgbImage>> {
        let folder = tempfile::tempdir()?;
        // Not Y4M: of a clip whose rate changes, frames would be missing in it.
        let made = folder.path().join("composed.mkv");
        let mut command = self.renderer.command(folder.path(), way, clip)?;
        self.renderer.finish(command.arg(&made).args(["--background", background]))?;
        frames_of(&made, frames)
    }

    /// A background with an edge everywhere: a chequered one in two colours that no room has.
    fn busy(&self) -> Result<PathBuf> {
        let path = self.renderer.work.path().join("busy.png");
        let chequer = RgbImage::from_fn(1280, 720, |x, y| {
            let light = ((x / 40) + (y / 40)).is_multiple_of(2);
            Rgb(if light { [235, 200, 60] } else { [40, 60, 150] })
        });
        chequer.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn save(&self, name: &str, rows: &[Vec<Cell>]) -> Result<()> {
        fs::create_dir_all(self.folder)
            .with_context(|| format!("cannot make {}", self.folder.display()))?;
        let path = self.folder.join(format!("{name}.png"));
        sheet(rows).save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("{}", path.display());
        Ok(())
    }
}

/// Frames of a clip, by number.
fn frames_of(clip: &Path, frames: &[usize]) -> Result<Vec<RgbImage>> {
    let work = tempfile::tempdir()?;
    let numbers: Vec<_> = frames.iter().map(|frame| format!("eq(n,{frame})")).collect();
    let filters = format!("format=yuv420p,select='{}'", numbers.join("+"));
    let words = ["-vf", &filters, "-fps_mode", "passthrough"];
    let mut words: Vec<_> = words.iter().map(OsString::from).collect();
    words.push(work.path().join("%03d.png").into());
    ffmpeg_of(&[clip], &words)?;
    let picture = |(frame, number)| {
        let path = work.path().join(format!("{number:03}.png"));
        let missing = || format!("{} has no frame {frame}", clip.display());
        Ok(image::open(&path).with_context(missing)?.into_rgb8())
    };
    frames.iter().zip(1..).map(picture).collect()
}

/// The frames with the most error, apart from each other, in the order of time.
fn furthest(mads: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..mads.len()).collect();
    order.sort_by(|a, b| mads[*b].total_cmp(&mads[*a]));
    let mut chosen: Vec<usize> = Vec::new();
    for frame in order {
        if chosen.len() < FRAMES && chosen.iter().all(|other| other.abs_diff(frame) >= APART_FRAMES)
        {
            chosen.push(frame);
        }
    }
    chosen.sort_unstable();
    chosen
}

fn grey(mattes: &Mattes, frame: usize) -> RgbImage {
    let area = mattes.width * mattes.height;
    RgbImage::from_fn(mattes.width as u32, mattes.height as u32, |x, y| {
        Rgb([mattes.samples[frame * area + y as usize * mattes.width + x as usize]; 3])
    })
}

/// Red where ours has a person and the truth has none, blue where it is the other way round, grey where both have one.
fn fault_picture(mut ours: RgbImage, truth: &RgbImage) -> RgbImage {
    for (pixel, truth) in ours.pixels_mut().zip(truth.pixels()) {
        let (have, want) = (pixel.0[0], truth.0[0]);
        let both = have.min(want) / 2;
        *pixel = Rgb([both + (have - have.min(want)), both, both + (want - have.min(want))]);
    }
    ours
}

fn sheet(rows: &[Vec<Cell>]) -> RgbImage {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let first = rows.first().and_then(|row| row.first());
    let height = first.map_or(0, |(picture, _)| CELL_PX * picture.height() / picture.width());
    let step = height + LABEL_PX;
    let mut sheet =
        RgbImage::from_pixel(columns * CELL_PX, rows.len() as u32 * step, Rgb([24, 24, 24]));
    for (row, cells) in (0..).zip(rows) {
        for (column, (picture, words)) in (0..).zip(cells) {
            let (x, y) = (column * CELL_PX, row * step);
            // Not all clips of a page have one shape.
            let picture = fitted(picture, (CELL_PX, height));
            imageops::replace(&mut sheet, &picture, x.into(), y.into());
            write(&mut sheet, words, (x + 6, y + height + 3));
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_colours() {
        let row = |samples: [u8; 3]| RgbImage::from_fn(3, 1, |x, _| Rgb([samples[x as usize]; 3]));
        let faults = fault_picture(row([255, 0, 255]), &row([0, 255, 255]));
        assert_eq!(faults.as_raw()[..], [255, 0, 0, 0, 0, 255, 127, 127, 127]);
    }

    #[test]
    fn the_furthest_frames_are_apart() {
        let mut mads = vec![0.0; 200];
        (mads[50], mads[51], mads[120]) = (0.9, 0.8, 0.5);
        let chosen = furthest(&mads);
        assert_eq!(chosen.len(), FRAMES);
        assert!(chosen.contains(&50) && chosen.contains(&120) && !chosen.contains(&51));
        assert_eq!(furthest(&[0.1, 0.3]), [1]);
    }
}
