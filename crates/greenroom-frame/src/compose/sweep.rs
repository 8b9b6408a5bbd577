//! Composing and packing in one sweep.

use std::ops::Range;

use super::plane::PlaneWork;
use super::{Compositor, Light};
use crate::blend::check_blend;
use crate::convert::check_pack;
use crate::kernels::fetch::fetch_below;
use crate::packed::{BAND_ROWS_PX, SECTION_PX};
use crate::{
    Backdrop, BackdropId, Chroma, FrameError, FrameView, FrameViewMut, Isa, MatteView,
    PackedPicture, SizePx, pack,
};

impl Compositor {
    /// As [`compose`](Self::compose) and then [`pack`], byte for byte, but without a whole picture in between: a band of rows is composed,
    /// and packed while it is in the cache.
    ///
    /// A `backdrop_id` says that `under` is the same for all frames of a shape that come with this id. Where the matte's
    /// [blocks](MatteView::with_blocks) are known as well, nothing is done where `into` shows that backdrop already.
    ///
    /// # Errors
    /// As `compose` and `pack`; `into` must then not be shown.
    pub fn compose_packed(
        &mut self,
        over: FrameView<'_>,
        (under, backdrop_id): (Backdrop<'_>, Option<BackdropId>),
        matte: MatteView<'_>,
        light: Option<Light<'_>>,
        into: &mut PackedPicture,
    ) -> Result<(), FrameError> {
        check_blend(over, under.shape(), matte)?;
        into.set_captured_at(over.captured_at());
        let isa = Isa::best();
        let (SizePx { width_px, height_px }, shape) = (over.size(), over.shape());
        let blocks = matte.blocks().filter(|_| shape.format.chroma() != Chroma::None);
        let backdrop_id = backdrop_id.filter(|_| blocks.is_some());
        let (packed, is_backdrop) = into.begin(backdrop_id, shape);
        let mut packed = packed.view_mut();
        check_pack(over, &packed)?;
        let mut tools = self.planes.iter_mut().enumerate().take(shape.format.plane_count());
        let mut works: [_; 3] = std::array::from_fn(|_| {
            let (index, tools) = tools.next()?;
            Some(PlaneWork::new(tools, index, over, under, matte, light))
        });
        let luma_rows = shape.format.chroma().luma_rows();
        let bands = is_backdrop.chunks_exact_mut(width_px.div_ceil(SECTION_PX) as usize);
        for (top_px, is_backdrop) in (0..height_px).step_by(BAND_ROWS_PX as usize).zip(bands) {
            let size = SizePx::new(width_px, BAND_ROWS_PX.min(height_px - top_px));
            let (top, rows) = (top_px as usize, size.height_px as usize);
            let damage = &mut self.damage;
            match blocks.filter(|_| backdrop_id.is_some()) {
                Some(blocks) => {
                    let chroma_rows = top / luma_rows..(top + rows).div_ceil(luma_rows);
                    damage.find(blocks, [top..top + rows, chroma_rows], is_backdrop);
                }
                None => damage.take_all(size),
            }
            if damage.of_luma.is_empty() {
                continue;
            }
            self.band.reshape(shape.format, size, shape.colour)?;
            let mut band = self.band.view_mut();
            for (index, (work, mut plane)) in
                works.iter_mut().flatten().zip(band.planes_mut()).enumerate()
            {
                let (top, columns) = match index {
                    0 => (top, &damage.of_luma),
                    _ => (top / luma_rows, &damage.of_chroma),
                };
                for (y, out) in plane.iter_rows_mut().enumerate() {
                    // Whole rows are foreseen.
                    if index == 0 && backdrop_id.is_some() {
                        fetch_packed(&mut packed, top + y, columns, width_px as usize);
                    }
                    work.draw_row::<false>(isa, top + y, columns, out, 0);
                }
            }
            for columns in &damage.of_luma {
                let (left_px, right_px) = (columns.start as u32, columns.end as u32);
                let size = SizePx::new(right_px - left_px, size.height_px);
                let band = self.band.view().part(left_px, 0, size);
                pack(band, &mut packed.part(left_px, top_px, size))?;
            }
        }
        into.end(backdrop_id, shape);
        Ok(())
    }
}

/// Has the processor fetch these columns of row `y` of the packed picture, in which they will be written. (Without it, the output's thread
/// takes 1.1 of the time: short pieces of rows are nothing that the processor foresees.)
fn fetch_packed(packed: &mut FrameViewMut<'_>, y: usize, columns: &[Range<usize>], width: usize) {
    let mut plane = packed.plane_mut(0);
    let row = plane.row_mut(y);
    let bytes_of_sample = row.len() / width;
    for columns in columns {
        fetch_below(&row[columns.start * bytes_of_sample..columns.end * bytes_of_sample], 0);
    }
}
