use std::fmt;

use crate::SizePx;

/// How the samples of a picture lie in memory. All formats are 8 bits a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Packed 4:2:2, `Y0 U Y1 V`; one plane. The format every consumer of a loopback opens.
    Yuyv,
    /// Packed 4:2:2, `U Y0 V Y1`; one plane.
    Uyvy,
    /// 4:2:0: a plane of Y, a plane of interleaved `U V` at half width and half height.
    Nv12,
    /// Planar 4:2:0: Y, then U and V at half width and half height.
    I420,
    /// Planar 4:2:2: Y, then U and V at half width and full height.
    I422,
    /// One plane of Y only; also how a matte is kept (0 = room, 255 = person).
    Grey,
}

/// How chroma is sampled against luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chroma {
    /// Half width, half height.
    Half2x2,
    /// Half width, full height.
    Half2x1,
    /// No chroma.
    None,
}

impl Chroma {
    /// Size of a chroma plane in samples for a picture of `size`; halves round up.
    pub const fn plane_size(self, size: SizePx) -> SizePx {
        match self {
            Chroma::Half2x2 => SizePx::new(size.width_px.div_ceil(2), size.height_px.div_ceil(2)),
            Chroma::Half2x1 => SizePx::new(size.width_px.div_ceil(2), size.height_px),
            Chroma::None => SizePx::new(0, 0),
        }
    }

    /// Rows of luma that share one row of chroma.
    pub(crate) const fn luma_rows(self) -> usize {
        match self {
            Chroma::Half2x2 => 2,
            Chroma::Half2x1 | Chroma::None => 1,
        }
    }

    /// The planar working format with this chroma.
    pub const fn planar_format(self) -> PixelFormat {
        match self {
            Chroma::Half2x2 => PixelFormat::I420,
            Chroma::Half2x1 => PixelFormat::I422,
            Chroma::None => PixelFormat::Grey,
        }
    }
}

impl PixelFormat {
    /// Every format, for tests and listings.
    pub const ALL: [PixelFormat; 6] = [
        PixelFormat::Yuyv,
        PixelFormat::Uyvy,
        PixelFormat::Nv12,
        PixelFormat::I420,
        PixelFormat::I422,
        PixelFormat::Grey,
    ];

    /// Number of planes: 1, 2 or 3.
    pub const fn plane_count(self) -> usize {
        match self {
            PixelFormat::Yuyv | PixelFormat::Uyvy | PixelFormat::Grey => 1,
            PixelFormat::Nv12 => 2,
            PixelFormat::I420 | PixelFormat::I422 => 3,
        }
    }

    /// How chroma is sampled.
    pub const fn chroma(self) -> Chroma {
        match self {
            PixelFormat::Yuyv | PixelFormat::Uyvy | PixelFormat::I422 => Chroma::Half2x1,
            PixelFormat::Nv12 | PixelFormat::I420 => Chroma::Half2x2,
            PixelFormat::Grey => Chroma::None,
        }
    }

    /// Whether Y, U and V each have a plane of their own (or there is only Y).
    pub const fn is_planar(self) -> bool {
        matches!(self, PixelFormat::I420 | PixelFormat::I422 | PixelFormat::Grey)
    }

    /// Bytes of one row and number of rows of `plane` in a picture of `size`.
    ///
    /// # Panics
    /// If `plane` is not below [`plane_count`](Self::plane_count).
    pub const fn plane_bytes(self, plane: usize, size: SizePx) -> (usize, usize) {
        assert!(plane < self.plane_count(), "the format has fewer planes");
        let chroma = self.chroma().plane_size(size);
        match (self, plane) {
            (PixelFormat::Yuyv | PixelFormat::Uyvy, _) => {
                (size.width_px.div_ceil(2) as usize * 4, size.height_px as usize)
            }
            (_, 0) => (size.width_px as usize, size.height_px as usize),
            (PixelFormat::Nv12, _) => (chroma.width_px as usize * 2, chroma.height_px as usize),
            _ => (chroma.width_px as usize, chroma.height_px as usize),
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            PixelFormat::Yuyv => "YUYV",
            PixelFormat::Uyvy => "UYVY",
            PixelFormat::Nv12 => "NV12",
            PixelFormat::I420 => "I420",
            PixelFormat::I422 => "I422",
            PixelFormat::Grey => "GREY",
        })
    }
}
