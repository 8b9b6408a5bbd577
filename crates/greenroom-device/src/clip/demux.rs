//! The little of Matroska that FFmpeg's muxer writes into a pipe: raw pictures, each with its time
//! in milliseconds.
//!
//! Raw video alone has no times, and FFmpeg's own resampling to a constant rate costs frames or
//! copies of them; Matroska (RFC 9559) is a header of a few bytes before each picture.

/// EBML identifiers (RFC 9559, section 5): elements that are walked into ...
const SEGMENT: u64 = 0x1853_8067;
const CLUSTER: u64 = 0x1F43_B675;
const BLOCK_GROUP: u64 = 0xA0;
/// ... and those that are read; all others are passed over.
const TIMESTAMP: u64 = 0xE7;
const SIMPLE_BLOCK: u64 = 0xA3;
const BLOCK: u64 = 0xA1;

/// Before a block's picture: track (one byte, there is one track), time within the cluster, flags.
const BLOCK_HEAD_BYTES: u64 = 4;

/// What the stream holds next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// Bytes of a header, which are to be read to [`Demux::space`].
    Head,
    /// So many bytes that say nothing.
    Skip(u64),
    /// A picture of so many bytes, shown at this time in milliseconds.
    Picture { bytes: u64, ms: i64 },
}

/// A reader of the stream that is told what was read.
#[derive(Debug)]
pub(crate) struct Demux {
    state: State,
    /// Bytes of the header that is being read, so far `filled` of `wanted`.
    head: [u8; 8],
    filled: usize,
    wanted: usize,
    cluster_ms: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Id,
    Size { id: u64 },
    Timestamp,
    BlockHead { picture_bytes: u64 },
    Skip(u64),
    Picture { bytes: u64, ms: i64 },
}

impl Demux {
    pub fn new() -> Self {
        Self { state: State::Id, head: [0; 8], filled: 0, wanted: 1, cluster_ms: 0 }
    }

    /// What is to be read next.
    pub fn want(&self) -> Want {
        match self.state {
            State::Skip(bytes) => Want::Skip(bytes),
            State::Picture { bytes, ms } => Want::Picture { bytes, ms },
            _ => Want::Head,
        }
    }

    /// Whether the stream may end here: between two elements.
    pub fn is_between(&self) -> bool {
        matches!(self.state, State::Id) && self.filled == 0
    }

    /// Where [`Want::Head`] is to be read to; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        &mut self.head[self.filled..self.wanted]
    }

    /// The first `bytes` of [`space`](Self::space) were read.
    ///
    /// # Errors
    /// When the stream is not what FFmpeg's muxer writes.
    pub fn read_head(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.filled += bytes;
        if self.filled < self.wanted {
            return Ok(());
        }
        let head = &self.head[..self.wanted];
        match self.state {
            // The first byte's leading zeros tell how many follow.
            State::Id | State::Size { .. } if self.wanted == 1 && head[0].leading_zeros() > 0 => {
                self.wanted += head[0].leading_zeros() as usize;
                let longest = if matches!(self.state, State::Id) { 4 } else { 8 };
                if self.wanted > longest {
                    return Err("a length is too long");
                }
            }
            State::Id => self.expect(State::Size { id: big_endian(head) }, 1),
            State::Size { id } => {
                let marker = 1u64 << (7 * self.wanted);
                let size = big_endian(head) & (marker - 1);
                self.element(id, (size != marker - 1).then_some(size))?;
            }
            State::Timestamp => {
                self.cluster_ms = big_endian(head);
                self.expect(State::Id, 1);
            }
            State::BlockHead { picture_bytes: bytes } => {
                let ms = i64::try_from(self.cluster_ms).map_err(|_| "a time is too late")?;
                let ms = ms.saturating_add(i16::from_be_bytes([head[1], head[2]]).into());
                self.state = State::Picture { bytes, ms };
            }
            State::Skip(_) | State::Picture { .. } => unreachable!("these have no header"),
        }
        Ok(())
    }

    /// So many of the bytes of [`Want::Skip`] were read.
    pub fn skipped(&mut self, bytes: u64) {
        match self.state {
            State::Skip(left) if bytes < left => self.state = State::Skip(left - bytes),
            _ => self.expect(State::Id, 1),
        }
    }

    /// The picture was read.
    pub fn read_picture(&mut self) {
        self.expect(State::Id, 1);
    }

    fn expect(&mut self, state: State, wanted: usize) {
        (self.state, self.filled, self.wanted) = (state, 0, wanted);
    }

    /// An element begins; `None`: its size is not known.
    fn element(&mut self, id: u64, size: Option<u64>) -> Result<(), &'static str> {
        match (id, size) {
            (SEGMENT | CLUSTER | BLOCK_GROUP, _) => self.expect(State::Id, 1),
            (_, None) => return Err("an element has no size"),
            (TIMESTAMP, Some(size @ 1..=8)) => self.expect(State::Timestamp, size as usize),
            (SIMPLE_BLOCK | BLOCK, Some(size)) if size > BLOCK_HEAD_BYTES => {
                let picture_bytes = size - BLOCK_HEAD_BYTES;
                self.expect(State::BlockHead { picture_bytes }, BLOCK_HEAD_BYTES as usize);
            }
            (TIMESTAMP | SIMPLE_BLOCK | BLOCK, _) => return Err("an element has no content"),
            (_, Some(0)) => self.expect(State::Id, 1),
            (_, Some(size)) => self.state = State::Skip(size),
        }
        Ok(())
    }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times and sizes of the pictures in `stream`, read `step` bytes at a time.
    fn pictures(mut stream: &[u8], step: usize) -> Result<Vec<(i64, u64)>, &'static str> {
        let (mut demux, mut found) = (Demux::new(), Vec::new());
        let mut take = |bytes: u64| {
            let (now, later) = stream.split_at_checked(usize::try_from(bytes).ok()?)?;
            stream = later;
            Some(now)
        };
        loop {
            match demux.want() {
                Want::Head => {
                    let bytes = demux.space().len().min(step);
                    let Some(read) = take(bytes as u64) else { break };
                    demux.space()[..bytes].copy_from_slice(read);
                    demux.read_head(bytes)?;
                }
                Want::Skip(bytes) => {
                    let bytes = bytes.min(step as u64);
                    if take(bytes).is_none() {
                        break;
                    }
                    demux.skipped(bytes);
                }
                Want::Picture { bytes, ms } => {
                    found.push((ms, bytes));
                    if take(bytes).is_none() {
                        break;
                    }
                    demux.read_picture();
                }
            }
        }
        Ok(found)
    }

    /// As FFmpeg writes it: EBML header, segment of unknown size, a void, two clusters.
    fn stream() -> Vec<u8> {
        [
            &[0x1A, 0x45, 0xDF, 0xA3, 0x82, 1, 2][..],
            &[0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0xEC, 0x40, 0x03, 9, 9, 9, 0xEC, 0x80],
            &[0x1F, 0x43, 0xB6, 0x75, 0x20, 0x00, 0x0C],
            &[0xE7, 0x82, 0x01, 0x00, 0xA3, 0x86, 0x81, 0xFF, 0xFF, 0x80, 7, 7],
            &[0x1F, 0x43, 0xB6, 0x75, 0xFF],
            &[0xE7, 0x81, 0x0A, 0xA0, 0x89, 0xA1, 0x87, 0x81, 0x00, 0x05, 0x00, 7, 7, 7],
        ]
        .concat()
    }

    #[test]
    fn pictures_come_with_their_times() {
        for step in [1, 2, 8] {
            assert_eq!(pictures(&stream(), step), Ok(vec![(255, 2), (15, 3)]));
        }
    }

    /// Whatever comes: an answer, no panic, and no picture before its header.
    #[test]
    fn any_bytes_are_survived() {
        let good = stream();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                let _ = pictures(&bad, 8);
                let _ = pictures(&bad[at..], 3);
            }
        }
        let mut random = 1u64;
        for _ in 0..2000 {
            let bytes: Vec<u8> = (0..200)
                .map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (random >> 56) as u8
                })
                .collect();
            let _ = pictures(&bytes, 5);
        }
    }
}
