//! Video files that FFmpeg encodes.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ChildStdin;

use greenroom_frame::{ColourMatrix, ColourRange, FrameView, PixelFormat};
use rustix::pipe::fcntl_setpipe_size;

use super::part::PartFile;
use super::{check_frame, write_planes};
use crate::ffmpeg::{Ffmpeg, Flow, Guard, encoders, file_url};
use crate::{DeviceError, Sink, SinkMode};

/// Sends frames to an `ffmpeg` that encodes them into a file.
#[derive(Debug)]
struct EncodedSink {
    name: String,
    mode: SinkMode,
    // Dropped in this order: the child ends before its file is removed.
    input: Option<ChildStdin>,
    ffmpeg: Ffmpeg,
    part: PartFile,
    frames: u64,
}

/// A codec and its options, near to what the eye cannot tell from the original.
struct Codec {
    encoder: &'static str,
    options: &'static [&'static str],
}

/// H.264 encoders, best first. All keep up with 720p at 30 fps on two cores.
const H264: [Codec; 3] = [
    Codec { encoder: "libx264", options: &["-preset", "veryfast", "-crf", "16"] },
    Codec { encoder: "libopenh264", options: &["-b:v", "12M"] },
    // Not H.264, but part of every FFmpeg.
    Codec { encoder: "mpeg4", options: &["-q:v", "2"] },
];

const VP9: [Codec; 2] = [
    Codec {
        encoder: "libvpx-vp9",
        options: &[
            "-deadline",
            "realtime",
            "-cpu-used",
            "7",
            "-row-mt",
            "1",
            "-crf",
            "18",
            "-b:v",
            "0",
        ],
    },
    Codec { encoder: "libvpx", options: &["-deadline", "realtime", "-crf", "6", "-b:v", "12M"] },
];

/// Without loss: for mattes. Every frame stands alone.
const FFV1: [Codec; 1] = [Codec { encoder: "ffv1", options: &["-level", "3", "-g", "1"] }];

pub(super) fn open_mp4(path: &Path, wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    refuse_grey(path, wanted)?;
    open(path, "mp4", &H264, planar_420(wanted))
}

pub(super) fn open_mov(path: &Path, wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    refuse_grey(path, wanted)?;
    open(path, "mov", &H264, planar_420(wanted))
}

pub(super) fn open_webm(path: &Path, wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    refuse_grey(path, wanted)?;
    open(path, "webm", &VP9, planar_420(wanted))
}

pub(super) fn open_mkv(path: &Path, wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    match wanted.format {
        PixelFormat::Grey => open(path, "matroska", &FFV1, wanted),
        _ => open(path, "matroska", &H264, planar_420(wanted)),
    }
}

/// What every player shows: 4:2:0 of even size.
fn planar_420(wanted: SinkMode) -> SinkMode {
    SinkMode { format: PixelFormat::I420, size: wanted.size.even(), ..wanted }
}

/// A matte is for other programs to compute with; what mp4 and webm hold is for the eye.
fn refuse_grey(path: &Path, wanted: SinkMode) -> Result<(), DeviceError> {
    if wanted.format != PixelFormat::Grey {
        return Ok(());
    }
    Err(DeviceError::Unsupported {
        what: path.display().to_string(),
        why: "this kind of file does not keep a matte without loss; end its name in .mkv or .y4m"
            .to_owned(),
    })
}

fn open(
    path: &Path,
    muxer: &str,
    codecs: &'static [Codec],
    mode: SinkMode,
) -> Result<Box<dyn Sink>, DeviceError> {
    let name = path.display().to_string();
    mode.size.checked()?;
    let part = PartFile::beside(path)?;
    let known = encoders()?;
    let codec = codecs
        .iter()
        .find(|codec| known.split_whitespace().any(|word| word == codec.encoder))
        .ok_or_else(|| DeviceError::Unsupported {
            what: name.clone(),
            why: format!(
                "this FFmpeg has no {} encoder; install the complete FFmpeg or name a .y4m file",
                codecs[0].encoder
            ),
        })?;
    tracing::debug!(file = %name, encoder = codec.encoder, "encoding");
    let mut ffmpeg =
        Ffmpeg::start(encode_args(part.path(), muxer, codec, mode), Flow::In, Guard::writer())?;
    let input = ffmpeg.take_input();
    if let Some(Err(error)) = input.as_ref().map(|input| fcntl_setpipe_size(input, 1 << 20)) {
        tracing::debug!(%error, "the pipe stays small");
    }
    Ok(Box::new(EncodedSink { name, mode, input, ffmpeg, part, frames: 0 }))
}

fn encode_args(path: &Path, muxer: &str, codec: &Codec, mode: SinkMode) -> Vec<OsString> {
    let SinkMode { format, size, rate, colour } = mode;
    let pix_fmt = if format == PixelFormat::Grey { "gray" } else { "yuv420p" };
    let range = match (format, colour.range) {
        (PixelFormat::Grey, _) | (_, ColourRange::Full) => "pc",
        (_, ColourRange::Limited) => "tv",
    };
    let (matrix, primaries) = match colour.matrix {
        ColourMatrix::Bt601 => ("smpte170m", "smpte170m"),
        ColourMatrix::Bt709 => ("bt709", "bt709"),
    };
    let (size, rate) = (size.to_string(), format!("{}/{}", rate.numerator(), rate.denominator()));
    // Said of the frames before the encoder is asked for it, or newer FFmpegs convert them.
    let mut tags = format!("setparams=range={range}");
    if format != PixelFormat::Grey {
        tags += &format!(":colorspace={matrix}:color_primaries={primaries}:color_trc=bt709");
    }
    let mut args: Vec<OsString> = Vec::new();
    let mut push = |words: &[&str]| args.extend(words.iter().map(OsString::from));
    push(&["-f", "rawvideo", "-pixel_format", pix_fmt, "-video_size", &size]);
    push(&["-framerate", &rate, "-i", "pipe:0", "-filter:v", &tags]);
    push(&["-c:v", codec.encoder]);
    push(codec.options);
    push(&["-pix_fmt", pix_fmt, "-color_range", range]);
    if format != PixelFormat::Grey {
        push(&["-colorspace", matrix, "-color_primaries", primaries, "-color_trc", "bt709"]);
    }
    push(&["-f", muxer, "-y"]);
    args.push(file_url(path));
    args
}

impl EncodedSink {
    /// Why the child ended, or that it did well.
    fn end(&mut self) -> Result<(), DeviceError> {
        self.input = None;
        let what = || self.name.clone();
        let (status, reason) = self.ffmpeg.wait().map_err(|source| DeviceError::Io {
            what: what(),
            doing: "ending ffmpeg",
            source,
        })?;
        if status.success() {
            return Ok(());
        }
        let reason = reason.unwrap_or_else(|| format!("ffmpeg ended with {status}"));
        let why = format!("it could not be written ({reason}); check the disk's space");
        Err(DeviceError::Broken { what: what(), why })
    }
}

impl Sink for EncodedSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        check_frame(frame, self.mode)?;
        let gone = || DeviceError::Gone { what: self.name.clone() };
        let input = self.input.as_mut().ok_or_else(gone)?;
        match write_planes(frame, input) {
            Ok(()) => {
                self.frames += 1;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err(self.end().err().unwrap_or_else(|| DeviceError::Gone {
                    what: format!("the FFmpeg that writes {}", self.name),
                }))
            }
            Err(source) => {
                Err(DeviceError::Io { what: self.name.clone(), doing: "writing", source })
            }
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), DeviceError> {
        if self.frames == 0 {
            return Ok(());
        }
        self.end()?;
        let Self { name: what, part, .. } = *self;
        let doing = "putting it in its place";
        part.complete().map_err(|source| DeviceError::Io { what, doing, source })
    }
}
