//! Hostile files, as far as greenroom itself reads them: what FFmpeg says of them.

use std::sync::Mutex;

use greenroom_frame::{PixelFormat, SizePx};

use super::probe::{Plan, described};
use crate::ffmpeg::{Tail, follow};

/// FFprobe's description of a file, which repeats what is in the file.
///
/// A plan that is made of it has a usable size and rate, and its filters hold nothing but our own
/// words and numbers.
pub(crate) fn description(json: &[u8]) {
    let Ok(plan) = described(json) else { return };
    let Plan { picture_filters: filters, format, size, rate, frames, .. } = plan;
    assert_eq!(size.checked(), Ok(size));
    assert_eq!(size, SizePx::even(size));
    assert!(matches!(format, PixelFormat::I420 | PixelFormat::I422));
    assert!((1.0..=240.0).contains(&rate.as_fps()), "{rate}");
    assert!(frames.is_none_or(|frames| (1..=1 << 32).contains(&frames)), "{frames:?}");
    let ours = |c: char| c.is_ascii_alphanumeric() || "=:,_+*/".contains(c);
    assert!(filters.chars().all(ours) && filters.len() < 300, "{filters}");
}

/// What FFmpeg writes to its standard error, which repeats what is in the file.
pub(crate) fn log(text: &[u8]) {
    let tail = Mutex::new(Tail::default());
    follow(text, &tail);
    let mut tail = tail.into_inner().expect("nobody panicked with it");
    tail.end();
    if let Some(reason) = tail.reason() {
        assert!(!reason.is_empty() && reason.len() < 4096, "{reason:?}");
        assert!(!reason.chars().any(char::is_control), "{reason:?} goes to terminals");
    }
}
