use std::fmt;

use greenroom_frame::PixelFormat;

use crate::Codec;

/// V4L2's code for a pixel format: four characters, the first in the lowest byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub u32);

impl FourCc {
    const fn of(text: &[u8; 4]) -> Self {
        Self(u32::from_le_bytes(*text))
    }

    /// What greenroom can decode, most to least usual.
    const KNOWN: [(FourCc, Codec); 8] = [
        (Self::of(b"YUYV"), Codec::Raw(PixelFormat::Yuyv)),
        (Self::of(b"MJPG"), Codec::Mjpeg),
        (Self::of(b"NV12"), Codec::Raw(PixelFormat::Nv12)),
        (Self::of(b"YU12"), Codec::Raw(PixelFormat::I420)),
        (Self::of(b"UYVY"), Codec::Raw(PixelFormat::Uyvy)),
        (Self::of(b"422P"), Codec::Raw(PixelFormat::I422)),
        (Self::of(b"GREY"), Codec::Raw(PixelFormat::Grey)),
        // Some drivers call single JPEG pictures so; the frames are the same.
        (Self::of(b"JPEG"), Codec::Mjpeg),
    ];

    /// The code with these four characters, if there are four of ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 4] = text.as_bytes().try_into().ok()?;
        bytes.is_ascii().then(|| Self::of(bytes))
    }

    /// How frames with this code are coded, if greenroom can decode them.
    pub fn codec(self) -> Option<Codec> {
        Self::KNOWN.iter().find(|(code, _)| *code == self).map(|(_, codec)| *codec)
    }

    /// The pixel format with this code, if it is a raw one that greenroom knows.
    pub fn raw_format(self) -> Option<PixelFormat> {
        match self.codec()? {
            Codec::Raw(format) => Some(format),
            Codec::Mjpeg => None,
        }
    }
}

impl From<PixelFormat> for FourCc {
    fn from(format: PixelFormat) -> Self {
        Self::KNOWN
            .iter()
            .find(|(_, codec)| *codec == Codec::Raw(format))
            .map(|(code, _)| *code)
            .expect("every pixel format is in the table (tested)")
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.to_le_bytes();
        match std::str::from_utf8(&bytes) {
            Ok(text) if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) => {
                f.pad(text.trim_end())
            }
            _ => write!(f, "{:#010x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_format_has_a_code_and_comes_back() {
        for format in PixelFormat::ALL {
            assert_eq!(FourCc::from(format).raw_format(), Some(format));
        }
        assert_eq!(FourCc::from(PixelFormat::I420), FourCc(0x3231_5559));
        assert_eq!(FourCc(0x4745_504a).codec(), Some(Codec::Mjpeg));
        assert_eq!(FourCc(0x4747_504a).codec(), None);
    }

    #[test]
    fn codes_print_as_text_or_as_number() {
        assert_eq!(FourCc::parse("MJPG").unwrap().to_string(), "MJPG");
        assert_eq!(FourCc::parse("Y16 ").unwrap().to_string(), "Y16");
        assert_eq!(FourCc(0x1b).to_string(), "0x0000001b");
        assert_eq!(FourCc(u32::MAX).to_string(), "0xffffffff");
        assert!(FourCc::parse("MJPEG").is_none());
        assert!(FourCc::parse("é12").is_none());
    }
}
