//! Video files that FFmpeg encodes.

use std::io;
use std::path::Path;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use greenroom_frame::{ColourMatrix, ColourRange, FrameView, PixelFormat};
use rustix::pipe::fcntl_setpipe_size;

use super::part::PartFile;
use super::sound::{SoundPlan, seconds};
use super::{Film, check_frame, frame_bytes, write_planes};
use crate::clip::whole;
use crate::ffmpeg::{Arguments, Ffmpeg, Flow, Guard, Input, encoders, file_url, mux};
use crate::{DeviceError, FrameRate, Sink, SinkMode};

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
    /// When the first frame was captured, and the time of the last one since then.
    first_at: Option<Instant>,
    last: Duration,
}

/// Frames are at least so far apart in a file: what containers count in.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// A codec and its options, near to what the eye cannot tell from the original.
#[derive(Debug)]
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

/// A kind of video file.
#[derive(Debug)]
pub(super) struct Container {
    muxer: &'static str,
    codecs: &'static [Codec],
    /// For mattes, if there is one that keeps them without loss.
    grey: Option<&'static [Codec]>,
}

pub(super) const MP4: Container = Container { muxer: "mp4", codecs: &H264, grey: None };
pub(super) const MOV: Container = Container { muxer: "mov", codecs: &H264, grey: None };
pub(super) const WEBM: Container = Container { muxer: "webm", codecs: &VP9, grey: None };
pub(super) const MKV: Container = Container { muxer: "matroska", codecs: &H264, grey: Some(&FFV1) };

/// What every player shows: 4:2:0 of even size.
fn planar_420(wanted: SinkMode) -> SinkMode {
    SinkMode { format: PixelFormat::I420, size: wanted.size.even(), ..wanted }
}

impl Container {
    /// Whether it keeps frames of this format.
    ///
    /// # Errors
    /// [`DeviceError::Unsupported`]: a matte is for other programs to compute with; what mp4 and webm
    /// hold is for the eye.
    pub fn check(&self, path: &Path, is_grey: bool) -> Result<(), DeviceError> {
        if !is_grey || self.grey.is_some() {
            return Ok(());
        }
        let why =
            "this kind of file does not keep a matte without loss; end its name in .mkv or .y4m";
        Err(DeviceError::Unsupported { what: path.display().to_string(), why: why.to_owned() })
    }

    pub fn open(
        &self,
        path: &Path,
        wanted: SinkMode,
        film: Option<&Film<'_>>,
    ) -> Result<Box<dyn Sink>, DeviceError> {
        let is_grey = wanted.format == PixelFormat::Grey;
        self.check(path, is_grey)?;
        let mode = if is_grey { wanted } else { planar_420(wanted) };
        let codecs = self.grey.filter(|_| is_grey).unwrap_or(self.codecs);
        let name = path.display().to_string();
        mode.size.checked()?;
        let known = encoders()?;
        let codec = codecs
            .iter()
            .find(|codec| known.split_whitespace().any(|word| word == codec.encoder))
            .ok_or_else(|| DeviceError::Unsupported {
                what: name.clone(),
                why: format!(
                    "this FFmpeg has no {} encoder; install the complete FFmpeg or name a .y4m \
                     file",
                    codecs[0].encoder
                ),
            })?;
        tracing::debug!(file = %name, encoder = codec.encoder, "encoding");
        let sound = film.and_then(|film| film.sound);
        let sound = sound.map(|sound| SoundPlan::new(sound, self.muxer, &known));
        if let Some(sound) = &sound {
            tracing::info!("sound: {sound}");
        }
        let sound = sound.filter(|sound| !sound.is_silent());
        let delay = film.map_or(Duration::ZERO, |film| film.first_frame_at);
        let part = PartFile::beside(path)?;
        let args = encode_args(part.path(), self.muxer, codec, mode, sound.as_ref(), delay)?;
        let mut ffmpeg = Ffmpeg::start(args, Flow::In, Guard::writer())?;
        let input = ffmpeg.take_input();
        if let Some(Err(error)) = input.as_ref().map(|input| fcntl_setpipe_size(input, 1 << 20)) {
            tracing::debug!(%error, "the pipe stays small");
        }
        let last = Duration::ZERO;
        Ok(Box::new(EncodedSink {
            name,
            mode,
            input,
            ffmpeg,
            part,
            frames: 0,
            first_at: None,
            last,
        }))
    }
}

/// What times are counted in: a part of the rate's interval, so that frames at this rate are exactly
/// there, and small, since others are not. MPEG-4 takes no more than 65535 a second.
fn time_base(rate: FrameRate) -> String {
    match 60_000 / rate.numerator() {
        0 => "1:60000".to_owned(),
        parts => format!("1:{}", rate.numerator() * parts),
    }
}

fn encode_args(
    path: &Path,
    muxer: &str,
    codec: &Codec,
    mode: SinkMode,
    sound: Option<&SoundPlan<'_>>,
    delay: Duration,
) -> Result<Arguments, DeviceError> {
    let SinkMode { format, rate, colour, .. } = mode;
    let pix_fmt = if format == PixelFormat::Grey { "gray" } else { "yuv420p" };
    let range = match (format, colour.range) {
        (PixelFormat::Grey, _) | (_, ColourRange::Full) => "pc",
        (_, ColourRange::Limited) => "tv",
    };
    let (matrix, primaries) = match colour.matrix {
        ColourMatrix::Bt601 => ("smpte170m", "smpte170m"),
        ColourMatrix::Bt709 => ("bt709", "bt709"),
    };
    // Said of the frames before the encoder is asked for it, or newer FFmpegs convert them.
    let mut tags = format!("setparams=range={range}");
    if format != PixelFormat::Grey {
        tags += &format!(":colorspace={matrix}:color_primaries={primaries}:color_trc=bt709");
    }
    let mut args = Arguments::default();
    if sound.is_some() {
        args.add(["-itsoffset", &seconds(delay)]);
    }
    args.add_input(Input::OwnFrames)?;
    if let Some(sound) = sound {
        sound.add_input(&mut args)?;
    }
    args.add(["-map", "0:v:0", "-filter:v", &tags]);
    // Each frame at its own time, also in MP4, where FFmpeg would fill in others.
    args.add(["-fps_mode", "vfr", "-enc_time_base:v", &time_base(rate)]);
    // More threads win nothing at these sizes, and each takes memory.
    args.add(["-threads:v", "16", "-c:v", codec.encoder]);
    args.add(codec.options.iter().copied());
    args.add(["-pix_fmt", pix_fmt, "-color_range", range]);
    if format != PixelFormat::Grey {
        args.add(["-colorspace", matrix, "-color_primaries", primaries, "-color_trc", "bt709"]);
    }
    if let Some(sound) = sound {
        sound.add_output(&mut args);
    }
    args.add(["-f", muxer, "-y"]);
    args.add([file_url(path)]);
    Ok(args)
}

impl EncodedSink {
    /// Why the child ended, or that it did well and its file is whole.
    fn end(&mut self) -> Result<(), DeviceError> {
        self.input = None;
        let what = || self.name.clone();
        let (status, said) = self.ffmpeg.wait().map_err(|source| DeviceError::Io {
            what: what(),
            doing: "ending ffmpeg",
            source,
        })?;
        // FFmpeg 5 ends with 0 also where the disk had no room for the end of the file.
        if status.success() && !said.lost_output && whole::is_complete(self.part.file()) {
            return Ok(());
        }
        self.part.spoil();
        let reason = said.reason.unwrap_or_else(|| match status.success() {
            true => "its end is missing".to_owned(),
            false => format!("ffmpeg ended with {status}"),
        });
        let why = format!("it could not be written ({reason}); check the disk's space");
        Err(DeviceError::Broken { what: what(), why })
    }

    /// The frame's time since the first one.
    fn time_of(&mut self, captured_at: Instant) -> Duration {
        let first_at = *self.first_at.get_or_insert(captured_at);
        let time = captured_at.saturating_duration_since(first_at);
        self.last = match self.frames {
            0 => time,
            _ => time.max(self.last + MIN_INTERVAL),
        };
        self.last
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
        let time = self.time_of(frame.captured_at());
        let gone = || DeviceError::Gone { what: self.name.clone() };
        let input = self.input.as_mut().ok_or_else(gone)?;
        let mut write = || {
            if self.frames == 0 {
                mux::write_header(self.mode, input)?;
            }
            mux::write_head(time, frame_bytes(frame), input)?;
            write_planes(frame, input)
        };
        match write() {
            Ok(()) => {
                self.frames += 1;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.part.spoil();
                Err(self.end().err().unwrap_or_else(|| DeviceError::Gone {
                    what: format!("the FFmpeg that writes {}", self.name),
                }))
            }
            Err(source) => {
                self.part.spoil();
                Err(DeviceError::Io { what: self.name.clone(), doing: "writing", source })
            }
        }
    }

    fn complete(&mut self) -> Result<(), DeviceError> {
        if self.frames == 0 || self.input.is_none() {
            return Ok(());
        }
        self.end()?;
        let what = || self.name.clone();
        let doing = "writing it to the disk";
        self.part.sync().map_err(|source| DeviceError::Io { what: what(), doing, source })
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn finish(mut self: Box<Self>) -> Result<(), DeviceError> {
        self.complete()?;
        let Self { name: what, part, frames, .. } = *self;
        if frames == 0 {
            return Ok(());
        }
        let doing = "putting it in its place";
        part.complete().map_err(|source| DeviceError::Io { what, doing, source })
    }
}
