//! `spill`: how much of the old room is left in the person's edge. The other figures are of the matte, which this step
//! leaves as it is, so here the picture is measured: stills are set before plain rooms by their true alpha, rendered
//! over black, and compared with what they would be by the true alpha.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use image::{Rgb, RgbImage};

use super::edges::{self, Grey};
use super::media::{Mattes, ffmpeg};
use super::stills::{self, AS_A_WEBCAM, Still};
use super::ways::{self, Renderer, Role, STEPS, Way};

/// The old rooms: as bright and as dark as they get, and the colours that are seen most.
const ROOMS: [(&str, Rgb<u8>); 4] = [
    ("white", Rgb([255; 3])),
    ("dark grey", Rgb([30; 3])),
    ("green", Rgb([0, 255, 0])),
    ("red", Rgb([255, 0, 0])),
];

const BLACK: Rgb<u8> = Rgb([0; 3]);

/// Stills that are looked at, spread evenly: each is rendered eight times.
const STILLS: usize = 5;

/// Absolute differences of Y, U and V in the band, and how many.
#[derive(Debug, Clone, Copy, Default)]
struct Tally([(u64, u64); 3]);

impl Tally {
    /// Takes a picture in: planes of Y, U and V, 4:2:0. `band` is as large as Y; a sample of U or V is in it if one of
    /// its four is.
    fn add(&mut self, band: &[bool], width: usize, ours: &[u8], truth: &[u8]) {
        let height = band.len() / width;
        let mut start = 0;
        for (plane, (sum, count)) in self.0.iter_mut().enumerate() {
            let step = if plane == 0 { 1 } else { 2 };
            let (columns, rows) = (width.div_ceil(step), height.div_ceil(step));
            for at in 0..columns * rows {
                let (x, y) = (at % columns * step, at / columns * step);
                let mut covered = (y..(y + step).min(height))
                    .flat_map(|y| (x..(x + step).min(width)).map(move |x| y * width + x));
                if covered.any(|at| band[at]) {
                    *sum += u64::from(ours[start + at].abs_diff(truth[start + at]));
                    *count += 1;
                }
            }
            start += columns * rows;
        }
    }

    fn merge(&mut self, other: Self) {
        for (mine, other) in self.0.iter_mut().zip(other.0) {
            *mine = (mine.0 + other.0, mine.1 + other.1);
        }
    }

    /// Mean absolute errors of Y, U and V, in codes; zero without an edge.
    fn errors(self) -> [f64; 3] {
        self.0.map(|(sum, count)| sum as f64 / count.max(1) as f64)
    }
}

/// The errors without and with the step, room by room and of all, as a table.
///
/// # Errors
/// If a picture cannot be read or rendered, or no still has an edge.
pub fn table(renderer: &Renderer, model: &str, stills: &[Still]) -> Result<String> {
    let ways = ["false", "true"].map(|is_on| Way {
        role: Role::Ours,
        name: format!("spill = {is_on}"),
        short: "spill".into(),
        model: model.into(),
        config: ways::config(&STEPS, &format!("spill = {is_on}\n")),
    });
    let mut tallies = [[Tally::default(); 2]; ROOMS.len()];
    for still in chosen(stills)? {
        let rooms = renderer.work.path().join("rooms");
        std::fs::create_dir_all(&rooms).context("cannot make a folder")?;
        let person = image::open(&still.picture)
            .with_context(|| format!("cannot read {}", still.picture.display()))?
            .into_rgb8();
        let (path, clip) = (rooms.join("picture.png"), rooms.join("picture.mkv"));
        save(&set_before(&person, &still.truth, BLACK)?, &path)?;
        let truth = ffmpeg(&path, &["-vf", AS_A_WEBCAM, "-f", "rawvideo", "-"])?;
        let band = edges::band(grey(&still.truth));
        for ((_, room), tallies) in ROOMS.iter().zip(&mut tallies) {
            save(&set_before(&person, &still.truth, *room)?, &path)?;
            stills::show(&path, &clip)?;
            for (way, tally) in ways.iter().zip(tallies) {
                let frames = renderer.over_black(way, &clip)?;
                let last = frames.len().checked_sub(truth.len());
                let last = last.context("greenroom rendered no whole picture")?;
                tally.add(&band, still.truth.width, &frames[last..], &truth);
            }
        }
    }
    Ok(lines(&tallies))
}

/// Some of the stills, of those in which a person has an edge.
fn chosen(stills: &[Still]) -> Result<Vec<&Still>> {
    let has_edge = |still: &&Still| edges::band(grey(&still.truth)).contains(&true);
    let stills: Vec<&Still> = stills.iter().filter(has_edge).collect();
    ensure!(!stills.is_empty(), "spill: no still has a person with an edge");
    let count = STILLS.min(stills.len());
    Ok((0..count).map(|at| stills[(2 * at + 1) * stills.len() / (2 * count)]).collect())
}

fn grey(matte: &Mattes) -> Grey<'_> {
    Grey { samples: &matte.samples, width: matte.width }
}

/// `alpha * person + (1 - alpha) * room`.
fn set_before(person: &RgbImage, alpha: &Mattes, room: Rgb<u8>) -> Result<RgbImage> {
    let size = (person.width() as usize, person.height() as usize);
    ensure!(size == (alpha.width, alpha.height), "a still and its alpha differ in size");
    let mut picture = person.clone();
    for (pixel, &alpha) in picture.pixels_mut().zip(&alpha.samples) {
        let alpha = u16::from(alpha);
        for (sample, room) in pixel.0.iter_mut().zip(room.0) {
            let mixed = alpha * u16::from(*sample) + (255 - alpha) * u16::from(room);
            *sample = ((mixed + 127) / 255) as u8;
        }
    }
    Ok(picture)
}

fn save(picture: &RgbImage, path: &Path) -> Result<()> {
    picture.save(path).with_context(|| format!("cannot write {}", path.display()))
}

fn lines(tallies: &[[Tally; 2]; ROOMS.len()]) -> String {
    let mut all = [Tally::default(); 2];
    for room in tallies {
        all.iter_mut().zip(room).for_each(|(all, room)| all.merge(*room));
    }
    let mut text = String::from("| old room | picture | Y | U | V |\n|---|---|---|---|---|\n");
    let rooms = ROOMS.iter().map(|(name, _)| *name).zip(tallies);
    for (name, tallies) in rooms.chain([("all four", &all)]) {
        for (words, tally) in ["without `spill`", "with `spill`"].iter().zip(tallies) {
            let [y, u, v] = tally.errors();
            writeln!(text, "| {name} | {words} | {y:.2} | {u:.2} | {v:.2} |").expect("to memory");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_band_counts_and_each_plane_for_itself() {
        // 4x2: the band is the third column, so of the two samples of U and V the right one.
        let band = [false, false, true, false, false, false, true, false];
        let truth = [16, 16, 50, 60, 16, 16, 50, 60, 128, 100, 128, 90];
        let ours = [99, 99, 54, 99, 99, 99, 44, 99, 99, 107, 99, 87];
        let mut tally = Tally::default();
        tally.add(&band, 4, &ours, &truth);
        assert_eq!(tally.errors(), [5.0, 7.0, 3.0]);
        // A picture without an error halves them.
        let mut other = Tally::default();
        other.add(&band, 4, &truth, &truth);
        tally.merge(other);
        assert_eq!(tally.errors(), [2.5, 3.5, 1.5]);
    }

    #[test]
    fn a_last_odd_column_has_its_own_colour() {
        // 3x1: two samples of U and V, the second of one pixel.
        let mut tally = Tally::default();
        tally.add(&[false, false, true], 3, &[0, 0, 3, 9, 2, 9, 1], &[0; 7]);
        assert_eq!(tally.errors(), [3.0, 2.0, 1.0]);
    }

    #[test]
    fn a_room_shows_as_far_as_the_person_does_not() {
        let person = RgbImage::from_pixel(3, 1, Rgb([200, 100, 0]));
        let alpha = Mattes { width: 3, height: 1, samples: vec![255, 51, 0] };
        let picture = set_before(&person, &alpha, Rgb([0, 255, 100])).unwrap();
        let pixels: Vec<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
        assert_eq!(pixels, [[200, 100, 0], [40, 224, 80], [0, 255, 100]]);
        assert!(set_before(&RgbImage::new(1, 1), &alpha, BLACK).is_err());
    }

    #[test]
    fn a_table_has_both_pictures_of_each_room() {
        let mut tallies = [[Tally::default(); 2]; ROOMS.len()];
        tallies[0] = [Tally([(80, 10), (40, 5), (20, 5)]), Tally([(30, 10), (10, 5), (5, 5)])];
        tallies[1] = tallies[0].map(|_| Tally([(0, 10), (0, 5), (0, 5)]));
        let text = lines(&tallies);
        assert!(text.contains("| white | without `spill` | 8.00 | 8.00 | 4.00 |\n"), "{text}");
        assert!(text.contains("| white | with `spill` | 3.00 | 2.00 | 1.00 |\n"), "{text}");
        assert!(text.contains("| all four | without `spill` | 4.00 | 4.00 | 2.00 |\n"), "{text}");
        assert!(text.contains("| all four | with `spill` | 1.50 | 1.00 | 0.50 |\n"), "{text}");
    }
}
