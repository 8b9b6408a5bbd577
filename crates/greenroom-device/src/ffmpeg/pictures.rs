use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStdout;

use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;

use crate::clip::demux::{Demux, Want};

/// Raw pictures with their times, as they come out of an `ffmpeg` that was started with
/// [`RAW_WITH_TIMES`](crate::clip::plan::RAW_WITH_TIMES).
#[derive(Debug)]
pub(crate) struct RawPictures {
    pipe: ChildStdout,
    demux: Demux,
    /// How much of the picture that is coming in is there.
    filled_bytes: usize,
}

/// What reading once ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Something, but no picture yet.
    Part,
    /// The picture is whole; its time, in what the container counts in.
    Picture(i64),
    /// The child has closed its end; tells whether it did so between two pictures.
    End { is_between: bool },
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Malformed(&'static str),
}

/// Most that an unprivileged process may ask for: fewer turns between the two processes.
const PIPE_BYTES: usize = 1 << 20;

impl RawPictures {
    pub fn new(pipe: ChildStdout) -> Self {
        if let Err(error) = fcntl_setpipe_size(&pipe, PIPE_BYTES) {
            tracing::debug!(%error, "the pipe stays small");
        }
        Self { pipe, demux: Demux::new(), filled_bytes: 0 }
    }

    /// Reads once what comes next, the bytes of a picture into `picture`, which must be the same one
    /// until it is whole. Waits only while the pipe is not readable.
    ///
    /// # Errors
    /// When the pipe cannot be read, or holds no pictures of this size.
    pub fn read(&mut self, picture: &mut [u8]) -> Result<Came, PictureError> {
        let mut nothing = [0; 4096];
        let picture_bytes = picture.len();
        let want = self.demux.want();
        let space = match want {
            Want::Head => self.demux.space(),
            Want::Skip(bytes) => &mut nothing[..bytes.min(4096) as usize],
            Want::Picture { bytes, .. } if bytes != picture_bytes as u64 => {
                return Err(PictureError::Malformed("FFmpeg sent a picture of another size"));
            }
            Want::Picture { .. } => &mut picture[self.filled_bytes..],
        };
        let bytes = loop {
            match rustix::io::read(&self.pipe, &mut *space) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
                Ok(0) => return Ok(Came::End { is_between: self.demux.is_between() }),
                Ok(bytes) => break bytes,
            }
        };
        match want {
            Want::Head => self.demux.read_head(bytes).map_err(PictureError::Malformed)?,
            Want::Skip(_) => self.demux.skipped(bytes as u64),
            Want::Picture { ms, .. } => {
                self.filled_bytes += bytes;
                if self.filled_bytes == picture_bytes {
                    self.filled_bytes = 0;
                    self.demux.read_picture();
                    return Ok(Came::Picture(ms));
                }
            }
        }
        Ok(Came::Part)
    }
}

impl AsFd for RawPictures {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}
