use std::time::Duration;

use super::header::Header;
use super::refusal::Refusal;

/// Pixels of a byte, at most, in a large picture. One grey all over makes 1032 as a PNG and 85 as a
/// JPEG; a camera's picture has 20 at the most.
const PX_PER_BYTE: u64 = 1100;

/// What one server bears. By account the defaults come to 480 MiB at the worst: 80 MiB of bodies,
/// 128 MiB of masks that nobody fetches (a bit a pixel), 10 MiB of buffers, 200 MiB for one large
/// picture being decoded (a progressive one), 50 MiB for one with the network, 14 MiB for the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Largest body of a request.
    pub body_bytes: usize,
    /// Part of a body that is always taken: a webcam's JPEG. What is above comes out of
    /// [`bodies_bytes`](Self::bodies_bytes), so that large bodies never lock out ordinary ones.
    pub ordinary_body_bytes: usize,
    /// All bodies together, above their ordinary part.
    pub bodies_bytes: usize,
    /// Largest picture, in pixels; its sides are at most [`SizePx::MAX_SIDE_PX`](greenroom_frame::SizePx::MAX_SIDE_PX).
    pub picture_px: u64,
    /// What a picture may cost to decode, in pixels of a camera's JPEG: one of a PNG costs 4, of a
    /// progressive JPEG 4 or as many as it has passes, of a WebP 32.
    pub picture_work_px: u64,
    /// So many pixels may come in any number of bytes; above, there must be a byte for every
    /// `PX_PER_BYTE`.
    pub ordinary_picture_px: u64,
    /// Pictures that cost more to decode are decoded one at a time, beside the others.
    pub ordinary_work_px: u64,
    /// Pictures at once that cost more than the ordinary; more are refused, so that they never take all connections.
    pub large_pictures: usize,
    /// Time for a request's head, from its first byte or from the connection's start.
    pub head_time: Duration,
    /// Time for a request's body.
    pub body_time: Duration,
    /// Time from the body's last byte to the mask: waiting for the others and working.
    pub work_time: Duration,
    /// Time in which a client takes none of its answer.
    pub stall_time: Duration,
    /// Time for the whole answer.
    pub answer_time: Duration,
    /// Time between two requests of one connection.
    pub idle_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            body_bytes: 8 << 20,
            ordinary_body_bytes: 256 << 10,
            bodies_bytes: 64 << 20,
            picture_px: 16 << 20,
            picture_work_px: 64 << 20,
            // 1920x1088, which coded video has.
            ordinary_picture_px: 1920 * 1088,
            // Such a PNG.
            ordinary_work_px: 4 * 1920 * 1088,
            large_pictures: 8,
            head_time: Duration::from_secs(5),
            body_time: Duration::from_secs(10),
            work_time: Duration::from_secs(20),
            stall_time: Duration::from_secs(10),
            answer_time: Duration::from_secs(60),
            idle_time: Duration::from_secs(60),
        }
    }
}

impl Limits {
    /// That a picture with `header` in so many bytes is not too large, and does not cost too much.
    pub(super) fn check(&self, header: &Header, bytes: usize) -> Result<(), Refusal> {
        let size = header.size;
        if size.width_px == 0 || size.height_px == 0 {
            return Err(Refusal::NotWhole("its size is zero".into()));
        }
        if size.checked().is_err() || size.area_px() > self.picture_px {
            return Err(Refusal::PictureTooLarge { size, most_px: self.picture_px });
        }
        if header.work_px() > self.picture_work_px {
            let most_px = header.most_px(self.picture_work_px);
            return Err(Refusal::TooMuchWork { format: header.format_name(), size, most_px });
        }
        let most_px = self.ordinary_picture_px.max(bytes as u64 * PX_PER_BYTE);
        if size.area_px() > most_px {
            return Err(Refusal::TooFewBytes { size, bytes, most_px });
        }
        Ok(())
    }
}
