use greenroom_frame::{FrameView, Plane, PlaneMut, SizePx};

/// The part of a picture that will be seen, in luma pixels. It has whole chroma samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(super) left_px: usize,
    pub(super) top_px: usize,
    /// The first column that is out again.
    pub(super) right_px: usize,
    /// The first row that is out again.
    pub(super) bottom_px: usize,
    size: SizePx,
}

/// The chroma alpha is scaled on its own: it may reach so far beyond the luma alpha.
const CHROMA_REACH_PX: usize = 8;

impl Area {
    /// All of a picture.
    pub(super) fn whole(size: SizePx) -> Self {
        let (right_px, bottom_px) = (size.width_px as usize, size.height_px as usize);
        Self { left_px: 0, top_px: 0, right_px, bottom_px, size }
    }

    /// The smallest rectangle with all of the person in it; `None` if there is nobody.
    pub(super) fn of_person(luma_alpha: FrameView<'_>) -> Option<Self> {
        let alpha = luma_alpha.plane(0);
        let (width, height) = (alpha.row_bytes(), alpha.rows());
        let any = |y: &usize| is_any(alpha.row(*y));
        let top = (0..height).find(any)?;
        let bottom = (top..height).rev().find(any)? + 1;
        let (left, right) = columns(alpha, top, bottom);
        let out = |px: usize| px.saturating_sub(CHROMA_REACH_PX) & !1;
        Some(Self {
            left_px: out(left),
            top_px: out(top),
            right_px: (right + CHROMA_REACH_PX).next_multiple_of(2).min(width),
            bottom_px: (bottom + CHROMA_REACH_PX).next_multiple_of(2).min(height),
            size: luma_alpha.size(),
        })
    }

    /// The area's samples of a plane of the picture, row by row.
    pub(super) fn rows<'p, 'f>(
        self,
        plane: &'p mut PlaneMut<'f>,
    ) -> impl Iterator<Item = &'p mut [u8]> + use<'p, 'f> {
        let columns = self.columns_of(plane.row_bytes());
        let rows = self.rows_of(plane.rows());
        plane
            .iter_rows_mut()
            .skip(rows.start)
            .take(rows.len())
            .map(move |row| &mut row[columns.clone()])
    }

    /// The area's columns of a plane that has `row_bytes` of them.
    pub(super) fn columns_of(self, row_bytes: usize) -> std::ops::Range<usize> {
        shrunk(self.left_px, self.right_px, row_bytes, self.size.width_px as usize)
    }

    /// The area's rows of a plane that has `rows` of them.
    pub(super) fn rows_of(self, rows: usize) -> std::ops::Range<usize> {
        shrunk(self.top_px, self.bottom_px, rows, self.size.height_px as usize)
    }
}

/// From pixels to samples of a plane that has all, or half (rounded up) of them.
fn shrunk(first: usize, end: usize, have: usize, all: usize) -> std::ops::Range<usize> {
    if have == all { first..end } else { first / 2..end.div_ceil(2).min(have) }
}

fn is_any(alpha: &[u8]) -> bool {
    // In pieces: each is one wide comparison, and the first person ends the search.
    alpha.chunks(64).any(|piece| piece.iter().fold(0, |all, &alpha| all | alpha) != 0)
}

/// First column with person in it, and the first after the last.
fn columns(alpha: Plane<'_>, top: usize, bottom: usize) -> (usize, usize) {
    let (mut left, mut right) = (alpha.row_bytes(), 0);
    for y in top..bottom {
        let row = alpha.row(y);
        if is_any(&row[..left]) {
            left = row.iter().position(|&alpha| alpha != 0).unwrap_or(left);
        }
        if is_any(&row[right..]) {
            right = row.iter().rposition(|&alpha| alpha != 0).map_or(right, |last| last + 1);
        }
    }
    (left, right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_frame::{Colour, Frame, PixelFormat};

    #[test]
    fn the_person_is_found() {
        let size = SizePx::new(301, 201);
        let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        assert_eq!(Area::of_person(alpha.view()), None);
        for (x, y) in [(120, 150), (155, 100), (200, 111)] {
            alpha.view_mut().plane_mut(0).row_mut(y)[x] = 1;
        }
        let area = Area::of_person(alpha.view()).unwrap();
        assert_eq!((area.left_px, area.top_px, area.right_px, area.bottom_px), (112, 92, 210, 160));
        assert_eq!((area.columns_of(151), area.rows_of(101)), (56..105, 46..80));
        assert_eq!(area.rows_of(201), 92..160);
        alpha.bytes_mut().fill(255);
        assert_eq!(Area::of_person(alpha.view()), Some(Area::whole(size)));
    }
}
