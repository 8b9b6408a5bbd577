use crate::{Colour, FrameError, PixelFormat, SizePx};

/// What two pictures must share to be worked on together: a pixel format, a size, a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameShape {
    /// How samples are stored.
    pub format: PixelFormat,
    /// Width and height.
    pub size: SizePx,
    /// How samples read as colour.
    pub colour: Colour,
}

/// Where one plane lies in the picture's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PlaneLayout {
    /// First byte of the plane.
    pub offset_bytes: usize,
    /// Distance from one row to the next.
    pub stride_bytes: usize,
    /// Bytes of a row that carry samples.
    pub row_bytes: usize,
    /// Number of rows.
    pub rows: usize,
}

impl PlaneLayout {
    /// First byte after the plane's last sample.
    const fn end_bytes(self) -> usize {
        if self.rows == 0 {
            return self.offset_bytes;
        }
        self.offset_bytes + (self.rows - 1) * self.stride_bytes + self.row_bytes
    }
}

/// Format, size and place of every plane of a picture within one buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameLayout {
    format: PixelFormat,
    size: SizePx,
    planes: [PlaneLayout; 3],
}

impl FrameLayout {
    /// Planes one behind the other, rows without padding: what `write()` to a loopback, Y4M and
    /// FFmpeg's `rawvideo` take.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn tight(format: PixelFormat, size: SizePx) -> Result<Self, FrameError> {
        let row_bytes = format.plane_bytes(0, size.checked()?).0;
        Self::with_stride(format, size, row_bytes)
    }

    /// V4L2's single-buffer layout: `stride_bytes` (`bytesperline`) is that of the first plane, a
    /// planar format's chroma stride is half of it, and the planes follow each other.
    ///
    /// # Errors
    /// [`FrameError::BadSize`], or [`FrameError::BadStride`] if a row does not fit.
    pub fn with_stride(
        format: PixelFormat,
        size: SizePx,
        stride_bytes: usize,
    ) -> Result<Self, FrameError> {
        size.checked()?;
        let mut planes = [PlaneLayout::default(); 3];
        let mut offset_bytes = 0;
        for (index, plane) in planes.iter_mut().enumerate().take(format.plane_count()) {
            let (row_bytes, rows) = format.plane_bytes(index, size);
            let stride_bytes = match (index, format) {
                (0, _) => stride_bytes,
                (_, PixelFormat::Nv12) => stride_bytes.max(row_bytes),
                _ => stride_bytes.div_ceil(2),
            };
            // A driver's bytesperline is outside data: bounded, so that no product overflows.
            if stride_bytes < row_bytes || stride_bytes > 16 * SizePx::MAX_SIDE_PX as usize {
                return Err(FrameError::BadStride { format, size, stride_bytes });
            }
            *plane = PlaneLayout { offset_bytes, stride_bytes, row_bytes, rows };
            offset_bytes += stride_bytes * rows;
        }
        Ok(Self { format, size, planes })
    }

    /// The largest part from the middle of a planar picture that has the shape (aspect ratio) of
    /// `like`; it starts and ends on whole chroma samples where the picture allows.
    pub fn middle_of_shape(&self, like: SizePx) -> Self {
        debug_assert!(self.format.is_planar(), "packed pictures are unpacked before they are cut");
        let size = self.size;
        let (width, height) = (u64::from(size.width_px), u64::from(size.height_px));
        let (like_w, like_h) = (u64::from(like.width_px.max(1)), u64::from(like.height_px.max(1)));
        let even = |side: u64| if side > 1 { side & !1 } else { 1 };
        let part = if width * like_h > like_w * height {
            SizePx::new(even(height * like_w / like_h) as u32, size.height_px)
        } else if width * like_h < like_w * height {
            SizePx::new(size.width_px, even(width * like_h / like_w) as u32)
        } else {
            size
        };
        let (x, y) = (
            ((size.width_px - part.width_px) / 2) & !1,
            ((size.height_px - part.height_px) / 2) & !1,
        );
        self.part(x, y, part)
    }

    /// The part of `size` of a picture whose upper left pixel is at `left_px`, `top_px`. Both are even, so that it starts on whole
    /// chroma samples.
    ///
    /// # Panics
    /// If the part is empty or does not lie within the picture.
    pub fn part(&self, left_px: u32, top_px: u32, size: SizePx) -> Self {
        debug_assert!(left_px.is_multiple_of(2) && top_px.is_multiple_of(2));
        assert!(size.width_px > 0 && size.height_px > 0, "a part has pixels");
        assert!(left_px + size.width_px <= self.size.width_px, "a part lies within");
        assert!(top_px + size.height_px <= self.size.height_px, "a part lies within");
        let mut planes = self.planes;
        for (index, plane) in planes.iter_mut().enumerate().take(self.format.plane_count()) {
            let (left_bytes, rows_above) =
                self.format.plane_bytes(index, SizePx::new(left_px, top_px));
            plane.offset_bytes += rows_above * plane.stride_bytes + left_bytes;
            (plane.row_bytes, plane.rows) = self.format.plane_bytes(index, size);
        }
        Self { format: self.format, size, planes }
    }

    /// The pixel format.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// The picture's size.
    pub const fn size(&self) -> SizePx {
        self.size
    }

    /// The planes, as many as the format has.
    pub fn planes(&self) -> &[PlaneLayout] {
        &self.planes[..self.format.plane_count()]
    }

    /// Bytes a buffer must have to hold the picture (the last row without padding).
    pub fn len_bytes(&self) -> usize {
        self.planes().iter().map(|plane| plane.end_bytes()).max().unwrap_or(0)
    }

    /// That `have_bytes` hold the picture.
    ///
    /// # Errors
    /// [`FrameError::TooShort`].
    pub fn check_len(&self, have_bytes: usize) -> Result<(), FrameError> {
        let need_bytes = self.len_bytes();
        if have_bytes < need_bytes {
            let Self { format, size, .. } = *self;
            return Err(FrameError::TooShort { format, size, need_bytes, have_bytes });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tight_layouts_have_the_bytes_every_tool_expects() {
        let size = SizePx::new(1280, 720);
        let bytes = |format| FrameLayout::tight(format, size).unwrap().len_bytes();
        assert_eq!(bytes(PixelFormat::Yuyv), 1_843_200);
        assert_eq!(bytes(PixelFormat::I422), 1_843_200);
        assert_eq!(bytes(PixelFormat::Nv12), 1_382_400);
        assert_eq!(bytes(PixelFormat::I420), 1_382_400);
        assert_eq!(bytes(PixelFormat::Grey), 921_600);
    }

    #[test]
    fn odd_sizes_round_chroma_up() {
        let layout = FrameLayout::tight(PixelFormat::I420, SizePx::new(5, 3)).unwrap();
        assert_eq!(layout.len_bytes(), 15 + 6 + 6);
        assert_eq!(layout.planes()[2].offset_bytes, 21);
    }

    #[test]
    fn the_middle_of_another_shape_stays_inside() {
        for (size, like, part) in [
            ((1280, 720), (640, 480), (960, 720)),
            ((640, 480), (1280, 720), (640, 360)),
            ((640, 480), (320, 240), (640, 480)),
            ((3, 3), (8000, 1), (3, 1)),
            ((101, 77), (10, 10), (76, 77)),
        ] {
            for format in [PixelFormat::I420, PixelFormat::I422, PixelFormat::Grey] {
                let whole = FrameLayout::tight(format, SizePx::new(size.0, size.1)).unwrap();
                let middle = whole.middle_of_shape(SizePx::new(like.0, like.1));
                assert_eq!(middle.size(), SizePx::new(part.0, part.1));
                for (inner, outer) in middle.planes().iter().zip(whole.planes()) {
                    assert!(inner.end_bytes() <= outer.end_bytes());
                    assert!(inner.offset_bytes >= outer.offset_bytes);
                }
            }
        }
        let layout = FrameLayout::tight(PixelFormat::I420, SizePx::new(1280, 720)).unwrap();
        let middle = layout.middle_of_shape(SizePx::new(4, 3));
        assert_eq!(middle.planes()[0].offset_bytes, 160);
        assert_eq!(middle.planes()[1].offset_bytes, 1280 * 720 + 80);
    }

    #[test]
    fn bad_sizes_and_strides_are_refused() {
        let size = SizePx::new(64, 48);
        assert!(FrameLayout::with_stride(PixelFormat::Yuyv, size, 127).is_err());
        assert!(FrameLayout::with_stride(PixelFormat::Yuyv, size, usize::MAX).is_err());
        assert!(FrameLayout::tight(PixelFormat::Yuyv, SizePx::new(0, 48)).is_err());
        assert!(FrameLayout::tight(PixelFormat::Yuyv, SizePx::new(60_000, 60_000)).is_err());
        for text in ["", "1280", "x720", "-1x5", "1280x99999", "axb"] {
            assert!(text.parse::<SizePx>().is_err(), "{text}");
        }
        assert_eq!("1280x720".parse(), Ok(SizePx::new(1280, 720)));
    }
}
