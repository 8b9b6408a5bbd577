//! V4L2's four colour fields, turned into the matrix and range that greenroom reads samples by.
//! Zero means "default" and follows the rules of the header's `V4L2_MAP_*_DEFAULT`.

use greenroom_frame::{Colour, ColourMatrix, ColourRange};

use super::raw::PixFormat;

const COLORSPACE_SMPTE240M: u32 = 2;
const COLORSPACE_REC709: u32 = 3;
const COLORSPACE_JPEG: u32 = 7;
const COLORSPACE_SRGB: u32 = 8;
const COLORSPACE_BT2020: u32 = 10;
const COLORSPACE_DCI_P3: u32 = 12;
const YCBCR_DEFAULT: u32 = 0;
const YCBCR_601: u32 = 1;
const YCBCR_709: u32 = 2;
const YCBCR_XV709: u32 = 4;
const YCBCR_BT2020: u32 = 6;
const YCBCR_BT2020_CONST_LUM: u32 = 7;
const YCBCR_SMPTE240M: u32 = 8;
const QUANTIZATION_FULL: u32 = 1;
const QUANTIZATION_LIMITED: u32 = 2;
const XFER_SRGB: u32 = 2;

/// How the samples of a format read as colour. BT.2020 and SMPTE 240M, which no webcam sends, are
/// read as BT.709, the nearest that greenroom has.
pub(super) fn colour_of(pix: &PixFormat) -> Colour {
    let matrix = match pix.ycbcr_enc {
        YCBCR_709 | YCBCR_XV709 | YCBCR_BT2020 | YCBCR_BT2020_CONST_LUM | YCBCR_SMPTE240M => {
            ColourMatrix::Bt709
        }
        YCBCR_DEFAULT => match pix.colorspace {
            COLORSPACE_REC709 | COLORSPACE_DCI_P3 | COLORSPACE_BT2020 | COLORSPACE_SMPTE240M => {
                ColourMatrix::Bt709
            }
            _ => ColourMatrix::Bt601,
        },
        _ => ColourMatrix::Bt601,
    };
    let range = match pix.quantization {
        QUANTIZATION_FULL => ColourRange::Full,
        QUANTIZATION_LIMITED => ColourRange::Limited,
        _ if pix.colorspace == COLORSPACE_JPEG => ColourRange::Full,
        _ => ColourRange::Limited,
    };
    Colour { matrix, range }
}

/// Marks a format as BT.601, limited range, of sRGB primaries: [`Colour::WEBCAM`].
pub(super) fn tag_webcam(pix: &mut PixFormat) {
    pix.colorspace = COLORSPACE_SRGB;
    pix.ycbcr_enc = YCBCR_601;
    pix.quantization = QUANTIZATION_LIMITED;
    pix.xfer_func = XFER_SRGB;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(colorspace: u32, ycbcr_enc: u32, quantization: u32) -> Colour {
        colour_of(&PixFormat { colorspace, ycbcr_enc, quantization, ..PixFormat::default() })
    }

    #[test]
    fn defaults_follow_the_header() {
        assert_eq!(read(0, 0, 0), Colour::WEBCAM);
        assert_eq!(read(COLORSPACE_SRGB, 0, 0), Colour::WEBCAM);
        assert_eq!(read(COLORSPACE_JPEG, 0, 0), Colour::JPEG);
        assert_eq!(read(COLORSPACE_REC709, 0, 0), Colour::HD);
    }

    #[test]
    fn what_is_said_outright_beats_the_default() {
        assert_eq!(read(COLORSPACE_REC709, YCBCR_601, 0), Colour::WEBCAM);
        assert_eq!(read(COLORSPACE_SRGB, YCBCR_601, QUANTIZATION_FULL), Colour::JPEG);
        assert_eq!(read(COLORSPACE_JPEG, YCBCR_709, QUANTIZATION_LIMITED), Colour::HD);
        assert_eq!(read(u32::MAX, u32::MAX, u32::MAX), Colour::WEBCAM);
    }

    #[test]
    fn the_tag_reads_back() {
        let mut pix = PixFormat { colorspace: COLORSPACE_REC709, ..PixFormat::default() };
        tag_webcam(&mut pix);
        assert_eq!(colour_of(&pix), Colour::WEBCAM);
    }
}
