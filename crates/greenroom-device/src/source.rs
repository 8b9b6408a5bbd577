use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use crate::{DeviceError, Wake};

/// How a camera sends its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Uncompressed.
    Raw(PixelFormat),
    /// One JPEG a frame, possibly without Huffman tables.
    Mjpeg,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Codec::Raw(format) => format.fmt(f),
            Codec::Mjpeg => f.pad("MJPG"),
        }
    }
}

/// Frames a second as a fraction: 30000/1001 stays exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// `numerator / denominator` frames a second; `None` unless both are above zero.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || denominator == 0 {
            return None;
        }
        Some(Self { numerator, denominator })
    }

    /// Frames in `denominator` seconds.
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// Seconds in which `numerator` frames come.
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// Frames a second.
    pub fn as_fps(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// Time from one frame to the next.
    pub fn interval(self) -> Duration {
        Duration::from_secs_f64(f64::from(self.denominator) / f64::from(self.numerator))
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fps = self.as_fps();
        if fps.fract() == 0.0 { write!(f, "{fps}") } else { write!(f, "{fps:.2}") }
    }
}

/// What a source delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceMode {
    /// How frames come from the device.
    pub codec: Codec,
    /// Size of the frames.
    pub size: SizePx,
    /// Rate that the source promises.
    pub rate: FrameRate,
    /// How their samples read as colour.
    pub colour: Colour,
}

impl fmt::Display for SourceMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {} fps", self.size, self.codec, self.rate)
    }
}

/// What waiting for a frame ended with. None of these is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The frame was filled.
    Frame(PassedOver),
    /// The time was up and no good frame came.
    NotYet(PassedOver),
    /// The [`Wake`] was set.
    Woken,
    /// A file that is not looped is at its end.
    Ended,
}

/// Frames that were not shown since the last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassedOver {
    /// Frames that were passed over for a newer one, or that the device lost.
    pub dropped: u32,
    /// Frames that could not be decoded.
    pub corrupt: u32,
}

/// Something that delivers pictures: a camera, a file.
pub trait Source: Send {
    /// What it is, for people: a card name with its node, a file's path.
    fn name(&self) -> &str;

    /// What it delivers now. May change between two frames: a camera's new size is adopted.
    fn mode(&self) -> SourceMode;

    /// Waits for the newest frame and puts it into `into` as planar YUV ([`PixelFormat::I420`] or
    /// [`PixelFormat::I422`], whichever the source's chroma is; `into` is reshaped), with its
    /// colour and time of capture. Ends early when `wake` is set, and after `patience` at the
    /// latest. On anything but [`Next::Frame`] the content of `into` is unspecified.
    ///
    /// # Errors
    /// [`DeviceError::Gone`] when the device has left; others as they come. Frames that cannot be
    /// decoded are counted, not an error.
    fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        patience: Duration,
    ) -> Result<Next, DeviceError>;
}

/// Opens a source, again and again.
pub trait SourceOpener: Send {
    /// The source, if it is there now.
    ///
    /// # Errors
    /// Why it is not.
    fn open(&mut self) -> Result<Box<dyn Source>, DeviceError>;

    /// A descriptor that is readable (POLLIN) when it may have come; then [`has_news`](Self::has_news) is to be asked,
    /// which makes it unreadable again. `None` for what gives no sign.
    fn news_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Whether it may have come since this was asked last.
    fn has_news(&mut self) -> bool {
        false
    }

    /// Nobody waits for it any more: what listens for news may end, until [`open`](Self::open) is called again.
    fn rest(&mut self) {}
}

impl<F: FnMut() -> Result<Box<dyn Source>, DeviceError> + Send> SourceOpener for F {
    fn open(&mut self) -> Result<Box<dyn Source>, DeviceError> {
        self()
    }
}
