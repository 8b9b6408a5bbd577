//! A JPEG's segments up to the picture's data: what greenroom must know before libjpeg-turbo does.

use std::borrow::Cow;

/// What the segments before the picture's data say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segments {
    /// Where the start-of-scan marker lies: the place for tables that are missing.
    pub scan_at_bytes: usize,
    /// Whether Huffman tables are there. Many cameras leave them out.
    pub has_huffman: bool,
    /// Samples in a row and rows, as the frame header says; libjpeg-turbo reads the same.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
}

/// Why a frame is not handed to libjpeg-turbo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The frame is damaged; the next one may be good.
    Damaged(Cow<'static, str>),
    /// A kind of JPEG that no camera sends; the next one will be the same.
    Foreign(Cow<'static, str>),
}

fn damaged(why: &'static str) -> Refusal {
    Refusal::Damaged(Cow::Borrowed(why))
}

fn foreign(why: &'static str) -> Refusal {
    Refusal::Foreign(Cow::Borrowed(why))
}

const SOI: [u8; 2] = [0xff, 0xd8];
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
        let (mut frame, mut has_huffman, mut has_quantisers) = (None, false, false);
        loop {
            let (marker, marker_at_bytes) = next_marker(jpeg, at_bytes)?;
            let length_at_bytes = marker_at_bytes + 2;
            let length = jpeg.get(length_at_bytes..length_at_bytes + 2).ok_or_else(cut)?;
            let length_bytes = usize::from(u16::from_be_bytes([length[0], length[1]]));
            let segment = length_at_bytes..length_at_bytes + length_bytes;
            let body = jpeg.get(segment.clone()).and_then(|s| s.get(2..)).ok_or_else(cut)?;
            match marker {
                0xc0 | 0xc1 => frame = Some(FrameHeader::read(body)?),
                0xc4 => has_huffman = true,
                // The other start-of-frame markers: progressive, lossless, arithmetic. A
                // progressive file may hold thousands of scans of the whole picture.
                0xc2 | 0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                    return Err(foreign("it is not a baseline JPEG"));
                }
                0xda => {
                    let frame = frame.ok_or_else(|| damaged("it has no frame header"))?;
                    if !has_quantisers {
                        // libjpeg-turbo would use those of the frame before.
                        return Err(damaged("it has no quantisation tables"));
                    }
                    frame.check_scan(body)?;
                    let FrameHeader { width_px, height_px, .. } = frame;
                    let scan_at_bytes = marker_at_bytes;
                    return Ok(Self { scan_at_bytes, has_huffman, width_px, height_px });
                }
                0xdb => has_quantisers = true,
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
}

impl FrameHeader {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let &[precision, h1, h0, w1, w0, components, ..] = body else {
            return Err(damaged("its frame header is too short"));
        };
        if precision != 8 {
            return Err(foreign("its samples are not of 8 bits"));
        }
        let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
        Ok(Self { width_px: side(w1, w0), height_px: side(h1, h0), components })
    }

    /// That the scan holds the whole picture, so that one pass decodes it.
    fn check_scan(self, body: &[u8]) -> Result<(), Refusal> {
        match body.first() {
            Some(&components) if components == self.components => Ok(()),
            _ => Err(foreign("its colours come one after the other")),
        }
    }
}
