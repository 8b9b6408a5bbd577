use std::io;
use std::path::PathBuf;

/// What can go wrong with a scene. Every text is one sentence with the next step to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// A text is none of the kinds of background.
    #[error(
        "\"{0}\" is no background: write #rrggbb, blur, none, or the path of a PNG, JPEG or WebP \
         picture that exists"
    )]
    UnknownBackground(String),
    /// A picture could not be opened.
    #[error("cannot open the picture {}: {why}; name a file that can be read", path.display())]
    PictureUnreadable {
        /// The picture.
        path: PathBuf,
        /// The system's answer.
        why: io::Error,
    },
    /// A picture could not be decoded.
    #[error(
        "{} is not a whole PNG, JPEG or WebP picture ({why}); give another file",
        path.display()
    )]
    PictureBroken {
        /// The picture.
        path: PathBuf,
        /// What the decoder said.
        why: String,
    },
    /// A picture is larger than greenroom decodes.
    #[error(
        "the picture {} is too large ({size}); scale it down to at most {limit} pixels a side",
        path.display()
    )]
    PictureTooLarge {
        /// The picture.
        path: PathBuf,
        /// Its size.
        size: String,
        /// The longest side that is decoded.
        limit: u32,
    },
    /// A picture's description was refused.
    #[error(transparent)]
    Frame(#[from] greenroom_frame::FrameError),
}
