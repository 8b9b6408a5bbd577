//! Somebody whom the network loses from one frame to the next, or who comes in unseen, is looked at in a window of their own.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};
use greenroom_matte::{
    AlphaMap, Engine, InputTensor, Isa, MatteError, MatteMaker, Model, ModelDescription,
    RefineSteps,
};

const SIZE: SizePx = SizePx::new(640, 360);
/// Columns of the masks that show each of the two.
const SITTING: std::ops::Range<usize> = 30..90;
const STANDING: std::ops::Range<usize> = 230..320;

/// What is bright is a person; where it `is_blind`, wide pictures show nobody on their right.
struct Brightness {
    description: ModelDescription,
    is_blind: Arc<AtomicBool>,
    looks: Arc<AtomicU32>,
    /// It fails once so many looks from now on; 0 for never.
    fails_in: Arc<AtomicU32>,
}

impl Engine for Brightness {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn other_sizes(&self) -> &[SizePx] {
        const { &[SizePx::new(224, 336)] }
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        self.looks.fetch_add(1, Relaxed);
        let fails_in = self.fails_in.load(Relaxed);
        self.fails_in.store(fails_in.saturating_sub(1), Relaxed);
        if fails_in == 1 {
            let (have, want) = ("failing, as a test wants".into(), "well".into());
            return Err(MatteError::WrongShape { what: "the network", have, want });
        }
        let SizePx { width_px, height_px } = input.size();
        let is_blind = self.is_blind.load(Relaxed) && width_px > height_px;
        let values = input.values().iter().enumerate();
        for (alpha, (at, &value)) in alpha.values_mut().iter_mut().zip(values) {
            let is_right = at % width_px as usize > width_px as usize / 2;
            *alpha = if value > 0.5 && !(is_blind && is_right) { 1.0 } else { 0.0 };
        }
        Ok(())
    }
}

struct Bench {
    maker: MatteMaker,
    is_blind: Arc<AtomicBool>,
    looks: Arc<AtomicU32>,
    fails_in: Arc<AtomicU32>,
    /// Columns of the frames at their right side that somebody who comes in fills.
    coming_in_px: usize,
    start: Instant,
    frames: u32,
}

impl Bench {
    fn new() -> Self {
        Self::with(RefineSteps { crop: true, ..RefineSteps::NONE })
    }

    fn with(steps: RefineSteps) -> Self {
        let (is_blind, looks, fails_in) = (Arc::default(), Arc::default(), Arc::default());
        let engine = Brightness {
            description: Model::General.description(),
            is_blind: Arc::clone(&is_blind),
            looks: Arc::clone(&looks),
            fails_in: Arc::clone(&fails_in),
        };
        let maker = MatteMaker::with_engine(Box::new(engine), Isa::best()).unwrap();
        let maker = maker.refined(steps).unwrap();
        let start = Instant::now();
        Self { maker, is_blind, looks, fails_in, coming_in_px: 0, start, frames: 0 }
    }

    /// Of a frame with these people: the shares of their columns that the mask shows, and how often the network was asked.
    fn shown(&mut self, people: [bool; 2]) -> ([f32; 2], u32) {
        self.try_to_show(people).unwrap()
    }

    fn try_to_show(&mut self, people: [bool; 2]) -> Result<([f32; 2], u32), MatteError> {
        let mut frame = Frame::new(PixelFormat::I420, SIZE, Colour::WEBCAM).unwrap();
        frame.bytes_mut().fill(128);
        for (y, row) in frame.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
            row.fill(30);
            if people[0] && y >= 120 {
                row[2 * SITTING.start..2 * SITTING.end].fill(220);
            }
            row[640 - self.coming_in_px..].fill(220);
            if people[1] {
                row[2 * STANDING.start..2 * STANDING.end].fill(220);
            }
        }
        frame.set_captured_at(self.start + self.frames * Duration::from_millis(33));
        self.frames += 1;
        let before = self.looks.load(Relaxed);
        let mask = self.maker.matte(&frame.view())?;
        let row: Vec<u8> = mask.view().plane(0).iter_rows().nth(150).unwrap().to_vec();
        let share = |columns: std::ops::Range<usize>| {
            let shown = row[columns.clone()].iter().filter(|&&level| level > 127).count();
            shown as f32 / columns.len() as f32
        };
        Ok(([share(SITTING), share(STANDING)], self.looks.load(Relaxed) - before))
    }
}

#[test]
fn who_is_lost_without_a_head_is_found_again_in_a_window() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        let ([sitting, standing], looks) = bench.shown([true, true]);
        assert!(sitting > 0.9 && standing > 0.9 && looks == 1, "{sitting} {standing} {looks}");
    }
    bench.is_blind.store(true, Relaxed);
    for _ in 0..40 {
        let ([sitting, standing], looks) = bench.shown([true, true]);
        assert!(sitting > 0.9 && standing > 0.9 && looks == 2, "{sitting} {standing} {looks}");
    }
    bench.is_blind.store(false, Relaxed);
    assert_eq!(bench.shown([true, true]).1, 1);
}

#[test]
fn who_is_lost_stays_found_while_nothing_moves() {
    let steps = RefineSteps { crop: true, smooth: true, islands: true, ..RefineSteps::NONE };
    let mut bench = Bench::with(steps);
    for _ in 0..5 {
        bench.shown([true, true]);
    }
    bench.is_blind.store(true, Relaxed);
    let mut asked = Vec::new();
    for _ in 0..60 {
        let ([sitting, standing], looks) = bench.shown([true, true]);
        assert!(sitting > 0.9 && standing > 0.9, "{sitting} {standing} after {asked:?}");
        asked.push(looks);
    }
    // The answers of before hold for some frames; then the network sees nobody, and looks into a window besides.
    assert!(asked.contains(&0) && asked.contains(&2), "{asked:?}");
}

#[test]
fn who_has_gone_is_looked_for_once_and_is_not_shown() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.shown([true, true]);
    }
    for looks_expected in [2, 1, 1] {
        let ([sitting, standing], looks) = bench.shown([true, false]);
        assert!(sitting > 0.9 && standing < 0.1, "{sitting} {standing}");
        assert_eq!(looks, looks_expected);
    }
}

#[test]
fn who_comes_in_unseen_is_found_in_a_window_of_that_side() {
    let mut bench = Bench::new();
    bench.is_blind.store(true, Relaxed);
    for _ in 0..5 {
        assert_eq!(bench.shown([false, false]), ([0.0, 0.0], 1));
    }
    // The mask shows of the standing one's 90 columns what is there of somebody else.
    for columns in [3, 6, 9, 12] {
        bench.coming_in_px = 2 * columns;
        let ([_, share], looks) = bench.shown([false, false]);
        let shown = share * 90.0;
        assert!((shown - columns as f32).abs() <= 2.0 && looks == 2, "{columns} {shown} {looks}");
    }
    // They stand still, and are looked for a little longer.
    let looks = [(); 10].map(|()| bench.shown([false, false]).1);
    assert_eq!((looks[0], looks[9]), (2, 1), "{looks:?}");
}

#[test]
fn who_comes_in_and_is_seen_costs_nothing() {
    let mut bench = Bench::new();
    for columns in [0, 0, 6, 12, 18, 24] {
        bench.coming_in_px = 2 * columns;
        let ([_, share], looks) = bench.shown([false, false]);
        let shown = share * 90.0;
        assert!((shown - columns as f32).abs() <= 2.0 && looks == 1, "{columns} {shown} {looks}");
    }
}

/// A curtain at a side, which nobody comes in by, does not cost a look in every frame.
#[test]
fn what_moves_at_a_side_for_long_is_left_alone() {
    let mut bench = Bench::new();
    bench.is_blind.store(true, Relaxed);
    bench.shown([false, false]);
    let mut looks_with = |columns: [usize; 2], frames: usize| -> Vec<u32> {
        let of_frame = |frame: usize| {
            bench.coming_in_px = 2 * columns[frame % 2];
            bench.shown([false, false]).1
        };
        (0..frames).map(of_frame).collect()
    };
    let looks = looks_with([3, 6], 200);
    // Now and then they are looked at in a window of their own anyway.
    assert!(looks[..90].iter().filter(|&&looks| looks == 2).count() > 30, "{looks:?}");
    assert!(looks[100..].iter().all(|&looks| looks == 1), "{looks:?}");
    // Once it has stood still, somebody may come in there.
    assert_eq!(looks_with([0, 0], 20)[19], 1);
    assert_eq!(looks_with([3, 6], 2), [2, 2]);
}

/// After a frame that failed, nothing of the masks before it is left where somebody has moved meanwhile.
#[test]
fn a_failed_look_leaves_no_old_mask_behind() {
    let steps = RefineSteps { crop: true, smooth: true, ..RefineSteps::NONE };
    let mut bench = Bench::with(steps);
    for _ in 0..5 {
        bench.shown([true, true]);
    }
    // The network is asked once more for who has gone, and fails then.
    bench.fails_in.store(2, Relaxed);
    bench.try_to_show([true, false]).unwrap_err();
    let ([sitting, standing], _) = bench.shown([true, false]);
    assert!(sitting > 0.9 && standing < 0.1, "{sitting} {standing}");
}
