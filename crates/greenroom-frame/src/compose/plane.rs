//! One plane of a picture that is composed, row by row.

use std::ops::Range;

use super::Light;
use super::runs::RowRuns;
use crate::backdrop::{BackdropPlane, BackdropRow};
use crate::cells::{Sampler, UNUSUAL};
use crate::kernels::blend::blend_row;
use crate::kernels::blocks::{MIXED, PERSON, ROOM, grade};
use crate::kernels::edge::{COLOURS, LIGHT, relight, unmix};
use crate::kernels::fetch::fetch_below;
use crate::{Backdrop, CellsView, FrameView, Isa, MatteBlocks, MatteView, Plane};

/// What is kept for a plane from frame to frame.
#[derive(Debug, Default)]
pub(super) struct PlaneTools {
    edge: Sampler,
    light: Sampler,
    rows: RowRuns,
    /// Pieces of a row on their way.
    scratch: [Vec<u8>; 3],
}

/// A plane that is composed, row by row.
pub(super) struct PlaneWork<'a> {
    work: Work<'a>,
    over: Plane<'a>,
    under: BackdropPlane<'a>,
    alpha: Plane<'a>,
    blocks: Option<&'a MatteBlocks>,
}

impl<'a> PlaneWork<'a> {
    pub(super) fn new(
        tools: &'a mut PlaneTools,
        index: usize,
        over: FrameView<'a>,
        under: Backdrop<'a>,
        matte: MatteView<'a>,
        light: Option<Light<'a>>,
    ) -> Self {
        let (alpha, blocks) = matte.of_plane(index);
        let (over, under) = (over.plane(index), under.plane(index));
        let size = [over.row_bytes(), over.rows()];
        let work = Work::new(tools, matte.edge(), light, index, size);
        Self { work, over, under, alpha, blocks }
    }

    /// Draws the `wanted` columns of row `y`. Rows come in order, though some may be left out. With
    /// `FETCHES_OUT`, `out` is a row of a large picture, whose rows are `out_stride_bytes` apart, and what is drawn next there is fetched.
    pub(super) fn draw_row<const FETCHES_OUT: bool>(
        &mut self,
        isa: Isa,
        y: usize,
        wanted: &[Range<usize>],
        out: &mut [u8],
        out_stride_bytes: usize,
    ) {
        let Self { work, .. } = self;
        let (over, under, alpha) = (self.over.row(y), self.under.row(y), self.alpha.row(y));
        work.begin_row(isa, y, alpha, self.blocks);
        for wanted in wanted {
            for run in 0..work.rows.runs.len() {
                let (kind, columns) = work.rows.runs[run].clone();
                let columns = columns.start.max(wanted.start)..columns.end.min(wanted.end);
                if columns.is_empty() {
                    continue;
                }
                let (over, alpha) = (&over[columns.clone()], &alpha[columns.clone()]);
                let out = &mut out[columns.clone()];
                if FETCHES_OUT {
                    fetch_below(out, out_stride_bytes);
                }
                if kind != ROOM {
                    fetch_below(over, self.over.stride_bytes());
                }
                if kind & !UNUSUAL == MIXED {
                    fetch_below(alpha, self.alpha.stride_bytes());
                }
                if kind & !UNUSUAL != PERSON {
                    under.fetch_below(columns.clone());
                }
                let is_unusual = kind & UNUSUAL != 0;
                match kind & !UNUSUAL {
                    ROOM => under.draw(columns, out),
                    PERSON => work.show(isa, out, over, columns, is_unusual),
                    _ => work.mix(isa, out, [over, alpha], under, columns, is_unusual),
                }
            }
        }
    }
}

/// What is done to one plane.
pub(super) struct Work<'a> {
    pub(super) rows: &'a mut RowRuns,
    pub(super) edge: Option<Edge<'a>>,
    light: Option<Lamp<'a>>,
    /// Holds a piece of what stands behind.
    behind: &'a mut [u8],
}

impl<'a> Work<'a> {
    pub(super) fn new(
        tools: &'a mut PlaneTools,
        edge: Option<CellsView<'a>>,
        light: Option<Light<'a>>,
        plane: usize,
        size: [usize; 2],
    ) -> Self {
        let PlaneTools { edge: edge_sampler, light: light_sampler, rows, scratch } = tools;
        let [width, _] = size;
        rows.aim(width);
        scratch.iter_mut().for_each(|row| row.resize(row.len().max(width), 0));
        let [unmixed, lit, behind] = scratch;
        let edge = edge.map(|cells| {
            edge_sampler.aim(cells, size);
            Edge { plane, sampler: edge_sampler, cells, scratch: unmixed }
        });
        let light = light.map(|Light { usual, cells }| {
            light_sampler.aim(cells, size);
            Lamp::new(plane, light_sampler, cells, usual[plane], lit)
        });
        Self { rows, edge, light, behind }
    }

    /// Goes on to row `y` with this `alpha`, whose `blocks` may be known.
    pub(super) fn begin_row(
        &mut self,
        isa: Isa,
        y: usize,
        alpha: &[u8],
        blocks: Option<&MatteBlocks>,
    ) {
        if let Some(edge) = &mut self.edge {
            edge.sampler.go_to(edge.cells, y);
        }
        let marks = self.light.as_mut().map(|Lamp { plane, sampler, cells, usual, .. }| {
            if sampler.go_to(*cells, y) {
                sampler.compare(*cells, *plane, *usual);
            }
            sampler.unusual()
        });
        self.rows.find(isa, alpha, blocks.map(|blocks| blocks.row(y)), marks);
    }

    /// The person of these columns, mixed with nothing else.
    fn show(
        &mut self,
        isa: Isa,
        out: &mut [u8],
        over: &[u8],
        columns: Range<usize>,
        is_unusual: bool,
    ) {
        match &mut self.light {
            Some(lamp) => lamp.light(isa, out, over, columns, is_unusual),
            None => out.copy_from_slice(over),
        }
    }

    /// What is seen of these columns where both are.
    fn mix(
        &mut self,
        isa: Isa,
        out: &mut [u8],
        [mut over, alpha]: [&[u8]; 2],
        under: BackdropRow<'_>,
        columns: Range<usize>,
        is_unusual: bool,
    ) {
        let under = under.piece(columns.clone(), self.behind);
        if let Some(edge) = &mut self.edge {
            over = edge.unmixed(isa, over, alpha, columns.clone());
        }
        if let Some(lamp) = &mut self.light {
            over = lamp.lit(isa, over, columns, is_unusual);
        }
        blend_row(isa, out, over, under, alpha);
    }
}

/// Takes the room out of a plane's edge.
pub(super) struct Edge<'a> {
    plane: usize,
    sampler: &'a mut Sampler,
    cells: CellsView<'a>,
    scratch: &'a mut [u8],
}

impl Edge<'_> {
    pub(super) fn unmixed(
        &mut self,
        isa: Isa,
        over: &[u8],
        alpha: &[u8],
        columns: Range<usize>,
    ) -> &[u8] {
        let out = &mut self.scratch[..over.len()];
        let line = self.sampler.line(isa, self.cells, self.plane, columns, COLOURS);
        unmix(isa, out, over, alpha, line);
        out
    }
}

/// Lights a plane anew.
struct Lamp<'a> {
    plane: usize,
    sampler: &'a mut Sampler,
    cells: CellsView<'a>,
    usual: [f32; 2],
    /// The same as [`grade`] takes them.
    gain: u16,
    offset: i16,
    scratch: &'a mut [u8],
}

impl<'a> Lamp<'a> {
    fn new(
        plane: usize,
        sampler: &'a mut Sampler,
        cells: CellsView<'a>,
        usual: [f32; 2],
        scratch: &'a mut [u8],
    ) -> Self {
        let [gain, offset] = usual;
        let gain = (gain * 16_384.0).round().clamp(0.0, 32_767.0) as u16;
        let offset = (offset * 64.0).round().clamp(-255.0 * 64.0, 255.0 * 64.0) as i16;
        Self { plane, sampler, cells, usual, gain, offset, scratch }
    }

    /// `is_unusual` if another light than the usual falls on these columns.
    fn light(
        &mut self,
        isa: Isa,
        out: &mut [u8],
        over: &[u8],
        columns: Range<usize>,
        is_unusual: bool,
    ) {
        if is_unusual {
            let line = self.sampler.line(isa, self.cells, self.plane, columns, LIGHT);
            relight(isa, out, over, line);
        } else if self.usual == NO_CHANGE {
            out.copy_from_slice(over);
        } else {
            grade(isa, out, over, self.gain, self.offset);
        }
    }

    /// The same, without a copy of what stays as it is.
    fn lit<'s>(
        &'s mut self,
        isa: Isa,
        over: &'s [u8],
        columns: Range<usize>,
        is_unusual: bool,
    ) -> &'s [u8] {
        if self.usual == NO_CHANGE && !is_unusual {
            return over;
        }
        let scratch = std::mem::take(&mut self.scratch);
        self.light(isa, &mut scratch[..over.len()], over, columns, is_unusual);
        self.scratch = scratch;
        &self.scratch[..over.len()]
    }
}

/// Gain and offset of what stays as it is.
const NO_CHANGE: [f32; 2] = [1.0, 0.0];
