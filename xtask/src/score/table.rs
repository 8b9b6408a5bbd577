//! The rows, as they are printed, and the tables of docs/cut.md that are made of them.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use super::figures::{Figure, Figures};
use super::ways::{Role, STEPS};
use crate::sheets::write_parts;

/// One row.
pub struct Row {
    /// The clip, variant or group of stills.
    pub subject: String,
    pub role: Role,
    pub way: String,
    pub figures: Figures,
}

/// The rows so far.
#[derive(Default)]
pub struct Table(Vec<Row>);

/// Figures of the summary; of all of them, less is better.
const SUMMARY: [Figure; 4] = [Figure::Mad, Figure::EdgeMad, Figure::Dtssd, Figure::Gradient];

impl Table {
    /// Names of the columns.
    pub fn print_head() {
        print!("{}", head());
    }

    /// Takes a row, and prints it.
    pub fn add(&mut self, row: Row) {
        print!("{}", line(&row));
        self.0.push(row);
    }

    /// Writes the parts `gains`, `ablation` and `score` of the page, and `spill` if that was measured.
    pub fn write(&self, page: &Path, spill: Option<&str>) -> Result<()> {
        let rows: String = self.0.iter().map(line).collect();
        let (gains, ablation, score) = (self.gains(), self.ablation(), head() + &rows);
        let mut parts = vec![("gains", &*gains), ("ablation", &ablation), ("score", &score)];
        parts.extend(spill.map(|spill| ("spill", spill)));
        write_parts(page, &parts)
    }

    fn subjects(&self) -> Vec<&str> {
        let mut subjects: Vec<&str> = Vec::new();
        for row in &self.0 {
            if !subjects.contains(&row.subject.as_str()) {
                subjects.push(&row.subject);
            }
        }
        subjects
    }

    fn of(&self, subject: &str, role: Role) -> impl Iterator<Item = &Row> {
        self.0.iter().filter(move |row| row.subject == subject && row.role == role)
    }

    /// Ours against the baseline and against the best of the rivals, figure by figure.
    fn gains(&self) -> String {
        let mut text = String::from("| clip | IoU mean: baseline, best rival, ours |");
        SUMMARY.iter().for_each(|figure| write!(text, " {} |", figure.name()).expect("to memory"));
        text += "\n|---|---|---|---|---|---|\n";
        for subject in self.subjects() {
            let Some(ours) = self.of(subject, Role::Ours).next() else { continue };
            let Some(base) = self.of(subject, Role::Baseline).next() else { continue };
            let best = |figure: Figure, more: bool| {
                let values =
                    self.of(subject, Role::Rival).filter_map(|row| row.figures.get(figure));
                values.reduce(|a, b| if (a > b) == more { a } else { b })
            };
            let iou = Figure::IouMean;
            let ious = [base.figures.get(iou), best(iou, true), ours.figures.get(iou)]
                .map(|v| iou.print(v));
            write!(text, "| {subject} | {} |", ious.join(", ")).expect("to memory");
            for figure in SUMMARY {
                let ours = ours.figures.get(figure);
                let change = |other: Option<f64>| change(other, ours);
                let (base, rival) = (change(base.figures.get(figure)), change(best(figure, false)));
                write!(text, " {base} ({rival}) |").expect("to memory");
            }
            text += "\n";
        }
        text
    }

    /// What becomes worse without each step.
    fn ablation(&self) -> String {
        let subjects = self.subjects();
        let mut text = String::from("| without |");
        subjects.iter().for_each(|subject| write!(text, " {subject} |").expect("to memory"));
        write!(text, "\n|---|{}\n", "---|".repeat(subjects.len())).expect("to memory");
        for step in STEPS {
            write!(text, "| `{step}` |").expect("to memory");
            for subject in &subjects {
                let ours = self.of(subject, Role::Ours).next();
                let without = self.of(subject, Role::Without(step)).next();
                let changes =
                    [Figure::Mad, Figure::EdgeMad, Figure::Dtssd, Figure::Toggles].map(|figure| {
                        let of = |row: Option<&Row>| row.and_then(|row| row.figures.get(figure));
                        change(of(ours), of(without))
                    });
                write!(text, " {} |", changes.join(" / ")).expect("to memory");
            }
            text += "\n";
        }
        text
    }
}

/// From one to the other, in hundredths of the one.
fn change(from: Option<f64>, to: Option<f64>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from > 0.0 => {
            let percent = (to / from - 1.0) * 100.0;
            // Not "-0".
            format!("{:+.0} %", if percent.abs() < 0.5 { 0.0 } else { percent }).replace('-', "−")
        }
        _ => "–".into(),
    }
}

fn head() -> String {
    let names = Figure::ALL.map(Figure::name);
    format!("| clip | matte | {} |\n|---|---{}|\n", names.join(" | "), "|---".repeat(names.len()))
}

fn line(row: &Row) -> String {
    let figures = Figure::ALL.map(|figure| figure.print(row.figures.get(figure)));
    format!("| {} | {} | {} |\n", row.subject, row.way, figures.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn changes_are_in_hundredths_of_what_was() {
        assert_eq!(change(Some(20.0), Some(13.0)), "−35 %");
        assert_eq!(change(Some(20.0), Some(21.0)), "+5 %");
        assert_eq!(change(Some(1000.0), Some(999.0)), "+0 %");
        assert_eq!(change(Some(0.0), Some(1.0)), "–");
        assert_eq!(change(None, Some(1.0)), "–");
    }
}
