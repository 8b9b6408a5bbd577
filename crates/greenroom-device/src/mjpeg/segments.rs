//! A JPEG's segments up to the picture's data: what greenroom must know before libjpeg-turbo does.

use super::refusal::{Refusal, damaged, foreign};
use super::tables::{Tables, bit};

/// What the segments before the picture's data say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segments {
    /// Where the start-of-scan marker lies.
    pub scan_at_bytes: usize,
    /// Whether it brings all Huffman tables that it names. Many cameras leave them out.
    pub has_huffman: bool,
    /// Samples in a row and rows, as the frame header says; libjpeg-turbo reads the same.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
}

/// Start of image.
pub(super) const SOI: [u8; 2] = [0xff, 0xd8];
/// End of image.
pub(super) const EOI: [u8; 2] = [0xff, 0xd9];

impl Segments {
    /// Walks the segments of `jpeg` from the start of the image to the start of the scan.
    pub fn read(jpeg: &[u8]) -> Result<Self, Refusal> {
        let cut = || damaged("it ends before its picture begins");
        if !jpeg.starts_with(&SOI) {
            return Err(damaged("it does not begin as a JPEG does"));
        }
        let mut at_bytes = SOI.len();
        let (mut frame, mut tables) = (None, Tables::default());
        loop {
            let (marker, marker_at_bytes) = next_marker(jpeg, at_bytes)?;
            let length_at_bytes = marker_at_bytes + 2;
            let length = jpeg.get(length_at_bytes..length_at_bytes + 2).ok_or_else(cut)?;
            let length_bytes = usize::from(u16::from_be_bytes([length[0], length[1]]));
            let segment = length_at_bytes..length_at_bytes + length_bytes;
            let body = jpeg.get(segment.clone()).and_then(|s| s.get(2..)).ok_or_else(cut)?;
            match marker {
                0xc0 | 0xc1 => frame = Some(FrameHeader::read(body)?),
                0xc4 => tables.add_huffman(body)?,
                // The other start-of-frame markers: progressive, lossless, arithmetic. A
                // progressive file may hold thousands of scans of the whole picture.
                0xc2 | 0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                    return Err(foreign("it is not a baseline JPEG"));
                }
                0xda => {
                    let frame = frame.ok_or_else(|| damaged("it has no frame header"))?;
                    let named = frame.check_scan(body)?;
                    let has_huffman = tables.hold(named)?;
                    let FrameHeader { width_px, height_px, .. } = frame;
                    let scan_at_bytes = marker_at_bytes;
                    return Ok(Self { scan_at_bytes, has_huffman, width_px, height_px });
                }
                0xdb => tables.add_quantisers(body)?,
                _ => {}
            }
            at_bytes = segment.end;
        }
    }
}

/// The marker at `at_bytes` and where it lies, after any fill bytes.
fn next_marker(jpeg: &[u8], at_bytes: usize) -> Result<(u8, usize), Refusal> {
    let rest = jpeg.get(at_bytes..).unwrap_or_default();
    let fill_bytes = rest.iter().take_while(|&&byte| byte == 0xff).count();
    match rest.get(fill_bytes) {
        _ if fill_bytes == 0 => Err(damaged("a segment is not where it should be")),
        None => Err(damaged("it ends before its picture begins")),
        // Markers without a body have no place here.
        Some(0x00..=0x01 | 0xd0..=0xd9) => Err(damaged("a marker is where a segment should be")),
        Some(&marker) => Ok((marker, at_bytes + fill_bytes - 1)),
    }
}

#[derive(Clone, Copy)]
struct FrameHeader {
    width_px: u32,
    height_px: u32,
    components: u8,
    /// The quantisers that they name.
    quantisers: u16,
}

impl FrameHeader {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let &[precision, h1, h0, w1, w0, components, ref each @ ..] = body else {
            return Err(damaged("its frame header is too short"));
        };
        if precision != 8 {
            return Err(foreign("its samples are not of 8 bits"));
        }
        let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
        // Of each: its name, sampling and quantiser.
        let quantisers = each.as_chunks::<3>().0.iter().fold(0, |set, &[.., q]| set | bit(q));
        Ok(Self { width_px: side(w1, w0), height_px: side(h1, h0), components, quantisers })
    }

    /// That the scan holds the whole picture, so that one pass decodes it. The tables that both
    /// name.
    fn check_scan(self, body: &[u8]) -> Result<Tables, Refusal> {
        let Some((&components, each)) = body.split_first() else {
            return Err(damaged("its scan header is too short"));
        };
        if components != self.components {
            return Err(foreign("its colours come one after the other"));
        }
        let mut named = Tables { quantisers: self.quantisers, ..Tables::default() };
        // Of each: its name, and the numbers of both Huffman tables.
        for &[_, numbers] in each.as_chunks::<2>().0.iter().take(components.into()) {
            named.huffman_dc |= bit(numbers >> 4);
            named.huffman_ac |= bit(numbers & 0xf);
        }
        Ok(named)
    }
}
