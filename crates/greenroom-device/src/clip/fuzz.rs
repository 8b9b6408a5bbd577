//! A hostile or broken stream from FFmpeg, as a target for a fuzzer.

use super::demux::{Demux, Want};

/// What the stream holds: a picture's bytes and time, or why it cannot be read further.
type Found = Result<(u64, i64), &'static str>;

/// The first byte says how large the pieces are in which the others come.
///
/// However the stream is cut, the same pictures are found in it; every step goes forward.
pub(crate) fn demux(data: &[u8]) {
    let Some((&step, stream)) = data.split_first() else { return };
    assert_eq!(read(stream, usize::from(step) + 1), read(stream, usize::MAX), "by {step} + 1");
}

fn read(mut stream: &[u8], step: usize) -> Vec<Found> {
    let (mut demux, mut found) = (Demux::new(), Vec::new());
    loop {
        let left = stream.len().min(step);
        let taken = match demux.want() {
            Want::Head => {
                let space = demux.space();
                assert!(!space.is_empty() && space.len() <= 8, "{} bytes of a header", space.len());
                let taken = space.len().min(left);
                space[..taken].copy_from_slice(&stream[..taken]);
                if let (1.., Err(why)) = (taken, demux.read_head(taken)) {
                    found.push(Err(why));
                    return found;
                }
                taken
            }
            Want::Skip(bytes) => {
                assert_ne!(bytes, 0, "nothing is skipped for ever");
                let taken = bytes.min(left as u64);
                demux.skipped(taken);
                taken as usize
            }
            Want::Picture { bytes, ms } => {
                assert_ne!(bytes, 0, "an empty picture");
                found.push(Ok((bytes, ms)));
                if bytes > stream.len() as u64 {
                    return found;
                }
                demux.read_picture();
                stream = &stream[bytes as usize..];
                continue;
            }
        };
        if taken == 0 {
            return found;
        }
        stream = &stream[taken..];
    }
}
