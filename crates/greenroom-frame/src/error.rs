use crate::{PixelFormat, SizePx};

/// What can be wrong with a picture's description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A width or height of zero, or one above [`SizePx::MAX_SIDE_PX`].
    #[error("{size} is not a usable picture size; give 1x1 to {max}x{max}", max = SizePx::MAX_SIDE_PX)]
    BadSize {
        /// The size that was asked for.
        size: SizePx,
    },
    /// The stride is shorter than a row.
    #[error("a stride of {stride_bytes} bytes cannot hold a {size} {format} row")]
    BadStride {
        /// The format of the picture.
        format: PixelFormat,
        /// The size of the picture.
        size: SizePx,
        /// The stride that was given.
        stride_bytes: usize,
    },
    /// The buffer ends before the picture does.
    #[error("{have_bytes} bytes do not hold a {size} {format} picture, which needs {need_bytes}")]
    TooShort {
        /// The format of the picture.
        format: PixelFormat,
        /// The size of the picture.
        size: SizePx,
        /// Bytes the layout asks for.
        need_bytes: usize,
        /// Bytes that were given.
        have_bytes: usize,
    },
    /// The rows or the buffer of a picture of red, green and blue end before the picture does.
    #[error(
        "{have_bytes} bytes in rows of {stride_bytes} do not hold a {size} picture of four bytes a pixel"
    )]
    BadRgb {
        /// The size of the picture.
        size: SizePx,
        /// The stride that was given.
        stride_bytes: usize,
        /// Bytes that were given.
        have_bytes: usize,
    },
    /// A conversion was asked for that no kernel does.
    #[error("no conversion from {from} {from_size} to {to} {to_size}")]
    NoConversion {
        /// Format of the source.
        from: PixelFormat,
        /// Size of the source.
        from_size: SizePx,
        /// Format of the target.
        to: PixelFormat,
        /// Size of the target.
        to_size: SizePx,
    },
    /// A text is not a size like `1280x720`.
    #[error("\"{0}\" is not a size; write WIDTHxHEIGHT, for example 1280x720")]
    NotASize(String),
    /// A text is not a colour like `#00b140`.
    #[error("\"{0}\" is not a colour; write #rrggbb, for example #00b140")]
    NotAColour(String),
}
