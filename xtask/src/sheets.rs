//! `cargo xtask sheets`: docs/backgrounds.jpg and docs/effects.jpg, from what the test of every scene renders, and the
//! parts of docs/scenes.md that are made: what there is, and what it costs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster};

use crate::places::Places;

/// The command line of `cargo xtask sheets`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Leave the benchmark's table as it is
    #[arg(long)]
    no_bench: bool,
}

const COLUMNS: u32 = 5;
/// A cell's picture, and the strip under it that tells what it is.
const CELL: (u32, u32) = (320, 240);
const LABEL_PX: u32 = 30;

/// Makes the sheets.
///
/// # Errors
/// If the test fails or a file cannot be written.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let docs = places.repository.join("docs");
    let cargo = |words: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&places.repository).args(words);
        cargo
    };
    let mut test = cargo(&["test", "--quiet", "--package", "greenroom", "--test", "every_scene"]);
    test.env("GREENROOM_SHEETS", folder.path());
    ensure!(test.status()?.success(), "the test of every scene fails");
    let mut pictures: Vec<PathBuf> = fs::read_dir(folder.path())?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    pictures.sort();
    let is_effect = |path: &PathBuf| label(path).starts_with("effect ");
    let (effects, backgrounds): (Vec<_>, Vec<_>) = pictures.into_iter().partition(is_effect);
    for (name, pictures) in [("backgrounds", backgrounds), ("effects", effects)] {
        let path = docs.join(format!("{name}.jpg"));
        sheet(&pictures)?.save(&path)?;
        println!("{}: {} pictures", path.display(), pictures.len());
    }
    let page = docs.join("scenes.md");
    let mut text = fs::read_to_string(&page)?;
    for what in ["backgrounds", "effects"] {
        let list =
            output(&mut cargo(&["run", "--quiet", "--bin", "greenroom", "--", "list", what]))?;
        text = with_part(&text, what, &format!("```text\n{}\n```", list.trim_end()))?;
    }
    if !arguments.no_bench {
        let words = ["bench", "--quiet", "--package", "greenroom-scene", "--bench", "scene", "--"];
        let table = output(cargo(&words).arg("--markdown"))?;
        text = with_part(&text, "times", table.trim())?;
    }
    fs::write(&page, text)?;
    println!("{}", page.display());
    Ok(ExitCode::SUCCESS)
}

fn output(command: &mut Command) -> Result<String> {
    let done = command.output()?;
    ensure!(done.status.success(), "{command:?} fails: {}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?)
}

/// The page with what stands between `<!-- NAME -->` and `<!-- /NAME -->` replaced.
fn with_part(page: &str, name: &str, part: &str) -> Result<String> {
    let marks = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&marks.0).with_context(|| marks.0.clone())?;
    let (_, after) = rest.split_once(&marks.1).with_context(|| marks.1.clone())?;
    Ok(format!("{before}{}\n{part}\n{}{after}", marks.0, marks.1))
}

/// Replaces such parts, of a name and a text each, in the page at `path`.
pub fn write_parts(path: &Path, parts: &[(&str, &str)]) -> Result<()> {
    let page =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let page = parts
        .iter()
        .try_fold(page, |page, (name, part)| with_part(&page, name, part.trim_end()))?;
    fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

/// `03 blur.png` -> `blur`
fn label(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    name.split_once(' ').map_or_else(|| name.clone().into_owned(), |(_, name)| name.to_owned())
}

fn sheet(pictures: &[PathBuf]) -> Result<RgbImage> {
    let rows = (pictures.len() as u32).div_ceil(COLUMNS);
    let (width, height) = CELL;
    let mut sheet =
        RgbImage::from_pixel(COLUMNS * width, rows * (height + LABEL_PX), Rgb([24, 24, 24]));
    for (index, path) in (0..).zip(pictures) {
        let (x, y) = (index % COLUMNS * width, index / COLUMNS * (height + LABEL_PX));
        let picture = image::open(path)?.into_rgb8();
        let picture = fitted(&picture, CELL);
        let (w, h) = picture.dimensions();
        imageops::replace(
            &mut sheet,
            &picture,
            (x + (width - w) / 2).into(),
            (y + (height - h) / 2).into(),
        );
        write(&mut sheet, label(path).trim_start_matches("effect "), (x + 6, y + height + 5));
    }
    Ok(sheet)
}

/// The picture as large as it fits into a cell of `width` x `height`.
pub fn fitted(picture: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let scale = (f64::from(width) / f64::from(picture.width()))
        .min(f64::from(height) / f64::from(picture.height()));
    let side = |side: u32| (f64::from(side) * scale).round() as u32;
    let (across, down) = (side(picture.width()), side(picture.height()));
    imageops::resize(picture, across, down, FilterType::CatmullRom)
}

/// Writes a line of text, 20 pixels high, light on dark.
pub fn write(sheet: &mut RgbImage, text: &str, (mut x, y): (u32, u32)) {
    for letter in text.chars() {
        let raster = get_raster(letter, FontWeight::Regular, RasterHeight::Size20);
        let Some(raster) = raster else { continue };
        for (dy, row) in raster.pixels().chunks(raster.width()).enumerate() {
            for (dx, &ink) in row.iter().enumerate() {
                let at = (x + dx as u32, y + dy as u32);
                if let Some(pixel) = sheet.get_pixel_mut_checked(at.0, at.1)
                    && ink > 24
                {
                    *pixel = Rgb([ink; 3]);
                }
            }
        }
        x += raster.width() as u32;
    }
}
