//! Kinds of video files that FFmpeg encodes, and with what.

use std::path::Path;
use std::time::Duration;

use greenroom_frame::{ColourMatrix, ColourRange, PixelFormat};

use super::encode::EncodedSink;
use super::encoded_file::{EncodedFile, NewFile};
use super::film::Film;
use super::part::PartFile;
use super::sound::{SoundPlan, seconds};
use crate::ffmpeg::{Arguments, Input, encoders, file_url};
use crate::{DeviceError, FrameRate, Sink, SinkMode};

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
    /// What makes a file that has no end playable up to its last second.
    endless: &'static [&'static str],
    codecs: &'static [Codec],
    /// For mattes, if there is one that keeps them without loss.
    grey: Option<&'static [Codec]>,
}

/// A cluster a second, each written whole.
const CLUSTERS: &[&str] = &["-cluster_time_limit", "1000", "-flush_packets", "1"];
/// A fragment a second, each written whole. The head comes with the first one: only then it says that frames come out of
/// order, without which the first would be shown late.
const FRAGMENTS: &[&str] = &[
    "-movflags",
    "delay_moov+default_base_moof",
    "-frag_duration",
    "1000000",
    "-flush_packets",
    "1",
];

pub(super) const MP4: Container =
    Container { muxer: "mp4", endless: FRAGMENTS, codecs: &H264, grey: None };
pub(super) const MOV: Container =
    Container { muxer: "mov", endless: FRAGMENTS, codecs: &H264, grey: None };
pub(super) const WEBM: Container =
    Container { muxer: "webm", endless: CLUSTERS, codecs: &VP9, grey: None };
pub(super) const MKV: Container =
    Container { muxer: "matroska", endless: CLUSTERS, codecs: &H264, grey: Some(&FFV1) };

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
        let file = EncodedFile::Beside(PartFile::beside(path)?);
        self.start(path, file, wanted, film)
    }

    /// As [`open`](Self::open), at its place from the start.
    pub fn open_in_place(
        &self,
        path: &Path,
        wanted: SinkMode,
    ) -> Result<Box<dyn Sink>, DeviceError> {
        self.start(path, EncodedFile::InPlace(NewFile::at(path)?), wanted, None)
    }

    fn start(
        &self,
        path: &Path,
        file: EncodedFile,
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
        let mut args = encode_args(codec, mode, sound.as_ref(), delay)?;
        match &file {
            EncodedFile::Beside(part) => {
                args.add(["-f", self.muxer, "-y"]);
                args.add([file_url(part.path())]);
            }
            EncodedFile::InPlace(new) => {
                let doing = "handing it to FFmpeg";
                let failed = |source| DeviceError::Io { what: name.clone(), doing, source };
                let fd = new.hand_over().map_err(failed)?;
                args.add(self.endless.iter().copied());
                // Whatever has its name when the first frame comes.
                args.add(["-f", self.muxer, "-y"]);
                args.add_output(fd, &name);
            }
        }
        EncodedSink::start(name, mode, file, args)
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
    Ok(args)
}
