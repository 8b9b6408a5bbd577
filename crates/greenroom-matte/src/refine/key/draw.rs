use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, PlaneScaler, SizePx};

use super::grid::Grid;
use super::regions::Rule;
use crate::MatteError;

/// Brings the key's mask to the size of luma.
#[derive(Debug)]
pub(super) struct Drawing {
    grid: Grid,
    scaler: PlaneScaler,
    luma: Frame,
}

impl Drawing {
    pub(super) fn new(picture: SizePx, chroma: SizePx, grid: Grid) -> Result<Self, MatteError> {
        let luma = Frame::new(PixelFormat::Grey, picture, Colour::JPEG)?;
        Ok(Self { grid, scaler: PlaneScaler::new(chroma, picture)?, luma })
    }

    /// Writes `mask`, which has the size of chroma, into both planes in the cells that the network does not decide about.
    pub(super) fn draw(
        &mut self,
        _frame: &FrameView<'_>,
        mask: &Frame,
        rules: &[Rule],
        [luma, chroma]: [&mut Frame; 2],
    ) -> Result<(), MatteError> {
        self.scaler.scale(mask.view().plane(0), &mut self.luma.view_mut().plane_mut(0));
        let cell_px = self.grid.cell_px;
        self.copy(rules, [cell_px, cell_px], &self.luma, luma);
        self.copy(rules, self.grid.samples, mask, chroma);
        Ok(())
    }

    fn copy(&self, rules: &[Rule], samples: [u32; 2], from: &Frame, into: &mut Frame) {
        let [across, down] = samples.map(|count| count as usize);
        let width = from.size().width_px as usize;
        let rows = from.bytes().chunks_exact(width).zip(into.bytes_mut().chunks_exact_mut(width));
        for (y, (from, into)) in rows.enumerate() {
            let rules = &rules[y / down * self.grid.columns()..][..self.grid.columns()];
            let mut at = 0;
            while at < rules.len() {
                let is_network = rules[at] == Rule::Network;
                let end = rules[at..].iter().position(|&rule| (rule == Rule::Network) != is_network);
                let end = end.map_or(rules.len(), |len| at + len);
                let columns = at * across..(end * across).min(width);
                if !is_network {
                    into[columns.clone()].copy_from_slice(&from[columns]);
                }
                at = end;
            }
        }
    }
}
