//! What a benchmark found, as plain data: the keys of the JSON are the names of the fields here, and stay; new ones may
//! come. docs/speed.md describes them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::status::StageTime;

/// What was measured.
#[derive(Debug, Serialize)]
pub(super) struct BenchReport {
    pub(super) version: &'static str,
    pub(super) processor: String,
    pub(super) processors: usize,
    /// Rate of the camera.
    pub(super) fps: f64,
    /// How long each case was measured.
    pub(super) seconds: f64,
    /// What the camera sent: `MJPG`, `YUYV` or `NV12`.
    pub(super) camera_format: String,
    /// What each output showed.
    pub(super) backgrounds: Vec<String>,
    pub(super) cases: Vec<CaseReport>,
}

/// What was measured of one size and quality.
#[derive(Debug, Serialize)]
pub(super) struct CaseReport {
    pub(super) size: String,
    pub(super) quality: String,
    pub(super) frames: CaseFrames,
    /// Milliseconds of processor time a frame, in all threads.
    pub(super) processor_ms: f64,
    /// That of each thread; the sum is `processor_ms`.
    pub(super) threads_ms: BTreeMap<String, f64>,
    /// Processor time as a share of the time; 1 is one core.
    pub(super) core_share: f64,
    /// Milliseconds from the moment in which the camera has a picture to its being written.
    pub(super) latency_ms: Option<Percentiles>,
    /// Milliseconds in each stage of a frame's way, in the order of that way.
    pub(super) stages_ms: Vec<StageTime>,
    /// Milliseconds of processor time of three copies of a picture of this size with two bytes a pixel, in the same run.
    pub(super) three_copies_ms: f64,
    /// At most one in fifty frames was dropped.
    pub(super) keeps_up: bool,
    /// It keeps up, and takes no more than half of what the processors have.
    pub(super) fits: bool,
}

/// What became of the frames.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CaseFrames {
    /// Taken from the camera.
    pub(super) taken: u64,
    /// Composed and written, summed over the outputs.
    pub(super) written: u64,
    /// Passed over for a newer one, anywhere.
    pub(super) dropped: u64,
    /// Placeholders written, summed over the outputs: 0, unless something failed.
    pub(super) placeholders: u64,
}

/// A distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
}

/// What is shown of a number of milliseconds, or of a share: thousandths.
pub(super) fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

impl Percentiles {
    /// Of these values, by the nearest rank; `None` if there are none.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (values.len() as f64 * share).ceil() as usize;
            values.get(rank.max(1) - 1).copied().map(thousandths)
        };
        Some(Self { p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)? })
    }
}

impl CaseFrames {
    /// Whether the frames came through.
    pub(super) fn keeps_up(&self) -> bool {
        self.taken > 0 && self.dropped * 50 <= self.taken + self.dropped
    }
}

/// The table's columns.
pub(super) const HEADER: &str =
    "picture    quality    processor time  of one core   delay p50     p95     p99  dropped";

/// A row of the table.
impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, quality, processor_ms, core_share, frames, .. } = self;
        let [p50, p95, p99] =
            self.latency_ms.map_or(["-".to_owned(), "-".into(), "-".into()], |it| {
                [it.p50, it.p95, it.p99].map(|ms| format!("{ms:.1}"))
            });
        let share = core_share * 100.0;
        let all = frames.taken + frames.dropped;
        let dropped = frames.dropped as f64 * 100.0 / all.max(1) as f64;
        write!(
            f,
            "{size:<10} {quality:<10} {processor_ms:>11.2} ms {share:>10.0} % {p50:>12} {p95:>7} {p99:>7} {dropped:>6.1} %"
        )
    }
}

impl BenchReport {
    /// What the table means: sentences, one a line.
    pub(super) fn sentences(&self) -> Vec<String> {
        let mut sentences = vec![
            "Processor time is that of all threads together, for one frame.".to_owned(),
            "The delay is the time in ms from the moment in which the camera has a picture to its being written: half of \
             the frames are no later than p50, 95 in a hundred no later than p95, 99 no later than p99."
                .to_owned(),
        ];
        if let Some(case) = self.usual_case() {
            let stages = case.stages_ms.iter();
            let stages = stages.map(|stage| format!("{} {:.1}", stage.name, stage.time.p50));
            sentences.push(format!(
                "The stages of a frame of {} with quality {} take (medians, in ms): {}.",
                case.size,
                case.quality,
                stages.collect::<Vec<_>>().join(", ")
            ));
            sentences.push(format!(
                "Three copies of such a picture, about the least that any such program does, take {:.2} ms of processor \
                 time here.",
                case.three_copies_ms
            ));
        }
        sentences.push(
            "A size fits if at most 2 % of the frames are dropped and half of what the processors have is left for your \
             call."
                .to_owned(),
        );
        let mut qualities: Vec<&str> = Vec::new();
        for case in &self.cases {
            if !qualities.contains(&case.quality.as_str()) {
                qualities.push(&case.quality);
            }
        }
        sentences.extend(qualities.into_iter().map(|quality| self.what_fits(quality)));
        sentences
    }

    /// 1280x720 at the default quality, or else what is in the middle.
    fn usual_case(&self) -> Option<&CaseReport> {
        let usual = self.cases.iter().find(|it| it.size == "1280x720" && it.quality == "balanced");
        usual.or_else(|| self.cases.get(self.cases.len() / 2))
    }

    fn what_fits(&self, quality: &str) -> String {
        let fps = self.fps;
        let largest = self.cases.iter().rfind(|case| case.quality == quality && case.fits);
        match largest {
            Some(case) => format!(
                "quality = \"{quality}\": {} at {fps} frames a second fits; it takes {:.0} % of one core.",
                case.size,
                case.core_share * 100.0
            ),
            None if self.fps > 15.0 => format!(
                "quality = \"{quality}\": none of these fits at {fps} frames a second; try --fps 15 or a smaller --size."
            ),
            None => format!(
                "quality = \"{quality}\": none of these fits at {fps} frames a second; try a smaller --size."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        assert_eq!(Percentiles::of(Vec::new()), None);
        let all = (1..=100).rev().map(f64::from).collect();
        assert_eq!(Percentiles::of(all), Some(Percentiles { p50: 50.0, p95: 95.0, p99: 99.0 }));
        assert_eq!(Percentiles::of(vec![7.0]), Some(Percentiles { p50: 7.0, p95: 7.0, p99: 7.0 }));
    }

    fn case(size: &str, quality: &str, fits: bool) -> CaseReport {
        CaseReport {
            size: size.to_owned(),
            quality: quality.to_owned(),
            frames: CaseFrames { taken: 98, written: 98, dropped: 2, placeholders: 0 },
            processor_ms: 5.0,
            threads_ms: BTreeMap::new(),
            core_share: 0.15,
            latency_ms: None,
            stages_ms: Vec::new(),
            three_copies_ms: 0.5,
            keeps_up: true,
            fits,
        }
    }

    #[test]
    fn the_largest_size_that_fits_is_told_for_each_quality() {
        let cases = vec![
            case("640x360", "fast", true),
            case("640x360", "best", false),
            case("1280x720", "fast", true),
            case("1280x720", "best", false),
            case("1920x1080", "fast", false),
        ];
        let report = BenchReport {
            version: "0",
            processor: "a processor".to_owned(),
            processors: 2,
            fps: 30.0,
            seconds: 1.0,
            camera_format: "MJPG".to_owned(),
            backgrounds: vec!["blur".to_owned()],
            cases,
        };
        let sentences = report.sentences().join("\n");
        assert!(sentences.contains("\"fast\": 1280x720 at 30 frames a second fits"), "{sentences}");
        assert!(sentences.contains("\"best\": none of these fits"), "{sentences}");
    }

    #[test]
    fn one_dropped_frame_in_fifty_is_borne() {
        let frames =
            |taken, dropped| CaseFrames { taken, written: taken, dropped, placeholders: 0 };
        assert!(frames(98, 2).keeps_up());
        assert!(!frames(97, 3).keeps_up());
        assert!(!frames(0, 0).keeps_up());
    }
}
