use std::io;
use std::path::PathBuf;

/// What can go wrong with a scene. Every text is one sentence with the next step to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// A text is none of the kinds of background, or asks one for what it cannot do. The sentence
    /// says what is allowed.
    #[error("{0}")]
    BadBackground(String),
    /// A text is none of the effects, or asks one for what it cannot do. The sentence says what is
    /// allowed.
    #[error("{0}")]
    BadEffect(String),
    /// A text is no foreground. The sentence says what is allowed.
    #[error("{0}")]
    BadForeground(String),
    /// A text is no framing. The sentence says what is allowed.
    #[error("{0}")]
    BadFraming(String),
    /// A text is no look. The sentence says what is allowed.
    #[error("{0}")]
    BadLook(String),
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
    /// A video could not be opened, or broke.
    #[error(transparent)]
    Media(#[from] greenroom_device::DeviceError),
    /// A video can be opened and shows nothing.
    #[error("{what} gave no picture within 10 seconds; try again or choose another video")]
    NoPicture {
        /// The video.
        what: String,
    },
    /// A video that is to be exact has no frame for its time.
    #[error(
        "the video behind gave no picture for its second {seconds:.2} in time; use a machine that \
         is less busy, or choose another video"
    )]
    NoFrame {
        /// Time since the video began.
        seconds: f64,
    },
    /// A folder to be shown has nothing in it that can be.
    #[error("{} holds no picture that can be shown; put PNG, JPEG or WebP files into it", path.display())]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },
    /// Loading was given up by whoever wanted it.
    #[error("loading it was given up, since something else is wanted now; ask again")]
    Cancelled,
    /// The system has no thread or descriptor left.
    #[error("there are no means left for {what} ({why}); close some programs")]
    NoThread {
        /// What it was wanted for.
        what: &'static str,
        /// The system's answer.
        why: io::Error,
    },
    /// A picture's description was refused.
    #[error(transparent)]
    Frame(#[from] greenroom_frame::FrameError),
}
