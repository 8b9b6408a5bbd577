//! Is a file as long as it says? FFmpeg shows what there is of a cut one as if that were all.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;

/// Looks at the outermost structure of MP4 and MOV, Matroska and WebM, AVI and other RIFF, and GIF;
/// other kinds are taken to be whole.
///
/// # Errors
/// Why it is not, in words.
pub(crate) fn check(file: &File, len_bytes: u64) -> Result<(), String> {
    let mut head = [0; 64];
    let head_bytes = read_at(file, &mut head, 0).map_err(|error| error.to_string())?;
    let head = &head[..head_bytes];
    let end_bytes = match head {
        [0x1A, 0x45, 0xDF, 0xA3, ..] => matroska_end(head),
        [b'R', b'I', b'F', b'F', size @ ..] => {
            size.first_chunk().map(|&size| 8 + u64::from(u32::from_le_bytes(size)))
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] | [_, _, _, _, b'm', b'o', b'o', b'v', ..] => {
            boxes_end(file, len_bytes)
        }
        [b'G', b'I', b'F', b'8', ..] => {
            let has_end = gif_has_end(file);
            (!has_end).then_some(len_bytes + 1)
        }
        _ => None,
    };
    match end_bytes {
        Some(end_bytes) if end_bytes > len_bytes => Err("it ends before its video does".to_owned()),
        _ => Ok(()),
    }
}

/// Whether an MP4, MOV, Matroska or WebM file that FFmpeg has written ends where it says, and has all
/// that is written last.
pub(crate) fn is_complete(file: &File) -> bool {
    let Ok(len_bytes) = file.metadata().map(|found| found.len()) else { return false };
    let mut head = [0; 64];
    let Ok(head_bytes) = read_at(file, &mut head, 0) else { return false };
    let end_bytes = match &head[..head_bytes] {
        // The size is written at last, in the place that was left for it.
        head @ [0x1A, 0x45, 0xDF, 0xA3, ..] => matroska_end(head),
        _ => boxes_end(file, len_bytes).filter(|_| has_box(file, b"moov")),
    };
    end_bytes == Some(len_bytes)
}

/// Where the last fragment of an MP4 or MOV, or the last cluster of a Matroska or WebM, ends that is there whole, if the
/// file was to be written in such parts and is cut off.
pub(crate) fn last_whole_part_end(file: &File) -> Option<u64> {
    let len_bytes = file.metadata().ok()?.len();
    let mut head = [0; 64];
    let head_bytes = read_at(file, &mut head, 0).ok()?;
    match &head[..head_bytes] {
        head @ [0x1A, 0x45, 0xDF, 0xA3, ..] => last_cluster_end(file, head, len_bytes),
        _ => {
            let (mut end, mut is_behind_samples, mut boxes) = (None, false, 0);
            let boxes_end = walk_boxes(file, len_bytes, |name, at| {
                boxes += 1;
                if is_behind_samples {
                    end = Some(at);
                }
                is_behind_samples = name == b"mdat";
                false
            });
            let is_whole = is_behind_samples && boxes_end == Some(len_bytes);
            // With more of them than are walked, nothing is known of the end.
            if is_whole { boxes_end } else { end.filter(|_| boxes < MAX_BOXES) }
        }
    }
}

/// See [`last_whole_part_end`].
fn last_cluster_end(file: &File, head: &[u8], len_bytes: u64) -> Option<u64> {
    let (segment_at, _) = matroska_segment(head)?;
    let (mut at, mut end) = (segment_at, None);
    for _ in 0..MAX_BOXES {
        let mut head = [0; 16];
        let head_bytes = read_at(file, &mut head, at).ok()?;
        let id_bytes = head.first()?.leading_zeros() as usize + 1;
        let Some((Some(size), content)) = ebml_size(&head[..head_bytes], id_bytes) else {
            return end;
        };
        at = at.checked_add(content as u64)?.checked_add(size)?;
        if at > len_bytes {
            return end;
        }
        end = Some(at);
        if at == len_bytes {
            return end;
        }
    }
    // With more of them than are walked, nothing is known of the end.
    None
}

fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match file.read_at(&mut into[filled..], at + filled as u64)? {
            0 => break,
            bytes => filled += bytes,
        }
    }
    Ok(filled)
}

/// Most boxes that are walked: a file in fragments has two a second. These are read in two seconds.
const MAX_BOXES: usize = 2_000_000;

/// Where the last box of an MP4 ends that begins in the file.
fn boxes_end(file: &File, len_bytes: u64) -> Option<u64> {
    walk_boxes(file, len_bytes, |_, _| false)
}

/// Whether an MP4 has such a box.
fn has_box(file: &File, name: &[u8; 4]) -> bool {
    let mut is_there = false;
    walk_boxes(file, u64::MAX, |found, _| {
        is_there |= found == name;
        is_there
    });
    is_there
}

/// See [`boxes_end`]; ends before a box whose name, and place, `stops` it.
fn walk_boxes(
    file: &File,
    len_bytes: u64,
    mut stops: impl FnMut(&[u8], u64) -> bool,
) -> Option<u64> {
    let mut at = 0u64;
    for _ in 0..MAX_BOXES {
        let mut head = [0; 16];
        let read = read_at(file, &mut head, at).ok()?;
        if read >= 8 && stops(&head[4..8], at) {
            return None;
        }
        let [a, b, c, d, _, _, _, _, long @ ..] = head;
        let size = match u32::from_be_bytes([a, b, c, d]) {
            // Up to the file's end.
            0 => return None,
            1 if read < head.len() => return Some(len_bytes + 1),
            1 => u64::from_be_bytes(long),
            size => size.into(),
        };
        // No box: what follows the last one is not for us to judge.
        if read < 8 || size < 8 {
            return None;
        }
        at = at.checked_add(size)?;
        if at >= len_bytes {
            return Some(at);
        }
    }
    None
}

/// Where a Matroska segment ends, if it says so.
fn matroska_end(head: &[u8]) -> Option<u64> {
    let (content_at, size) = matroska_segment(head)?;
    content_at.checked_add(size?)
}

/// Where the content of a Matroska segment begins, and its size, if it is known.
fn matroska_segment(head: &[u8]) -> Option<(u64, Option<u64>)> {
    let (header, header_at) = ebml_size(head, 4)?;
    let segment_at = header_at + usize::try_from(header?).ok()?;
    if head.get(segment_at..segment_at + 4)? != [0x18, 0x53, 0x80, 0x67] {
        return None;
    }
    let (segment, content_at) = ebml_size(head, segment_at + 4)?;
    Some((content_at as u64, segment))
}

/// The EBML size at `at` (`Some(None)`: not known) and where its element's content begins.
fn ebml_size(head: &[u8], at: usize) -> Option<(Option<u64>, usize)> {
    let more = head.get(at)?.leading_zeros() as usize;
    let bytes = head.get(at..=at + more).filter(|_| more < 8)?;
    let marker = 1u64 << (7 * bytes.len());
    let size = bytes.iter().fold(0u64, |size, &byte| size << 8 | u64::from(byte)) & (marker - 1);
    Some(((size != marker - 1).then_some(size), at + bytes.len()))
}

/// Whether a GIF's blocks lead to its end mark.
fn gif_has_end(file: &File) -> bool {
    fn walk(mut from: impl Read) -> io::Result<()> {
        let mut byte = || -> io::Result<u8> {
            let mut byte = [0];
            from.read_exact(&mut byte)?;
            Ok(byte[0])
        };
        let table_bytes = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
        // Signature, size, flags, background, aspect.
        let mut flags = 0;
        for at in 0..13 {
            let byte = byte()?;
            flags = if at == 10 { byte } else { flags };
        }
        let mut skip = table_bytes(flags);
        loop {
            for _ in 0..skip {
                byte()?;
            }
            match byte()? {
                0x3B => return Ok(()),
                0x21 => skip = 1,
                0x2C => {
                    for at in 0..9 {
                        let byte = byte()?;
                        flags = if at == 8 { byte } else { flags };
                    }
                    skip = table_bytes(flags) + 1;
                }
                // Padding, or not for us to judge.
                0 => {
                    skip = 0;
                    continue;
                }
                _ => return Ok(()),
            }
            for _ in 0..std::mem::take(&mut skip) {
                byte()?;
            }
            // Sub-blocks up to an empty one.
            loop {
                let bytes = byte()?;
                if bytes == 0 {
                    break;
                }
                for _ in 0..bytes {
                    byte()?;
                }
            }
        }
    }
    !walk(BufReader::with_capacity(1 << 16, file))
        .is_err_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn cuts_seen(bytes: &[u8], from: usize) {
        for end in from..=bytes.len() {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes[..end]).unwrap();
            let mut file = file;
            io::Seek::rewind(&mut file).unwrap();
            let found = check(&file, end as u64);
            assert_eq!(found.is_ok(), end == bytes.len(), "{end} of {}", bytes.len());
        }
    }

    /// The end of the last part that is whole, for every length.
    fn whole_parts(bytes: &[u8]) -> Vec<Option<u64>> {
        let end = |end| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes[..end]).unwrap();
            last_whole_part_end(&file)
        };
        (0..=bytes.len()).map(end).collect()
    }

    #[test]
    fn the_last_whole_part_of_a_cut_file_is_found() {
        let boxed = |name: &[u8; 4], content: &[u8]| {
            let size = u32::try_from(8 + content.len()).unwrap();
            [&size.to_be_bytes()[..], name, content].concat()
        };
        let head = [boxed(b"ftyp", b"iso5"), boxed(b"moov", b"1234")].concat();
        let fragment = [boxed(b"moof", b"12"), boxed(b"mdat", b"123456")].concat();
        let mp4 = [&head[..], &fragment, &fragment].concat();
        let first = head.len() + fragment.len();
        for (length, found) in whole_parts(&mp4).into_iter().enumerate() {
            let wanted = match length {
                length if length == mp4.len() => Some(mp4.len() as u64),
                // A box is known by its name.
                length if length == first || length >= first + 8 => Some(first as u64),
                _ => None,
            };
            assert_eq!(found, wanted, "{length} of {mp4:?}");
        }

        let mkv_head = [0x1A, 0x45, 0xDF, 0xA3, 0x81, 7];
        let segment = [0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        let cluster = [0x1F, 0x43, 0xB6, 0x75, 0x84, 1, 2, 3, 4];
        let mkv = [&mkv_head[..], &segment, &cluster, &cluster].concat();
        let start = mkv_head.len() + segment.len();
        for (length, found) in whole_parts(&mkv).into_iter().enumerate().skip(start) {
            let whole = (length - start) / cluster.len();
            let wanted = (whole > 0).then(|| (start + whole * cluster.len()) as u64);
            assert_eq!(found, wanted, "{length} of {mkv:?}");
        }
    }

    #[test]
    fn cut_files_are_seen() {
        let ftyp = [0, 0, 0, 12, b'f', b't', b'y', b'p', 1, 2, 3, 4];
        let wide = [0, 0, 0, 1, b'm', b'd', b'a', b't', 0, 0, 0, 0, 0, 0, 0, 20, 5, 5, 5, 5];
        cuts_seen(&[&ftyp[..], &wide].concat(), 21);
        let mkv = [0x1A, 0x45, 0xDF, 0xA3, 0x81, 7, 0x18, 0x53, 0x80, 0x67, 0x84, 1, 2, 3, 4];
        cuts_seen(&mkv, 11);
        cuts_seen(b"RIFF\x08\0\0\0AVI LIST", 8);
        let gif = [
            &b"GIF89a"[..],
            &[1, 0, 1, 0, 0x80, 0, 0, 1, 2, 3, 4, 5, 6],
            &[0x21, 0xF9, 4, 0, 0, 0, 0, 0],
            &[0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B],
        ];
        cuts_seen(&gif.concat(), 4);
    }
}
