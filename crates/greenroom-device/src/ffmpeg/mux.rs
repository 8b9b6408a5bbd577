//! The little of Matroska (RFC 9559) that carries our frames to an encoder: raw pictures, each with
//! its time. Raw video alone has no times, and FFmpeg would take all frames to be equally far apart.

use std::io::{self, Write};
use std::time::Duration;

use greenroom_frame::PixelFormat;

use crate::SinkMode;

/// Writes the header before all frames. Times are counted in microseconds.
pub(crate) fn write_header(mode: SinkMode, to: &mut impl Write) -> io::Result<()> {
    let four_cc = if mode.format == PixelFormat::Grey { b"Y800" } else { b"I420" };
    let interval_ns = mode.rate.interval().as_nanos() as u64;
    let video = [
        number(0xB0, mode.size.width_px.into()),
        number(0xBA, mode.size.height_px.into()),
        element(0x2E_B524, four_cc),
    ];
    let track = [
        number(0xD7, 1),
        number(0x73C5, 1),
        // Video.
        number(0x83, 1),
        number(0x23_E383, interval_ns),
        element(0x86, b"V_UNCOMPRESSED"),
        element(0xE0, &video.concat()),
    ];
    let header = [number(0x4286, 1), number(0x42F7, 1), element(0x4282, b"matroska")];
    let info =
        [number(0x2A_D7B1, 1000), element(0x4D80, b"greenroom"), element(0x5741, b"greenroom")];
    let all = [
        element(0x1A45_DFA3, &header.concat()),
        // The segment, of unknown size.
        vec![0x18, 0x53, 0x80, 0x67, 0xFF],
        element(0x1549_A966, &info.concat()),
        element(0x1654_AE6B, &element(0xAE, &track.concat())),
    ];
    to.write_all(&all.concat())
}

/// Writes what comes before a picture of `picture_bytes` that is shown from `time` on.
pub(crate) fn write_head(
    time: Duration,
    picture_bytes: usize,
    to: &mut impl Write,
) -> io::Result<()> {
    let time_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let timestamp = number(0xE7, time_us);
    // Track 1, at the cluster's own time, a key frame.
    let block = [0x81, 0, 0, 0x80];
    let block_size = size(block.len() as u64 + picture_bytes as u64);
    let cluster_bytes = timestamp.len() + 1 + block_size.len() + block.len() + picture_bytes;
    let mut head = vec![0x1F, 0x43, 0xB6, 0x75];
    head.extend(size(cluster_bytes as u64));
    head.extend(timestamp);
    head.push(0xA3);
    head.extend(block_size);
    head.extend(block);
    to.write_all(&head)
}

fn element(id: u32, content: &[u8]) -> Vec<u8> {
    let id = id.to_be_bytes();
    let first = id.iter().position(|&byte| byte != 0).unwrap_or(0);
    [&id[first..], &size(content.len() as u64), content].concat()
}

fn number(id: u32, value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

/// A size in eight bytes, which hold any that is ours.
fn size(bytes: u64) -> [u8; 8] {
    (bytes | 1 << 56).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, SizePx};

    use super::*;
    use crate::FrameRate;
    use crate::clip::demux::{Demux, Want};

    /// Our own reader finds each picture with its time.
    #[test]
    fn what_is_written_is_read_back() {
        let mode = SinkMode {
            format: PixelFormat::Grey,
            size: SizePx::new(4, 2),
            rate: FrameRate::new(30, 1).unwrap(),
            colour: Colour::JPEG,
        };
        let mut stream = Vec::new();
        write_header(mode, &mut stream).unwrap();
        let times = [0, 33_333, 5_000_000_000];
        for time in times {
            write_head(Duration::from_micros(time), 8, &mut stream).unwrap();
            stream.extend([7; 8]);
        }
        let (mut demux, mut found, mut rest) = (Demux::new(), Vec::new(), &stream[..]);
        while !rest.is_empty() {
            let bytes = match demux.want() {
                Want::Head => {
                    let space = demux.space();
                    let bytes = space.len();
                    space.copy_from_slice(&rest[..bytes]);
                    demux.read_head(bytes).unwrap();
                    bytes
                }
                Want::Skip(bytes) => {
                    demux.skipped(bytes);
                    bytes as usize
                }
                Want::Picture { bytes, ms } => {
                    found.push(ms as u64);
                    demux.read_picture();
                    bytes as usize
                }
            };
            rest = &rest[bytes..];
        }
        assert_eq!(found, times);
        assert!(demux.is_between());
    }
}
