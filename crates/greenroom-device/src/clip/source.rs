//! A clip comes from a file, from numbered pictures or from an address.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::DeviceError;
use crate::address::SCHEMES;
use crate::ffmpeg::{Input, printable_address};

/// Where a clip comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipSource {
    /// A video file.
    File(PathBuf),
    /// Numbered pictures, shown at 25 a second: a path whose last part has one `%d` or `%03d` in
    /// it, as FFmpeg's `image2` takes it.
    Pattern(PathBuf),
    /// `http`, `https`, `rtsp`, `rtmp` or `rtmps`: the only kind for which FFmpeg may use the
    /// network (and then no file, and no playlist that leads elsewhere).
    Url(String),
}

impl fmt::Display for ClipSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Pattern(path) => path.display().fmt(f),
            Self::Url(url) => f.pad(&printable_address(url)),
        }
    }
}

impl ClipSource {
    /// What FFmpeg may open for it.
    pub(super) fn input(&self) -> Input<'_> {
        match self {
            Self::File(path) => Input::File(path),
            Self::Pattern(path) => Input::Pattern(path),
            Self::Url(url) => Input::Address(url),
        }
    }

    /// Whether `text` is an address (`scheme://...`), of whatever scheme.
    pub fn is_url(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'+')
        })
    }

    /// Whether `path` stands for numbered pictures: its last part has one `%d`, `%3d` or `%03d`.
    pub fn is_pattern(path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut parts = name.split('%');
        let (Some(_), Some(behind), None) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        // FFmpeg counts with at most so many.
        digits <= 2 && behind[digits..].starts_with('d')
    }
}

impl FromStr for ClipSource {
    type Err = DeviceError;

    /// An address, a pattern of numbered pictures (unless a file of that very name exists), else a
    /// file. Whether it exists is not asked.
    fn from_str(text: &str) -> Result<Self, DeviceError> {
        if Self::is_url(text) {
            let scheme = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if SCHEMES.contains(&scheme.as_str()) {
                return Ok(Self::Url(text.to_owned()));
            }
            return Err(DeviceError::Unsupported {
                what: Self::Url(text.to_owned()).to_string(),
                why: format!("its scheme is none of {}; write one of them", SCHEMES.join(", ")),
            });
        }
        let path = PathBuf::from(text);
        let is_pattern = Self::is_pattern(&path) && !path.exists();
        Ok(if is_pattern { Self::Pattern(path) } else { Self::File(path) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Result<ClipSource, DeviceError> {
        text.parse()
    }

    #[test]
    fn a_text_is_an_address_a_pattern_or_a_file() {
        for address in ["http://a/b.mp4", "https://a", "rtsp://cam:554/x", "RTMP://a"] {
            assert_eq!(source(address).unwrap(), ClipSource::Url(address.into()));
        }
        for address in ["file:///etc/passwd", "concat://a", "gopher://x"] {
            let error = source(address).unwrap_err().to_string();
            assert!(error.contains("none of http, https"), "{error}");
        }
        for pattern in ["a/%d.png", "%03d.jpg", "shot-%4d.webp"] {
            assert_eq!(source(pattern).unwrap(), ClipSource::Pattern(pattern.into()));
        }
        for file in ["a.mp4", "50%.mp4", "%d/a.png", "%d%d.png", "a%s.png", "a:b", "%0000d.png"] {
            assert_eq!(source(file).unwrap(), ClipSource::File(file.into()), "{file}");
        }
    }
}
