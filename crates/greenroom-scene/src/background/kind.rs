//! What a file is, by what is in it and not by its name.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// What stands at a path, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Folder,
    /// PNG, JPEG or a WebP that does not move.
    Picture,
    AnimatedWebP,
    /// Anything else: whether it is a video, FFmpeg knows. Also what cannot be opened, and what is
    /// no file, which is told when it is made a background.
    Video,
}

/// A WebP's extended header: `RIFF`, size, `WEBP`, `VP8X`, size, flags.
const WEBP_FLAGS_AT: usize = 20;
const WEBP_ANIMATION: u8 = 0x02;

impl FileKind {
    pub(super) fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Self::Folder,
            // Opening a FIFO waits for its writer.
            Ok(found) if found.is_file() => {}
            _ => return Self::Video,
        }
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(32).read_to_end(&mut head));
        if read.is_err() {
            // Its decoder tells why.
            return Self::Picture;
        }
        let is_webp = head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP");
        if is_webp {
            let is_extended = head.get(12..16) == Some(b"VP8X");
            let flags = head.get(WEBP_FLAGS_AT).copied().unwrap_or(0);
            let moves = is_extended && flags & WEBP_ANIMATION != 0;
            return if moves { Self::AnimatedWebP } else { Self::Picture };
        }
        let is_picture =
            head.starts_with(b"\x89PNG\r\n\x1a\n") || head.starts_with(b"\xFF\xD8\xFF");
        if is_picture { Self::Picture } else { Self::Video }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        let folder = tempfile::tempdir().unwrap();
        let kind = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            FileKind::of(&path)
        };
        assert_eq!(kind("a.mp4", b"\x89PNG\r\n\x1a\nrest"), FileKind::Picture);
        assert_eq!(kind("a.txt", b"\xFF\xD8\xFF\xE0"), FileKind::Picture);
        let webp = |chunk: &[u8; 4], flags| {
            [&b"RIFF\x20\0\0\0WEBP"[..], chunk, &[10, 0, 0, 0, flags, 0, 0, 0]].concat()
        };
        assert_eq!(kind("a", &webp(b"VP8 ", 0xFF)), FileKind::Picture);
        assert_eq!(kind("a", &webp(b"VP8X", 0x10)), FileKind::Picture);
        assert_eq!(kind("a", &webp(b"VP8X", 0x12)), FileKind::AnimatedWebP);
        assert_eq!(kind("a.png", b"GIF89a"), FileKind::Video);
        assert_eq!(kind("a.png", b""), FileKind::Video);
        assert_eq!(FileKind::of(folder.path()), FileKind::Folder);
        assert_eq!(FileKind::of(Path::new("/dev/zero")), FileKind::Video);
    }
}
