//! The picture that a question is about, small.

use greenroom_frame::SizePx;

use crate::planes::SmallPlanes;

/// Planes of a thumbnail that is kept.
#[derive(Debug, Clone)]
pub(super) struct KeptThumbnail {
    pub size: SizePx,
    pub planes: [Vec<u8>; 3],
}

impl KeptThumbnail {
    pub(super) fn new() -> Self {
        Self { size: SizePx::new(0, 0), planes: [const { Vec::new() }; 3] }
    }

    pub(super) fn copy_from(&mut self, thumbnail: &SmallPlanes) {
        self.size = thumbnail.size();
        for (kept, plane) in self.planes.iter_mut().zip(thumbnail.bytes()) {
            kept.clear();
            kept.extend_from_slice(plane);
        }
    }
}
