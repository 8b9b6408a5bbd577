use greenroom_frame::{Backdrop, Frame, FrameError, FrameView, Plane, SizePx};

use super::named::BackgroundKind;
use super::room::{Filler, Weighted, room_weight};
use super::{Background, MattedFrame};
use crate::words::{Allowed, Parameter};
use crate::{Moment, SceneError};

pub(super) const KIND: BackgroundKind = BackgroundKind {
    name: "pixelate",
    help: "the room as a mosaic, without the person",
    parameters: &[Parameter {
        name: "block",
        allowed: Allowed::Whole { least: 4, most: 200, default: 32, unit: " pixels" },
    }],
    room_rows: Some(|values, height_px| height_px as f32 / values.number(0)),
    make: |values| Box::new(Pixelate { block_px: values.number(0) as usize, state: None }),
};

/// The room as blocks of one colour each: the mean of what in the block is surely room. Blocks with
/// no room in them are filled from round about.
pub(super) struct Pixelate {
    block_px: usize,
    state: Option<State>,
}

struct State {
    block_px: usize,
    /// Size in blocks; those at the right and bottom edge may be cut.
    size: SizePx,
    blocks: Vec<Weighted>,
    filler: Filler,
    /// The columns' sums over a row of blocks: sample times weight, and weight.
    sums: Vec<u32>,
    weights: Vec<u32>,
    shown: Frame,
}

impl Background for Pixelate {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        _moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        let shape = matted.frame.shape();
        if !self.state.as_ref().is_some_and(|state| state.shown.view().shape() == shape) {
            self.state = Some(State::new(matted.frame, self.block_px)?);
        }
        let state = self.state.as_mut().expect("made above");
        state.gather(matted);
        state.filler.fill(state.size, &mut state.blocks);
        state.paint();
        Ok(state.shown.view().into())
    }
}

/// Samples `index * block..` of a plane whose samples cover `step` luma samples each.
fn span(index: usize, block_px: usize, step: usize, len: usize) -> std::ops::Range<usize> {
    let edge = |index: usize| (index * block_px).div_ceil(step).min(len);
    edge(index)..edge(index + 1)
}

impl State {
    fn new(like: FrameView<'_>, block_px: usize) -> Result<Self, FrameError> {
        let SizePx { width_px, height_px } = like.size();
        let blocks = |side: u32| side.div_ceil(block_px as u32);
        let size = SizePx::new(blocks(width_px), blocks(height_px));
        Ok(Self {
            block_px,
            size,
            blocks: vec![[0.0; 4]; size.area_px() as usize],
            filler: Filler::new(size),
            sums: vec![0; width_px as usize],
            weights: vec![0; width_px as usize],
            shown: Frame::new(like.format(), like.size(), like.colour())?,
        })
    }

    fn gather(&mut self, matted: &MattedFrame<'_>) {
        let luma_alpha = matted.matte.luma().plane(0);
        self.sum(0, matted.frame.plane(0), luma_alpha);
        for index in 1..3 {
            self.sum(index, matted.frame.plane(index), matted.matte.chroma().plane(0));
        }
    }

    /// Sets a channel of all blocks from its plane. Luma comes first, and sets the weights.
    fn sum(&mut self, channel: usize, plane: Plane<'_>, alpha: Plane<'_>) {
        let (width, height) = (plane.row_bytes(), plane.rows());
        let steps = steps(self.shown.size(), width, height);
        let rows_of_blocks = self.blocks.chunks_exact_mut(self.size.width_px as usize);
        for (row, blocks) in rows_of_blocks.enumerate() {
            let (sums, weights) = (&mut self.sums[..width], &mut self.weights[..width]);
            sums.fill(0);
            weights.fill(0);
            let rows = span(row, self.block_px, steps[1], height);
            for y in rows.clone() {
                let samples = plane.row(y).iter().zip(alpha.row(y));
                let columns = sums.iter_mut().zip(weights.iter_mut());
                for ((sum, weights), (&sample, &alpha)) in columns.zip(samples) {
                    // 255 * 255 fits 16 bits, which the compiler multiplies more of at once.
                    let weight = u16::from(room_weight(alpha));
                    *sum += u32::from(u16::from(sample) * weight);
                    *weights += u32::from(weight);
                }
            }
            for (column, block) in blocks.iter_mut().enumerate() {
                let columns = span(column, self.block_px, steps[0], width);
                // 200 * 200 pixels of 255 * 255 fit 32 bits.
                let sum: u32 = sums[columns.clone()].iter().sum();
                let weight: u32 = weights[columns.clone()].iter().sum();
                if channel == 0 {
                    let area = (columns.len() * rows.len()) as f32;
                    *block = [sum as f32 / area, 0.0, 0.0, weight as f32 / area];
                } else if weight == 0 {
                    // Luma with no colour to it: not room after all.
                    *block = [0.0; 4];
                } else {
                    block[channel] = sum as f32 / weight as f32 * block[3];
                }
            }
        }
    }

    fn paint(&mut self) {
        let size = self.shown.size();
        let width_in_blocks = self.size.width_px as usize;
        let mut view = self.shown.view_mut();
        for (channel, mut plane) in view.planes_mut().enumerate() {
            let (width, height) = (plane.row_bytes(), plane.rows());
            let steps = steps(size, width, height);
            for (row, blocks) in self.blocks.chunks_exact(width_in_blocks).enumerate() {
                let rows = span(row, self.block_px, steps[1], height);
                let Some(first) = rows.clone().next() else { continue };
                for (column, block) in blocks.iter().enumerate() {
                    let code = (block[channel] / block[3] + 0.5) as u8;
                    plane.row_mut(first)[span(column, self.block_px, steps[0], width)].fill(code);
                }
                for y in rows.skip(1) {
                    plane.copy_row(first, y);
                }
            }
        }
    }
}

/// Luma columns and rows that a sample of a plane of this size covers.
fn steps(size: SizePx, width: usize, height: usize) -> [usize; 2] {
    let step = |luma: u32, plane: usize| if plane < luma as usize { 2 } else { 1 };
    [step(size.width_px, width), step(size.height_px, height)]
}
