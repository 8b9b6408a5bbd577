//! `cargo xtask score --world FOLDER`: sets of many people in many rooms, each set counted once.

mod average;
mod half;
mod hands;
mod measure;
mod render;
mod sets;

use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, bail};

use self::average::{mean, percentile};
pub use self::half::Half;
pub(crate) use self::measure::Measured;
use self::render::{Rendering, Scored};
use self::sets::Subject;
use super::sheets::Sheets;
use super::variants::Variant;
use super::ways::{Renderer, Role, Way};

/// What of the world is scored, and what of it is to be kept.
pub struct Asked<'a> {
    pub half: Half,
    /// Names of sets; all if there are none.
    pub sets: &'a [String],
    /// Also made of each subject.
    pub variants: &'a [Variant],
    /// Also pages of the worst frame of each subject, in our ways.
    pub sheets: Option<Sheets<'a>>,
    /// Limits for our matte, of each set: of the mean IoU, and of the room shown in percent.
    pub least_mean: Option<f64>,
    pub most_shown: Option<f64>,
}

/// A second in which more of the picture shows the room is a bad one.
const BAD_SECOND: f64 = 0.02;

/// Scores every way on the sets in `folder`, and prints a line for each subject. The table, and which limits were not
/// kept.
///
/// # Errors
/// If a clip cannot be read or rendered, or there is no such set.
pub fn score(
    renderer: &Renderer,
    ways: &[Way],
    folder: &Path,
    asked: &Asked<'_>,
) -> Result<(String, Vec<String>)> {
    let mut sets = sets::find(folder, &renderer.work.path().join("world"), asked.half)?;
    if let Some(name) = asked.sets.iter().find(|name| sets.iter().all(|set| set.name != **name)) {
        bail!("there is no set {name}");
    }
    sets.retain(|set| asked.sets.is_empty() || asked.sets.iter().any(|name| name == set.name));
    let mut missed = Vec::new();
    let mut table = String::from(HEAD);
    let all_variants = std::iter::once(None).chain(asked.variants.iter().copied().map(Some));
    for (variant, way) in
        all_variants.flat_map(|variant| ways.iter().map(move |way| (variant, way)))
    {
        let is_ours = matches!(way.role, Role::Ours | Role::Quality);
        let sheets = asked.sheets.as_ref().filter(|_| is_ours);
        let rendering = Rendering { renderer, way, variant, sheets };
        let (mut lines, mut count) = (Vec::new(), 0);
        let mut scored: Vec<Scored> = Vec::new();
        for set in &sets {
            // A selection has subjects of other sets, which are rendered once.
            let is_new = |subject: &&Subject| scored.iter().all(|one| one.name != subject.name);
            let new: Vec<_> = set.subjects.iter().filter(is_new).collect();
            scored.extend(rendering.measure(&new)?);
            let of_set: Vec<&Scored> = (set.subjects.iter())
                .filter_map(|subject| scored.iter().find(|one| one.name == subject.name))
                .collect();
            rendering.page(set.name, &of_set)?;
            let measured: Vec<&Measured> = of_set.iter().map(|one| &one.measured).collect();
            let line = Line::of(&measured);
            let name = rendering.name_of(set.name);
            writeln!(table, "{}", line.print(&name, &way.name, set.truth.name(), measured.len()))?;
            if way.role == Role::Ours && variant.is_none() {
                missed.extend(line.misses(set.name, asked));
            }
            if !set.is_selection {
                lines.push(line);
                count += measured.len();
            }
        }
        if !lines.is_empty() {
            let name = rendering.name_of("all sets");
            writeln!(table, "{}", Line::mean(&lines).print(&name, &way.name, "", count))?;
        }
    }
    Ok((table, missed))
}

const HEAD: &str = "| set | matte | truth | n | IoU mean | p10 | least | false % | p90 | worst | missed % | \
     worst second | missed of the person % | room shown % | worst second | clips with a second over 2 % | toggles |\n\
     |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";

/// Figures of a set.
#[derive(Default)]
struct Line {
    iou: f64,
    iou_low: f64,
    iou_least: f64,
    wrong: f64,
    wrong_high: f64,
    wrong_worst: f64,
    missed: f64,
    missed_second: f64,
    missed_of_person: f64,
    shown: f64,
    shown_second: f64,
    bad_clips: f64,
    toggles: f64,
}

impl Line {
    fn of(measured: &[&Measured]) -> Self {
        let all = |figure: fn(&Measured) -> Option<f64>| -> Vec<f64> {
            let mut values: Vec<f64> = measured.iter().filter_map(|one| figure(one)).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let ious = all(|one| one.iou);
        let wrong = all(|one| Some(one.wrong));
        let shown_seconds = all(|one| Some(one.shown_second));
        Self {
            iou: mean(&ious),
            iou_low: percentile(&ious, 0.10),
            iou_least: percentile(&ious, 0.0),
            wrong: mean(&wrong),
            wrong_high: percentile(&wrong, 0.90),
            wrong_worst: percentile(&wrong, 1.0),
            missed: mean(&all(|one| Some(one.missed))),
            missed_second: percentile(&all(|one| Some(one.missed_second)), 1.0),
            missed_of_person: mean(&all(|one| one.missed_of_person)),
            shown: mean(&all(|one| Some(one.shown))),
            shown_second: percentile(&shown_seconds, 1.0),
            bad_clips: shown_seconds.iter().filter(|&&shown| shown > BAD_SECOND).count() as f64,
            toggles: mean(&all(|one| one.toggles)),
        }
    }

    /// The mean of several; of the worst ones the worst, and all bad clips.
    fn mean(lines: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| mean(&lines.iter().map(figure).collect::<Vec<_>>());
        let worst = |figure: fn(&Self) -> f64| lines.iter().map(figure).fold(0.0, f64::max);
        Self {
            iou: of(|line| line.iou),
            iou_low: of(|line| line.iou_low),
            iou_least: lines.iter().map(|line| line.iou_least).fold(1.0, f64::min),
            wrong: of(|line| line.wrong),
            wrong_high: of(|line| line.wrong_high),
            wrong_worst: worst(|line| line.wrong_worst),
            missed: of(|line| line.missed),
            missed_second: worst(|line| line.missed_second),
            missed_of_person: of(|line| line.missed_of_person),
            shown: of(|line| line.shown),
            shown_second: worst(|line| line.shown_second),
            bad_clips: lines.iter().map(|line| line.bad_clips).sum(),
            toggles: of(|line| line.toggles),
        }
    }

    /// Which limits this line does not keep.
    fn misses(&self, set: &str, asked: &Asked<'_>) -> Vec<String> {
        let mut misses = Vec::new();
        if let Some(least) = asked.least_mean.filter(|&least| self.iou < least) {
            misses.push(format!("{set}: mean IoU {:.4} is below {least}", self.iou));
        }
        let shown = 100.0 * self.shown;
        if let Some(most) = asked.most_shown.filter(|&most| shown > most) {
            misses.push(format!("{set}: {shown:.2} % of the room is shown, more than {most} %"));
        }
        misses
    }

    fn print(&self, set: &str, way: &str, truth: &str, count: usize) -> String {
        let hundredths = |value: f64| format!("{:.2}", value * 100.0);
        format!(
            "| {set} | {way} | {truth} | {count} | {:.4} | {:.3} | {:.3} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0} | {:.1} |",
            self.iou,
            self.iou_low,
            self.iou_least,
            hundredths(self.wrong),
            hundredths(self.wrong_high),
            hundredths(self.wrong_worst),
            hundredths(self.missed),
            hundredths(self.missed_second),
            hundredths(self.missed_of_person),
            hundredths(self.shown),
            hundredths(self.shown_second),
            self.bad_clips,
            self.toggles,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_held_against_each_set() {
        let line = Line { iou: 0.9, shown: 0.004, ..Line::default() };
        let asked = |least_mean, most_shown| Asked {
            half: Half::Both,
            sets: &[],
            variants: &[],
            sheets: None,
            least_mean: Some(least_mean),
            most_shown: Some(most_shown),
        };
        assert!(line.misses("rooms", &asked(0.9, 0.4)).is_empty());
        assert_eq!(line.misses("rooms", &asked(0.91, 0.4)).len(), 1);
        assert_eq!(line.misses("rooms", &asked(0.91, 0.39)).len(), 2);
    }

    #[test]
    fn each_figure_has_its_column() {
        let columns = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
        let line = Line { missed: 0.01, missed_of_person: 0.25, shown: 0.02, ..Line::default() };
        let cells: Vec<String> = columns(&line.print("hands", "ours", "", 1));
        let heads: Vec<Vec<String>> = HEAD.lines().map(columns).collect();
        assert!(heads.iter().all(|head| head.len() == cells.len()), "{heads:?}");
        let cell = |name: &str| &cells[heads[0].iter().position(|head| head == name).unwrap()];
        assert_eq!(cell("missed %"), "1.00");
        assert_eq!(cell("missed of the person %"), "25.00");
        assert_eq!(cell("room shown %"), "2.00");
    }

    #[test]
    fn a_clip_of_nobody_does_not_count_as_a_person_without_faults() {
        let nobody = Measured::default();
        let half = Measured { missed_of_person: Some(0.5), ..Measured::default() };
        assert_eq!(Line::of(&[&half, &nobody]).missed_of_person, 0.5);
    }

    #[test]
    fn each_set_counts_once() {
        let line = |iou, bad_clips| Line { iou, iou_least: iou, bad_clips, ..Line::default() };
        let all = Line::mean(&[line(0.8, 2.0), line(0.6, 1.0)]);
        assert!((all.iou - 0.7).abs() < 1e-9);
        assert_eq!((all.iou_least, all.bad_clips), (0.6, 3.0));
    }
}
