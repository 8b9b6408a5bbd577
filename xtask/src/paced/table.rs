//! Tables of what was measured, for docs/speed.md.

use super::Line;
use super::cases::{FOUR_SCENES, Group, ONE_OUTPUT, SIZES};
use crate::choice::median;

/// The threads of a greenroom that work on every frame; the others are told together.
const THREADS: [&str; 4] = ["camera", "matte", "output", "second opinion"];

/// The lines of one case.
struct Rounds<'a>(Vec<&'a Line>);

impl Rounds<'_> {
    fn median(&self, of: impl Fn(&Line) -> f64) -> f64 {
        let mut values: Vec<_> = self.0.iter().map(|line| of(line)).collect();
        median(&mut values)
    }

    fn whole_ms(&self) -> f64 {
        self.median(whole_ms)
    }

    /// In floors.
    fn floors(&self) -> f64 {
        self.median(|line| whole_ms(line) / line.floor_ms)
    }
}

fn whole_ms(line: &Line) -> f64 {
    line.ms.values().sum()
}

fn rounds<'a>(case: &str, lines: &'a [Line]) -> Rounds<'a> {
    Rounds(lines.iter().filter(|line| line.case == case).collect())
}

/// Of all cases, and what they say together.
pub(super) fn table(group: Group, cases: &[&str], lines: &[Line]) -> String {
    let mut rows = vec![
        format!(
            "| case | ms a frame | of it: {} | × floor | of one core | delay p50, p95, p99 in ms | delay p50, p99 × computing | \
             dropped |",
            THREADS.join(", ")
        ),
        "|---|---:|---|---:|---:|---:|---:|---:|".to_owned(),
    ];
    rows.extend(cases.iter().map(|case| row(case, &rounds(case, lines))));
    let frames: u64 = lines.iter().map(|line| line.frames).sum();
    let floor = Rounds(lines.iter().collect()).median(|line| line.floor_ms);
    rows.push(format!("| floor | {floor:.2} | | 1 | | | | |\n\n{frames} frames in all."));
    let sentence = match group {
        Group::Sizes => growth(lines),
        Group::Outputs => price_of_scenes(lines),
        Group::Program | Group::Formats | Group::Processors => None,
    };
    rows.extend(sentence);
    rows.join("\n")
}

fn row(case: &str, of_case: &Rounds<'_>) -> String {
    let threads = THREADS.map(|thread| {
        format!("{:.2}", of_case.median(|line| line.ms.get(thread).copied().unwrap_or(0.0)))
    });
    let delay = |name: &'static str| {
        move |line: &Line| {
            let latency = line.latency_ms.as_ref().and_then(|latency| latency.get(name));
            latency.copied().unwrap_or(f64::NAN)
        }
    };
    let known = |value: f64, digits: usize| match value.is_nan() {
        true => "–".to_owned(),
        false => format!("{value:.digits$}"),
    };
    let delays = ["p50", "p95", "p99"].map(|name| known(of_case.median(delay(name)), 1));
    let ratio = |name| known(of_case.median(|line| delay(name)(line) / line.compute_ms), 2);
    let dropped = of_case
        .median(|line| 100.0 * line.dropped as f64 / (line.frames + line.dropped).max(1) as f64);
    format!(
        "| {case} | {:.2} | {} | **{:.2}** | {:.0} % | {} | {}, {} | {dropped:.1} % |",
        of_case.whole_ms(),
        threads.join(", "),
        of_case.floors(),
        100.0 * of_case.median(|line| line.core_share),
        delays.join(", "),
        ratio("p50"),
        ratio("p99"),
    )
}

/// How the time grows with the picture: a constant and a part of each pixel, with the least relative deviation.
fn growth(lines: &[Line]) -> Option<String> {
    let points: Vec<(f64, f64)> = SIZES
        .iter()
        .map(|(size, megapixels)| (*megapixels, rounds(size, lines)))
        .filter(|(_, rounds)| !rounds.0.is_empty())
        .map(|(megapixels, rounds)| (megapixels, rounds.whole_ms()))
        .collect();
    let (constant, slope) = line_through(&points)?;
    let deviations = points.iter().map(|(x, y)| ((constant + slope * x) / y - 1.0).abs());
    let most = deviations.fold(0.0, f64::max);
    Some(format!(
        "\nAt 30 frames a second, a frame takes {constant:.1} ms and {slope:.2} ms for each million pixels, to within {:.0} %.",
        100.0 * most
    ))
}

/// Constant and slope of the line with the least squares of relative deviations.
fn line_through(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        points.iter().map(|&(x, y)| of(x, y) / (y * y)).sum()
    };
    let (weight, x, y) = (sum(&|_, _| 1.0), sum(&|x, _| x), sum(&|_, y| y));
    let (xx, xy) = (sum(&|x, _| x * x), sum(&|x, y| x * y));
    let spread = weight * xx - x * x;
    let slope = (weight * xy - x * y) / spread;
    (points.len() >= 3 && spread > 0.0).then(|| ((y - slope * x) / weight, slope))
}

fn price_of_scenes(lines: &[Line]) -> Option<String> {
    let [one, four] = [ONE_OUTPUT, FOUR_SCENES].map(|case| rounds(case, lines));
    let is_whole = !one.0.is_empty() && !four.0.is_empty();
    is_whole.then(|| {
        format!(
            "\nFour outputs with a scene each take {:.2} of what one output takes.",
            four.whole_ms() / one.whole_ms()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn line(case: &str, ms: f64) -> Line {
        let latency = [("p50", 2.0), ("p95", 3.0), ("p99", 4.0)];
        let latency = latency.map(|(name, ms)| (name.to_owned(), ms));
        Line {
            case: case.to_owned(),
            frames: 98,
            floor_ms: 2.0,
            ms: BTreeMap::from([("camera".to_owned(), 1.0), ("matte".to_owned(), ms - 1.0)]),
            core_share: 0.25,
            latency_ms: Some(latency.into()),
            compute_ms: 1.6,
            dropped: 2,
        }
    }

    #[test]
    fn a_row_has_medians_and_ratios() {
        let lines = [line("blur", 5.0), line("blur", 6.0), line("blur", 40.0)];
        let table = table(Group::Program, &["blur"], &lines);
        let row = "| blur | 6.00 | 1.00, 5.00, 0.00, 0.00 | **3.00** | 25 % | 2.0, 3.0, 4.0 | 1.25, 2.50 | 2.0 % |";
        assert!(table.contains(row), "{table}");
        assert!(table.ends_with("294 frames in all."), "{table}");
    }

    #[test]
    fn a_line_is_found_in_points_that_lie_on_it() {
        let points: Vec<_> = SIZES.iter().map(|(_, x)| (*x, 3.0 + 2.5 * x)).collect();
        let (constant, slope) = line_through(&points).unwrap();
        assert!((constant - 3.0).abs() < 1e-9 && (slope - 2.5).abs() < 1e-9, "{constant} {slope}");
        assert_eq!(line_through(&points[..2]), None);
        let lines: Vec<_> = SIZES.iter().map(|(size, x)| line(size, 3.0 + 2.5 * x)).collect();
        let said = growth(&lines).unwrap();
        assert!(
            said.contains("3.0 ms and 2.50 ms for each million pixels, to within 0 %"),
            "{said}"
        );
    }

    #[test]
    fn four_scenes_are_compared_with_one_output() {
        let lines = [line(ONE_OUTPUT, 5.0), line(FOUR_SCENES, 8.0)];
        assert!(price_of_scenes(&lines).unwrap().contains("take 1.60 of"));
        assert_eq!(price_of_scenes(&lines[..1]), None);
    }
}
