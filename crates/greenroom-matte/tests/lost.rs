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
    /// Columns of the frames at their right side that somebody who comes in fills.
    coming_in_px: usize,
    start: Instant,
    frames: u32,
}

impl Bench {
    fn new() -> Self {
        let (is_blind, looks) = (Arc::default(), Arc::default());
        let engine = Brightness {
            description: Model::General.description(),
            is_blind: Arc::clone(&is_blind),
            looks: Arc::clone(&looks),
        };
        let maker = MatteMaker::with_engine(Box::new(engine), Isa::best()).unwrap();
        let maker = maker.refined(RefineSteps { crop: true, ..RefineSteps::NONE }).unwrap();
        Self { maker, is_blind, looks, coming_in_px: 0, start: Instant::now(), frames: 0 }
    }

    /// Of a frame with these people: the shares of their columns that the mask shows, and how often the network was asked.
    fn shown(&mut self, people: [bool; 2]) -> ([f32; 2], u32) {
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
        let mask = self.maker.matte(&frame.view()).unwrap();
        let row: Vec<u8> = mask.view().plane(0).iter_rows().nth(150).unwrap().to_vec();
        let share = |columns: std::ops::Range<usize>| {
            let shown = row[columns.clone()].iter().filter(|&&level| level > 127).count();
            shown as f32 / columns.len() as f32
        };
        ([share(SITTING), share(STANDING)], self.looks.load(Relaxed) - before)
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
