//! What is measured of one subject.

use std::fmt;

use anyhow::Result;

use super::average::mean;
use crate::score::figures::{self, Figure, Tally, same_shape};
use crate::score::media::Mattes;

/// Of one clip or still; shares are shares of the picture.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Mean over the frames with a person, at alpha 0.5; `None` where nobody ever is.
    pub iou: Option<f64>,
    /// Called person and is room.
    pub wrong: f64,
    /// Called room and is person.
    pub missed: f64,
    /// The same in the second with the most of it.
    pub missed_second: f64,
    /// Called room, as a share of the true person's area: mean over the frames with a person, at alpha 0.5; `None` where
    /// nobody ever is.
    pub missed_of_person: Option<f64>,
    /// Room that is shown: alpha where the truth has none.
    pub shown: f64,
    /// The same in the second with the most of it.
    pub shown_second: f64,
    /// Of 10,000 samples of a still picture, those that cross alpha 0.5; `None` for a still, and where nothing stands
    /// still.
    pub toggles: Option<f64>,
    /// The frame with the most that is called what it is not.
    pub worst_frame: usize,
}

/// A truth below this is room.
const ROOM: u8 = 5;

struct FrameFigures {
    iou: Option<f64>,
    wrong: f64,
    missed: f64,
    missed_of_person: Option<f64>,
    shown: f64,
}

impl Measured {
    /// Of the frame of a still.
    ///
    /// # Errors
    /// If the sizes differ.
    pub fn of_still(matte: &Mattes, truth: &Mattes) -> Result<Self> {
        Ok(Self::of_frames(&frames(matte, truth)?, 1))
    }

    /// Of a clip with so many frames a second.
    ///
    /// # Errors
    /// If sizes or counts differ.
    pub fn of_clip(mattes: &Mattes, truth: &Mattes, picture: &Mattes, fps: f64) -> Result<Self> {
        let second = (fps.round() as usize).max(1);
        let mut steadiness = Tally::default();
        steadiness.add_steadiness(mattes, picture)?;
        let toggles = steadiness.figures().get(Figure::Toggles);
        Ok(Self { toggles, ..Self::of_frames(&frames(mattes, truth)?, second) })
    }

    fn of_frames(frames: &[FrameFigures], second: usize) -> Self {
        let with_person = |figure: fn(&FrameFigures) -> Option<f64>| -> Option<f64> {
            figures::mean(&frames.iter().filter_map(figure).collect::<Vec<_>>())
        };
        let all =
            |figure: fn(&FrameFigures) -> f64| -> Vec<f64> { frames.iter().map(figure).collect() };
        let (missed, shown) = (all(|frame| frame.missed), all(|frame| frame.shown));
        Self {
            iou: with_person(|frame| frame.iou),
            wrong: mean(&all(|frame| frame.wrong)),
            missed: mean(&missed),
            missed_second: worst(&missed, second),
            missed_of_person: with_person(|frame| frame.missed_of_person),
            shown: mean(&shown),
            shown_second: worst(&shown, second),
            toggles: None,
            worst_frame: worst_frame(frames),
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.iou {
            Some(iou) => write!(f, "IoU {iou:.3}")?,
            None => write!(f, "nobody")?,
        }
        let [wrong, missed, lost, shown, worst] =
            [self.wrong, self.missed, self.missed_second, self.shown, self.shown_second]
                .map(|share| share * 100.0);
        write!(f, ", false {wrong:.2} %, missed {missed:.2} % (worst second {lost:.2})")?;
        if let Some(share) = self.missed_of_person {
            write!(f, ", missed of the person {:.2} %", share * 100.0)?;
        }
        write!(f, ", room shown {shown:.2} % (worst second {worst:.2})")?;
        self.toggles.map_or(Ok(()), |toggles| write!(f, ", toggles {toggles:.1}"))
    }
}

fn frames(mattes: &Mattes, truth: &Mattes) -> Result<Vec<FrameFigures>> {
    same_shape(mattes, truth, "truth")?;
    Ok(mattes.frames().zip(truth.frames()).map(|(ours, truth)| frame(ours, truth)).collect())
}

fn frame(ours: &[u8], truth: &[u8]) -> FrameFigures {
    let (mut both, mut wrong, mut missed, mut shown) = (0u32, 0u32, 0u32, 0u64);
    for (&ours, &truth) in ours.iter().zip(truth) {
        let (called, is) = (ours >= 128, truth >= 128);
        both += u32::from(called && is);
        wrong += u32::from(called && !is);
        missed += u32::from(!called && is);
        shown += if truth < ROOM { u64::from(ours) } else { 0 };
    }
    let area = truth.len().max(1) as f64;
    let share = |count: u32| f64::from(count) / area;
    let (person, either) = (both + missed, both + wrong + missed);
    let if_person = |count: u32, of: u32| (person > 0).then(|| f64::from(count) / f64::from(of));
    FrameFigures {
        iou: if_person(both, either),
        wrong: share(wrong),
        missed: share(missed),
        missed_of_person: if_person(missed, person),
        shown: shown as f64 / 255.0 / area,
    }
}

fn worst_frame(frames: &[FrameFigures]) -> usize {
    let fault = |at: &usize| frames[*at].wrong + frames[*at].missed;
    (0..frames.len()).max_by(|a, b| fault(a).total_cmp(&fault(b))).unwrap_or(0)
}

/// The mean of the worst `second` values that follow each other.
fn worst(values: &[f64], second: usize) -> f64 {
    values.windows(second.min(values.len()).max(1)).map(mean).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 10x1, each with the samples from `edge` on at 255.
    fn mattes(edges: &[usize]) -> Mattes {
        let frame = |&edge: &usize| (0..10).map(move |at| if at >= edge { 255 } else { 0 });
        Mattes { width: 10, height: 1, samples: edges.iter().flat_map(frame).collect() }
    }

    #[test]
    fn room_and_person_are_counted_apart() {
        let truth = mattes(&[5, 5, 5, 5]);
        let measured = Measured::of_clip(&mattes(&[5, 3, 3, 6]), &truth, &truth, 2.0).unwrap();
        let near = |have: f64, want: f64| assert!((have - want).abs() < 1e-9, "{have}, not {want}");
        near(measured.shown, 0.1);
        near(measured.shown_second, 0.2);
        near(measured.wrong, 0.1);
        near(measured.missed, 0.025);
        near(measured.missed_second, 0.05);
        near(measured.missed_of_person.unwrap(), 0.05);
        near(measured.iou.unwrap(), (1.0 + 5.0 / 7.0 * 2.0 + 0.8) / 4.0);
        assert!(measured.toggles.is_some());
        assert_eq!(measured.worst_frame, 2);
    }

    /// A lost hand weighs as much in a picture that the person fills as where the person is small, and frames with
    /// nobody do not dilute it.
    #[test]
    fn missed_of_the_person_is_a_share_of_the_true_person() {
        let of = |ours: &[usize], truth: &[usize]| {
            let truth = mattes(truth);
            Measured::of_clip(&mattes(ours), &truth, &truth, 2.0).unwrap().missed_of_person
        };
        assert_eq!(of(&[1, 1], &[0, 0]), Some(0.1));
        assert_eq!(of(&[9, 9], &[8, 8]), Some(0.5));
        assert_eq!(of(&[9, 10, 7], &[8, 10, 10]), Some(0.5));
        assert_eq!(of(&[0, 0], &[8, 8]), Some(0.0));
        let measured = Measured { missed_of_person: Some(0.5), ..Measured::default() };
        assert!(measured.to_string().contains("missed of the person 50.00 %"));
    }

    #[test]
    fn where_nobody_is_there_is_no_iou() {
        let measured = Measured::of_still(&mattes(&[9]), &mattes(&[10])).unwrap();
        assert_eq!(measured.iou, None);
        assert_eq!(measured.missed_of_person, None);
        assert!((measured.shown - 0.1).abs() < 1e-9);
        assert!(Measured::of_still(&mattes(&[9]), &mattes(&[10, 10])).is_err());
    }
}
